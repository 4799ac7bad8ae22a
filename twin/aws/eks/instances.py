"""The EC2 instances of node groups, and the addresses of pods on their network interfaces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twin.aws.cluster_provider import NodeSpec
from twin.aws.eks.network import backend
from twin.aws.eks.region import Cluster, NodeGroup, Region
from twin.aws.errors import Unknown

TAINT_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
# An image that moto ships: it looks at its attributes, and nobody ever boots it.
_IMAGE = "ami-0abcdef1234567890"


def scale(region: Region, cluster: Cluster, group: NodeGroup, *, renew: bool = False) -> None:
    """Make the group have as many instances as it wants, spread over its subnets; with `renew`, all of them new ones."""
    record = group.record
    if renew:
        terminate(region, group)
    _forget_the_dead(region, group)
    desired = int(record["scalingConfig"]["desiredSize"])
    if surplus := group.instance_ids[desired:]:
        backend(region.account, region.name).terminate_instances(surplus)
        del group.instance_ids[desired:]
    while len(group.instance_ids) < desired:
        group.instance_ids.append(_launch(region, cluster, group))


def _launch(region: Region, cluster: Cluster, group: NodeGroup) -> str:
    record = group.record
    filled = dict.fromkeys(record["subnets"], 0)
    for instance in _instances(region, group):
        filled[instance.subnet_id] = filled.get(instance.subnet_id, 0) + 1
    emptiest = min(record["subnets"], key=lambda subnet: filled[subnet])
    name = record["nodegroupName"]
    reservation = backend(region.account, region.name).run_instances(
        _IMAGE,
        1,
        None,
        [],
        region_name=region.name,
        instance_type=record["instanceTypes"][0],
        is_instance_type_default=False,
        subnet_id=emptiest,
        security_group_ids=[cluster.security_group],
        associate_public_ip=None,
        tags={
            "instance": {
                "Name": f"{cluster.name}-{name}",
                f"kubernetes.io/cluster/{cluster.name}": "owned",
                "eks:cluster-name": cluster.name,
                "eks:nodegroup-name": name,
                "aws:eks:cluster-name": cluster.name,
                "aws:autoscaling:groupName": record["resources"]["autoScalingGroups"][0]["name"],
            }
        },
    )
    return str(reservation.instances[0].id)


def terminate(region: Region, group: NodeGroup) -> None:
    if group.instance_ids:
        backend(region.account, region.name).terminate_instances(group.instance_ids)
    group.instance_ids.clear()


def _forget_the_dead(region: Region, group: NodeGroup) -> None:
    """Instances that someone has terminated by hand are replaced, as their auto scaling group would."""
    alive = {instance.id for instance in _instances(region, group)}
    group.instance_ids[:] = [each for each in group.instance_ids if each in alive]


def _instances(region: Region, group: NodeGroup) -> list[Any]:
    desired = set(group.instance_ids)
    reservations = list(backend(region.account, region.name).reservations.values())
    return [each for reservation in reservations for each in reservation.instances if each.id in desired and each.state == "running"]


def node_specs(region: Region, group: NodeGroup) -> list[NodeSpec]:
    """What the Node objects of a group's instances have to show."""
    record = group.record
    taints = tuple({**each, "effect": TAINT_EFFECTS[each["effect"]]} for each in record["taints"])
    return [
        NodeSpec(
            name=f"ip-{instance.private_ip.replace('.', '-')}.{region.name}.compute.internal",
            instance_id=instance.id,
            zone=instance.availability_zone,
            region=region.name,
            node_group=record["nodegroupName"],
            instance_type=instance.instance_type,
            private_address=instance.private_ip,
            provider_id=f"aws:///{instance.availability_zone}/{instance.id}",
            kubernetes_version=record["version"],
            labels={
                **record["labels"],
                "eks.amazonaws.com/nodegroup": record["nodegroupName"],
                "eks.amazonaws.com/capacityType": record["capacityType"],
                "node.kubernetes.io/instance-type": instance.instance_type,
                "topology.kubernetes.io/region": region.name,
                "topology.kubernetes.io/zone": instance.availability_zone,
            },
            taints=taints,
        )
        for instance in _instances(region, group)
    ]


def set_pod_addresses(region: Region, cluster: Cluster, pods: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Give each node's network interface the addresses of its pods as secondary ones, and no others.

    Args:
        pods: address and node name of each pod; they need not lie in the node's subnet, as the twin's do not.

    Returns:
        The addresses set, for each node.

    Raises:
        Unknown: a node is none of the cluster's.
    """
    by_node: dict[str, list[str]] = {}
    for address, node in pods:
        by_node.setdefault(node, []).append(address)
    interfaces = {
        spec.name: instance.nics[0]
        for group in cluster.node_groups.values()
        for spec, instance in zip(node_specs(region, group), _instances(region, group), strict=True)
    }
    if unknown := set(by_node) - set(interfaces):
        raise Unknown(f"Cluster {cluster.name} has no node {', '.join(sorted(unknown))}: its nodes are {', '.join(sorted(interfaces)) or 'none'}.")
    for node, interface in interfaces.items():
        primary = [each for each in interface.private_ip_addresses if each.get("Primary")]
        secondary = [{"Primary": False, "PrivateIpAddress": address} for address in sorted(by_node.get(node, []))]
        interface.private_ip_addresses[:] = primary + secondary
    return {node: sorted(addresses) for node, addresses in by_node.items()}
