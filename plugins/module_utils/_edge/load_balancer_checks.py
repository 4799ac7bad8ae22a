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

from .._acm.certificates import format_certificates
from .load_balancer_wanted import Finding
from .load_balancers import cluster_by_tags, owner_by_tags, stacks_by_tags
from .log_buckets import judge_bucket
from .subnet_checks import check_addresses, check_subnets

if t.TYPE_CHECKING:
    from .._acm.certificates import Certificate
    from .load_balancer_wanted import Facts, Said, Wanted

# API reference of ELBv2, CreateLoadBalancer, Name; the controller refuses longer ones as well.
_LONGEST_NAME = 32
_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")
_MOST_TAGS = 50
# ACM renews 60 days before the end what it can; what is nearer to its end than this needs a person.
_SOON = datetime.timedelta(days=14)


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
                yield "certificate_arns", "warning", f"the certificate {format_certificates([certificate])} ends soon: see that it is renewed."
            good.append(certificate)
    if wanted.certificate_arns and not outside:
        bare = [host for host in wanted.hosts if not any(one.covers(host) for one in good)]
        if bare and good:
            said = "; ".join(f"{one.arn} covers {', '.join(one.names)}" for one in good)
            yield "certificate_arns", "error", f"no certificate covers {', '.join(bare)} ({said}): add one that does, or take the host away."


def _certificate_problem(certificate: Certificate, now: datetime.datetime) -> str:
    if certificate.not_after and certificate.not_after <= now:
        return f"the certificate {format_certificates([certificate])} has expired: renew it, or give another one."
    if certificate.status != "ISSUED":
        return f"the certificate {format_certificates([certificate])} is not issued: wait until it is, with the module acm_certificate, or give another one."
    return "" if certificate.usable(now) else f"the certificate {format_certificates([certificate])} is not valid yet."


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


_RULES = (
    _check_name,
    _check_owner,
    check_subnets,
    _check_certificates,
    _check_policy,
    _check_waf,
    _check_shield,
    _check_bucket,
    _check_groups,
    check_addresses,
)


def _tag_mistakes(tags: t.Mapping[str, str]) -> t.Iterator[str]:
    if len(tags) > _MOST_TAGS:
        yield f"it has {len(tags)} tags, and AWS takes {_MOST_TAGS}: leave some out."
    for key in sorted(tags):
        if key.lower().startswith("aws:"):
            yield f"the tag {key} begins with aws:, which is AWS' own: name it otherwise."


__all__ = ("check",)
