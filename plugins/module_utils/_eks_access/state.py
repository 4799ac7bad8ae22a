# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the access entries of an EKS cluster, and whatever else their plan depends on."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.errors import AwsError
from .._eks_cluster.state import list_of_cluster, require_cluster
from .._errors import MeshError
from .normalize import Entry, is_of_eks, normalize_entry
from .plan import needs_policies
from .refusals import OF_EKS, find_protected

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .._eks_cluster.normalize import Description
    from .spec import EntrySpec


@dataclass(frozen=True)
class AccessState:
    """The current state.

    Attributes:
        exists: whether the cluster exists and has access entries; in check mode an earlier task may be about to create it.
        entries: the named entries by principal, and for a purge all others.
        offered: the ARNs of EKS' access policies by name; None if no decision depends on them.
        protected: why entries are never purged, by principal.
        description: the cluster's description, if a decision depends on it.
    """

    exists: bool
    entries: t.Mapping[str, Entry] = field(default_factory=dict)
    offered: t.Mapping[str, str] | None = None
    protected: t.Mapping[str, str] = field(default_factory=dict)
    description: Description | None = None


def read_state(session: AwsSession, cluster: str, specs: t.Sequence[EntrySpec], *, purge: bool, required: bool) -> AccessState:
    """The current state, for these specs.

    Args:
        session: the session with AWS.
        cluster: the name of the cluster.
        specs: the desired entries.
        purge: whether the other entries may be deleted.
        required: whether it is an error that the cluster does not exist or has no access entries.

    Raises:
        MeshError: there is no such cluster, or its authentication mode is CONFIG_MAP.
    """
    principals = _list_principals(session, cluster, required=required)
    if principals is None:
        return AccessState(exists=False)
    entries: dict[str, Entry] = {}
    for spec in specs:
        # Policies that the task does not name are not read.
        if spec.principal in principals and (entry := _read_entry(session, cluster, spec.principal, policies=not spec.present or spec.policies is not None)):
            entries[spec.principal] = entry
    others: dict[str, Entry] = {}
    for principal in sorted(set(principals) - {spec.principal for spec in specs}) if purge else ():
        # Those of EKS itself are never purged, and need no request.
        if other := Entry(principal) if is_of_eks(principal) else _read_entry(session, cluster, principal, policies=True):
            others[principal] = other
    # Only people's entries may be the creator's, or that of this run.
    description = require_cluster(session, cluster) if any(not is_of_eks(principal) for principal in others) else None
    protected = _find_protected(session, description, others.values()) if description is not None else dict.fromkeys(others, OF_EKS)
    offered = _list_policies(session) if needs_policies(specs, entries) else None
    return AccessState(True, {**others, **entries}, offered, protected, description)


def refuse_config_map(session: AwsSession, cluster: str, description: Description | None) -> None:
    """Refuse a cluster whose authentication mode is CONFIG_MAP; its description is read if it is not known yet.

    Raises:
        MeshError: its mode is CONFIG_MAP, or there is no such cluster.
    """
    if ((description or require_cluster(session, cluster)).get("accessConfig") or {}).get("authenticationMode") == "CONFIG_MAP":
        raise _wrong_mode(cluster)


def _list_principals(session: AwsSession, cluster: str, *, required: bool) -> list[str] | None:
    try:
        return list_of_cluster(session, "list_access_entries", "accessEntries", cluster, required=required)
    except AwsError as error:
        if error.code == "InvalidRequestException" and "authentication mode" in error.server_message:
            if not required:
                return None
            raise _wrong_mode(cluster) from error
        raise


def _find_protected(session: AwsSession, description: Description, others: t.Iterable[Entry]) -> dict[str, str]:
    caller = str(session.call("sts", "get_caller_identity")["Arn"])
    bootstrapped = (description.get("accessConfig") or {}).get("bootstrapClusterCreatorAdminPermissions")
    created = description.get("createdAt")
    cluster_created = created.timestamp() if created is not None else 0.0
    return find_protected(others, caller=caller, cluster_created=cluster_created, bootstrapped=bootstrapped is not False)


def _list_policies(session: AwsSession) -> dict[str, str]:
    return {str(policy["name"]): str(policy["arn"]) for policy in session.pages("eks", "list_access_policies", "accessPolicies")}


def _read_entry(session: AwsSession, cluster: str, principal: str, *, policies: bool) -> Entry | None:
    named = {"clusterName": cluster, "principalArn": principal}
    try:
        description = session.call("eks", "describe_access_entry", **named)["accessEntry"]
        associated = session.pages("eks", "list_associated_access_policies", "associatedAccessPolicies", **named) if policies else []
    except AwsError as error:
        if error.absent:
            return None
        raise
    return normalize_entry(description, associated)


def _wrong_mode(cluster: str) -> MeshError:
    sentence = (
        f"Cluster {cluster} does not support access entries, because its authentication mode is CONFIG_MAP: change it to API_AND_CONFIG_MAP first "
        "(authentication_mode of meshwright.ambient.eks_cluster), which cannot be undone."
    )
    return MeshError([sentence, f"Nothing was changed on cluster {cluster}."])


__all__ = ("AccessState", "read_state", "refuse_config_map")
