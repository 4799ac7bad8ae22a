# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values of the annotations by which the AWS Load Balancer Controller is configured: attributes, tags, and what AWS would refuse of them."""

from __future__ import annotations

import re
import typing as t

from .._limits.aws import find_attribute_errors, find_bucket_errors, find_health_check_errors, find_tag_errors
from .._text import format_scalar, repeated

ALB_PREFIX = "alb.ingress.kubernetes.io/"
ALB_ATTRIBUTES = f"{ALB_PREFIX}load-balancer-attributes"
NLB_PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
NLB_ATTRIBUTES = f"{NLB_PREFIX}attributes"
NLB_TYPE = f"{NLB_PREFIX}type"
# Where Istio's gateways answer health checks. Source: istio's kube-gateway.yaml and the gateway chart (port status-port, 15021).
STATUS_PORT = 15021
STATUS_PORT_NAME = "status-port"
STATUS_PATH = "/healthz/ready"
DEFAULT_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
# Source: the API reference of Elastic Load Balancing, CreateLoadBalancer.
LONGEST_NAME = 32

_LB_NAME = re.compile(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_SECURITY_GROUP = re.compile(r"sg-[0-9a-f]+")
_MOST_SECURITY_GROUPS = 16
_SUBNET = re.compile(r"subnet-[0-9a-f]+")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:(acm:[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+|iam::\d{12}:server-certificate/.+)")
_WEB_ACL = re.compile(r"arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:(regional|global)/webacl/[^/]+/[^/]+")
_TLS_POLICY = re.compile(r"ELBSecurityPolicy-[A-Za-z0-9-]+")

_GRPC = "GRPC"
# What the options have unless they say more, in seconds; and the attribute that it stands for.
DEFAULT_DELAY = 30
_DELAY = "deregistration_delay.timeout_seconds"

Item = t.Mapping[str, t.Any]


def format_pairs(values: t.Mapping[str, t.Any]) -> str:
    """C(a=1,b=2) in a stable order."""
    return ",".join(f"{name}={format_scalar(values[name])}" for name in sorted(values))


def parse_pairs(written: str) -> dict[str, str]:
    """The reverse of C(format_pairs)."""
    parts = (part.partition("=") for part in written.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _equals, value in parts}


def group_of(item: Item) -> str:
    """The group with which an Ingress shares its load balancer, by its option or by the annotation that this stands for; empty for none."""
    return str(item.get("group_name") or (item.get("annotations") or {}).get(f"{ALB_PREFIX}group.name") or "")


def speaks_grpc(item: Item) -> bool:
    """Whether an Application Load Balancer speaks gRPC to its targets."""
    return str((item.get("annotations") or {}).get(f"{ALB_PREFIX}backend-protocol-version", "")).upper() == _GRPC


def attributes_of(item: Item) -> dict[str, t.Any]:
    """The attributes of the load balancer; what is off is written too, because the controller leaves alone what no annotation names."""
    found: dict[str, t.Any] = {}
    if item.get("deletion_protection") is not None:
        found["deletion_protection.enabled"] = item["deletion_protection"]
    if item.get("idle_timeout") is not None:
        found["idle_timeout.timeout_seconds"] = item["idle_timeout"]
    if item.get("cross_zone") is not None:
        found["load_balancing.cross_zone.enabled"] = item["cross_zone"]
    logs = item.get("access_logs")
    if logs is not None:
        found["access_logs.s3.enabled"] = logs["enabled"]
        found.update({f"access_logs.s3.{name}": logs[name] for name in ("bucket", "prefix") if logs["enabled"] and logs.get(name)})
    return {**(item.get("attributes") or {}), **found}


def deregistration_delay(item: Item) -> t.Any:
    """How long a target that leaves still gets what it has begun, in seconds: the option, unless only the attribute is not the default."""
    written = (item.get("target_group_attributes") or {}).get(_DELAY)
    option = item.get("deregistration_delay")
    return written if written is not None and option in (None, DEFAULT_DELAY) else option


def target_group_attributes_of(item: Item) -> dict[str, t.Any]:
    """The attributes of the target groups."""
    found: dict[str, t.Any] = dict(item.get("target_group_attributes") or {})
    if (delay := deregistration_delay(item)) is not None:
        found[_DELAY] = delay
    if item.get("preserve_client_ip") is not None:
        found["preserve_client_ip.enabled"] = item["preserve_client_ip"]
    return found


def find_common_errors(item: Item, name_option: str, codes: tuple[int, int]) -> t.Iterator[str]:
    """Validation errors of the options that both types of load balancer have.

    Args:
        item: the load balancer.
        name_option: the option with its name.
        codes: the lowest and the highest code that its health checks take as success.
    """
    name = item.get(name_option)
    if name and (len(name) > LONGEST_NAME or not _LB_NAME.fullmatch(name)):
        yield (
            f"{name_option} is {name!r} ({len(name)} characters): a load balancer's name has at most {LONGEST_NAME} letters, digits and dashes, "
            "does not begin or end with a dash, and does not begin with internal-."
        )
    yield from _each("subnets", item, _SUBNET, "a subnet's id, such as subnet-0123456789abcdef0")
    if len(set(item.get("subnets") or ())) < len(item.get("subnets") or ()):
        yield "subnets lists a subnet twice: list each once, in different availability zones."
    yield from _find_security_group_errors(item.get("security_groups") or ())
    yield from _each("certificate_arns", item, _CERTIFICATE, "a certificate's ARN, such as arn:aws:acm:eu-central-1:123456789012:certificate/<id>")
    policy = item.get("ssl_policy")
    if policy and not _TLS_POLICY.fullmatch(policy):
        yield f"ssl_policy is {policy!r}: use a policy of Elastic Load Balancing, such as {DEFAULT_TLS_POLICY}."
    check = item.get("health_check") or {}
    path = check.get("path")
    if path and not path.startswith("/"):
        yield f"health_check.path is {path!r}: it begins with a slash, as {STATUS_PATH} does."
    yield from find_health_check_errors(check, codes)
    yield from _find_log_errors(item.get("access_logs") or {})
    yield from find_tag_errors("tags", item.get("tags"))
    yield from find_attribute_errors("attributes", attributes_of(item))
    yield from find_attribute_errors("target_group_attributes", target_group_attributes_of(item))
    for option in ("tags", "attributes", "target_group_attributes"):
        for key, value in sorted((item.get(option) or {}).items()):
            if "," in f"{key}{format_scalar(value)}" or "=" in str(key):
                yield f"{option} has {key}={format_scalar(value)}: the controller separates them by commas and equal signs, so neither may occur in them."
    yield from _find_contradictions(item)


def _find_security_group_errors(groups: t.Sequence[str]) -> t.Iterator[str]:
    """Ids, or names, which the controller looks up. Source: the user guide of VPC, quotas: 5 for a network interface by default, and never more than 16."""
    for group in groups:
        if group.startswith("sg-") and not _SECURITY_GROUP.fullmatch(group):
            yield f"security_groups has {group!r}: use an id such as sg-0a1b2c3d4e5f60718, or a name, which does not begin with sg-."
    for group in repeated(groups):
        yield f"security_groups lists {group} more than once: list it once."
    if len(groups) > _MOST_SECURITY_GROUPS:
        yield f"security_groups has {len(groups)} entries, and AWS allows at most {_MOST_SECURITY_GROUPS}: combine their rules in fewer groups."


def find_annotation_errors(item: Item, prefix: str, managed: t.Mapping[str, str]) -> t.Iterator[str]:
    """Free annotations with another prefix, and those that an option renders."""
    for key in sorted(item.get("annotations") or {}):
        if not key.startswith(prefix):
            yield f"annotations has {key}, which does not begin with {prefix}: correct it."
        elif key in managed:
            yield f"annotations has {key}, which the options already set ({managed[key]!r}): use the option, or remove the annotation."


def is_protected(attributes: str) -> bool:
    """Whether attributes, as an annotation has them, protect a load balancer from deletion."""
    return parse_pairs(attributes).get("deletion_protection.enabled", "").lower() == "true"


def unprotect(attributes: str) -> str:
    """The attributes with deletion protection off; leaving it out would change nothing."""
    return format_pairs({**parse_pairs(attributes), "deletion_protection.enabled": "false"})


def is_global_web_acl(arn: str) -> bool:
    """Whether this is the ARN of a web ACL of CloudFront."""
    found = _WEB_ACL.fullmatch(arn)
    return bool(found and found[1] == "global")


def is_web_acl(arn: str) -> bool:
    """Whether this is the ARN of a WAFv2 web ACL."""
    return bool(_WEB_ACL.fullmatch(arn))


def _find_log_errors(logs: Item) -> t.Iterator[str]:
    if not logs.get("enabled"):
        return
    if not logs.get("bucket"):
        yield "access_logs is enabled without bucket: set the S3 bucket for the logs."
        return
    yield from find_bucket_errors("access_logs.bucket", [logs["bucket"]])
    prefix = logs.get("prefix") or ""
    if prefix.startswith("/") or prefix.endswith("/") or "AWSLogs" in prefix:
        yield f"access_logs.prefix is {prefix!r}: it neither begins nor ends with a slash, and does not contain AWSLogs."


def _each(option: str, item: Item, pattern: re.Pattern[str], expected: str) -> t.Iterator[str]:
    for value in item.get(option) or ():
        if not pattern.fullmatch(str(value)):
            yield f"{option} has {value!r}: use {expected}."


def _find_contradictions(item: Item) -> t.Iterator[str]:
    """Attributes that an option of their own and the dictionary give differently."""
    for option, compose in (("attributes", attributes_of), ("target_group_attributes", target_group_attributes_of)):
        named = compose({**item, option: {}})
        for key, value in sorted((item.get(option) or {}).items()):
            if key == _DELAY and deregistration_delay(item) == value:
                continue
            if key in named and format_scalar(named[key]) != format_scalar(value):
                yield f"{option} has {key}={format_scalar(value)}, but the option for it is {format_scalar(named[key])}: set only one of them."


__all__ = (
    "ALB_ATTRIBUTES",
    "ALB_PREFIX",
    "DEFAULT_DELAY",
    "DEFAULT_TLS_POLICY",
    "NLB_ATTRIBUTES",
    "NLB_PREFIX",
    "NLB_TYPE",
    "STATUS_PATH",
    "STATUS_PORT",
    "STATUS_PORT_NAME",
    "attributes_of",
    "deregistration_delay",
    "find_annotation_errors",
    "find_common_errors",
    "format_pairs",
    "group_of",
    "is_global_web_acl",
    "is_protected",
    "is_web_acl",
    "parse_pairs",
    "speaks_grpc",
    "target_group_attributes_of",
    "unprotect",
)
