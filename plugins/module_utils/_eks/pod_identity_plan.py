# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Associations of EKS Pod Identity: which IAM role the pods of a service account get, and what is to be changed about it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._aws.tags import TagChanges, as_text, compare_tags, tags_after
from .._text import repeated
from .addon_plan import ROLE_ARN

Action = t.Literal["created", "updated", "deleted", "unchanged", "kept"]

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_NOTHING = TagChanges({}, [])


class AccountRef(t.NamedTuple):
    """A service account of the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Association:
    """An association as EKS describes it.

    Attributes:
        owner: the ARN of the add-on that it belongs to; empty when it belongs to nobody.
    """

    ref: AccountRef
    role: str = ""
    target_role: str = ""
    disable_session_tags: bool = False
    tags: t.Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    arn: str = ""
    owner: str = ""


@dataclass(frozen=True)
class AssociationWish:
    """What should be; None leaves what is there as it is. An empty target_role takes it away."""

    ref: AccountRef
    present: bool = True
    role: str = ""
    target_role: str | None = None
    disable_session_tags: bool | None = None
    tags: t.Mapping[str, t.Any] | None = None


@dataclass(frozen=True)
class AssociationChange:
    """What to do about one association.

    Attributes:
        action: V(kept) is one that nobody wishes, and that is not purged because an add-on owns it.
        before: its fields as they are; empty when it is not there.
        after: its fields as wished; empty when it should not be there.
        request: the parameters of C(CreatePodIdentityAssociation) or C(UpdatePodIdentityAssociation), without the cluster; empty when neither is sent.
        tags: what to set and to take away apart from the request.
    """

    ref: AccountRef
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: TagChanges = _NOTHING
    current: Association | None = None

    @property
    def changed(self) -> bool:
        return self.action in ("created", "updated", "deleted")


def parse_association(described: t.Mapping[str, t.Any]) -> Association:
    """The value of an answer of C(DescribePodIdentityAssociation), or of an item of the list, which tells less."""
    return Association(
        ref=AccountRef(str(described["namespace"]), str(described["serviceAccount"])),
        role=str(described.get("roleArn") or ""),
        target_role=str(described.get("targetRoleArn") or ""),
        disable_session_tags=bool(described.get("disableSessionTags")),
        tags=dict(described.get("tags") or {}),
        id=str(described.get("associationId") or ""),
        arn=str(described.get("associationArn") or ""),
        owner=str(described.get("ownerArn") or ""),
    )


def parse_wish(item: t.Mapping[str, t.Any]) -> AssociationWish:
    """One item of the option C(associations), with all its keys, as a value."""
    return AssociationWish(
        ref=AccountRef(item["namespace"], item["service_account"]),
        present=item["state"] == "present",
        role=item["role_arn"] or "",
        target_role=item["target_role_arn"],
        disable_session_tags=item["disable_session_tags"],
        tags=item["tags"],
    )


def refuse_wishes(wishes: t.Sequence[AssociationWish]) -> list[str]:
    """What is wrong with the wishes themselves, whatever is on the cluster; one sentence each."""
    refs = [wish.ref for wish in wishes]
    refusals = [f"Service account {ref} is named more than once in this task, and can have one association: keep one of the items." for ref in repeated(refs)]
    for wish in wishes:
        if not _LABEL.fullmatch(wish.ref.namespace) or not _SUBDOMAIN.fullmatch(wish.ref.name):
            refusals.append(f"Service account {wish.ref}: this cannot be the name of one: use lower case letters, digits and hyphens.")
        if wish.present and not ROLE_ARN.fullmatch(wish.role):
            refusals.append(f"Service account {wish.ref}: role_arn is {wish.role!r}, which is no ARN of an IAM role: write arn:aws:iam::ACCOUNT:role/NAME.")
        if wish.present and wish.target_role and not ROLE_ARN.fullmatch(wish.target_role):
            refusals.append(
                f"Service account {wish.ref}: target_role_arn is {wish.target_role!r}, which is no ARN of an IAM role: write arn:aws:iam::ACCOUNT:role/NAME."
            )
    return refusals


def refuse_changes(changes: t.Iterable[AssociationChange]) -> list[str]:
    """Why the changes must not be made on this cluster; one sentence each."""
    return [
        f"The association of service account {change.ref} belongs to the add-on {change.current.owner}: change it there (pod_identity_associations of "
        "meshwright.ambient.eks_addon), or take it out of this task."
        for change in changes
        if change.changed and change.current is not None and change.current.owner
    ]


def plan_associations(
    wishes: t.Sequence[AssociationWish], present: t.Mapping[AccountRef, Association], *, purge: bool = False, purge_tags: bool = True
) -> list[AssociationChange]:
    """What to do: about the wishes in their order, then about the associations that nobody wishes, by name, when they are to be purged.

    Args:
        wishes: what should be.
        present: what is there; of those that nobody wishes, what the list tells is enough.
        purge: whether associations that are not wished are deleted; those of add-ons never are.
        purge_tags: whether tags that are not wished are taken away.
    """
    changes = []
    for wish in wishes:
        current = present.get(wish.ref)
        if not wish.present:
            changes.append(_plan_absent(wish.ref, current))
        elif current is None:
            changes.append(_plan_creation(wish))
        else:
            changes.append(_plan_update(wish, current, purge_tags=purge_tags))
    named = {wish.ref for wish in wishes}
    for ref in sorted(present) if purge else ():
        current = present[ref]
        if ref not in named:
            owned = AssociationChange(ref, "kept", _fields(current), _fields(current), current=current)
            changes.append(owned if current.owner else _plan_absent(ref, current))
    return changes


def _plan_absent(ref: AccountRef, current: Association | None) -> AssociationChange:
    if current is None:
        return AssociationChange(ref, "unchanged")
    return AssociationChange(ref, "deleted", _fields(current), {}, current=current)


def _plan_creation(wish: AssociationWish) -> AssociationChange:
    wanted = Association(wish.ref, wish.role, wish.target_role or "", bool(wish.disable_session_tags), as_text(wish.tags or {}))
    request: dict[str, t.Any] = {"namespace": wish.ref.namespace, "serviceAccount": wish.ref.name, "roleArn": wish.role}
    if wanted.target_role:
        request["targetRoleArn"] = wanted.target_role
    if wanted.disable_session_tags:
        request["disableSessionTags"] = True
    if wanted.tags:
        request["tags"] = dict(wanted.tags)
    return AssociationChange(wish.ref, "created", {}, _fields(wanted), request)


def _plan_update(wish: AssociationWish, current: Association, *, purge_tags: bool) -> AssociationChange:
    tags = compare_tags(current.tags, wish.tags, purge=purge_tags)
    wanted = Association(
        wish.ref,
        wish.role,
        current.target_role if wish.target_role is None else wish.target_role,
        current.disable_session_tags if wish.disable_session_tags is None else wish.disable_session_tags,
        tags_after(current.tags, tags),
    )
    # What is left out of the request stays as it is; an empty target role takes it away.
    request: dict[str, t.Any] = {}
    if wanted.role != current.role:
        request["roleArn"] = wanted.role
    if wanted.target_role != current.target_role:
        request["targetRoleArn"] = wanted.target_role
    if wanted.disable_session_tags != current.disable_session_tags:
        request["disableSessionTags"] = wanted.disable_session_tags
    if request:
        request = {"associationId": current.id, **request}
    return AssociationChange(wish.ref, "updated" if request or tags.any else "unchanged", _fields(current), _fields(wanted), request, tags, current=current)


def _fields(association: Association) -> dict[str, t.Any]:
    """The decisions about an association, as diffs show them."""
    fields: dict[str, t.Any] = {
        "role_arn": association.role,
        "target_role_arn": association.target_role,
        "disable_session_tags": association.disable_session_tags,
        **{f"tags.{name}": value for name, value in sorted(association.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


__all__ = (
    "AccountRef",
    "Association",
    "AssociationChange",
    "AssociationWish",
    "parse_association",
    "parse_wish",
    "plan_associations",
    "refuse_changes",
    "refuse_wishes",
)
