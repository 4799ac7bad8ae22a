# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can these load balancers be created as desired? Pure: what AWS has comes in, findings go out, before anything is created."""

from __future__ import annotations

import datetime
import difflib
import re
import typing as t

from .._acm.certificates import format_certificates
from .._limits.aws import find_tag_errors
from .._load_balancer.owners import cluster_by_tags, owner_by_tags, stacks_by_tags
from .._log_bucket.rules import check_bucket
from .context import Finding
from .subnet_rules import check_addresses, check_subnets

if t.TYPE_CHECKING:
    from .._acm.certificates import Certificate
    from .context import Context, Findings
    from .spec import LoadBalancerSpec

# API reference of ELBv2, CreateLoadBalancer, Name; the controller refuses longer ones as well.
_LONGEST_NAME = 32
_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")
# ACM renews 60 days before the end what it can; what is nearer to its end than this needs a person.
_SOON = datetime.timedelta(days=14)


def check_load_balancers(specs: t.Sequence[LoadBalancerSpec], context: Context) -> list[Finding]:
    """All errors and warnings, in the order of the load balancers."""
    findings = []
    names = [one.name for one in specs if one.name]
    for one in specs:
        for rule in _RULES:
            findings += [Finding(one.title, what, severity, message) for what, severity, message in rule(one, context)]
        if one.name and names.count(one.name) > 1:
            findings.append(Finding(one.title, "name", "error", f"{names.count(one.name)} load balancers have the name {one.name}: each needs its own."))
        findings += [Finding(one.title, "tags", "error", message) for message in find_tag_errors("tags", one.tags)]
    return findings


# names


def _check_name(spec: LoadBalancerSpec, _context: Context) -> Findings:
    name = spec.name
    if len(name) > _LONGEST_NAME:
        yield "name", "error", f"the name {name} has {len(name)} characters, and AWS allows {_LONGEST_NAME}: shorten it."
    elif name and (not _NAME.match(name) or name.startswith("internal-")):
        yield (
            "name",
            "error",
            f"AWS does not allow the name {name}: use letters, digits and hyphens, no hyphen at either end, and do not begin with internal-.",
        )


def _check_owner(spec: LoadBalancerSpec, context: Context) -> Findings:
    """Whether a load balancer has the name already, and whose it is."""
    existing = context.named.get(spec.name) if spec.name else None
    if existing is None:
        other = context.owned.get(spec.title)
        if other and spec.name:
            yield (
                "name",
                "warning",
                f"it exists as {other}, and keeps that name: a name can only be set when a load balancer is created, so delete it first, or omit the name.",
            )
        return
    balancer, tags = existing
    owner = owner_by_tags(tags)
    ours = (not spec.cluster or cluster_by_tags(tags) == spec.cluster) and (not spec.stack or spec.stack in stacks_by_tags(tags))
    if not owner or not ours:
        whose = f"of {owner}" if owner else "without the tags of a controller"
        yield "name", "error", f"the name {spec.name} is taken in {context.region} by a load balancer {whose}: choose another name, or delete that one."
        return
    type_ = {"application": "alb", "network": "nlb"}.get(balancer.get("Type") or "", balancer.get("Type") or "")
    for what, current, desired in (("type", type_, spec.type), ("scheme", balancer.get("Scheme"), spec.scheme)):
        if current and current != desired:
            yield what, "warning", f"it exists with the {what} {current}, not {desired}: its controller replaces it, and its DNS name changes."


# certificates and TLS


def _check_certificates(spec: LoadBalancerSpec, context: Context) -> Findings:
    good = []
    outside = False
    for arn in spec.certificate_arns:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("acm", "iam"):
            yield "certificate_arns", "error", f"{arn} is not the ARN of a certificate: set one of ACM, such as arn:aws:acm:REGION:ACCOUNT:certificate/ID."
        elif parts[2] == "iam":
            outside = True
        elif parts[3] != context.region:
            yield "certificate_arns", "error", f"the certificate {arn} is in {parts[3]}, but a load balancer needs one in its own region, {context.region}."
        elif context.certificates.get(arn) is None:
            yield "certificate_arns", "error", f"there is no certificate {arn}: correct the ARN, or request one with the module acm_certificate."
        else:
            certificate = t.cast("Certificate", context.certificates[arn])
            problem = _certificate_problem(certificate, context.now)
            if problem:
                yield "certificate_arns", "error", problem
            elif certificate.not_after and certificate.not_after - context.now < _SOON:
                yield "certificate_arns", "warning", f"the certificate {format_certificates([certificate])} expires soon: check that it is renewed."
            good.append(certificate)
    if spec.certificate_arns and not outside:
        uncovered = [host for host in spec.hosts if not any(one.covers(host) for one in good)]
        if uncovered and good:
            names = "; ".join(f"{one.arn} covers {', '.join(one.names)}" for one in good)
            yield "certificate_arns", "error", f"no certificate covers {', '.join(uncovered)} ({names}): add one that does, or remove the host."


def _certificate_problem(certificate: Certificate, now: datetime.datetime) -> str:
    if certificate.not_after and certificate.not_after <= now:
        return f"the certificate {format_certificates([certificate])} has expired: renew it, or set another one."
    if certificate.status != "ISSUED":
        return f"the certificate {format_certificates([certificate])} is not issued: wait until it is, with the module acm_certificate, or set another one."
    return "" if certificate.usable(now) else f"the certificate {format_certificates([certificate])} is not valid yet."


def _check_policy(spec: LoadBalancerSpec, context: Context) -> Findings:
    if not spec.ssl_policy or context.policies is None:
        return
    kinds = context.policies.get(spec.ssl_policy)
    if kinds is None:
        near = difflib.get_close_matches(spec.ssl_policy, context.policies, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"{context.region} has {', '.join(sorted(context.policies))}."
        yield "ssl_policy", "error", f"there is no TLS policy {spec.ssl_policy} in {context.region}: {hint}"
    elif kinds and {"alb": "application", "nlb": "network"}[spec.type] not in kinds:
        yield "ssl_policy", "error", f"the TLS policy {spec.ssl_policy} is for load balancers of type {', '.join(kinds)}: choose one for {spec.type}."


# protection and logs


def _check_waf(spec: LoadBalancerSpec, context: Context) -> Findings:
    arn = spec.waf_acl_arn
    if not arn or arn == "none":
        return
    parts = arn.split(":", 5)
    if spec.type != "alb":
        yield "waf_acl_arn", "error", "AWS WAF protects ALBs, not NLBs: omit waf_acl_arn, or choose an ALB."
    if len(parts) < 6 or parts[2] != "wafv2" or "/webacl/" not in parts[5]:
        form = "arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID"
        yield "waf_acl_arn", "error", f"{arn} is not the ARN of a web ACL of AWS WAF (v2): set one, such as {form}."
    elif parts[5].startswith("global/"):
        yield "waf_acl_arn", "error", f"the web ACL {arn} is a global one, for CloudFront: set a regional one of {context.region}."
    elif parts[3] != context.region:
        yield "waf_acl_arn", "error", f"the web ACL {arn} is in {parts[3]}: set one of the load balancer's region, {context.region}."
    elif not context.web_acls.get(arn, True):
        yield "waf_acl_arn", "error", f"there is no web ACL {arn}: correct the ARN, or create it."


def _check_shield(spec: LoadBalancerSpec, context: Context) -> Findings:
    if not spec.shield:
        return
    if spec.type != "alb":
        yield "shield", "error", "the controller enables Shield Advanced for ALBs, not for NLBs: omit shield, and protect the NLB's Elastic IP addresses."
    elif context.shield is False:
        yield "shield", "error", "the account has no subscription to AWS Shield Advanced: subscribe first (it is not free), or omit shield."


def _check_bucket(spec: LoadBalancerSpec, context: Context) -> Findings:
    bucket = context.buckets.get(spec.log_bucket) if spec.log_bucket else None
    if bucket is not None:
        for severity, message in check_bucket(bucket, spec.log_prefix, context.region, spec.type):
            yield "access_logs", severity, message


def _check_groups(spec: LoadBalancerSpec, context: Context) -> Findings:
    for called in spec.security_groups:
        vpc = context.security_groups.get(called)
        if vpc is None:
            yield "security_groups", "error", f"there is no security group {called} in {context.region}: correct security_groups."
        elif spec.vpc_id and vpc != spec.vpc_id:
            yield "security_groups", "error", f"the security group {called} is in {vpc}, not in {spec.vpc_id}: name one in the cluster's VPC."


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


__all__ = ("check_load_balancers",)
