# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Add-ons of an EKS cluster: from those that are wished and those that are there to what is to be sent, and what a status means.

Sources: the service model of EKS (AddonStatus, AddonIssueCode) and its user guide, Update an Amazon EKS add-on.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.yaml import yaml_load

from .._aws.tags import TagChanges, as_text, compare_tags, tags_after
from .._text import in_one_line, repeated

Action = t.Literal["created", "updated", "recreated", "deleted", "unchanged"]

# What EKS is busy with: it refuses to change such an add-on (ResourceInUseException).
BUSY = ("CREATING", "UPDATING", "DELETING")
# These issues pass by themselves: nodes join, the API server is reached again.
PASSING = ("InsufficientNumberOfReplicas", "ClusterUnreachable", "InternalFailure")
WITHOUT_NODES = "InsufficientNumberOfReplicas"

ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_NOTHING = TagChanges({}, [])


@dataclass(frozen=True)
class Issue:
    """What EKS finds wrong with an add-on."""

    code: str
    message: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addon:
    """An add-on as EKS describes it.

    Attributes:
        configuration: its configuration values, parsed; None when there are none.
        role: the ARN of the role of its service account; empty when there is none.
        pod_identities: the role of each service account that the add-on owns an association of; None where nobody has asked.
    """

    name: str
    status: str = "ACTIVE"
    version: str = ""
    arn: str = ""
    configuration: t.Any = None
    role: str = ""
    pod_identities: t.Mapping[str, str] | None = None
    namespace: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class AddonWish:
    """What should be; None leaves what is there as it is.

    Attributes:
        role: empty takes the role away.
        pod_identities: the roles of its service accounts; empty takes all associations away that the add-on owns.
    """

    name: str
    present: bool = True
    version: str | None = None
    configuration: t.Any = None
    resolve_conflicts: str = "none"
    role: str | None = None
    pod_identities: t.Mapping[str, str] | None = None
    namespace: str | None = None
    tags: t.Mapping[str, t.Any] | None = None
    twice: tuple[str, ...] = ()


@dataclass(frozen=True)
class AddonChange:
    """What to do about one add-on.

    Attributes:
        before: its fields as they are; empty when it is not there.
        after: its fields as wished; empty when it should not be there.
        request: the parameters of C(CreateAddon) or C(UpdateAddon), without the cluster; empty when neither is sent.
        tags: what to set and to take away apart from the request.
        current: what is there.
    """

    name: str
    action: Action
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    request: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: TagChanges = _NOTHING
    current: Addon | None = None

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"

    @property
    def blocked(self) -> bool:
        """Whether EKS must end what it is busy with before the change can be sent."""
        return self.changed and self.current is not None and self.current.status in BUSY


def parse_addon(described: t.Mapping[str, t.Any], pod_identities: t.Mapping[str, str] | None = None) -> Addon:
    """The value of an answer of C(DescribeAddon)."""
    issues = tuple(
        Issue(str(issue.get("code", "Unknown")), in_one_line(issue.get("message", "")), tuple(issue.get("resourceIds") or ()))
        for issue in (described.get("health") or {}).get("issues") or ()
    )
    return Addon(
        name=str(described["addonName"]),
        status=str(described.get("status", "")),
        version=str(described.get("addonVersion", "")),
        arn=str(described.get("addonArn", "")),
        configuration=parse_configuration(described.get("configurationValues")),
        role=str(described.get("serviceAccountRoleArn") or ""),
        pod_identities=pod_identities,
        namespace=str((described.get("namespaceConfig") or {}).get("namespace", "")),
        tags=dict(described.get("tags") or {}),
        issues=issues,
    )


def parse_wish(item: t.Mapping[str, t.Any]) -> AddonWish:
    """One item of the option C(addons), with all its keys, as a value."""
    associations = item["pod_identity_associations"]
    accounts = [one["service_account"] for one in associations or ()]
    return AddonWish(
        name=item["name"],
        present=item["state"] == "present",
        version=item["version"] or None,
        configuration=item["configuration_values"],
        resolve_conflicts=item["resolve_conflicts"],
        role=item["service_account_role_arn"],
        pod_identities=None if associations is None else {one["service_account"]: one["role_arn"] for one in associations},
        namespace=item["namespace"],
        tags=item["tags"],
        twice=tuple(repeated(accounts)),
    )


def parse_configuration(text: str | None) -> t.Any:
    """Configuration values as EKS keeps them: the text that somebody has sent, JSON or YAML. What is neither is returned as it is."""
    if not text or not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return yaml_load(text)
    except Exception:  # PyYAML may be missing, and its errors have no common base without it.
        return text


def canonical(value: t.Any) -> str:
    """Configuration values in the one form in which equal ones are equal; none and an empty mapping are the same."""
    return json.dumps(_plain(value) or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def refuse_wishes(wishes: t.Sequence[AddonWish]) -> list[str]:
    """What is wrong with the wishes themselves, whatever is on the cluster; one sentence each."""
    names = [wish.name for wish in wishes]
    refusals = [f"Add-on {name} is named more than once in this task: keep one of the items." for name in repeated(names)]
    for wish in wishes:
        if not re.fullmatch(r"[0-9A-Za-z][\w-]*", wish.name):
            refusals.append(f"Add-on {wish.name!r}: this cannot be the name of an add-on: use one that EKS offers, such as vpc-cni.")
        refusals += (
            f"Add-on {wish.name}: its service account {account} has more than one role in pod_identity_associations: keep one of them."
            for account in wish.twice
        )
        roles = {
            "service_account_role_arn": wish.role or "",
            **{f"the role of service account {name}": arn for name, arn in (wish.pod_identities or {}).items()},
        }
        for what, arn in roles.items():
            if (arn or what != "service_account_role_arn") and not ROLE_ARN.fullmatch(arn):
                refusals.append(f"Add-on {wish.name}: {what} is {arn!r}, which is no ARN of an IAM role: write arn:aws:iam::ACCOUNT:role/NAME.")
    return refusals


def refuse_changes(changes: t.Iterable[AddonChange], wishes: t.Iterable[AddonWish]) -> list[str]:
    """Why the changes must not be made on this cluster; one sentence each."""
    namespaces = {wish.name: wish.namespace for wish in wishes if wish.present}
    return [
        f"Add-on {change.name} is in namespace {change.current.namespace}, and EKS cannot move it to {namespaces[change.name]}: delete it first "
        "(state absent), or correct its namespace."
        for change in changes
        if change.current is not None
        and change.action in ("updated", "unchanged")
        and namespaces.get(change.name)
        and change.current.namespace
        and change.current.namespace != namespaces[change.name]
    ]


def plan_addons(
    wishes: t.Sequence[AddonWish], present: t.Mapping[str, Addon], versions: t.Mapping[str, str], *, purge: bool = False, purge_tags: bool = True
) -> list[AddonChange]:
    """What to do: about the wishes in their order, then about the add-ons that nobody wishes, by name, when they are to be purged.

    Args:
        wishes: what should be.
        present: what is there, by name.
        versions: the version that each wished add-on should have, by name, decided already.
        purge: whether add-ons that are not wished are deleted.
        purge_tags: whether tags that are not wished are taken away.
    """
    changes = []
    for wish in wishes:
        current = present.get(wish.name)
        if not wish.present:
            changes.append(_plan_absent(wish.name, current))
        elif current is None or current.status in ("CREATE_FAILED", "DELETING"):
            changes.append(_plan_creation(wish, current, versions[wish.name]))
        else:
            changes.append(_plan_update(wish, current, versions[wish.name], purge_tags=purge_tags))
    named = {wish.name for wish in wishes}
    return changes + [_plan_absent(name, present[name]) for name in sorted(present) if purge and name not in named]


def _plan_absent(name: str, current: Addon | None) -> AddonChange:
    if current is None:
        return AddonChange(name, "unchanged")
    # One that is being deleted needs no request, and is waited for.
    return AddonChange(name, "unchanged" if current.status == "DELETING" else "deleted", _fields(current), {}, current=current)


def _plan_creation(wish: AddonWish, current: Addon | None, version: str) -> AddonChange:
    wanted = Addon(
        wish.name,
        version=version,
        configuration=wish.configuration,
        role=wish.role or "",
        pod_identities=wish.pod_identities,
        namespace=wish.namespace or "",
        tags=as_text(wish.tags or {}),
    )
    request = _request(wanted, wish, everything=False)
    if wish.namespace:
        request["namespaceConfig"] = {"namespace": wish.namespace}
    if wanted.tags:
        request["tags"] = dict(wanted.tags)
    # An add-on whose creation has failed can neither be changed nor be made again while it is there.
    action: Action = "created" if current is None or current.status == "DELETING" else "recreated"
    return AddonChange(wish.name, action, _fields(current) if current else {}, _fields(wanted), request, current=current)


def _plan_update(wish: AddonWish, current: Addon, version: str, *, purge_tags: bool) -> AddonChange:
    tags = compare_tags(current.tags, wish.tags, purge=purge_tags)
    wanted = Addon(
        wish.name,
        version=version,
        configuration=current.configuration if wish.configuration is None else wish.configuration,
        role=current.role if wish.role is None else wish.role,
        pod_identities=current.pod_identities if wish.pod_identities is None else wish.pod_identities,
        namespace=current.namespace,
        tags=tags_after(current.tags, tags),
    )
    differs = (
        wanted.version != current.version
        or canonical(wanted.configuration) != canonical(current.configuration)
        or wanted.role != current.role
        or (wish.pod_identities is not None and dict(wish.pod_identities) != dict(current.pod_identities or {}))
    )
    # The last request was not carried out, whatever the fields say of it.
    failed = current.status in ("UPDATE_FAILED", "DELETE_FAILED")
    request = _request(wanted, wish, everything=True) if differs or failed else {}
    before, after = _fields(current), _fields(wanted)
    if failed:
        before["status"], after["status"] = current.status, "ACTIVE"
    return AddonChange(wish.name, "updated" if request or tags.any else "unchanged", before, after, request, tags, current)


def _request(wanted: Addon, wish: AddonWish, *, everything: bool) -> dict[str, t.Any]:
    """The parameters that creation and update share.

    An update names the role also where it stays: without it, EKS falls back to the role of the nodes. Associations that are left out stay as they are.
    """
    request: dict[str, t.Any] = {"addonName": wanted.name, "addonVersion": wanted.version, "resolveConflicts": wish.resolve_conflicts.upper()}
    if _plain(wanted.configuration) or (everything and wish.configuration is not None):
        request["configurationValues"] = wanted.configuration if isinstance(wanted.configuration, str) else canonical(wanted.configuration)
    if wanted.role:
        request["serviceAccountRoleArn"] = wanted.role
    if wish.pod_identities or (everything and wish.pod_identities is not None):
        request["podIdentityAssociations"] = [{"serviceAccount": name, "roleArn": arn} for name, arn in sorted((wish.pod_identities or {}).items())]
    return request


@dataclass(frozen=True)
class Health:
    """What an add-on's status means for who waits for it.

    Attributes:
        done: whether there is nothing more to wait for.
        failed: one sentence that says what is wrong; empty when nothing is.
        tolerated: one sentence that says what is wrong, and was declared to be no failure.
    """

    done: bool
    failed: str = ""
    tolerated: str = ""


def judge(addon: Addon, cluster: str, *, allow_degraded: bool) -> Health:
    """Whether an add-on that should be there is as it should be, in EKS' eyes."""
    if addon.status in BUSY:
        return Health(done=False)
    told = describe_issues(addon)
    if addon.status == "ACTIVE":
        return Health(done=True)
    if addon.status == "DEGRADED":
        codes = {issue.code for issue in addon.issues}
        if allow_degraded and codes <= {WITHOUT_NODES}:
            return Health(done=True, tolerated=f"Add-on {addon.name} of cluster {cluster} is DEGRADED{told}, which allow_degraded tolerates.")
        # An issue that passes by itself is worth the rest of the time.
        return Health(done=not codes <= set(PASSING), failed=f"Add-on {addon.name} of cluster {cluster} is DEGRADED{told}: {_remedy(addon)}.")
    return Health(done=True, failed=f"Add-on {addon.name} of cluster {cluster} is {addon.status}{told}: {_remedy(addon)}.")


def describe_issues(addon: Addon) -> str:
    """The issues of an add-on in brackets, with a space before them; empty when it has none."""
    told = [f"{issue.code}: {issue.message.rstrip('.')}" if issue.message else issue.code for issue in addon.issues]
    return f" ({'; '.join(told)})" if told else ""


_REMEDIES = {
    WITHOUT_NODES: "add nodes on which its pods can run, or set allow_degraded where nodes come later",
    "ConfigurationConflict": "set resolve_conflicts to overwrite or preserve, or take the fields out that somebody else owns",
    "AccessDenied": "give EKS back its rights in the cluster (ClusterRole and binding eks:addon-manager)",
    "AddonPermissionFailure": "give its role the permissions that it needs, by service_account_role_arn or pod_identity_associations",
    "AddonSubscriptionNeeded": "subscribe to the add-on in the AWS Marketplace",
    "AdmissionRequestDenied": "let the admission webhook or policy that it names admit the add-on's objects",
    "UnsupportedAddonModification": "take back what was changed by hand, or set resolve_conflicts to overwrite",
    "K8sResourceNotFound": "restore the objects that are missing, for which an update with resolve_conflicts overwrite is enough",
    "ClusterUnreachable": "look whether the cluster is ACTIVE and its control plane can reach its subnets",
}


def _remedy(addon: Addon) -> str:
    remedies = [_REMEDIES[issue.code] for issue in addon.issues if issue.code in _REMEDIES]
    return ", and ".join(dict.fromkeys(remedies)) or "read its health issues in the console of EKS, mend them and run again"


def _fields(addon: Addon) -> dict[str, t.Any]:
    """The decisions about an add-on, as diffs show them."""
    fields: dict[str, t.Any] = {
        "version": addon.version,
        "configuration_values": _plain(addon.configuration) or None,
        "service_account_role_arn": addon.role,
        **{f"pod_identity_associations.{name}": arn for name, arn in sorted((addon.pod_identities or {}).items())},
        "namespace": addon.namespace,
        **{f"tags.{name}": value for name, value in sorted(addon.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _plain(value: t.Any) -> t.Any:
    """A value as JSON has it: one kind of number, and mappings in order."""
    if isinstance(value, dict):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


__all__ = (
    "BUSY",
    "PASSING",
    "ROLE_ARN",
    "Addon",
    "AddonChange",
    "AddonWish",
    "Health",
    "Issue",
    "canonical",
    "describe_issues",
    "judge",
    "parse_addon",
    "parse_configuration",
    "parse_wish",
    "plan_addons",
    "refuse_changes",
    "refuse_wishes",
)
