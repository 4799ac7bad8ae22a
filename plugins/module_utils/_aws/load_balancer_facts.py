# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Reads what a check of load balancers needs to know of AWS: each thing once, and nothing that nobody has asked for."""

from __future__ import annotations

import datetime
import json
import typing as t

from .._acm.certificates import Certificate
from .._acm.state import describe_certificate
from .._edge.load_balancer_wanted import Facts, Wanted
from .._edge.load_balancers import Answer, Tags, Wish
from .._edge.log_buckets import Bucket
from .._edge.subnet_checks import ROLE_TAGS, public_subnets
from .errors import DENIED, AwsError
from .load_balancer_reading import LoadBalancers
from .tags import tags_of

if t.TYPE_CHECKING:
    from .session import AwsSession


def vpc_of(session: AwsSession, cluster: str) -> str:
    """The VPC of a cluster of EKS; empty when there is no such cluster (yet)."""
    try:
        said = session.call("eks", "describe_cluster", name=cluster)["cluster"]
    except AwsError as error:
        if error.absent:
            return ""
        raise
    return str((said.get("resourcesVpcConfig") or {}).get("vpcId") or "")


def read_facts(session: AwsSession, wanted: t.Sequence[Wanted], now: datetime.datetime) -> Facts:
    """What AWS has of what these load balancers need."""
    subnets = _subnets(session, wanted)
    named, owned = _load_balancers(session, wanted)
    arns = [arn for one in wanted for arn in one.certificate_arns if arn.split(":")[2:4] == ["acm", session.region]]
    acls = [one.waf_acl_arn for one in wanted if ":wafv2:" in one.waf_acl_arn and ":regional/webacl/" in one.waf_acl_arn]
    return Facts(
        region=session.region,
        now=now,
        subnets=subnets,
        public=_public(session, wanted, subnets),
        certificates={arn: _certificate(session, arn) for arn in dict.fromkeys(arns)},
        policies=_policies(session) if any(one.ssl_policy for one in wanted) else None,
        web_acls={arn: _web_acl(session, arn) for arn in dict.fromkeys(acls) if arn.split(":")[3] == session.region},
        shield=_subscribed(session) if any(one.shield for one in wanted) else None,
        buckets={name: _bucket(session, name) for name in dict.fromkeys(one.log_bucket for one in wanted) if name},
        security_groups=_security_groups(session, wanted),
        addresses=_addresses(session, wanted),
        named=named,
        owned=owned,
    )


# the network


def _subnets(session: AwsSession, wanted: t.Sequence[Wanted]) -> dict[str, Answer]:
    """All subnets of the VPCs, and of other VPCs those that are named but are not there, so that a message can say where they are."""
    found: dict[str, Answer] = {}

    def read(field: str, values: t.Iterable[str]) -> None:
        some = list(dict.fromkeys(value for value in values if value))
        if some:
            listed = session.pages("ec2", "describe_subnets", "Subnets", Filters=[{"Name": field, "Values": some}])
            found.update((one["SubnetId"], one) for one in listed)

    read("vpc-id", (one.vpc_id for one in wanted))
    names = {tags_of(one.get("Tags")).get("Name") for one in found.values()}
    strays = [called for one in wanted for called in one.subnets if called not in found and called not in names]
    read("subnet-id", (called for called in strays if called.startswith("subnet-")))
    read("tag:Name", (called for called in strays if not called.startswith("subnet-")))
    return found


def _public(session: AwsSession, wanted: t.Sequence[Wanted], subnets: t.Mapping[str, Answer]) -> frozenset[str] | None:
    """Which subnets lead to the internet: asked only when a controller would have to go by that, because no subnet has the tag."""
    vpcs = []
    for one in wanted:
        if one.vpc_id and not one.subnets:
            here = [subnet for subnet in subnets.values() if subnet["VpcId"] == one.vpc_id]
            if here and not any(tags_of(subnet.get("Tags")).get(ROLE_TAGS[one.scheme]) in ("", "1") for subnet in here):
                vpcs.append(one.vpc_id)
    if not vpcs:
        return None
    tables = session.pages("ec2", "describe_route_tables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": list(dict.fromkeys(vpcs))}])
    return public_subnets(subnets.values(), tables)


def _security_groups(session: AwsSession, wanted: t.Sequence[Wanted]) -> dict[str, str]:
    called = list(dict.fromkeys(group for one in wanted for group in one.security_groups))
    ids = [one for one in called if one.startswith("sg-")]
    names = [one for one in called if not one.startswith("sg-")]
    found: dict[str, str] = {}
    for field, values in (("group-id", ids), ("tag:Name", names)):
        for one in session.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": field, "Values": values}]) if values else ():
            key = one["GroupId"] if field == "group-id" else tags_of(one.get("Tags")).get("Name", "")
            found[key] = one.get("VpcId") or ""
    return found


def _addresses(session: AwsSession, wanted: t.Sequence[Wanted]) -> dict[str, Answer]:
    ids = list(dict.fromkeys(allocation for one in wanted for allocation in one.eip_allocations))
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


def _bucket(session: AwsSession, name: str) -> Bucket:
    try:
        said = session.call("s3", "head_bucket", Bucket=name)
    except AwsError as error:
        # A request without a body is answered without a code: botocore gives the status.
        if error.status in (403, 301) or error.code in ("403", "301", *DENIED):
            return Bucket(name, exists=None)
        if error.status == 404 or error.absent:
            return Bucket(name, exists=False)
        raise
    return Bucket(name, True, said.get("BucketRegion") or "", _bucket_policy(session, name))


def _bucket_policy(session: AwsSession, name: str) -> list[t.Mapping[str, t.Any]] | None:
    try:
        policy = json.loads(session.call("s3", "get_bucket_policy", Bucket=name)["Policy"])
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy":
            return []
        if error.code in DENIED:
            return None
        raise
    statements = policy.get("Statement") or []
    return [statements] if isinstance(statements, dict) else list(statements)


# who has the name


def _load_balancers(session: AwsSession, wanted: t.Sequence[Wanted]) -> tuple[dict[str, tuple[Answer, Tags]], dict[str, str]]:
    """Those that have a wished name, with their tags; and where none has it, what the same owner has under another name."""
    reader = LoadBalancers(session)
    names = [one for one in wanted if one.name and len(one.name) <= 32]
    if not names:
        return {}, {}
    found = reader.find([Wish(name=one.name) for one in names])
    there = {those[0]["LoadBalancerName"]: those[0] for those in found if those}
    reader.read_tags(one["LoadBalancerArn"] for one in there.values())
    named = {name: (one, reader.tags(one["LoadBalancerArn"])) for name, one in there.items()}
    # Only what has not the name yet may have another one: an unchanged run does not list all load balancers of the region.
    others = [one for one in names if one.name not in named and one.cluster and one.stack]
    if not others:
        return named, {}
    wishes = [Wish(cluster=one.cluster, ingress=one.ingress, ingress_group=one.ingress_group, service=one.service) for one in others]
    owned = reader.find(wishes)
    return named, {others[index].title: owned[index][0]["LoadBalancerName"] for index in range(len(others)) if owned[index]}


__all__ = ("read_facts", "vpc_of")
