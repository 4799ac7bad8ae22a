# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the add-ons of an EKS cluster, and resolves their versions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.errors import AwsError
from .._eks_cluster.state import list_of_cluster, require_cluster
from .._errors import MeshError, raise_if_any
from .normalize import Addon, normalize_addon
from .versions import Offer, choose_version, needs_offer, normalize_offer

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .spec import AddonSpec


@dataclass(frozen=True)
class AddonState:
    """The current state.

    Attributes:
        exists: whether the cluster exists; in check mode an earlier task may be about to create it.
        addons: the named add-ons by name, and for a purge all others.
        versions: the version that each desired add-on gets, by name.
    """

    exists: bool
    addons: t.Mapping[str, Addon] = field(default_factory=dict)
    versions: t.Mapping[str, str] = field(default_factory=dict)


def read_state(session: AwsSession, cluster: str, specs: t.Sequence[AddonSpec], *, purge: bool, required: bool) -> AddonState:
    """The current state, for these specs.

    Args:
        session: the session with AWS.
        cluster: the name of the cluster.
        specs: the desired add-ons.
        purge: whether the other add-ons may be deleted.
        required: whether it is an error that there is no such cluster.

    Raises:
        MeshError: there is no such cluster, or EKS does not offer a version, one sentence each.
    """
    names = list_of_cluster(session, "list_addons", "addons", cluster, required=required)
    if names is None:
        # The version is decided once the cluster exists.
        return AddonState(False, {}, {spec.name: spec.version or "default" for spec in specs if spec.present})
    requested = {spec.name: _owns_associations(spec) for spec in specs}
    requested.update((name, False) for name in sorted(names) if purge and name not in requested)
    addons = describe_addons(session, cluster, {name: pod_identities for name, pod_identities in requested.items() if name in names})
    return AddonState(True, addons, _choose_versions(session, cluster, specs, addons))


def read_again(session: AwsSession, cluster: str, specs: t.Iterable[AddonSpec], state: AddonState, names: t.Sequence[str]) -> AddonState:
    """The same state, with these add-ons read again."""
    requested = {spec.name: _owns_associations(spec) for spec in specs if spec.name in names}
    addons = describe_addons(session, cluster, {**requested, **{name: False for name in names if name not in requested}})
    return AddonState(True, {**{name: addon for name, addon in state.addons.items() if name not in names}, **addons}, state.versions)


def describe_addons(session: AwsSession, cluster: str, names: t.Mapping[str, bool]) -> dict[str, Addon]:
    """The add-ons that exist; names says for each name whether the roles of its pod identity associations are read as well."""
    found = {name: describe_addon(session, cluster, name, pod_identities=pod_identities) for name, pod_identities in names.items()}
    return {name: addon for name, addon in found.items() if addon is not None}


def describe_addon(session: AwsSession, cluster: str, name: str, *, pod_identities: bool = False) -> Addon | None:
    """One add-on; None if it does not exist."""
    answer = session.find("eks", "describe_addon", clusterName=cluster, addonName=name)
    if answer is None:
        return None
    description = answer["addon"]
    arns = description.get("podIdentityAssociations") or ()
    return normalize_addon(description, _read_roles(session, cluster, arns) if pod_identities else None)


def _owns_associations(spec: AddonSpec) -> bool:
    return spec.present and spec.pod_identities is not None


def _read_roles(session: AwsSession, cluster: str, arns: t.Iterable[str]) -> dict[str, str]:
    """The role of each service account that an add-on owns an association of; an add-on's description has only the ARNs of the associations."""
    found = {}
    for arn in sorted(arns):
        answer = session.call("eks", "describe_pod_identity_association", clusterName=cluster, associationId=arn.rpartition("/")[2])
        found[str(answer["association"]["serviceAccount"])] = str(answer["association"]["roleArn"])
    return found


def _choose_versions(session: AwsSession, cluster: str, specs: t.Iterable[AddonSpec], addons: t.Mapping[str, Addon]) -> dict[str, str]:
    """The version of each desired add-on. The offer is read only if the version may change and is not known exactly."""
    chosen: dict[str, str] = {}
    refusals = []
    kubernetes = ""
    for spec in specs:
        if not spec.present:
            continue
        current = addons[spec.name].version if spec.name in addons else None
        offer = Offer(spec.name, kubernetes)
        if needs_offer(spec.version, current):
            kubernetes = kubernetes or str(require_cluster(session, cluster)["version"])
            offer = _read_offer(session, spec.name, kubernetes)
        try:
            chosen[spec.name] = choose_version(spec.version, current, offer, session.region)
        except MeshError as error:
            refusals.append(error.message)
            continue
        if current is None and chosen[spec.name] in offer.needs_configuration and not spec.configuration:
            refusals.append(f"Add-on {spec.name} {chosen[spec.name]} cannot be installed without configuration: set configuration_values.")
    raise_if_any(refusals, cluster)
    return chosen


def _read_offer(session: AwsSession, name: str, kubernetes: str) -> Offer:
    try:
        addons = session.pages("eks", "describe_addon_versions", "addons", addonName=name, kubernetesVersion=kubernetes)
    except AwsError as error:
        # EKS does not know the name.
        if error.absent or (error.code == "InvalidParameterException" and name in error.server_message):
            return Offer(name, kubernetes)
        raise
    return normalize_offer(name, kubernetes, addons)


__all__ = ("AddonState", "describe_addon", "read_again", "read_state")
