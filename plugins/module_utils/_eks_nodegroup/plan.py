# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current node groups to the changes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import NO_TAG_CHANGES, TagChanges, as_text, compare_tags, tags_after
from .normalize import normalize_nodegroup, normalize_taint
from .render import render_creation, render_scaling, render_update_config

if t.TYPE_CHECKING:
    from .normalize import Description
    from .spec import NodegroupSpec


Action = t.Literal["created", "changed", "deleted", "unchanged"]


@dataclass(frozen=True)
class NodegroupChange:
    """The change of one node group.

    Attributes:
        present: whether it is to exist.
        before, after: the fields that change, with their current and their desired values.
        creation: the parameters of C(CreateNodegroup); empty for an existing node group. All parameters are without cluster and name.
        config: the parameters of C(UpdateNodegroupConfig); empty for no request.
        version: the parameters of C(UpdateNodegroupVersion); empty for no request.
        tags: the tags that are set and removed apart from these requests.
        current: the current description; None if it does not exist.
    """

    name: str
    action: Action
    present: bool = True
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    creation: t.Mapping[str, t.Any] = field(default_factory=dict)
    config: t.Mapping[str, t.Any] = field(default_factory=dict)
    version: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: TagChanges = NO_TAG_CHANGES
    current: Description | None = None

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"


def plan_nodegroups(specs: t.Iterable[NodegroupSpec], current: t.Mapping[str, Description], *, purge_tags: bool = True) -> list[NodegroupChange]:
    """The changes of the desired node groups, in their order.

    Args:
        specs: the desired node groups.
        current: the descriptions of those that exist, by name.
        purge_tags: whether tags that are not named are removed.
    """
    return [_plan_nodegroup(spec, current.get(spec.name), purge_tags=purge_tags) for spec in specs]


def _plan_nodegroup(spec: NodegroupSpec, current: Description | None, *, purge_tags: bool) -> NodegroupChange:
    if not spec.present:
        if current is None or current.get("status") == "DELETING":
            return NodegroupChange(spec.name, "unchanged", present=False, current=current)
        return NodegroupChange(spec.name, "deleted", present=False, before=normalize_nodegroup(current), current=current)
    if current is None:
        creation = render_creation(spec)
        return NodegroupChange(spec.name, "created", after=creation, creation={**creation, "tags": as_text(spec.tags or {})})
    return _plan_update(spec, current, purge_tags=purge_tags)


def _plan_update(spec: NodegroupSpec, current: Description, *, purge_tags: bool) -> NodegroupChange:
    config = [part for part in (_labels(spec, current), _taints(spec, current), _scaling(spec, current), _update_config(spec, current)) if part]
    version = _versions(spec, current)
    present_tags = dict(current.get("tags") or {})
    tags = compare_tags(present_tags, spec.tags, purge=purge_tags)
    tag_part = [_Part("tags", {}, present_tags, tags_after(present_tags, tags))] if tags.any else []
    parts = [*config, *version, *tag_part]
    return NodegroupChange(
        spec.name,
        "changed" if parts else "unchanged",
        before={part.field: part.before for part in parts},
        after={part.field: part.after for part in parts},
        config={part.field: part.request for part in config},
        version={part.field: part.request for part in version},
        tags=tags,
        current=current,
    )


class _Part(t.NamedTuple):
    """The change of one field: what is requested, and its value before and after."""

    field: str
    request: t.Any
    before: t.Any
    after: t.Any


def _labels(spec: NodegroupSpec, current: Description) -> _Part | None:
    if spec.labels is None:
        return None
    present = dict(current.get("labels") or {})
    request = {
        "addOrUpdateLabels": {key: value for key, value in sorted(spec.labels.items()) if present.get(key) != value},
        "removeLabels": sorted(set(present) - set(spec.labels)),
    }
    return _part("labels", request, present, dict(spec.labels))


def _taints(spec: NodegroupSpec, current: Description) -> _Part | None:
    if spec.taints is None:
        return None
    desired = {(taint["key"], taint["effect"]): taint for taint in spec.taints}
    present = {(taint["key"], taint["effect"]): normalize_taint(taint) for taint in current.get("taints") or []}
    request = {
        "addOrUpdateTaints": [taint for key, taint in sorted(desired.items()) if present.get(key) != taint],
        "removeTaints": [taint for key, taint in sorted(present.items()) if key not in desired],
    }
    return _part("taints", request, [present[key] for key in sorted(present)], [desired[key] for key in sorted(desired)])


def _part(name: str, request: t.Mapping[str, t.Any], before: t.Any, after: t.Any) -> _Part | None:
    given = {key: value for key, value in request.items() if value}
    return _Part(name, given, before, after) if given else None


def _scaling(spec: NodegroupSpec, current: Description) -> _Part | None:
    """The bounds. The desired size belongs to the autoscaler once the node group exists, and only moves if the new bounds leave it no room."""
    present = dict(current.get("scalingConfig") or {})
    requested = render_scaling(spec)
    desired = {key: requested.get(key, present.get(key)) for key in ("minSize", "maxSize")}
    if all(present.get(key) == value for key, value in desired.items()):
        return None
    size = present.get("desiredSize")
    if size is not None:
        low, high = desired["minSize"] or 0, desired["maxSize"]
        desired["desiredSize"] = max(low, size if high is None else min(size, high))
    desired = {key: value for key, value in desired.items() if value is not None}
    return _Part("scalingConfig", desired, present, desired)


def _update_config(spec: NodegroupSpec, current: Description) -> _Part | None:
    desired, present = render_update_config(spec), dict(current.get("updateConfig") or {})
    if all(present.get(key) == value for key, value in desired.items()):
        return None
    return _Part("updateConfig", desired, present, desired)


def _versions(spec: NodegroupSpec, current: Description) -> list[_Part]:
    parts = []
    for value, key in ((spec.version, "version"), (spec.release_version, "releaseVersion")):
        if value and value != str(current.get(key) or ""):
            parts.append(_Part(key, value, current.get(key), value))
    template = spec.launch_template
    if template.get("version") and template["version"] != str((current.get("launchTemplate") or {}).get("version")):
        parts.append(_Part("launchTemplate", template, current.get("launchTemplate"), template))
    return parts


__all__ = ("NodegroupChange", "plan_nodegroups")
