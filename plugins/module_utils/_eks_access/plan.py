# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current access entries to the changes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import NO_TAG_CHANGES, TagChanges, as_text, compare_tags, tags_after
from .normalize import STANDARD, Entry, Scope, format_entry, policy_name

if t.TYPE_CHECKING:
    from .spec import EntrySpec

Action = t.Literal["created", "updated", "deleted", "unchanged", "kept"]


@dataclass(frozen=True)
class EntryChange:
    """The change of one access entry.

    Attributes:
        action: V(kept) is an entry that is not named, and protected from the purge.
        before: its current fields; empty if it does not exist.
        after: its desired fields; empty if it is not to exist.
        request: the parameters of C(CreateAccessEntry) or C(UpdateAccessEntry), without cluster and principal; empty if neither is sent.
        associate: the scopes of the policies that are to be associated, or get another scope, by ARN.
        disassociate: the ARNs of the policies that an entry loses; those of a deleted entry go with it.
        reason: why it is kept.
    """

    principal: str
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    associate: t.Mapping[str, Scope] = field(default_factory=dict)
    disassociate: tuple[str, ...] = ()
    tags: TagChanges = NO_TAG_CHANGES
    current: Entry | None = None
    reason: str = ""

    @property
    def changed(self) -> bool:
        return self.action in ("created", "updated", "deleted")


def needs_policies(specs: t.Iterable[EntrySpec], current: t.Mapping[str, Entry]) -> bool:
    """Whether the access policies that EKS offers must be read: a policy is named that is not associated yet."""
    for spec in specs:
        if not spec.present:
            continue
        entry = current.get(spec.principal)
        known = {policy_name(arn) for arn in entry.policies} if entry else set()
        if any(policy_name(policy) not in known for policy, _scope_ in spec.policies or ()):
            return True
    return False


def plan_entries(
    specs: t.Sequence[EntrySpec],
    current: t.Mapping[str, Entry],
    offered: t.Mapping[str, str] | None = None,
    *,
    partition: str = "aws",
    purge: bool = False,
    purge_policies: bool = True,
    purge_tags: bool = True,
    protected: t.Mapping[str, str] | None = None,
) -> list[EntryChange]:
    """The changes: for the desired entries in their order, then, if they are to be purged, for the other entries by principal.

    Args:
        specs: the desired entries.
        current: the current entries by principal.
        offered: the ARNs of EKS' access policies by name.
        partition: the partition of ARNs, for policies that could not be looked up.
        purge: whether entries that are not named are deleted.
        purge_policies: whether policies that are not named are disassociated from a named entry.
        purge_tags: whether tags that are not named are removed.
        protected: why entries are never purged, by principal.
    """
    arns = _Arns(offered or {}, partition)
    changes = []
    for spec in specs:
        entry = current.get(spec.principal)
        if not spec.present:
            changes.append(_plan_absent(spec.principal, entry))
        elif entry is None:
            changes.append(_plan_creation(spec, arns))
        else:
            changes.append(_plan_update(spec, entry, arns, purge_policies=purge_policies, purge_tags=purge_tags))
    named = {spec.principal for spec in specs}
    for principal in sorted(set(current) - named) if purge else ():
        entry = current[principal]
        reason = (protected or {}).get(principal, "")
        fields = format_entry(entry)
        changes.append(EntryChange(principal, "kept", fields, fields, current=entry, reason=reason) if reason else _plan_absent(principal, entry))
    return changes


@dataclass(frozen=True)
class _Arns:
    """ARNs of access policies: as EKS lists them, otherwise in the form that all of them have."""

    offered: t.Mapping[str, str]
    partition: str

    def of(self, policy: str, known: t.Iterable[str] = ()) -> str:
        name = policy_name(policy)
        associated = next((arn for arn in known if policy_name(arn) == name), "")
        return associated or self.offered.get(name) or (policy if policy.startswith("arn:") else f"arn:{self.partition}:eks::aws:cluster-access-policy/{name}")


def _plan_absent(principal: str, current: Entry | None) -> EntryChange:
    if current is None:
        return EntryChange(principal, "unchanged")
    return EntryChange(principal, "deleted", format_entry(current), {}, current=current)


def _plan_creation(spec: EntrySpec, arns: _Arns) -> EntryChange:
    policies = {arns.of(policy): scope for policy, scope in spec.policies or ()}
    desired = Entry(spec.principal, spec.type or STANDARD, spec.username or "", spec.groups or frozenset(), policies, as_text(spec.tags or {}))
    request: dict[str, t.Any] = {"type": desired.type}
    if desired.groups:
        request["kubernetesGroups"] = sorted(desired.groups)
    if desired.username:
        request["username"] = desired.username
    if desired.tags:
        request["tags"] = as_text(desired.tags)
    return EntryChange(spec.principal, "created", {}, format_entry(desired), request, dict(sorted(policies.items())))


def _plan_update(spec: EntrySpec, current: Entry, arns: _Arns, *, purge_policies: bool, purge_tags: bool) -> EntryChange:
    tags = compare_tags(current.tags, spec.tags, purge=purge_tags)
    groups = current.groups if spec.groups is None else spec.groups
    username = current.username if spec.username is None else spec.username
    policies = dict(current.policies)
    if spec.policies is not None:
        desired_policies = {arns.of(policy, current.policies): scope for policy, scope in spec.policies}
        policies = desired_policies if purge_policies else {**current.policies, **desired_policies}
    associate = {arn: policies[arn] for arn in sorted(policies) if current.policies.get(arn) != policies[arn]}
    disassociate = tuple(sorted(set(current.policies) - set(policies)))
    # EKS keeps what the request leaves out.
    request: dict[str, t.Any] = {}
    if groups != current.groups:
        request["kubernetesGroups"] = sorted(groups)
    if username != current.username:
        request["username"] = username
    desired = Entry(spec.principal, current.type, username, groups, policies, tags_after(current.tags, tags))
    changed = bool(request or associate or disassociate or tags.any)
    return EntryChange(
        spec.principal,
        "updated" if changed else "unchanged",
        format_entry(current),
        format_entry(desired),
        request,
        associate,
        disassociate,
        tags,
        current=current,
    )


__all__ = ("EntryChange", "needs_policies", "plan_entries")
