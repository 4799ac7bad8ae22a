# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates tags of all roles, and the lists of the role aws_edge: what AWS refuses of any cluster, whatever it has."""

from __future__ import annotations

import typing as t

from .._acm.certificates import canonical
from .._acm.validation import Zone
from .._limits.aws import WEB_ACL_NAME, find_bucket_errors, find_tag_errors
from .._limits.hosts import find_host_errors, find_one_host_errors
from .._text import format_names, repeated
from .patterns import validate_role_names

if t.TYPE_CHECKING:
    from .items import AwsEdgeCertificate
    from .variables import Variables


# The tags of IAM roles, whose keys differ by more than capital letters; the others are tags of load balancers and certificates.
_TAGS = {"eks_tags": True, "alb_controller_tags": True, "karpenter_tags": True, "aws_edge_tags": False}
# Lists whose items have tags; those of load balancers are validated with them.
_TAGGED = ("eks_access_entries", "eks_pod_identity_associations", "karpenter_node_pools")
# Source: the developer guide of AWS WAF, list of AWS Managed Rules rule groups.
_RULE_GROUPS = (
    *("AWSManagedRulesCommonRuleSet", "AWSManagedRulesAdminProtectionRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet"),
    *("AWSManagedRulesLinuxRuleSet", "AWSManagedRulesUnixRuleSet", "AWSManagedRulesWindowsRuleSet", "AWSManagedRulesPHPRuleSet"),
    *("AWSManagedRulesWordPressRuleSet", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesAnonymousIpList"),
    *("AWSManagedRulesATPRuleSet", "AWSManagedRulesACFPRuleSet", "AWSManagedRulesBotControlRuleSet", "AWSManagedRulesAntiDDoSRuleSet"),
)
# The common name of a certificate (user guide of ACM, requesting a certificate).
_LONGEST_DOMAIN = 64


def validate_aws(variables: Variables) -> list[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [*_validate_tags(variables), *_validate_edge(variables), *_validate_controller(variables)]


def _validate_tags(variables: Variables) -> t.Iterator[str]:
    values: t.Mapping[str, t.Any] = variables
    for name, any_case in _TAGS.items():
        # Those of the other roles are by default the cluster's.
        if name == "eks_tags" or values.get(name) != values.get("eks_tags"):
            yield from find_tag_errors(name, values.get(name), any_case=any_case)
    for name in _TAGGED:
        for index, item in enumerate(values.get(name) or ()):
            yield from find_tag_errors(f"{name}[{index}].tags", item.get("tags"))


def _validate_edge(variables: Variables) -> t.Iterator[str]:
    zones = variables.get("aws_edge_hosted_zones") or ()
    # Route 53 also takes zones with underscores.
    yield from find_host_errors("aws_edge_hosted_zones", [zone for zone in zones if "_" not in zone], any_case=True)
    for zone in zones:
        if zone.startswith("*."):
            yield f"aws_edge_hosted_zones has {zone!r}, but a zone has no wildcard: use the domain, {zone[2:]}."
    certificates = variables.get("aws_edge_certificates") or ()
    for index, certificate in enumerate(certificates):
        place = f"aws_edge_certificates[{index}]"
        yield from find_one_host_errors(f"{place}.domain", certificate["domain"], any_case=True, longest=_LONGEST_DOMAIN)
        yield from find_host_errors(f"{place}.subject_alternative_names", certificate.get("subject_alternative_names"), any_case=True)
        # Without a dot, it is the ID of a zone.
        if "." in (certificate.get("hosted_zone") or ""):
            yield from find_one_host_errors(f"{place}.hosted_zone", certificate["hosted_zone"], any_case=True)
            yield from _names_outside(place, certificate)
        if "." not in certificate["domain"].strip("."):
            yield f"{place}.domain is {certificate['domain']!r}, which is not below a public domain: use a name such as shop.example.com."
    # Two keys are two certificates; one that names none may be either.
    named = [(certificate["domain"].lower().rstrip("."), certificate.get("key_algorithm")) for certificate in certificates]
    shared = repeated([domain for domain, _algorithm in named])
    yield from (
        f"aws_edge_certificates names {domain} more than once: keep one of them, or set key_algorithm of each, for certificates with different keys."
        for domain in shared
        if (domain, None) in named
    )
    named = [(domain, algorithm) for domain, algorithm in named if (domain, None) not in named]
    yield from (f"aws_edge_certificates names {domain} with {algorithm} more than once: keep one of them." for domain, algorithm in repeated(named))
    acls = variables.get("aws_edge_web_acls") or ()
    for index, acl in enumerate(acls):
        if not WEB_ACL_NAME.fullmatch(acl["name"]):
            yield f"aws_edge_web_acls[{index}].name is {acl['name']!r}: use at most 128 letters, digits, dashes and underscores."
        yield from _validate_rule_groups(f"aws_edge_web_acls[{index}].managed_rule_groups", acl.get("managed_rule_groups") or [])
    yield from _repeated("aws_edge_web_acls", [acl["name"] for acl in acls])
    buckets = variables.get("aws_edge_log_buckets") or []
    yield from find_bucket_errors("aws_edge_log_buckets", buckets)
    yield from _repeated("aws_edge_log_buckets", buckets)


def _names_outside(place: str, certificate: AwsEdgeCertificate) -> t.Iterator[str]:
    """Names for which ACM would look up records in another zone than the one that gets them."""
    zone = Zone("", canonical(certificate["hosted_zone"]))
    names = [certificate["domain"], *(certificate.get("subject_alternative_names") or ())]
    outside = [name for name in names if not zone.holds(name)]
    if outside:
        yield (
            f"{place}.hosted_zone is {certificate['hosted_zone']}, which does not contain {format_names(outside)}: "
            "set the zone of these domains, or omit hosted_zone and create the records yourself."
        )


def _validate_rule_groups(place: str, groups: t.Sequence[str]) -> t.Iterator[str]:
    """Names as the API of WAF takes them, and those of AWS in the right case. AWS adds others, so another name passes."""
    yield from _repeated(place, groups)
    for group in groups:
        meant = next((known for known in _RULE_GROUPS if known.lower() == group.lower() and known != group), None)
        if not WEB_ACL_NAME.fullmatch(group):
            yield f"{place} has {group!r}: use the name of a group, such as AWSManagedRulesCommonRuleSet, of letters, digits, dashes and underscores."
        elif meant:
            yield f"{place} has {group!r}: did you mean {meant}?"


def _validate_controller(variables: Variables) -> t.Iterator[str]:
    """The role of the load balancer controller; where its name begins with that of the cluster of the role eks, it is validated with the others."""
    cluster, region = variables.get("alb_controller_cluster_name"), variables.get("alb_controller_region")
    if variables.get("eks_enabled") and cluster == variables.get("eks_cluster_name"):
        return
    made = variables.get("alb_controller_enabled") and variables.get("alb_controller_identity") != "none" and not variables.get("alb_controller_role_arn")
    if made and cluster and (region or variables.get("eks_region")):
        name = f"{cluster}-{region or variables.get('eks_region')}-alb-controller"
        yield from validate_role_names([name], "alb_controller_cluster_name")


def _repeated(variable: str, names: t.Sequence[str]) -> t.Iterator[str]:
    for name in repeated(names):
        yield f"{variable} names {name} more than once: keep one of them."


__all__ = ("validate_aws",)
