# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Access entries of an EKS cluster: who may come in, as which user and groups, with which access policies; and what is to be changed about it.

Sources: the service model of EKS (CreateAccessEntry, AccessScope) and its user guide, Create access entries.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._aws.tags import TagChanges, as_text, compare_tags, tags_after
from .._text import repeated

Action = t.Literal["created", "updated", "deleted", "unchanged", "kept"]

STANDARD = "STANDARD"
TYPES = (STANDARD, "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
# EKS grants these what nodes need, and takes no access policies for them.
WITHOUT_POLICIES = ("EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX")
CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"

# What nobody but EKS may be called.
_RESERVED_USERS = ("system:", "eks:", "aws:", "amazon:", "iam:")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:(role|user)/[\w+=,.@/-]+|root)")
_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/.+")
# A label of DNS, in which * stands for any characters.
_NAMESPACE = re.compile(r"[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?")
_NOTHING = TagChanges({}, [])

Scope = t.Tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An access entry as EKS describes it.

    Attributes:
        policies: the namespaces of each associated access policy, by its ARN; none means the whole cluster.
        created: when it was made, in seconds since the epoch; 0 when that is not known.
    """

    principal: str
    type: str = STANDARD
    username: str = ""
    groups: frozenset[str] = frozenset()
    policies: t.Mapping[str, Scope] = field(default_factory=dict)
    tags: t.Mapping[str, str] = field(default_factory=dict)
    arn: str = ""
    created: float = 0.0


@dataclass(frozen=True)
class EntryWish:
    """What should be; None leaves what is there as it is.

    Attributes:
        policies: the policies as the user names them, by name or ARN, with the namespaces of each; the whole cluster where these are none.
    """

    principal: str
    present: bool = True
    type: str | None = None
    username: str | None = None
    groups: frozenset[str] | None = None
    policies: tuple[tuple[str, Scope], ...] | None = None
    tags: t.Mapping[str, t.Any] | None = None


@dataclass(frozen=True)
class EntryChange:
    """What to do about one access entry.

    Attributes:
        action: V(kept) is an entry that nobody wishes, and that is not purged.
        before: its fields as they are; empty when it is not there.
        after: its fields as wished; empty when it should not be there.
        request: the parameters of C(CreateAccessEntry) or C(UpdateAccessEntry), without cluster and principal; empty when neither is sent.
        associate: the scope of each policy that is to be associated, or gets another scope, by ARN.
        dissociate: the ARNs of the policies that go from an entry that stays; those of a deleted entry go with it.
        reason: why it is kept.
    """

    principal: str
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    associate: t.Mapping[str, Scope] = field(default_factory=dict)
    dissociate: tuple[str, ...] = ()
    tags: TagChanges = _NOTHING
    current: Entry | None = None
    reason: str = ""

    @property
    def changed(self) -> bool:
        return self.action in ("created", "updated", "deleted")


def parse_entry(described: t.Mapping[str, t.Any], policies: t.Iterable[t.Mapping[str, t.Any]] = ()) -> Entry:
    """The value of answers of C(DescribeAccessEntry) and C(ListAssociatedAccessPolicies)."""
    created = described.get("createdAt")
    return Entry(
        principal=str(described["principalArn"]),
        type=str(described.get("type") or STANDARD),
        username=str(described.get("username") or ""),
        groups=frozenset(described.get("kubernetesGroups") or ()),
        policies={str(one["policyArn"]): _scope((one.get("accessScope") or {}).get("namespaces")) for one in policies},
        tags=dict(described.get("tags") or {}),
        arn=str(described.get("accessEntryArn") or ""),
        created=created.timestamp() if created is not None else 0.0,
    )


def parse_wish(item: t.Mapping[str, t.Any]) -> EntryWish:
    """One item of the option C(entries), with all its keys, as a value."""
    policies = item["policies"]
    return EntryWish(
        principal=item["principal_arn"],
        present=item["state"] == "present",
        type=item["type"],
        username=item["username"] or None,
        groups=None if item["kubernetes_groups"] is None else frozenset(item["kubernetes_groups"]),
        policies=None if policies is None else tuple((one["policy"], _scope(one["namespaces"])) for one in policies),
        tags=item["tags"],
    )


def policy_name(policy: str) -> str:
    """The name of an access policy, given by name or ARN."""
    return policy.rpartition("/")[2]


def needs_policies(wishes: t.Iterable[EntryWish], present: t.Mapping[str, Entry]) -> bool:
    """Whether EKS must be asked for its access policies: a policy is named that is not associated yet."""
    for wish in wishes:
        if not wish.present:
            continue
        current = present.get(wish.principal)
        known = {policy_name(arn) for arn in current.policies} if current else set()
        if any(policy_name(policy) not in known for policy, _scope_ in wish.policies or ()):
            return True
    return False


def refuse_wishes(wishes: t.Sequence[EntryWish]) -> list[str]:
    """What is wrong with the wishes themselves, whatever is on the cluster; one sentence each."""
    principals = [wish.principal for wish in wishes]
    refusals = [
        f"{principal} is named more than once in this task, and a principal can have one access entry: keep one of the items."
        for principal in repeated(principals)
    ]
    for wish in wishes:
        problems = [*_refuse_principal(wish)]
        if wish.present:
            problems += [*_refuse_identity(wish), *_refuse_policies(wish)]
        refusals += (f"Access entry of {wish.principal}: {problem}" for problem in problems)
    return refusals


def refuse_changes(wishes: t.Iterable[EntryWish], present: t.Mapping[str, Entry], offered: t.Mapping[str, str] | None) -> list[str]:
    """Why the wishes cannot come true on this cluster; one sentence each.

    Args:
        wishes: what should be.
        present: what is there, by principal.
        offered: the ARNs of EKS' access policies by name; None where nobody had to ask.
    """
    refusals = []
    for wish in wishes:
        current = present.get(wish.principal)
        if not wish.present:
            continue
        if current and wish.type and wish.type != current.type:
            refusals.append(
                f"Access entry of {wish.principal} is of type {current.type}, and EKS cannot make it {wish.type}: delete it first (state absent), or correct "
                "the type."
            )
        elif current and current.type in WITHOUT_POLICIES and not wish.type and wish.policies:
            refusals.append(f"Access entry of {wish.principal} is of type {current.type}, which takes no access policies: take them out.")
        for policy, _namespaces in wish.policies or () if offered is not None else ():
            if policy_name(policy) not in (offered or {}) and not (current and policy_name(policy) in {policy_name(arn) for arn in current.policies}):
                refusals.append(f"Access entry of {wish.principal}: EKS has no access policy {policy}: choose one of {', '.join(sorted(offered or {}))}.")
    return refusals


def plan_entries(
    wishes: t.Sequence[EntryWish],
    present: t.Mapping[str, Entry],
    offered: t.Mapping[str, str] | None = None,
    *,
    partition: str = "aws",
    purge: bool = False,
    purge_policies: bool = True,
    purge_tags: bool = True,
    protected: t.Mapping[str, str] | None = None,
) -> list[EntryChange]:
    """What to do: about the wishes in their order, then about the entries that nobody wishes, by principal, when they are to be purged.

    Args:
        wishes: what should be.
        present: what is there, by principal.
        offered: the ARNs of EKS' access policies by name.
        partition: the partition of ARNs, for a policy that nobody could be asked for.
        purge: whether entries that are not wished are deleted.
        purge_policies: whether policies that are not wished are dissociated from a wished entry.
        purge_tags: whether tags that are not wished are taken away.
        protected: why entries are never purged, by principal.
    """
    arns = _Arns(offered or {}, partition)
    changes = []
    for wish in wishes:
        current = present.get(wish.principal)
        if not wish.present:
            changes.append(_plan_absent(wish.principal, current))
        elif current is None:
            changes.append(_plan_creation(wish, arns))
        else:
            changes.append(_plan_update(wish, current, arns, purge_policies=purge_policies, purge_tags=purge_tags))
    named = {wish.principal for wish in wishes}
    for principal in sorted(present) if purge else ():
        current = present[principal]
        reason = (protected or {}).get(principal, "")
        if principal not in named:
            kept = EntryChange(principal, "kept", _fields(current), _fields(current), current=current, reason=reason)
            changes.append(kept if reason else _plan_absent(principal, current))
    return changes


def find_protected(others: t.Iterable[Entry], *, caller: str, cluster_created: float, bootstrapped: bool) -> dict[str, str]:
    """Why entries that nobody wishes must not be purged, by principal.

    EKS marks no entry as the creator's. The creator's is the oldest of those that people have, made along with the cluster, and administrates it.

    Args:
        others: the entries that nobody wishes.
        caller: the ARN of who runs this, as STS tells it.
        cluster_created: when the cluster was made, in seconds since the epoch.
        bootstrapped: whether the cluster was told to make an entry for its creator.
    """
    reasons = {}
    people = []
    for entry in others:
        if is_of_eks(entry.principal) or entry.username.startswith("eks:"):
            reasons[entry.principal] = "it is EKS' own"
        elif entry.type != STANDARD:
            reasons[entry.principal] = f"nodes need it (type {entry.type})"
        elif _is_caller(entry.principal, caller):
            reasons[entry.principal] = "this run itself comes in by it"
        else:
            people.append(entry)
    oldest = min(people, key=lambda entry: entry.created, default=None)
    if (
        oldest
        and bootstrapped
        and oldest.created - cluster_created < _WHILE_CREATING
        and any(policy_name(arn) == CLUSTER_ADMIN and not scope for arn, scope in oldest.policies.items())
    ):
        reasons[oldest.principal] = "it is that of the cluster's creator"
    return reasons


# Until a cluster is active, for about ten minutes, nobody but EKS can make an entry, in seconds.
_WHILE_CREATING = 600.0


def is_of_eks(principal: str) -> bool:
    """Whether a principal is a role that AWS itself takes."""
    return ":role/aws-service-role/" in principal


@dataclass(frozen=True)
class _Arns:
    """ARNs of access policies: EKS' own word, else the form that all of them have."""

    offered: t.Mapping[str, str]
    partition: str

    def of(self, policy: str, known: t.Iterable[str] = ()) -> str:
        name = policy_name(policy)
        there = next((arn for arn in known if policy_name(arn) == name), "")
        return there or self.offered.get(name) or (policy if policy.startswith("arn:") else f"arn:{self.partition}:eks::aws:cluster-access-policy/{name}")


def _plan_absent(principal: str, current: Entry | None) -> EntryChange:
    if current is None:
        return EntryChange(principal, "unchanged")
    return EntryChange(principal, "deleted", _fields(current), {}, current=current)


def _plan_creation(wish: EntryWish, arns: _Arns) -> EntryChange:
    policies = {arns.of(policy): scope for policy, scope in wish.policies or ()}
    wanted = Entry(wish.principal, wish.type or STANDARD, wish.username or "", wish.groups or frozenset(), policies, as_text(wish.tags or {}))
    request: dict[str, t.Any] = {"type": wanted.type}
    if wanted.groups:
        request["kubernetesGroups"] = sorted(wanted.groups)
    if wanted.username:
        request["username"] = wanted.username
    if wanted.tags:
        request["tags"] = dict(wanted.tags)
    return EntryChange(wish.principal, "created", {}, _fields(wanted), request, dict(sorted(policies.items())))


def _plan_update(wish: EntryWish, current: Entry, arns: _Arns, *, purge_policies: bool, purge_tags: bool) -> EntryChange:
    tags = compare_tags(current.tags, wish.tags, purge=purge_tags)
    groups = current.groups if wish.groups is None else wish.groups
    username = current.username if wish.username is None else wish.username
    policies = dict(current.policies)
    if wish.policies is not None:
        wished = {arns.of(policy, current.policies): scope for policy, scope in wish.policies}
        policies = wished if purge_policies else {**current.policies, **wished}
    associate = {arn: policies[arn] for arn in sorted(policies) if current.policies.get(arn) != policies[arn]}
    dissociate = tuple(sorted(set(current.policies) - set(policies)))
    # What is left out of the request stays as it is.
    request: dict[str, t.Any] = {}
    if groups != current.groups:
        request["kubernetesGroups"] = sorted(groups)
    if username != current.username:
        request["username"] = username
    wanted = Entry(wish.principal, current.type, username, groups, policies, tags_after(current.tags, tags))
    changed = bool(request or associate or dissociate or tags.any)
    return EntryChange(
        wish.principal, "updated" if changed else "unchanged", _fields(current), _fields(wanted), request, associate, dissociate, tags, current=current
    )


def _refuse_principal(wish: EntryWish) -> t.Iterator[str]:
    session = _SESSION.fullmatch(wish.principal)
    if session:
        partition, account, role = session.groups()
        # The ARN of a session leaves out the path of the role.
        path = "aws-reserved/sso.amazonaws.com/REGION/" if role.startswith("AWSReservedSSO_") else ""
        hint = " with the region of your IAM Identity Center, and without it when that is us-east-1" if path else " with its path, if it has one"
        yield f"this is a session, which ends, and EKS takes only who can have one: write the role, arn:{partition}:iam::{account}:role/{path}{role}{hint}."
        return
    found = _PRINCIPAL.fullmatch(wish.principal)
    if not found:
        yield "this is no ARN of an IAM principal: write arn:aws:iam::ACCOUNT:role/NAME, with the path of the role if it has one."
    elif wish.present and wish.type not in (None, STANDARD) and found.group(1) != "role":
        yield f"type {wish.type} is for nodes, which have a role, and this is none: name their role, or use type {STANDARD}."


def _refuse_identity(wish: EntryWish) -> t.Iterator[str]:
    for group in sorted(wish.groups or ()):
        if group.startswith("system:"):
            yield (
                f"group {group} is Kubernetes' own, and EKS does not give it away: associate an access policy"
                f"{f' ({CLUSTER_ADMIN})' if group == 'system:masters' else ''}, or bind a group of your own."
            )
        elif not group.strip():
            yield "a group without a name binds nothing: take it out."
    if wish.username and wish.username.startswith(_RESERVED_USERS):
        yield f"username {wish.username} begins with a word that is reserved ({', '.join(_RESERVED_USERS)}): leave it out, and EKS makes one."
    if wish.type not in (None, STANDARD) and (wish.groups or wish.username):
        yield f"EKS itself decides user and groups for type {wish.type}: take username and kubernetes_groups out."


def _refuse_policies(wish: EntryWish) -> t.Iterator[str]:
    names = [policy_name(policy) for policy, _namespaces in wish.policies or ()]
    for name in repeated(names):
        yield f"policy {name} is named more than once, and can have one scope: put all namespaces into one item."
    if wish.policies and wish.type in WITHOUT_POLICIES:
        yield f"type {wish.type} takes no access policies, because EKS itself grants what nodes need: take them out."
    for policy, namespaces in wish.policies or ():
        wrong = [name for name in namespaces if not _NAMESPACE.fullmatch(name)]
        if wrong:
            yield (
                f"policy {policy_name(policy)}: {', '.join(repr(name) for name in wrong)} cannot be a namespace: use lower case letters, digits and hyphens, "
                "and * for any of them (team-*)."
            )


def _is_caller(principal: str, caller: str) -> bool:
    """Whether the caller's ARN, which may be of a session, is this principal; a session tells its role without the path."""
    session = _SESSION.fullmatch(caller)
    if not session:
        return principal == caller
    partition, account, role = session.groups()
    return principal.startswith(f"arn:{partition}:iam::{account}:role/") and policy_name(principal) == role


def _scope(namespaces: t.Iterable[str] | None) -> Scope:
    return tuple(sorted(set(namespaces or ())))


def _fields(entry: Entry) -> dict[str, t.Any]:
    """The decisions about an entry, as diffs show them."""
    fields: dict[str, t.Any] = {
        "type": entry.type,
        "username": entry.username,
        "kubernetes_groups": sorted(entry.groups),
        **{f"policies.{policy_name(arn)}": list(scope) or "cluster" for arn, scope in sorted(entry.policies.items())},
        **{f"tags.{name}": value for name, value in sorted(entry.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


__all__ = (
    "CLUSTER_ADMIN",
    "TYPES",
    "Entry",
    "EntryChange",
    "EntryWish",
    "find_protected",
    "is_of_eks",
    "needs_policies",
    "parse_entry",
    "parse_wish",
    "plan_entries",
    "policy_name",
    "refuse_changes",
    "refuse_wishes",
)
