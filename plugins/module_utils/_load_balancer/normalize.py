# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The answers of ELBv2 as the modules return them. Pure."""

from __future__ import annotations

import typing as t

Answer = t.Mapping[str, t.Any]


def normalize_load_balancer(answer: Answer) -> dict[str, t.Any]:
    """A load balancer as the modules return it, from an entry of DescribeLoadBalancers."""
    state = answer.get("State") or {}
    return {
        "arn": answer["LoadBalancerArn"],
        "name": answer.get("LoadBalancerName") or "",
        "dns_name": answer.get("DNSName") or "",
        "hosted_zone_id": answer.get("CanonicalHostedZoneId") or "",
        "type": answer.get("Type") or "",
        "scheme": answer.get("Scheme") or "",
        "vpc_id": answer.get("VpcId") or "",
        "ip_address_type": answer.get("IpAddressType") or "",
        "state": state.get("Code") or "",
        "state_reason": state.get("Reason") or "",
        "zones": [
            {"zone": zone.get("ZoneName") or "", "subnet_id": zone.get("SubnetId") or ""}
            for zone in sorted(answer.get("AvailabilityZones") or (), key=lambda one: one.get("ZoneName") or "")
        ],
        "security_groups": sorted(answer.get("SecurityGroups") or ()),
    }


def normalize_listener(answer: Answer) -> dict[str, t.Any]:
    """A listener as the modules return it, from an entry of DescribeListeners, which has its default certificate only and no rules."""
    return {
        "arn": answer["ListenerArn"],
        "port": answer.get("Port") or 0,
        "protocol": answer.get("Protocol") or "",
        "ssl_policy": answer.get("SslPolicy") or "",
        "alpn_policy": list(answer.get("AlpnPolicy") or ()),
        "certificate_arns": [one["CertificateArn"] for one in answer.get("Certificates") or () if one.get("CertificateArn")],
        "default_actions": [normalize_action(action) for action in answer.get("DefaultActions") or ()],
    }


def all_certificates(default: t.Sequence[str], listed: t.Iterable[Answer]) -> list[str]:
    """The ARNs of a listener's certificates, the default one first; listed are the entries of DescribeListenerCertificates."""
    others = sorted(one["CertificateArn"] for one in listed if one.get("CertificateArn"))
    return list(dict.fromkeys([*default, *others]))


def normalize_rules(answers: t.Iterable[Answer]) -> list[dict[str, t.Any]]:
    """The rules of a listener in the order in which they are tried, without the default one, which repeats the listener's default actions."""
    return [_normalize_rule(rule) for rule in sorted(answers, key=_priority) if not rule.get("IsDefault")]


def _normalize_rule(answer: Answer) -> dict[str, t.Any]:
    """A rule as the modules return it; its conditions by field."""
    conditions: dict[str, list[str]] = {}
    for condition in answer.get("Conditions") or ():
        config: Answer = next((value for key, value in condition.items() if key.endswith("Config") and value), {})
        for value in condition.get("Values") or config.get("Values") or ():
            # A condition on a query string has pairs.
            text = value if isinstance(value, str) else f"{value.get('Key', '')}={value.get('Value', '')}"
            conditions.setdefault(condition.get("Field") or "", []).append(text)
    return {
        "arn": answer.get("RuleArn") or "",
        "priority": answer.get("Priority") or "",
        "conditions": conditions,
        "actions": [normalize_action(action) for action in answer.get("Actions") or ()],
    }


def normalize_action(answer: Answer) -> dict[str, t.Any]:
    """An action as the modules return it: its type, and where it leads."""
    forward = answer.get("ForwardConfig") or {}
    groups = [one.get("TargetGroupArn") for one in forward.get("TargetGroups") or ()] or [answer.get("TargetGroupArn")]
    action: dict[str, t.Any] = {"type": answer.get("Type") or ""}
    if action["type"] == "forward":
        action["target_group_arns"] = [group for group in groups if group]
    redirect = answer.get("RedirectConfig")
    if redirect:
        action["redirect"] = {"protocol": redirect.get("Protocol") or "", "port": redirect.get("Port") or "", "status_code": redirect.get("StatusCode") or ""}
    fixed = answer.get("FixedResponseConfig")
    if fixed:
        action["status_code"] = fixed.get("StatusCode") or ""
    return action


def normalize_target_group(answer: Answer, health: t.Iterable[Answer]) -> dict[str, t.Any]:
    """A target group with its targets, as the modules return it, from entries of DescribeTargetGroups and DescribeTargetHealth."""
    return {
        "arn": answer["TargetGroupArn"],
        "name": answer.get("TargetGroupName") or "",
        "target_type": answer.get("TargetType") or "",
        "protocol": answer.get("Protocol") or "",
        "protocol_version": answer.get("ProtocolVersion") or "",
        "port": answer.get("Port") or 0,
        "health_check": {
            "enabled": answer.get("HealthCheckEnabled", True),
            "protocol": answer.get("HealthCheckProtocol") or "",
            "port": answer.get("HealthCheckPort") or "",
            "path": answer.get("HealthCheckPath") or "",
            "success_codes": (answer.get("Matcher") or {}).get("HttpCode") or (answer.get("Matcher") or {}).get("GrpcCode") or "",
            "interval_seconds": int(answer.get("HealthCheckIntervalSeconds") or 0),
            "timeout_seconds": int(answer.get("HealthCheckTimeoutSeconds") or 0),
            "healthy_threshold": int(answer.get("HealthyThresholdCount") or 0),
            "unhealthy_threshold": int(answer.get("UnhealthyThresholdCount") or 0),
        },
        "targets": sorted((_target(one) for one in health), key=lambda one: (one["id"], one["port"])),
    }


def _target(answer: Answer) -> dict[str, t.Any]:
    target, health = answer.get("Target") or {}, answer.get("TargetHealth") or {}
    return {
        "id": target.get("Id") or "",
        "port": int(target.get("Port") or 0),
        "zone": target.get("AvailabilityZone") or "",
        "state": health.get("State") or "",
        "reason": health.get("Reason") or "",
        "description": health.get("Description") or "",
    }


def _priority(rule: Answer) -> tuple[int, str]:
    """Rules in the order in which they are tried; the default rule has a word in place of a number."""
    answer = str(rule.get("Priority") or "")
    return (int(answer), "") if answer.isdigit() else (1 << 31, answer)


__all__ = (
    "all_certificates",
    "normalize_action",
    "normalize_listener",
    "normalize_load_balancer",
    "normalize_rules",
    "normalize_target_group",
)
