"""Clusters: create, describe, list, delete. What changes them is in updates.py."""

from __future__ import annotations

import re
import secrets
from typing import Any

from twin.aws.cluster_provider import AddonSpec, ClusterEndpoint, ClusterSpec
from twin.aws.eks import network
from twin.aws.eks.access import let_creator_in
from twin.aws.eks.call import Call
from twin.aws.eks.catalogue import DEFAULT_KUBERNETES_VERSION, KUBERNETES_VERSIONS, OFFERS, PLATFORM_VERSION
from twin.aws.eks.region import Cluster, now, page
from twin.aws.errors import InUse, InvalidParameter, InvalidRequest

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_DEFAULT_CIDRS = ["0.0.0.0/0"]


def create_cluster(call: Call) -> dict[str, Any]:
    region, name = call.region, str(call.need("name"))
    if not _NAME.fullmatch(name):
        raise InvalidParameter(f"The cluster name {name!r} must start with a letter or digit and can have 100 letters, digits, hyphens and underscores.")
    if name in region.clusters:
        raise InUse(f"Cluster already exists with name: {name}", clusterName=name)
    version = call.get("version", DEFAULT_KUBERNETES_VERSION)
    if version not in KUBERNETES_VERSIONS:
        raise InvalidParameter(f"unsupported Kubernetes version {version}", clusterName=name)
    network.must_be_role(region.account, call.need("roleArn"), cluster=name)
    asked = call.need("resourcesVpcConfig")
    vpc = network.vpc_of(region.account, region.name, asked.get("subnetIds") or [], asked.get("securityGroupIds") or [])
    record = _record(call, name, version, vpc)
    group = network.create_cluster_security_group(region.account, region.name, vpc.vpc_id, name)
    cluster = Cluster(record, call.caller, group)
    region.clusters[name] = cluster
    issuer = f"https://oidc.eks.{region.name}.amazonaws.com/id/{secrets.token_hex(16).upper()}"
    let_creator_in(region, cluster)
    spec = ClusterSpec(
        name=name,
        region=region.name,
        account=region.account,
        arn=record["arn"],
        version=version,
        vpc_id=vpc.vpc_id,
        subnet_ids=tuple(record["resourcesVpcConfig"]["subnetIds"]),
        service_cidr=record["kubernetesNetworkConfig"]["serviceIpv4Cidr"],
        oidc_issuer=issuer,
        creator_arn=call.caller,
        webhook_url=f"{call.regions.webhook_base}/_twin/clusters/{region.name}/{name}/authenticate",
    )
    addons = _self_managed(version) if _flag(call.parameters, "bootstrapSelfManagedAddons", True) else []

    def build() -> ClusterEndpoint:
        endpoint = region.provider.create(spec)
        for addon in addons:
            region.provider.install_addon(spec.key, addon)
        return endpoint

    future = region.submit(cluster, build)

    def finish(error: BaseException | None) -> None:
        if error is not None:
            record["status"] = "FAILED"
            record["health"] = {"issues": [{"code": "InternalFailure", "message": str(error), "resourceIds": [name]}]}
            return
        made: ClusterEndpoint = future.result()
        # All of these are missing while a cluster is CREATING, as in life.
        record.update(status="ACTIVE", endpoint=made.endpoint, certificateAuthority={"data": made.certificate_authority_data})
        record["identity"] = {"oidc": {"issuer": issuer}}
        record["resourcesVpcConfig"]["clusterSecurityGroupId"] = group

    region.transitions.begin("cluster", finish, future)
    return {"cluster": record}


def _self_managed(kubernetes: str) -> list[AddonSpec]:
    """What EKS puts into a new cluster by itself, unless bootstrapSelfManagedAddons is false; ListAddons does not return them."""
    return [AddonSpec(name, OFFERS[name].default_version(kubernetes)) for name in ("vpc-cni", "kube-proxy", "coredns")]


def _record(call: Call, name: str, version: str, vpc: network.Vpc) -> dict[str, Any]:
    asked, access, kubernetes = call.need("resourcesVpcConfig"), call.get("accessConfig", {}), call.get("kubernetesNetworkConfig", {})
    mode = access.get("authenticationMode") or "CONFIG_MAP"
    if mode not in ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP"):
        raise InvalidParameter(f"The authenticationMode {mode} is not one of API, API_AND_CONFIG_MAP, CONFIG_MAP.", clusterName=name)
    public, private = _flag(asked, "endpointPublicAccess", True), _flag(asked, "endpointPrivateAccess", False)
    if not (public or private):
        raise InvalidParameter("Private and public endpoint access cannot be false", clusterName=name)
    return {
        "name": name,
        "arn": call.region.arn("cluster", name),
        "createdAt": now(),
        "version": version,
        "platformVersion": PLATFORM_VERSION,
        "roleArn": call.need("roleArn"),
        "status": "CREATING",
        "resourcesVpcConfig": {
            "subnetIds": list(asked.get("subnetIds") or []),
            "securityGroupIds": list(asked.get("securityGroupIds") or []),
            "vpcId": vpc.vpc_id,
            "endpointPublicAccess": public,
            "endpointPrivateAccess": private,
            "publicAccessCidrs": list(asked.get("publicAccessCidrs") or _DEFAULT_CIDRS) if public else [],
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": kubernetes.get("serviceIpv4Cidr") or ("10.100.0.0/16" if vpc.cidr.startswith("172.") else "172.20.0.0/16"),
            "ipFamily": kubernetes.get("ipFamily") or "ipv4",
            "elasticLoadBalancing": kubernetes.get("elasticLoadBalancing") or {"enabled": False},
        },
        "logging": logging_of({}, call.get("logging", {})),
        "tags": dict(call.get("tags", {})),
        "encryptionConfig": call.get("encryptionConfig", []),
        "health": {"issues": []},
        "accessConfig": {
            "bootstrapClusterCreatorAdminPermissions": _flag(access, "bootstrapClusterCreatorAdminPermissions", True),
            "authenticationMode": mode,
        },
        "upgradePolicy": {"supportType": call.get("upgradePolicy", {}).get("supportType") or "EXTENDED"},
        "zonalShiftConfig": {"enabled": _flag(call.get("zonalShiftConfig", {}), "enabled", False)},
        "computeConfig": call.get("computeConfig", {"enabled": False}),
        "storageConfig": call.get("storageConfig", {"blockStorage": {"enabled": False}}),
        "deletionProtection": bool(call.get("deletionProtection", False)),
        "certificateAuthority": {},
    }


def _flag(values: dict[str, Any], name: str, default: bool) -> bool:
    return default if values.get(name) is None else bool(values[name])


def logging_of(before: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What DescribeCluster returns about logging: one group of the types that are on, one of those that are off."""
    enabled = {kind for group in before.get("clusterLogging", []) if group.get("enabled") for kind in group.get("types", [])}
    for group in asked.get("clusterLogging") or []:
        kinds = set(group.get("types") or [])
        if unknown := kinds - set(LOG_TYPES):
            raise InvalidParameter(f"The log types {sorted(unknown)} are not known.")
        enabled = enabled | kinds if group.get("enabled") else enabled - kinds
    groups = [(True, [kind for kind in LOG_TYPES if kind in enabled]), (False, [kind for kind in LOG_TYPES if kind not in enabled])]
    return {"clusterLogging": [{"types": kinds, "enabled": on} for on, kinds in groups if kinds]}


def describe_cluster(call: Call) -> dict[str, Any]:
    return {"cluster": call.cluster.record}


def list_clusters(call: Call) -> dict[str, Any]:
    return page(sorted(call.region.clusters), call.parameters, "clusters")


def delete_cluster(call: Call) -> dict[str, Any]:
    cluster, region = call.cluster, call.region
    name = cluster.name
    if cluster.record["deletionProtection"]:
        raise InvalidRequest(f"Cluster {name} has deletion protection enabled: disable it before you delete the cluster.", clusterName=name)
    if cluster.node_groups:
        raise InUse("Cluster has nodegroups attached", clusterName=name, nodegroupName=sorted(cluster.node_groups)[0])
    if cluster.record["status"] in ("CREATING", "UPDATING", "DELETING"):
        raise InUse(f"Cluster {name} is in status {cluster.record['status']}: it cannot be deleted now.", clusterName=name)
    cluster.record["status"] = "DELETING"
    future = region.submit(cluster, lambda: region.provider.delete(region.key(cluster)))

    def finish(error: BaseException | None) -> None:
        if error is not None:
            cluster.record["status"] = "FAILED"
            cluster.record["health"] = {"issues": [{"code": "InternalFailure", "message": str(error), "resourceIds": [name]}]}
            return
        region.clusters.pop(name, None)
        network.delete_security_group(region.account, region.name, cluster.security_group)
        if cluster.worker:
            cluster.worker.shutdown(wait=False)

    region.transitions.begin("cluster", finish, future)
    return {"cluster": cluster.record}


OPERATIONS = {"CreateCluster": create_cluster, "DescribeCluster": describe_cluster, "ListClusters": list_clusters, "DeleteCluster": delete_cluster}
