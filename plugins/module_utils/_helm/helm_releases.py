# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What Helm has recorded of a release, and whether that is what is wanted.

Source: helm.sh/helm/v3 pkg/storage/driver/secrets.go and util.go: a revision is a Secret C(sh.helm.release.v1.<name>.v<revision>) with the labels owner,
name, status and version; its data is JSON, packed by gzip and written in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
import zlib
from dataclasses import dataclass

from ansible.module_utils.common.yaml import yaml_load_all

Object = t.Mapping[str, t.Any]

# The states in which Helm leaves a revision while it works; one that stays there is what a killed Helm has left.
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
_GZIP = b"\x1f\x8b\x08"
# zlib's name for a gzip header.
_GZIP_WINDOW = 31


@dataclass(frozen=True)
class Chart:
    """A chart as it is wanted.

    Attributes:
        name: its name.
        version: its exact version; empty when it is not known without a look into a repository.
        app_version: what it says of the software in it; None when that is not known, or the version says all.
    """

    name: str
    version: str
    app_version: str | None = None


@dataclass(frozen=True)
class Wish:
    """A release as it is wanted; chart is None when the chart could not be found."""

    name: str
    namespace: str
    chart: Chart | None
    values: t.Mapping[str, t.Any]
    definitions: bool = False


def release_wishes(releases: t.Iterable[Object], namespace: str) -> list[dict[str, t.Any]]:
    """Releases of the role istio as the module helm_release_info takes them.

    Args:
        releases: each with C(name), C(reference), C(release_values), and C(namespace) where it is another.
        namespace: where releases are that do not say so.
    """
    return [
        {**release["reference"], "name": release["name"], "namespace": release.get("namespace") or namespace, "values": release["release_values"]}
        for release in releases
    ]


def selector(names: t.Iterable[str]) -> str:
    """The label selector of the newest records of these releases: older ones are superseded, and of those nothing has to be read."""
    return f"owner=helm,name in ({', '.join(sorted(set(names)))}),status!=superseded"


def newest_records(secrets: t.Iterable[Object]) -> dict[tuple[str, str], Object]:
    """The Secret of the newest revision of each release, by namespace and name."""
    found: dict[tuple[str, str], Object] = {}
    for secret in sorted(secrets, key=_revision):
        metadata = secret["metadata"]
        found[metadata["namespace"], str(_labels(secret).get("name"))] = secret
    return found


def pending_records(secrets: t.Iterable[Object]) -> list[tuple[str, str]]:
    """Namespace and name of each release of which a revision is pending."""
    return sorted({(secret["metadata"]["namespace"], str(_labels(secret).get("name"))) for secret in secrets if _labels(secret).get("status") in PENDING})


def status_of(secret: Object) -> str:
    """The state of a revision, such as C(deployed)."""
    return str(_labels(secret).get("status", ""))


def revision_of(secret: Object) -> int:
    """The number of a revision."""
    return _revision(secret)


def differences(wish: Wish, secret: Object | None, definitions: t.Mapping[str, Object]) -> list[str]:
    """In what a release is not as it is wanted; nothing when Helm would find nothing to do either.

    Helm's module compares chart, version and values with the newest revision; this is at least as strict, and says C(record) for what it cannot read.

    Args:
        wish: the release as it is wanted.
        secret: the record of its newest revision, or None.
        definitions: the CustomResourceDefinitions of the cluster by name; only read when the wish says so.
    """
    if secret is None:
        return ["missing"]
    if status_of(secret) != "deployed":
        return ["status"]
    try:
        record = _decoded(secret)
        chart = record["chart"]
        metadata = chart["metadata"]
        found = Chart(metadata["name"], metadata["version"], metadata.get("appVersion"))
        differs = [] if wish.chart and _is_chart(wish.chart, found) else ["chart"]
        # Helm keeps values as JSON; what JSON tells apart (1 and true, 1 and 1.0) is another value here, too.
        differs += [] if _canonical(record.get("config") or {}) == _canonical(wish.values) else ["values"]
        if wish.definitions:
            differs += [] if _has_definitions(chart, definitions) else ["definitions"]
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error, binascii.Error):
        return ["record"]
    return differs


def _is_chart(wanted: Chart, found: Chart) -> bool:
    if not wanted.version or (wanted.name, wanted.version) != (found.name, found.version):
        return False
    return wanted.app_version is None or wanted.app_version == (found.app_version or "")


def _has_definitions(chart: Object, present: t.Mapping[str, Object]) -> bool:
    """Whether all that is below crds/ of a chart is in the cluster, with at least what the chart says of it."""
    # The record of a chart does not have the files of the charts that it depends on.
    if chart["metadata"].get("dependencies"):
        return False
    wanted = [
        document
        for file in chart.get("files") or ()
        if file["name"].startswith("crds/") and file["name"].endswith((".yaml", ".yml", ".json"))
        for document in _documents(file["data"])
    ]
    return all(_is_part(document, present.get(document["metadata"]["name"])) for document in wanted if document.get("kind") == "CustomResourceDefinition")


def _documents(data: str) -> list[dict[str, t.Any]]:
    return [document for document in yaml_load_all(base64.b64decode(data)) if document]


def _is_part(wanted: t.Any, present: t.Any) -> bool:
    """Whether all that is wanted is there; the API server adds defaults, a status and metadata of its own."""
    if isinstance(wanted, dict):
        # What is null is not stored.
        return isinstance(present, dict) and all(_is_part(value, present.get(key)) for key, value in wanted.items() if value is not None)
    if isinstance(wanted, list):
        return isinstance(present, list) and len(wanted) == len(present) and all(map(_is_part, wanted, present))
    return bool(_canonical(wanted) == _canonical(present))


def _decoded(secret: Object) -> dict[str, t.Any]:
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    # Helm before 3.0 final did not pack.
    text = zlib.decompress(packed, _GZIP_WINDOW) if packed.startswith(_GZIP) else packed
    return t.cast("dict[str, t.Any]", json.loads(text))


def _canonical(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True)


def _labels(secret: Object) -> t.Mapping[str, t.Any]:
    return secret["metadata"].get("labels") or {}


def _revision(secret: Object) -> int:
    version = str(_labels(secret).get("version", ""))
    return int(version) if version.isdigit() else 0


__all__ = ("PENDING", "Chart", "Wish", "differences", "newest_records", "pending_records", "release_wishes", "revision_of", "selector", "status_of")
