# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can a load balancer be created in its subnets, with its addresses? Pure: the rules of its controller, and of AWS."""

from __future__ import annotations

import re
import typing as t

from .._aws.tags import tags_of
from .._load_balancer.owners import CLOUD_CLUSTER_TAG_PREFIX

if t.TYPE_CHECKING:
    from .context import Answer, Context, Findings
    from .spec import LoadBalancerSpec

ROLE_TAGS = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
# What AWS needs in each subnet (user guides of both load balancers), and the controller looks for (pkg/networking/subnet_resolver.go).
_FREE_ADDRESSES = 8
# As us-west-2-lax-1a and us-east-1-wl1-bos-wlz-1; others are as us-west-2a.
_NAME_OF_ZONE_APART = re.compile(r"-[a-z]{3}-(wlz-)?\d+[a-z]?$")
# Who owns the network interfaces of load balancers. The address of an existing one is its own, so it is no conflict.
_LOAD_BALANCING = "amazon-elb"


def check_subnets(spec: LoadBalancerSpec, context: Context) -> Findings:
    if spec.subnets:
        yield from _check_listed_subnets(spec, context)
    elif spec.vpc_id:
        yield from _check_found_subnets(spec, context)


def _check_listed_subnets(spec: LoadBalancerSpec, context: Context) -> Findings:
    chosen: dict[str, Answer] = {}
    for called in spec.subnets:
        alike = [one for one in context.subnets.values() if called in (one["SubnetId"], tags_of(one.get("Tags")).get("Name"))]
        here = [one for one in alike if not spec.vpc_id or one["VpcId"] == spec.vpc_id]
        if not alike:
            yield "subnets", "error", f"there is no subnet {called} in {context.region}: correct subnets, or omit it, so that they are found by their tags."
        elif not here:
            yield "subnets", "error", f"the subnet {called} is in {alike[0]['VpcId']}, not in {spec.vpc_id}: name one in the cluster's VPC."
        chosen.update((one["SubnetId"], one) for one in here)
    zones: dict[str, list[str]] = {}
    for one in chosen.values():
        zones.setdefault(one["AvailabilityZone"], []).append(one["SubnetId"])
        if one.get("AvailableIpAddressCount", _FREE_ADDRESSES) < _FREE_ADDRESSES:
            free = one["AvailableIpAddressCount"]
            yield "subnets", "warning", f"the subnet {one['SubnetId']} has {free} free addresses, and a load balancer needs {_FREE_ADDRESSES}."
    for zone, ids in sorted(zones.items()):
        if len(ids) > 1:
            yield "subnets", "error", f"the subnets {', '.join(sorted(ids))} are all in {zone}, and a load balancer takes one in each zone: keep one of them."
    if chosen and len(zones) < _count_needed(spec, chosen.values()):
        yield "subnets", "error", f"its subnets are in {', '.join(sorted(zones))} only, and an ALB needs two zones: add a subnet in another zone."


def _check_found_subnets(spec: LoadBalancerSpec, context: Context) -> Findings:
    """As the controller chooses: by role tag, or when none has it, by the way to the internet; not those of other clusters, nor full ones."""
    tag = ROLE_TAGS[spec.scheme]
    here = [one for one in context.subnets.values() if one["VpcId"] == spec.vpc_id]
    if not here:
        yield "subnets", "error", f"{spec.vpc_id} has no subnets in {context.region}: correct vpc_id, or create subnets."
        return
    tagged = [one for one in here if tags_of(one.get("Tags")).get(tag) in ("", "1")]
    chosen = tagged
    if not tagged:
        facing = spec.scheme == "internet-facing"
        chosen = [one for one in here if context.public is not None and (one["SubnetId"] in context.public) == facing]
        way = "with a route to an internet gateway" if facing else "without a route to an internet gateway"
        if chosen:
            ids = ", ".join(sorted(one["SubnetId"] for one in chosen))
            yield (
                "subnets",
                "warning",
                f"no subnet of {spec.vpc_id} has the tag {tag}: the controller takes those {way} ({ids}); set the tag to 1 on those you mean.",
            )
    usable = [one for one in chosen if _is_of(one, spec.cluster) and one.get("AvailableIpAddressCount", _FREE_ADDRESSES) >= _FREE_ADDRESSES]
    zones = sorted({one["AvailabilityZone"] for one in usable})
    needed = _count_needed(spec, usable)
    if len(zones) < needed:
        where = f"in {', '.join(zones)} only" if zones else "in no zone"
        kind = "an ALB" if spec.type == "alb" else "an NLB"
        why = f"{len(tagged)} subnets of {spec.vpc_id} have the tag {tag}, of which {len(usable) if tagged else 0} are free for this cluster and have room"
        number = "two zones" if needed == 2 else "one"
        yield "subnets", "error", f"subnets are found {where}, and {kind} needs {number} ({why}): tag one subnet in each zone with {tag}=1, or set subnets."


def _count_needed(spec: LoadBalancerSpec, subnets: t.Collection[Answer]) -> int:
    """In how many zones a load balancer needs a subnet: a Local Zone, a Wavelength Zone or an Outpost is enough.

    Sources: the controller's pkg/networking/subnet_resolver.go (minimum by locale), and the names of zones, which is a letter after the region's elsewhere.
    """
    apart = subnets and all(one.get("OutpostArn") or _NAME_OF_ZONE_APART.search(one["AvailabilityZone"]) for one in subnets)
    return 2 if spec.type == "alb" and not apart else 1


def _is_of(subnet: Answer, cluster: str) -> bool:
    """Whether the controller of a cluster takes this subnet: not when it is tagged for other clusters only."""
    clusters = [key for key in tags_of(subnet.get("Tags")) if key.startswith(CLOUD_CLUSTER_TAG_PREFIX)]
    return not clusters or not cluster or CLOUD_CLUSTER_TAG_PREFIX + cluster in clusters


def check_addresses(spec: LoadBalancerSpec, context: Context) -> Findings:
    if spec.eip_allocations and spec.type != "nlb":
        yield "eip_allocations", "error", "an ALB takes no Elastic IP addresses: omit eip_allocations, or choose an NLB."
        return
    for allocation in sorted(set(spec.eip_allocations)):
        address = context.addresses.get(allocation)
        if spec.eip_allocations.count(allocation) > 1:
            yield (
                "eip_allocations",
                "error",
                f"{allocation} is named {spec.eip_allocations.count(allocation)} times: each subnet needs an address of its own.",
            )
        if address is None:
            yield "eip_allocations", "error", f"there is no Elastic IP address {allocation} in {context.region}: correct eip_allocations, or allocate one."
        elif address.get("AssociationId") and address.get("NetworkInterfaceOwnerId", _LOAD_BALANCING) != _LOAD_BALANCING:
            owner = address.get("InstanceId") or address.get("NetworkInterfaceId")
            yield "eip_allocations", "error", f"the Elastic IP address {allocation} ({address['PublicIp']}) belongs to {owner}: name one that is free."


def public_subnets(subnets: t.Iterable[Answer], tables: t.Sequence[Answer]) -> frozenset[str]:
    """The ids of subnets whose route table leads to an internet gateway; a subnet without one of its own has its VPC's main table."""
    own: dict[str, Answer] = {}
    main: dict[str, Answer] = {}
    for table in tables:
        for association in table.get("Associations") or ():
            if association.get("Main"):
                main[table["VpcId"]] = table
            if association.get("SubnetId"):
                own[association["SubnetId"]] = table
    public = set()
    for subnet in subnets:
        table = own.get(subnet["SubnetId"]) or main.get(subnet["VpcId"]) or {}
        if any((route.get("GatewayId") or "").startswith("igw") for route in table.get("Routes") or ()):
            public.add(subnet["SubnetId"])
    return frozenset(public)


__all__ = ("ROLE_TAGS", "check_addresses", "check_subnets", "public_subnets")
