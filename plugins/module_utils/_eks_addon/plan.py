# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current add-ons to the changes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import NO_TAG_CHANGES, TagChanges, as_text, compare_tags, tags_after
from .health import BUSY
from .normalize import Addon, canonical, format_addon
from .render import render_request

if t.TYPE_CHECKING:
    from .spec import AddonSpec

Action = t.Literal["created", "updated", "recreated", "deleted", "unchanged"]


@dataclass(frozen=True)
class AddonChange:
    """The change of one add-on.

    Attributes:
        before: its current fields; empty if it does not exist.
        after: its desired fields; empty if it is not to exist.
        request: the parameters of C(CreateAddon) or C(UpdateAddon), without the cluster; empty if neither is sent.
        tags: the tags that are set and removed apart from the request.
        current: the current add-on.
    """

    name: str
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: TagChanges = NO_TAG_CHANGES
    current: Addon | None = None

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"

    @property
    def blocked(self) -> bool:
        """Whether the change can only be sent once EKS has finished what it is doing."""
        return self.changed and self.current is not None and self.current.status in BUSY


def plan_addons(
    specs: t.Sequence[AddonSpec], current: t.Mapping[str, Addon], versions: t.Mapping[str, str], *, purge: bool = False, purge_tags: bool = True
) -> list[AddonChange]:
    """The changes: for the desired add-ons in their order, then, if they are to be purged, for the other add-ons by name.

    Args:
        specs: the desired add-ons.
        current: the current add-ons by name.
        versions: the version that each desired add-on gets, by name.
        purge: whether add-ons that are not named are deleted.
        purge_tags: whether tags that are not named are removed.
    """
    changes = []
    for spec in specs:
        addon = current.get(spec.name)
        if not spec.present:
            changes.append(_plan_absent(spec.name, addon))
        elif addon is None or addon.status in ("CREATE_FAILED", "DELETING"):
            changes.append(_plan_creation(spec, addon, versions[spec.name]))
        else:
            changes.append(_plan_update(spec, addon, versions[spec.name], purge_tags=purge_tags))
    named = {spec.name for spec in specs}
    return changes + [_plan_absent(name, current[name]) for name in sorted(set(current) - named) if purge]


def _plan_absent(name: str, current: Addon | None) -> AddonChange:
    if current is None:
        return AddonChange(name, "unchanged")
    # An add-on that is already being deleted needs no request, and is waited for.
    return AddonChange(name, "unchanged" if current.status == "DELETING" else "deleted", format_addon(current), {}, current=current)


def _plan_creation(spec: AddonSpec, current: Addon | None, version: str) -> AddonChange:
    desired = Addon(
        spec.name,
        version=version,
        configuration=spec.configuration,
        role=spec.role or "",
        pod_identities=spec.pod_identities,
        namespace=spec.namespace or "",
        tags=as_text(spec.tags or {}),
    )
    request = render_request(desired, spec, everything=False)
    if spec.namespace:
        request["namespaceConfig"] = {"namespace": spec.namespace}
    if desired.tags:
        request["tags"] = as_text(desired.tags)
    # An add-on whose creation has failed can neither be updated nor created again while it exists.
    action: Action = "created" if current is None or current.status == "DELETING" else "recreated"
    return AddonChange(spec.name, action, format_addon(current) if current else {}, format_addon(desired), request, current=current)


def _plan_update(spec: AddonSpec, current: Addon, version: str, *, purge_tags: bool) -> AddonChange:
    tags = compare_tags(current.tags, spec.tags, purge=purge_tags)
    desired = Addon(
        spec.name,
        version=version,
        configuration=current.configuration if spec.configuration is None else spec.configuration,
        role=current.role if spec.role is None else spec.role,
        pod_identities=current.pod_identities if spec.pod_identities is None else spec.pod_identities,
        namespace=current.namespace,
        tags=tags_after(current.tags, tags),
    )
    differs = (
        desired.version != current.version
        or canonical(desired.configuration) != canonical(current.configuration)
        or desired.role != current.role
        or (spec.pod_identities is not None and dict(spec.pod_identities) != dict(current.pod_identities or {}))
    )
    # The last request was not carried out, whatever the fields say.
    failed = current.status in ("UPDATE_FAILED", "DELETE_FAILED")
    request = render_request(desired, spec, everything=True) if differs or failed else {}
    before, after = format_addon(current), format_addon(desired)
    if failed:
        before["status"], after["status"] = current.status, "ACTIVE"
    return AddonChange(spec.name, "updated" if request or tags.any else "unchanged", before, after, request, tags, current)


__all__ = ("AddonChange", "plan_addons")
