# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the resources that a check of load balancers needs, each only once."""

from __future__ import annotations

import typing as t

from .._acm.state import describe_certificate
from .._aws.errors import AwsError
from .._aws.tags import tags_of
from .._load_balancer.spec import LoadBalancerSpec as Selector
from .._load_balancer.state import LoadBalancers
from .._log_bucket.state import read_bucket
from .context import Context
from .subnet_rules import ROLE_TAGS, public_subnets

if t.TYPE_CHECKING:
    import datetime

    from .._acm.certificates import Certificate
    from .._aws.session import AwsSession
    from .._load_balancer.owners import Tags
    from .context import Answer
    from .spec import LoadBalancerSpec


def read_vpc_id(session: AwsSession, name: str) -> str:
    """The VPC of a cluster of EKS; empty when there is no such cluster (yet)."""
    cluster = (session.find("eks", "describe_cluster", name=name) or {}).get("cluster") or {}
    return str((cluster.get("resourcesVpcConfig") or {}).get("vpcId") or "")


def read_context(session: AwsSession, specs: t.Sequence[LoadBalancerSpec], now: datetime.datetime) -> Context:
    """What AWS has of what these load balancers need."""
    subnets = _subnets(session, specs)
    named, owned = _load_balancers(session, specs)
    arns = [arn for one in specs for arn in one.certificate_arns if arn.split(":")[2:4] == ["acm", session.region]]
    acls = [one.waf_acl_arn for one in specs if ":wafv2:" in one.waf_acl_arn and ":regional/webacl/" in one.waf_acl_arn]
    return Context(
        region=session.region,
        now=now,
        subnets=subnets,
        public=_public(session, specs, subnets),
        certificates={arn: _certificate(session, arn) for arn in dict.fromkeys(arns)},
        policies=_policies(session) if any(one.ssl_policy for one in specs) else None,
        web_acls={arn: _web_acl(session, arn) for arn in dict.fromkeys(acls) if arn.split(":")[3] == session.region},
        shield=_subscribed(session) if any(one.shield for one in specs) else None,
        buckets={name: read_bucket(session, name) for name in dict.fromkeys(one.log_bucket for one in specs) if name},
        security_groups=_security_groups(session, specs),
        addresses=_addresses(session, specs),
        named=named,
        owned=owned,
    )


# the network


def _subnets(session: AwsSession, specs: t.Sequence[LoadBalancerSpec]) -> dict[str, Answer]:
    """All subnets of the VPCs, and those in other VPCs that are named, so that a message can say where they are."""
    found: dict[str, Answer] = {}

    def read(field: str, values: t.Iterable[str]) -> None:
        some = list(dict.fromkeys(value for value in values if value))
        if some:
            listed = session.pages("ec2", "describe_subnets", "Subnets", Filters=[{"Name": field, "Values": some}])
            found.update((one["SubnetId"], one) for one in listed)

    read("vpc-id", (one.vpc_id for one in specs))
    names = {tags_of(one.get("Tags")).get("Name") for one in found.values()}
    strays = [called for one in specs for called in one.subnets if called not in found and called not in names]
    read("subnet-id", (called for called in strays if called.startswith("subnet-")))
    read("tag:Name", (called for called in strays if not called.startswith("subnet-")))
    return found


def _public(session: AwsSession, specs: t.Sequence[LoadBalancerSpec], subnets: t.Mapping[str, Answer]) -> frozenset[str] | None:
    """Which subnets lead to the internet; read only when a controller has to go by that, because no subnet has the tag."""
    vpcs = []
    for one in specs:
        if one.vpc_id and not one.subnets:
            here = [subnet for subnet in subnets.values() if subnet["VpcId"] == one.vpc_id]
            if here and not any(tags_of(subnet.get("Tags")).get(ROLE_TAGS[one.scheme]) in ("", "1") for subnet in here):
                vpcs.append(one.vpc_id)
    if not vpcs:
        return None
    tables = session.pages("ec2", "describe_route_tables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": list(dict.fromkeys(vpcs))}])
    return public_subnets(subnets.values(), tables)


def _security_groups(session: AwsSession, specs: t.Sequence[LoadBalancerSpec]) -> dict[str, str]:
    called = list(dict.fromkeys(group for one in specs for group in one.security_groups))
    ids = [one for one in called if one.startswith("sg-")]
    names = [one for one in called if not one.startswith("sg-")]
    found: dict[str, str] = {}
    for field, values in (("group-id", ids), ("tag:Name", names)):
        for one in session.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": field, "Values": values}]) if values else ():
            key = one["GroupId"] if field == "group-id" else tags_of(one.get("Tags")).get("Name", "")
            found[key] = one.get("VpcId") or ""
    return found


def _addresses(session: AwsSession, specs: t.Sequence[LoadBalancerSpec]) -> dict[str, Answer]:
    ids = list(dict.fromkeys(allocation for one in specs for allocation in one.eip_allocations))
    # Asked for by a filter, an unknown one is left out; by its id, it is an error.
    found = session.pages("ec2", "describe_addresses", "Addresses", Filters=[{"Name": "allocation-id", "Values": ids}]) if ids else []
    return {one["AllocationId"]: one for one in found}


# what it should have


def _certificate(session: AwsSession, arn: str) -> Certificate | None:
    try:
        return describe_certificate(session, arn)[0]
    except AwsError as error:
        if error.absent or error.code in ("ValidationException", "InvalidArnException"):
            return None
        raise


def _policies(session: AwsSession) -> dict[str, list[str]]:
    listed = session.pages("elbv2", "describe_ssl_policies", "SslPolicies")
    return {one["Name"]: list(one.get("SupportedLoadBalancerTypes") or ()) for one in listed}


def _web_acl(session: AwsSession, arn: str) -> bool:
    name, identifier = [*arn.rpartition("webacl/")[2].split("/"), ""][:2]
    if not identifier:
        return False
    try:
        session.call("wafv2", "get_web_acl", Name=name, Id=identifier, Scope="REGIONAL")
    except AwsError as error:
        if error.absent or error.code == "WAFInvalidParameterException":
            return False
        raise
    return True


def _subscribed(session: AwsSession) -> bool:
    # The way the controller asks (its pkg/aws/services/shield.go).
    return bool(session.call("shield", "get_subscription_state").get("SubscriptionState") == "ACTIVE")


# who has the name


def _load_balancers(session: AwsSession, specs: t.Sequence[LoadBalancerSpec]) -> tuple[dict[str, tuple[Answer, Tags]], dict[str, str]]:
    """Those that have a desired name, with their tags; and where none has it, what the same owner has under another name."""
    reader = LoadBalancers(session)
    names = [one for one in specs if one.name and len(one.name) <= 32]
    if not names:
        return {}, {}
    found = reader.list_matching([Selector(name=one.name) for one in names])
    existing = {those[0]["LoadBalancerName"]: those[0] for _spec, those in found if those}
    reader.read_tags(one["LoadBalancerArn"] for one in existing.values())
    named = {name: (one, reader.tags(one["LoadBalancerArn"])) for name, one in existing.items()}
    # Only what does not have the name yet may have another one: an unchanged run does not list all load balancers of the region.
    others = [one for one in names if one.name not in named and one.cluster and one.stack]
    if not others:
        return named, {}
    selectors = [Selector(cluster=one.cluster, ingress=one.ingress, ingress_group=one.ingress_group, service=one.service) for one in others]
    owned = reader.list_matching(selectors)
    return named, {others[index].title: those[0]["LoadBalancerName"] for index, (_spec, those) in enumerate(owned) if those}


__all__ = ("read_context", "read_vpc_id")
