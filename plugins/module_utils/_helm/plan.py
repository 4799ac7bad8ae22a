# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""In what a release differs from its desired state, and what has to be done about it."""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass

from .._kinds import CUSTOM_RESOURCE_DEFINITION
from .._yaml import YamlOutOfBounds, load_documents
from .records import CurrentState, decode
from .render import canonical
from .spec import Chart, Release

Object = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class ReleasePlan:
    """What has to be done, in this order.

    Attributes:
        differs: in what the release differs; if in nothing, nothing has to be done.
        repairs: the names of the records to remove, which keep Helm from working on the release.
        definitions: the CustomResourceDefinitions to apply before Helm is started.
    """

    differs: t.Sequence[str]
    repairs: t.Sequence[str] = ()
    definitions: t.Sequence[t.Mapping[str, t.Any]] = ()


def plan_release(desired: Release, current: CurrentState, differs: t.Sequence[str], documents: t.Iterable[t.Any]) -> ReleasePlan:
    """What has to be done about a release.

    Args:
        desired: the release.
        current: what the cluster has.
        differs: in what the release differs, as differences() returns it.
        documents: those of the chart that may be CustomResourceDefinitions; none if they do not belong to the desired state.
    """
    release = current.releases.get(desired.key)
    return ReleasePlan(differs, release.pending if release and differs else (), changed_definitions(documents, current.definitions))


def differences(desired: Release, current: CurrentState) -> list[str]:
    """In what a release differs; nothing when Helm would find nothing to do either.

    C(missing), C(status) for a newest revision that is not deployed, C(chart), C(values), C(definitions), C(objects) for those that somebody has deleted,
    or C(record) for one that cannot be read.
    """
    release = current.releases.get(desired.key)
    if release is None:
        return ["missing"]
    if release.status != "deployed":
        return ["status"]
    try:
        record = decode(release.newest)
        chart = record["chart"]
        metadata = chart["metadata"]
        found = Chart(metadata["name"], metadata["version"], metadata.get("appVersion"))
        differs = [] if desired.chart and _is_chart(desired.chart, found) else ["chart"]
        differs += [] if canonical(record.get("config") or {}) == canonical(desired.values) else ["values"]
        # The record of a chart lacks the files of the charts that it depends on.
        if desired.definitions and (metadata.get("dependencies") or changed_definitions(_recorded_definitions(chart), current.definitions)):
            differs.append("definitions")
        differs += ["objects"] if current.missing.get(desired.key) else []
    except (KeyError, TypeError, AttributeError, ValueError):
        return ["record"]
    return differs


def changed_definitions(documents: t.Iterable[t.Any], current: t.Mapping[str, Object]) -> list[dict[str, t.Any]]:
    """The CustomResourceDefinitions among documents that the cluster lacks, or has with less than they say."""
    definitions = [one for one in documents if isinstance(one, dict) and one.get("kind") == CUSTOM_RESOURCE_DEFINITION.name]
    return [definition for definition in definitions if not _is_part(definition, current.get(definition["metadata"]["name"]))]


def _is_chart(desired: Chart, found: Chart) -> bool:
    if not desired.version or (desired.name, desired.version) != (found.name, found.version):
        return False
    return desired.app_version is None or desired.app_version == (found.app_version or "")


def _recorded_definitions(chart: Object) -> t.Iterator[t.Any]:
    """The documents below crds/ of a recorded chart; none of a file that is not YAML, which Helm has not installed either."""
    from yaml import YAMLError

    for file in chart.get("files") or ():
        if file["name"].startswith("crds/") and file["name"].endswith((".yaml", ".yml", ".json")):
            try:
                yield from load_documents(base64.b64decode(file["data"]))
            except (YAMLError, YamlOutOfBounds):
                continue


def _is_part(desired: t.Any, current: t.Any) -> bool:
    """Whether all that is desired is there; the API server adds defaults, a status and metadata of its own."""
    if isinstance(desired, dict):
        # What is null is not stored.
        return isinstance(current, dict) and all(_is_part(value, current.get(key)) for key, value in desired.items() if value is not None)
    if isinstance(desired, list):
        return isinstance(current, list) and len(desired) == len(current) and all(map(_is_part, desired, current))
    return canonical(desired) == canonical(current)


__all__ = ("ReleasePlan", "changed_definitions", "differences", "plan_release")
