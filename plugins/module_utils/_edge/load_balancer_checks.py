# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Can these load balancers be made as they are wished for? Pure: what AWS has comes in, findings go out, before anything is made."""

from __future__ import annotations

import datetime
import difflib
import re
import typing as t
from dataclasses import dataclass, field

from .._tags import tags_of
from .certificates import Certificate, told
from .load_balancers import CLOUD_CLUSTER_TAG_PREFIX, Answer, Tags, cluster_by_tags, owner_by_tags, stacks_by_tags
from .log_buckets import Bucket, judge_bucket

ROLE_TAGS = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
# API reference of ELBv2, CreateLoadBalancer, Name; the controller refuses longer ones as well.
_LONGEST_NAME = 32
_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")
# What AWS needs in each subnet (user guides of both load balancers), and the controller looks for (pkg/networking/subnet_resolver.go).
_FREE_ADDRESSES = 8
_MOST_TAGS = 50
# Who owns the network interfaces of load balancers. The address of one that is there is its own, so it is not in the way.
_LOAD_BALANCING = "amazon-elb"
# ACM renews 60 days before the end what it can; what is nearer to its end than this needs a person.
_SOON = datetime.timedelta(days=14)


@dataclass(frozen=True)
class Finding:
    """Something that keeps a load balancer from being made, or should be known before."""

    load_balancer: str
    what: str
    severity: str
    message: str

    def told(self) -> dict[str, str]:
        return {"load_balancer": self.load_balancer, "what": self.what, "severity": self.severity, "message": self.message}


@dataclass(frozen=True)
class Wanted:
    """A load balancer as it is wished for; what is empty is not asked for.

    Attributes:
        title: how messages name it.
        name: the name that it should get.
        type: C(alb) or C(nlb).
        scheme: C(internal) or C(internet-facing).
        vpc_id: its VPC; empty when it is not known.
        cluster: the cluster that it is for.
        ingress, ingress_group, service: what it is for, as its controller will tag it.
        subnets: ids or names; empty when the controller finds them by tags.
        hosts: the hosts that its certificates must cover.
        certificate_arns, ssl_policy, waf_acl_arn, shield, security_groups, tags: as they will be asked for.
        eip_allocations: the ids of its elastic IP addresses.
        log_bucket, log_prefix: where it should log to.
    """

    title: str
    name: str = ""
    type: str = "alb"
    scheme: str = "internal"
    vpc_id: str = ""
    cluster: str = ""
    ingress: str = ""
    ingress_group: str = ""
    service: str = ""
    subnets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    certificate_arns: tuple[str, ...] = ()
    ssl_policy: str = ""
    waf_acl_arn: str = ""
    shield: bool = False
    security_groups: tuple[str, ...] = ()
    eip_allocations: tuple[str, ...] = ()
    log_bucket: str = ""
    log_prefix: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        return self.ingress or self.ingress_group or self.service


@dataclass(frozen=True)
class Facts:
    """What AWS has of that which is wished for; keyed by what was asked for, None where there is none.

    Attributes:
        region: where it was looked.
        subnets: all subnets of the VPCs, and those of other VPCs that are named, by id.
        public: the ids of subnets that lead to an internet gateway; None when it was not asked.
        certificates: by ARN.
        policies: the types of load balancer that each TLS policy is for; of none when AWS does not say.
        web_acls: whether each exists.
        shield: whether the account has a subscription; None when it was not asked.
        buckets: by name.
        security_groups: the VPC of each, by id or name.
        addresses: elastic IP addresses by the ids of their allocations.
        named: those load balancers that have a wished name already, each with its tags, by name.
        owned: those that a wish's owner has already under another name, by title.
        now: the time by which certificates are judged.
    """

    region: str
    now: datetime.datetime
    subnets: t.Mapping[str, Answer] = field(default_factory=dict)
    public: frozenset[str] | None = None
    certificates: t.Mapping[str, Certificate | None] = field(default_factory=dict)
    policies: t.Mapping[str, t.Sequence[str]] | None = None
    web_acls: t.Mapping[str, bool] = field(default_factory=dict)
    shield: bool | None = None
    buckets: t.Mapping[str, Bucket] = field(default_factory=dict)
    security_groups: t.Mapping[str, str] = field(default_factory=dict)
    addresses: t.Mapping[str, Answer] = field(default_factory=dict)
    named: t.Mapping[str, tuple[Answer, Tags]] = field(default_factory=dict)
    owned: t.Mapping[str, str] = field(default_factory=dict)


Said = t.Iterator[t.Tuple[str, str, str]]


def check(wanted: t.Sequence[Wanted], facts: Facts) -> list[Finding]:
    """All that is wrong or odd, errors and warnings, in the order of the wishes."""
    findings = []
    names = [one.name for one in wanted if one.name]
    for one in wanted:
        for rule in _RULES:
            findings += [Finding(one.title, what, severity, message) for what, severity, message in rule(one, facts)]
        if one.name and names.count(one.name) > 1:
            findings.append(Finding(one.title, "name", "error", f"the name {one.name} is wished for {names.count(one.name)} times: each needs its own."))
        findings += [Finding(one.title, "tags", "error", message) for message in _tag_mistakes(one.tags)]
    return findings


# names


def _check_name(wanted: Wanted, _facts: Facts) -> Said:
    name = wanted.name
    if len(name) > _LONGEST_NAME:
        yield "name", "error", f"the name {name} has {len(name)} characters, and AWS takes {_LONGEST_NAME}: shorten it."
    elif name and (not _NAME.match(name) or name.startswith("internal-")):
        yield (
            "name",
            "error",
            f"the name {name} is none that AWS takes: use letters, digits and hyphens, none at either end, and do not begin with internal-.",
        )


def _check_owner(wanted: Wanted, facts: Facts) -> Said:
    """Whether a load balancer has the name already, and whose it is."""
    there = facts.named.get(wanted.name) if wanted.name else None
    if there is None:
        other = facts.owned.get(wanted.title)
        if other and wanted.name:
            yield (
                "name",
                "warning",
                f"it exists as {other}, and keeps that name: a name can only be given when a load balancer is made, so delete it first, or leave the name.",
            )
        return
    said, tags = there
    owner = owner_by_tags(tags)
    ours = (not wanted.cluster or cluster_by_tags(tags) == wanted.cluster) and (not wanted.stack or wanted.stack in stacks_by_tags(tags))
    if not owner or not ours:
        whose = owner or "no controller that marks what is its own"
        yield "name", "error", f"the name {wanted.name} is taken in {facts.region} by a load balancer of {whose}: choose another name, or delete that one."
        return
    type_ = {"application": "alb", "network": "nlb"}.get(said.get("Type") or "", said.get("Type") or "")
    for what, is_, wish in (("type", type_, wanted.type), ("scheme", said.get("Scheme"), wanted.scheme)):
        if is_ and is_ != wish:
            yield what, "warning", f"it exists with the {what} {is_}, not {wish}: its controller replaces it, and its DNS name changes."


# subnets


def _check_subnets(wanted: Wanted, facts: Facts) -> Said:
    if wanted.subnets:
        yield from _check_listed_subnets(wanted, facts)
    elif wanted.vpc_id:
        yield from _check_found_subnets(wanted, facts)


def _check_listed_subnets(wanted: Wanted, facts: Facts) -> Said:
    chosen: dict[str, Answer] = {}
    for called in wanted.subnets:
        alike = [one for one in facts.subnets.values() if called in (one["SubnetId"], tags_of(one.get("Tags")).get("Name"))]
        here = [one for one in alike if not wanted.vpc_id or one["VpcId"] == wanted.vpc_id]
        if not alike:
            yield "subnets", "error", f"there is no subnet {called} in {facts.region}: correct subnets, or leave it out, so that they are found by their tags."
        elif not here:
            yield "subnets", "error", f"the subnet {called} is of {alike[0]['VpcId']}, not of {wanted.vpc_id}: name one of the cluster's VPC."
        chosen.update((one["SubnetId"], one) for one in here)
    zones: dict[str, list[str]] = {}
    for one in chosen.values():
        zones.setdefault(one["AvailabilityZone"], []).append(one["SubnetId"])
        if one.get("AvailableIpAddressCount", _FREE_ADDRESSES) < _FREE_ADDRESSES:
            free = one["AvailableIpAddressCount"]
            yield "subnets", "warning", f"the subnet {one['SubnetId']} has {free} free addresses, and a load balancer needs {_FREE_ADDRESSES}."
    for zone, ids in sorted(zones.items()):
        if len(ids) > 1:
            yield "subnets", "error", f"the subnets {', '.join(sorted(ids))} are all in {zone}, and a load balancer takes one for each zone: leave one of them."
    if chosen and wanted.type == "alb" and len(zones) < 2:
        yield "subnets", "error", f"its subnets are in {', '.join(sorted(zones))} only, and an ALB needs two zones: add a subnet in another zone."


def _check_found_subnets(wanted: Wanted, facts: Facts) -> Said:
    """As the controller chooses: by role tag, or when none has it, by the way to the internet; not those of other clusters, nor full ones."""
    tag = ROLE_TAGS[wanted.scheme]
    here = [one for one in facts.subnets.values() if one["VpcId"] == wanted.vpc_id]
    if not here:
        yield "subnets", "error", f"{wanted.vpc_id} has no subnets in {facts.region}: correct vpc_id, or create subnets."
        return
    tagged = [one for one in here if tags_of(one.get("Tags")).get(tag) in ("", "1")]
    chosen = tagged
    if not tagged:
        facing = wanted.scheme == "internet-facing"
        chosen = [one for one in here if facts.public is not None and (one["SubnetId"] in facts.public) == facing]
        way = "with a route to an internet gateway" if facing else "without a route to an internet gateway"
        if chosen:
            ids = ", ".join(sorted(one["SubnetId"] for one in chosen))
            yield (
                "subnets",
                "warning",
                f"no subnet of {wanted.vpc_id} has the tag {tag}: the controller takes those {way} ({ids}); tag those you mean with 1.",
            )
    usable = [one for one in chosen if _is_of(one, wanted.cluster) and one.get("AvailableIpAddressCount", _FREE_ADDRESSES) >= _FREE_ADDRESSES]
    zones = sorted({one["AvailabilityZone"] for one in usable})
    needed = 2 if wanted.type == "alb" else 1
    if len(zones) < needed:
        have = f"in {', '.join(zones)} only" if zones else "in no zone"
        kind = "an ALB" if wanted.type == "alb" else "an NLB"
        why = f"{len(tagged)} subnets of {wanted.vpc_id} have the tag {tag}, of which {len(usable) if tagged else 0} are free for this cluster and have room"
        number = "two zones" if needed == 2 else "one"
        yield "subnets", "error", f"subnets are found {have}, and {kind} needs {number} ({why}): tag one subnet in each zone with {tag}=1, or give subnets."


def _is_of(subnet: Answer, cluster: str) -> bool:
    """Whether the controller of a cluster takes this subnet: not when it is tagged for other clusters only."""
    clusters = [key for key in tags_of(subnet.get("Tags")) if key.startswith(CLOUD_CLUSTER_TAG_PREFIX)]
    return not clusters or not cluster or CLOUD_CLUSTER_TAG_PREFIX + cluster in clusters


# certificates and TLS


def _check_certificates(wanted: Wanted, facts: Facts) -> Said:
    good = []
    outside = False
    for arn in wanted.certificate_arns:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("acm", "iam"):
            yield "certificate_arns", "error", f"{arn} is no certificate's ARN: give one of ACM, as arn:aws:acm:REGION:ACCOUNT:certificate/ID."
        elif parts[2] == "iam":
            outside = True
        elif parts[3] != facts.region:
            yield "certificate_arns", "error", f"the certificate {arn} is of {parts[3]}, and a load balancer takes those of its own region, {facts.region}."
        elif facts.certificates.get(arn) is None:
            yield "certificate_arns", "error", f"there is no certificate {arn}: correct the ARN, or request one with the module acm_certificate."
        else:
            certificate = t.cast("Certificate", facts.certificates[arn])
            problem = _certificate_problem(certificate, facts.now)
            if problem:
                yield "certificate_arns", "error", problem
            elif certificate.not_after and certificate.not_after - facts.now < _SOON:
                yield "certificate_arns", "warning", f"the certificate {told(certificate)} ends soon: see that it is renewed."
            good.append(certificate)
    if wanted.certificate_arns and not outside:
        bare = [host for host in wanted.hosts if not any(one.covers(host) for one in good)]
        if bare and good:
            said = "; ".join(f"{one.arn} covers {', '.join(one.names)}" for one in good)
            yield "certificate_arns", "error", f"no certificate covers {', '.join(bare)} ({said}): add one that does, or take the host away."


def _certificate_problem(certificate: Certificate, now: datetime.datetime) -> str:
    if certificate.not_after and certificate.not_after <= now:
        return f"the certificate {told(certificate)} has expired: renew it, or give another one."
    if certificate.status != "ISSUED":
        return f"the certificate {told(certificate)} is not issued: wait until it is, with the module acm_certificate, or give another one."
    return "" if certificate.usable(now) else f"the certificate {told(certificate)} is not valid yet."


def _check_policy(wanted: Wanted, facts: Facts) -> Said:
    if not wanted.ssl_policy or facts.policies is None:
        return
    kinds = facts.policies.get(wanted.ssl_policy)
    if kinds is None:
        near = difflib.get_close_matches(wanted.ssl_policy, facts.policies, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"{facts.region} has {', '.join(sorted(facts.policies))}."
        yield "ssl_policy", "error", f"there is no TLS policy {wanted.ssl_policy} in {facts.region}: {hint}"
    elif kinds and {"alb": "application", "nlb": "network"}[wanted.type] not in kinds:
        yield "ssl_policy", "error", f"the TLS policy {wanted.ssl_policy} is for load balancers of type {', '.join(kinds)}: choose one for {wanted.type}."


# protection and logs


def _check_waf(wanted: Wanted, facts: Facts) -> Said:
    arn = wanted.waf_acl_arn
    if not arn or arn == "none":
        return
    parts = arn.split(":", 5)
    if wanted.type != "alb":
        yield "waf_acl_arn", "error", "AWS WAF protects an ALB, not an NLB: leave waf_acl_arn out, or choose an ALB."
    if len(parts) < 6 or parts[2] != "wafv2" or "/webacl/" not in parts[5]:
        form = "arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID"
        yield "waf_acl_arn", "error", f"{arn} is no web ACL of AWS WAF (v2): give its ARN, {form}."
    elif parts[5].startswith("global/"):
        yield "waf_acl_arn", "error", f"the web ACL {arn} is a global one, for CloudFront: give a regional one of {facts.region}."
    elif parts[3] != facts.region:
        yield "waf_acl_arn", "error", f"the web ACL {arn} is of {parts[3]}: give one of the load balancer's region, {facts.region}."
    elif not facts.web_acls.get(arn, True):
        yield "waf_acl_arn", "error", f"there is no web ACL {arn}: correct the ARN, or create it."


def _check_shield(wanted: Wanted, facts: Facts) -> Said:
    if not wanted.shield:
        return
    if wanted.type != "alb":
        yield "shield", "error", "the controller protects an ALB by Shield Advanced, not an NLB: leave shield out, and protect the NLB's Elastic IP addresses."
    elif facts.shield is False:
        yield "shield", "error", "the account has no subscription to AWS Shield Advanced: subscribe first (it costs), or leave shield out."


def _check_bucket(wanted: Wanted, facts: Facts) -> Said:
    bucket = facts.buckets.get(wanted.log_bucket) if wanted.log_bucket else None
    if bucket is not None:
        for severity, message in judge_bucket(bucket, wanted.log_prefix, facts.region, wanted.type):
            yield "access_logs", severity, message


def _check_groups(wanted: Wanted, facts: Facts) -> Said:
    for called in wanted.security_groups:
        vpc = facts.security_groups.get(called)
        if vpc is None:
            yield "security_groups", "error", f"there is no security group {called} in {facts.region}: correct security_groups."
        elif wanted.vpc_id and vpc != wanted.vpc_id:
            yield "security_groups", "error", f"the security group {called} is of {vpc}, not of {wanted.vpc_id}: name one of the cluster's VPC."


def _check_addresses(wanted: Wanted, facts: Facts) -> Said:
    if wanted.eip_allocations and wanted.type != "nlb":
        yield "eip_allocations", "error", "an ALB takes no elastic IP addresses: leave eip_allocations out, or choose an NLB."
        return
    for allocation in sorted(set(wanted.eip_allocations)):
        address = facts.addresses.get(allocation)
        if wanted.eip_allocations.count(allocation) > 1:
            yield (
                "eip_allocations",
                "error",
                f"{allocation} is named {wanted.eip_allocations.count(allocation)} times: each subnet needs an address of its own.",
            )
        if address is None:
            yield "eip_allocations", "error", f"there is no elastic IP address {allocation} in {facts.region}: correct eip_allocations, or allocate one."
        elif address.get("AssociationId") and address.get("NetworkInterfaceOwnerId", _LOAD_BALANCING) != _LOAD_BALANCING:
            owner = address.get("InstanceId") or address.get("NetworkInterfaceId")
            yield "eip_allocations", "error", f"the elastic IP address {allocation} ({address['PublicIp']}) belongs to {owner}: name one that is free."


_RULES = (
    _check_name,
    _check_owner,
    _check_subnets,
    _check_certificates,
    _check_policy,
    _check_waf,
    _check_shield,
    _check_bucket,
    _check_groups,
    _check_addresses,
)


def _tag_mistakes(tags: t.Mapping[str, str]) -> t.Iterator[str]:
    if len(tags) > _MOST_TAGS:
        yield f"it has {len(tags)} tags, and AWS takes {_MOST_TAGS}: leave some out."
    for key in sorted(tags):
        if key.lower().startswith("aws:"):
            yield f"the tag {key} begins with aws:, which is AWS' own: name it otherwise."


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


__all__ = ("ROLE_TAGS", "Facts", "Finding", "Wanted", "check", "public_subnets")
