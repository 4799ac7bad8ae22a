# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current associations to the changes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import NO_TAG_CHANGES, TagChanges, as_text, compare_tags, tags_after
from .normalize import AccountRef, Association, format_association

if t.TYPE_CHECKING:
    from .spec import AssociationSpec

Action = t.Literal["created", "updated", "deleted", "unchanged", "kept"]


@dataclass(frozen=True)
class AssociationChange:
    """The change of one association.

    Attributes:
        action: V(kept) is an association that is not named, and belongs to an add-on.
        before: its current fields; empty if it does not exist.
        after: its desired fields; empty if it is not to exist.
        request: the parameters of C(CreatePodIdentityAssociation) or C(UpdatePodIdentityAssociation), without the cluster; empty if neither is sent.
        tags: the tags that are set and removed apart from the request.
    """

    ref: AccountRef
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: TagChanges = NO_TAG_CHANGES
    current: Association | None = None

    @property
    def changed(self) -> bool:
        return self.action in ("created", "updated", "deleted")


def plan_associations(
    specs: t.Sequence[AssociationSpec], current: t.Mapping[AccountRef, Association], *, purge: bool = False, purge_tags: bool = True
) -> list[AssociationChange]:
    """The changes: for the desired associations in their order, then, if they are to be purged, for the other associations by name.

    Args:
        specs: the desired associations.
        current: the current associations; for those that are not named, the fields of the list are enough.
        purge: whether associations that are not named are deleted; those of add-ons never are.
        purge_tags: whether tags that are not named are removed.
    """
    changes = []
    for spec in specs:
        association = current.get(spec.ref)
        if not spec.present:
            changes.append(_plan_absent(spec.ref, association))
        elif association is None:
            changes.append(_plan_creation(spec))
        else:
            changes.append(_plan_update(spec, association, purge_tags=purge_tags))
    named = {spec.ref for spec in specs}
    for ref in sorted(set(current) - named) if purge else ():
        association = current[ref]
        fields = format_association(association)
        changes.append(AssociationChange(ref, "kept", fields, fields, current=association) if association.owner else _plan_absent(ref, association))
    return changes


def _plan_absent(ref: AccountRef, current: Association | None) -> AssociationChange:
    if current is None:
        return AssociationChange(ref, "unchanged")
    return AssociationChange(ref, "deleted", format_association(current), {}, current=current)


def _plan_creation(spec: AssociationSpec) -> AssociationChange:
    desired = Association(spec.ref, spec.role, spec.target_role or "", bool(spec.disable_session_tags), as_text(spec.tags or {}))
    request: dict[str, t.Any] = {"namespace": spec.ref.namespace, "serviceAccount": spec.ref.name, "roleArn": spec.role}
    if desired.target_role:
        request["targetRoleArn"] = desired.target_role
    if desired.disable_session_tags:
        request["disableSessionTags"] = True
    if desired.tags:
        request["tags"] = as_text(desired.tags)
    return AssociationChange(spec.ref, "created", {}, format_association(desired), request)


def _plan_update(spec: AssociationSpec, current: Association, *, purge_tags: bool) -> AssociationChange:
    tags = compare_tags(current.tags, spec.tags, purge=purge_tags)
    desired = Association(
        spec.ref,
        spec.role,
        current.target_role if spec.target_role is None else spec.target_role,
        current.disable_session_tags if spec.disable_session_tags is None else spec.disable_session_tags,
        tags_after(current.tags, tags),
    )
    # EKS keeps what the request leaves out; an empty target role removes it.
    request: dict[str, t.Any] = {}
    if desired.role != current.role:
        request["roleArn"] = desired.role
    if desired.target_role != current.target_role:
        request["targetRoleArn"] = desired.target_role
    if desired.disable_session_tags != current.disable_session_tags:
        request["disableSessionTags"] = desired.disable_session_tags
    if request:
        request = {"associationId": current.id, **request}
    return AssociationChange(
        spec.ref, "updated" if request or tags.any else "unchanged", format_association(current), format_association(desired), request, tags, current=current
    )


__all__ = ("AssociationChange", "plan_associations")
