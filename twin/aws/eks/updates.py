"""What changes a cluster: its version, and one field of its configuration at a time; and the updates that come of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twin.aws.eks import network
from twin.aws.eks.access import let_creator_in
from twin.aws.eks.call import Call
from twin.aws.eks.catalogue import KUBERNETES_VERSIONS, minor
from twin.aws.eks.clusters import logging_of
from twin.aws.eks.region import Cluster, page
from twin.aws.errors import InUse, InvalidParameter, InvalidRequest, NotFound

_EXCLUSIVE = (
    "resourcesVpcConfig",
    "logging",
    "accessConfig",
    "upgradePolicy",
    "zonalShiftConfig",
    "computeConfig",
    "kubernetesNetworkConfig",
    "storageConfig",
    "remoteNetworkConfig",
    "deletionProtection",
    "controlPlaneScalingConfig",
)
_AUTO_MODE = {"computeConfig", "kubernetesNetworkConfig", "storageConfig"}
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")


def _idle_cluster(call: Call) -> Cluster:
    cluster = call.cluster
    under_way = [each.record for each in cluster.updates.values() if each.record["status"] == "InProgress" and not (each.node_group or each.addon)]
    if under_way or cluster.record["status"] == "UPDATING":
        raise InUse("Cannot start a new update: the cluster already has an update in progress", clusterName=cluster.name)
    cluster.must_be_active()
    return cluster


def update_cluster_version(call: Call) -> dict[str, Any]:
    cluster, version = _idle_cluster(call), str(call.need("version"))
    current = cluster.record["version"]
    if version not in KUBERNETES_VERSIONS:
        raise InvalidParameter(f"unsupported Kubernetes version {version}", clusterName=cluster.name)
    if version == current:
        raise InvalidParameter(f"Cluster is already at version {version}", clusterName=cluster.name)
    if minor(version) != minor(current) + 1:
        raise InvalidParameter(f"Unsupported Kubernetes minor version update from {current} to {version}", clusterName=cluster.name)
    for name, group in cluster.node_groups.items():
        # kubelets may be three minor versions older than the API server
        if minor(version) - minor(group.record["version"]) > 3:
            raise InvalidRequest(f"Nodegroup {name} must be updated before the cluster: it has version {group.record['version']}.", clusterName=cluster.name)
    parameters = {"Version": version, "PlatformVersion": cluster.record["platformVersion"]}
    return _begin(call, cluster, "VersionUpdate", parameters, {"version": version})


def _begin(call: Call, cluster: Cluster, kind: str, parameters: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    cluster.record["status"] = "UPDATING"

    def apply() -> None:
        cluster.record.update(changed, status="ACTIVE")
        let_creator_in(call.region, cluster)

    def failed(_reason: str) -> None:
        cluster.record["status"] = "ACTIVE"

    return {"update": call.region.begin_update(cluster, kind, parameters, apply, failed=failed)}


def update_cluster_config(call: Call) -> dict[str, Any]:
    cluster = _idle_cluster(call)
    asked = {name for name in _EXCLUSIVE if call.get(name) is not None}
    if not asked:
        raise InvalidParameter("No changes needed for the cluster: nothing was asked for", clusterName=cluster.name)
    if len(asked) > 1 and not asked <= _AUTO_MODE:
        raise InvalidParameter("Only one type of update can be allowed", clusterName=cluster.name)
    kind, parameters, changed = _CHANGES[sorted(asked)[0]](call, cluster)
    if all(cluster.record.get(name) == value for name, value in changed.items()):
        raise InvalidParameter(f"No changes needed for the {kind} of the cluster: it is as asked already", clusterName=cluster.name)
    return _begin(call, cluster, kind, parameters, changed)


_Change = tuple[str, dict[str, Any], dict[str, Any]]


def _vpc(call: Call, cluster: Cluster) -> _Change:
    asked, before = call.need("resourcesVpcConfig"), cluster.record["resourcesVpcConfig"]
    network_part = {name for name in ("subnetIds", "securityGroupIds") if asked.get(name) is not None}
    access_part = {name for name in ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs") if asked.get(name) is not None}
    if network_part and access_part:
        raise InvalidParameter("Only one type of update can be allowed: VPC configuration or endpoint access", clusterName=cluster.name)
    after = {**before, **{name: asked[name] for name in network_part | access_part}}
    if network_part:
        vpc = network.vpc_of(call.region.account, call.region.name, after["subnetIds"], after["securityGroupIds"])
        if vpc.vpc_id != before["vpcId"]:
            raise InvalidParameter("Provided subnets must belong to the VPC of the cluster", clusterName=cluster.name)
        return (
            "VpcConfigUpdate",
            {"Subnets": json.dumps(after["subnetIds"]), "SecurityGroups": json.dumps(after["securityGroupIds"])},
            {"resourcesVpcConfig": after},
        )
    if not (after["endpointPublicAccess"] or after["endpointPrivateAccess"]):
        raise InvalidParameter("Private and public endpoint access cannot be false", clusterName=cluster.name)
    if not after["endpointPublicAccess"]:
        after["publicAccessCidrs"] = []
    elif not after["publicAccessCidrs"]:
        after["publicAccessCidrs"] = ["0.0.0.0/0"]
    parameters = {
        "EndpointPublicAccess": json.dumps(after["endpointPublicAccess"]),
        "EndpointPrivateAccess": json.dumps(after["endpointPrivateAccess"]),
        "PublicAccessCidrs": json.dumps(after["publicAccessCidrs"]),
    }
    return "EndpointAccessUpdate", parameters, {"resourcesVpcConfig": after}


def _logging(call: Call, cluster: Cluster) -> _Change:
    after = logging_of(cluster.record["logging"], call.need("logging"))
    return "LoggingUpdate", {"ClusterLogging": json.dumps(call.need("logging"))}, {"logging": after}


def _access(call: Call, cluster: Cluster) -> _Change:
    before, mode = cluster.record["accessConfig"], call.need("accessConfig").get("authenticationMode")
    if mode not in _MODES:
        raise InvalidParameter(f"The authenticationMode {mode} is not one of {', '.join(_MODES)}.", clusterName=cluster.name)
    if _MODES.index(mode) < _MODES.index(before["authenticationMode"]):
        raise InvalidParameter(f"Unsupported authentication mode update from {before['authenticationMode']} to {mode}", clusterName=cluster.name)
    return "AccessConfigUpdate", {"AuthenticationMode": mode}, {"accessConfig": {**before, "authenticationMode": mode}}


def _upgrade_policy(call: Call, cluster: Cluster) -> _Change:
    kind = call.need("upgradePolicy").get("supportType")
    if kind not in ("STANDARD", "EXTENDED"):
        raise InvalidParameter(f"The supportType {kind} is not one of STANDARD, EXTENDED.", clusterName=cluster.name)
    return "UpgradePolicyUpdate", {"UpgradePolicy": json.dumps({"supportType": kind})}, {"upgradePolicy": {"supportType": kind}}


def _deletion_protection(call: Call, _cluster: Cluster) -> _Change:
    desired = bool(call.get("deletionProtection"))
    return "DeletionProtectionUpdate", {"DeletionProtection": json.dumps(desired)}, {"deletionProtection": desired}


def _plain(field: str, kind: str, parameter: str) -> Callable[[Call, Cluster], _Change]:
    def change(call: Call, cluster: Cluster) -> _Change:
        after = {**(cluster.record.get(field) or {}), **call.need(field)}
        return kind, {parameter: json.dumps(call.need(field))}, {field: after}

    return change


def _auto_mode(call: Call, cluster: Cluster) -> _Change:
    fields = [name for name in sorted(_AUTO_MODE) if call.get(name) is not None]
    changed = {name: {**(cluster.record.get(name) or {}), **call.need(name)} for name in fields}
    return "AutoModeUpdate", {name[0].upper() + name[1:]: json.dumps(call.need(name)) for name in fields}, changed


_CHANGES: dict[str, Callable[[Call, Cluster], _Change]] = {
    "resourcesVpcConfig": _vpc,
    "logging": _logging,
    "accessConfig": _access,
    "upgradePolicy": _upgrade_policy,
    "deletionProtection": _deletion_protection,
    "zonalShiftConfig": _plain("zonalShiftConfig", "ZonalShiftConfigUpdate", "ZonalShiftConfig"),
    "remoteNetworkConfig": _plain("remoteNetworkConfig", "RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
    "controlPlaneScalingConfig": _plain("controlPlaneScalingConfig", "ControlPlaneScalingConfigUpdate", "UpdatedTier"),
    "computeConfig": _auto_mode,
    "kubernetesNetworkConfig": _auto_mode,
    "storageConfig": _auto_mode,
}


def associate_encryption_config(call: Call) -> dict[str, Any]:
    cluster, config = _idle_cluster(call), call.need("encryptionConfig")
    if cluster.record["encryptionConfig"]:
        raise InvalidRequest("Encryption is already enabled on this cluster: it cannot be changed", clusterName=cluster.name)
    for each in config:
        if each.get("resources") != ["secrets"]:
            raise InvalidParameter("Only 'secrets' are supported in encryptionConfig", clusterName=cluster.name)
        if not (each.get("provider") or {}).get("keyArn"):
            raise InvalidParameter("encryptionConfig needs provider.keyArn", clusterName=cluster.name)
    return _begin(call, cluster, "AssociateEncryptionConfig", {"EncryptionConfig": json.dumps(config)}, {"encryptionConfig": config})


def describe_update(call: Call) -> dict[str, Any]:
    cluster, identity = call.cluster, call.need("updateId")
    update = cluster.updates.get(identity)
    concerns = (call.get("nodegroupName"), call.get("addonName"))
    # The update of a node group or an add-on is found only by those who name that, too.
    if update is None or concerns != (update.node_group, update.addon):
        raise NotFound(f"No update found for ID: {identity}", clusterName=cluster.name)
    return {"update": update.record}


def list_updates(call: Call) -> dict[str, Any]:
    cluster, concerns = call.cluster, (call.get("nodegroupName"), call.get("addonName"))
    if concerns[0]:
        cluster.node_group(concerns[0])
    if concerns[1]:
        cluster.addon(concerns[1])
    found = [identity for identity, each in cluster.updates.items() if (each.node_group, each.addon) == concerns]
    return page(found, call.parameters, "updateIds")


OPERATIONS = {
    "AssociateEncryptionConfig": associate_encryption_config,
    "DescribeUpdate": describe_update,
    "ListUpdates": list_updates,
    "UpdateClusterConfig": update_cluster_config,
    "UpdateClusterVersion": update_cluster_version,
}
