"""Managed node groups, and the EC2 instances they consist of."""

from __future__ import annotations

import json
import uuid
from typing import Any

from twin.aws.eks import instances, network
from twin.aws.eks.access import forget_nodes, let_nodes_in
from twin.aws.eks.call import Call
from twin.aws.eks.catalogue import KUBERNETES_VERSIONS, minor
from twin.aws.eks.region import Cluster, NodeGroup, Region, now, page
from twin.aws.errors import InUse, InvalidParameter

_BUSY = ("CREATING", "UPDATING", "DELETING")


def create_nodegroup(call: Call) -> dict[str, Any]:
    cluster, region = call.active_cluster, call.region
    name = str(call.need("nodegroupName"))
    if name in cluster.node_groups:
        message = f"NodeGroup already exists with name {name} and cluster name {cluster.name}"
        raise InUse(message, clusterName=cluster.name, nodegroupName=name)
    network.must_be_role(region.account, call.need("nodeRole"), clusterName=cluster.name, nodegroupName=name)
    subnets = network.subnets_of(region.account, region.name, call.need("subnets"))
    if any(str(subnet.vpc_id) != cluster.record["resourcesVpcConfig"]["vpcId"] for subnet in subnets):
        raise InvalidParameter("Subnets are not part of the VPC of the cluster", clusterName=cluster.name, nodegroupName=name)
    if call.get("launchTemplate") and (call.get("diskSize") or call.get("remoteAccess")):
        raise InvalidParameter("Disk size and remote access must be specified within the launch template.", nodegroupName=name)
    version = call.get("version", cluster.record["version"])
    _check_version(cluster, version)
    scaling = _scaling({"minSize": 1, "maxSize": 2, "desiredSize": 2}, call.get("scalingConfig", {}))
    taints = [_taint(each) for each in call.get("taints", [])]
    moment, identity = now(), str(uuid.uuid4())
    record = {
        "nodegroupName": name,
        "nodegroupArn": region.arn("nodegroup", cluster.name, name, identity),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": call.get("releaseVersion") or _release(version),
        "createdAt": moment,
        "modifiedAt": moment,
        "status": "CREATING",
        "capacityType": call.get("capacityType", "ON_DEMAND"),
        "scalingConfig": scaling,
        "instanceTypes": list(call.get("instanceTypes") or ["t3.medium"]),
        "subnets": list(call.need("subnets")),
        "remoteAccess": call.get("remoteAccess"),
        "amiType": call.get("amiType", "AL2023_x86_64_STANDARD"),
        "nodeRole": call.need("nodeRole"),
        "labels": dict(call.get("labels", {})),
        "taints": taints,
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{identity}"}]},
        "diskSize": call.get("diskSize") or (None if call.get("launchTemplate") else 20),
        "health": {"issues": []},
        "updateConfig": call.get("updateConfig") or {"maxUnavailable": 1},
        "nodeRepairConfig": call.get("nodeRepairConfig"),
        "launchTemplate": call.get("launchTemplate"),
        "tags": dict(call.get("tags", {})),
    }
    group = NodeGroup(record)
    cluster.node_groups[name] = group
    let_nodes_in(region, cluster, record["nodeRole"])
    instances.scale(region, cluster, group)
    future = set_nodes(region, cluster)

    def finish(error: BaseException | None) -> None:
        record["status"] = "ACTIVE" if error is None else "CREATE_FAILED"
        if error is not None:
            _ail(record, error)

    region.transitions.begin("nodegroup", finish, future)
    return {"nodegroup": record}


def set_nodes(region: Region, cluster: Cluster) -> Any:
    """Let the provider make the cluster's nodes those of its node groups as they are now."""
    specs = [each for group in cluster.node_groups.values() if group.record["status"] != "DELETING" for each in instances.node_specs(region, group)]
    return region.submit(cluster, lambda: region.provider.set_nodes(region.key(cluster), specs))


def _ail(record: dict[str, Any], error: object) -> None:
    record["health"] = {"issues": [{"code": "InternalFailure", "message": str(error), "resourceIds": []}]}


def _check_version(cluster: Cluster, version: str) -> None:
    current = cluster.record["version"]
    if version not in KUBERNETES_VERSIONS or minor(version) > minor(current):
        raise InvalidParameter(f"Requested Nodegroup version {version} is not supported by the cluster's version {current}", clusterName=cluster.name)


def _release(version: str) -> str:
    return f"{version}.3-20261105"


def _scaling(before: dict[str, Any], asked: dict[str, Any]) -> dict[str, int]:
    after = {**before, **{name: int(value) for name, value in asked.items() if value is not None}}
    if not after["minSize"] <= after["desiredSize"] <= after["maxSize"]:
        raise InvalidParameter(
            f"Minimum capacity {after['minSize']}, desired capacity {after['desiredSize']} and maximum capacity {after['maxSize']} must be in this order"
        )
    return after


def _taint(asked: dict[str, Any]) -> dict[str, Any]:
    if not asked.get("key") or asked.get("effect") not in instances.TAINT_EFFECTS:
        raise InvalidParameter(f"A taint needs a key, and one of {', '.join(instances.TAINT_EFFECTS)} as its effect: {json.dumps(asked)}")
    return {name: asked[name] for name in ("key", "value", "effect") if asked.get(name) is not None}


def describe_nodegroup(call: Call) -> dict[str, Any]:
    return {"nodegroup": call.cluster.node_group(call.need("nodegroupName")).record}


def list_nodegroups(call: Call) -> dict[str, Any]:
    return page(sorted(call.cluster.node_groups), call.parameters, "nodegroups")


def _idle(call: Call) -> tuple[Cluster, NodeGroup]:
    cluster = call.cluster
    group = cluster.node_group(call.need("nodegroupName"))
    if group.record["status"] in _BUSY:
        message = f"Nodegroup cannot be updated as it is currently not in Active State: {group.record['status']}"
        raise InUse(message, clusterName=cluster.name, nodegroupName=group.record["nodegroupName"])
    return cluster, group


def update_nodegroup_config(call: Call) -> dict[str, Any]:
    cluster, group = _idle(call)
    record, region = group.record, call.region
    changed: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    if labels := call.get("labels"):
        added, removed = dict(labels.get("addOrUpdateLabels") or {}), list(labels.get("removeLabels") or [])
        changed["labels"] = {**{key: value for key, value in record["labels"].items() if key not in removed}, **added}
        parameters.update(LabelsToAdd=json.dumps(added), LabelsToRemove=json.dumps(removed))
    if taints := call.get("taints"):
        new, gone = [_taint(each) for each in taints.get("addOrUpdateTaints") or []], [_taint(each) for each in taints.get("removeTaints") or []]
        replaced = {(each["key"], each["effect"]) for each in [*new, *gone]}
        changed["taints"] = [each for each in record["taints"] if (each["key"], each["effect"]) not in replaced] + new
        parameters.update(TaintsToAdd=json.dumps(new), TaintsToRemove=json.dumps(gone))
    if scaling := call.get("scalingConfig"):
        changed["scalingConfig"] = _scaling(record["scalingConfig"], scaling)
        parameters.update({name[0].upper() + name[1:]: str(value) for name, value in scaling.items()})
    if update := call.get("updateConfig"):
        changed["updateConfig"] = update
        parameters.update({name[0].upper() + name[1:]: str(value) for name, value in update.items()})
    if repair := call.get("nodeRepairConfig"):
        changed["nodeRepairConfig"] = repair
        parameters["NodeRepairEnabled"] = str(repair.get("enabled"))
    if not changed:
        raise InvalidParameter("Must specify at least one update for the nodegroup", clusterName=cluster.name, nodegroupName=record["nodegroupName"])
    return _begin(call, region, cluster, group, "ConfigUpdate", parameters, changed)


def _begin(
    call: Call, region: Region, cluster: Cluster, group: NodeGroup, kind: str, parameters: dict[str, Any], changed: dict[str, Any], *, renew: bool = False
) -> dict[str, Any]:
    record = group.record
    record.update(changed, status="UPDATING", modifiedAt=now())
    instances.scale(region, cluster, group, renew=renew)
    future = set_nodes(region, cluster)

    def apply() -> None:
        record.update(status="ACTIVE", modifiedAt=now(), health={"issues": []})

    def failed(reason: str) -> None:
        record["status"] = "DEGRADED"
        _ail(record, reason)

    name = record["nodegroupName"]
    return {"update": call.region.begin_update(cluster, kind, parameters, apply, future=future, node_group=name, failed=failed)}


def update_nodegroup_version(call: Call) -> dict[str, Any]:
    cluster, group = _idle(call)
    record = group.record
    version = call.get("version") or (record["version"] if call.get("releaseVersion") else cluster.record["version"])
    _check_version(cluster, version)
    if minor(version) < minor(record["version"]):
        raise InvalidParameter(f"Requested version {version} is older than the node group's {record['version']}", clusterName=cluster.name)
    release = call.get("releaseVersion") or _release(version)
    changed: dict[str, Any] = {"version": version, "releaseVersion": release}
    parameters = {"Version": version, "ReleaseVersion": release}
    if template := call.get("launchTemplate"):
        changed["launchTemplate"] = {**(record["launchTemplate"] or {}), **template}
        parameters["LaunchTemplateVersion"] = str(template.get("version"))
    return _begin(call, call.region, cluster, group, "VersionUpdate", parameters, changed, renew=True)


def delete_nodegroup(call: Call) -> dict[str, Any]:
    cluster, region = call.cluster, call.region
    group = cluster.node_group(call.need("nodegroupName"))
    if group.record["status"] == "DELETING":
        return {"nodegroup": group.record}
    group.record["status"] = "DELETING"
    instances.terminate(region, group)
    future = set_nodes(region, cluster)

    def finish(error: BaseException | None) -> None:
        if error is None:
            cluster.node_groups.pop(group.record["nodegroupName"], None)
            forget_nodes(cluster, group.record["nodeRole"])
        else:
            group.record["status"] = "DELETE_FAILED"
            _ail(group.record, error)

    region.transitions.begin("nodegroup", finish, future)
    return {"nodegroup": group.record}


OPERATIONS = {
    "CreateNodegroup": create_nodegroup,
    "DeleteNodegroup": delete_nodegroup,
    "DescribeNodegroup": describe_nodegroup,
    "ListNodegroups": list_nodegroups,
    "UpdateNodegroupConfig": update_nodegroup_config,
    "UpdateNodegroupVersion": update_nodegroup_version,
}
