# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What a load balancer is, and which one a task means. Pure: what ELBv2 said comes in, plain values go out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Answer = t.Mapping[str, t.Any]
Tags = t.Mapping[str, str]

# How the AWS Load Balancer Controller marks what it makes (its pkg/deploy/tracking/provider.go).
CLUSTER_TAG = "elbv2.k8s.aws/cluster"
INGRESS_STACK_TAG = "ingress.k8s.aws/stack"
SERVICE_STACK_TAG = "service.k8s.aws/stack"
# How Kubernetes' own controller of Services marks its load balancers (cloud-provider-aws, pkg/providers/v1).
CLOUD_CLUSTER_TAG_PREFIX = "kubernetes.io/cluster/"
CLOUD_SERVICE_TAG = "kubernetes.io/service-name"

APPLICATION, NETWORK = "application", "network"
TLS_PROTOCOLS = ("HTTPS", "TLS")


@dataclass(frozen=True)
class WantedListener:
    """A listener that a load balancer should have; what is empty or None may be anything."""

    port: int
    protocol: str = ""
    certificate_arns: tuple[str, ...] = ()
    ssl_policy: str = ""


@dataclass(frozen=True)
class Wish:
    """Which load balancer is meant, and what it should be like.

    Attributes:
        arn, name, dns_name: what it is called in AWS.
        cluster: the name of the cluster that owns it, as its controller was told.
        ingress: the Ingress that it was made for, as C(namespace/name).
        ingress_group: the group of Ingresses that it was made for.
        service: the Service that it was made for, as C(namespace/name).
        state: C(present), or C(absent) when it should be gone.
        listeners: which it should have; others may be there too.
        healthy_targets: C(all), C(any) of each target group, or C(none) when they are not asked for.
    """

    arn: str = ""
    name: str = ""
    dns_name: str = ""
    cluster: str = ""
    ingress: str = ""
    ingress_group: str = ""
    service: str = ""
    state: str = "present"
    listeners: tuple[WantedListener, ...] = ()
    healthy_targets: str = "all"

    @property
    def owner(self) -> str:
        """The Kubernetes object that it was made for, in words; empty when the wish does not say."""
        for kind, name in (("Ingress", self.ingress), ("Ingress group", self.ingress_group), ("Service", self.service)):
            if name:
                return f"{kind} {name}"
        return ""

    @property
    def by_tags(self) -> bool:
        """Whether tags must be read to know which one is meant."""
        return bool(self.cluster or self.owner)

    @property
    def every_one(self) -> bool:
        """Whether all load balancers of a cluster are meant, rather than one."""
        return not (self.arn or self.name or self.dns_name or self.owner)

    @property
    def title(self) -> str:
        """How messages name it."""
        called = self.name or self.dns_name or self.arn
        words = [f"load balancer {called}" if called else "load balancer"]
        if self.owner:
            words.append(f"of {self.owner}")
        if self.cluster:
            words.append(f"of cluster {self.cluster}")
        return " ".join(words)


def wish_of(item: t.Mapping[str, t.Any]) -> Wish:
    """One item of a module's option."""
    listeners = [
        WantedListener(one["port"], (one.get("protocol") or "").upper(), tuple(one.get("certificate_arns") or ()), one.get("ssl_policy") or "")
        for one in item.get("listeners") or ()
    ]
    fields = ("arn", "name", "dns_name", "cluster", "ingress", "ingress_group", "service")
    return Wish(
        **{field: item.get(field) or "" for field in fields},
        state=item.get("state") or "present",
        listeners=tuple(listeners),
        healthy_targets=item.get("healthy_targets") or "all",
    )


def mistake_in(wish: Wish) -> str | None:
    """What is wrong with a wish, in words; None when it can be looked for."""
    if not (wish.arn or wish.name or wish.dns_name or wish.by_tags):
        return "does not say which load balancer: add arn, name, dns_name, ingress, ingress_group, service, or cluster for all of a cluster"
    if sum(map(bool, (wish.ingress, wish.ingress_group, wish.service))) > 1:
        return "has several of ingress, ingress_group and service, though a load balancer is made for one of them: leave one"
    for option, name in (("ingress", wish.ingress), ("service", wish.service)):
        if name and len([part for part in name.split("/") if part]) != 2:
            return f"has the {option} {name!r}, which is no namespace and name: write it as namespace/name"
    return None


def is_meant(wish: Wish, said: Answer, tags: Tags) -> bool:
    """Whether a load balancer is the one (or one of those) that a wish means.

    Args:
        wish: which one is meant.
        said: an entry of DescribeLoadBalancers.
        tags: its tags; not looked at unless the wish needs them.
    """
    if wish.arn and said.get("LoadBalancerArn") != wish.arn:
        return False
    if wish.name and said.get("LoadBalancerName") != wish.name:
        return False
    if wish.dns_name and _dns(said.get("DNSName") or "") != _dns(wish.dns_name):
        return False
    if wish.cluster and tags.get(CLUSTER_TAG) != wish.cluster and CLOUD_CLUSTER_TAG_PREFIX + wish.cluster not in tags:
        return False
    stack = wish.ingress or wish.ingress_group
    if stack and tags.get(INGRESS_STACK_TAG) != stack:
        return False
    return not wish.service or wish.service in (tags.get(SERVICE_STACK_TAG), tags.get(CLOUD_SERVICE_TAG))


def cluster_by_tags(tags: Tags) -> str:
    """The cluster whose controller made a load balancer; empty when none did."""
    older = (key[len(CLOUD_CLUSTER_TAG_PREFIX) :] for key in tags if key.startswith(CLOUD_CLUSTER_TAG_PREFIX))
    return tags.get(CLUSTER_TAG) or next(older, "")


def stacks_by_tags(tags: Tags) -> tuple[str, ...]:
    """The Ingress, group of Ingresses or Service that a load balancer was made for, as the controller writes it."""
    return tuple(tags[key] for key in (INGRESS_STACK_TAG, SERVICE_STACK_TAG, CLOUD_SERVICE_TAG) if tags.get(key))


def owner_by_tags(tags: Tags) -> str:
    """Who owns a load balancer, by its controller's tags, in words; empty when no controller does."""
    cluster = cluster_by_tags(tags)
    owner = ""
    for stack in stacks_by_tags(tags)[:1]:
        kind = "Service"
        if tags.get(INGRESS_STACK_TAG):
            kind = "Ingress" if "/" in stack else "Ingress group"
        owner = f"{kind} {stack}"
    return " of ".join(part for part in (owner, f"cluster {cluster}" if cluster else "") if part)


def describe_load_balancer(said: Answer) -> dict[str, t.Any]:
    """A load balancer as the modules return it, from an entry of DescribeLoadBalancers."""
    state = said.get("State") or {}
    return {
        "arn": said["LoadBalancerArn"],
        "name": said.get("LoadBalancerName") or "",
        "dns_name": said.get("DNSName") or "",
        "hosted_zone_id": said.get("CanonicalHostedZoneId") or "",
        "type": said.get("Type") or "",
        "scheme": said.get("Scheme") or "",
        "vpc_id": said.get("VpcId") or "",
        "ip_address_type": said.get("IpAddressType") or "",
        "state": state.get("Code") or "",
        "state_reason": state.get("Reason") or "",
        "zones": [
            {"zone": zone.get("ZoneName") or "", "subnet_id": zone.get("SubnetId") or ""}
            for zone in sorted(said.get("AvailabilityZones") or (), key=lambda one: one.get("ZoneName") or "")
        ],
        "security_groups": sorted(said.get("SecurityGroups") or ()),
    }


def describe_listener(said: Answer) -> dict[str, t.Any]:
    """A listener as the modules return it, from an entry of DescribeListeners, which has its default certificate only and no rules."""
    return {
        "arn": said["ListenerArn"],
        "port": said.get("Port") or 0,
        "protocol": said.get("Protocol") or "",
        "ssl_policy": said.get("SslPolicy") or "",
        "alpn_policy": list(said.get("AlpnPolicy") or ()),
        "certificate_arns": [one["CertificateArn"] for one in said.get("Certificates") or () if one.get("CertificateArn")],
        "default_actions": [describe_action(action) for action in said.get("DefaultActions") or ()],
    }


def all_certificates(default: t.Sequence[str], listed: t.Iterable[Answer]) -> list[str]:
    """The ARNs of a listener's certificates, the default one first; listed are the entries of DescribeListenerCertificates."""
    others = sorted(one["CertificateArn"] for one in listed if one.get("CertificateArn"))
    return list(dict.fromkeys([*default, *others]))


def describe_rules(said: t.Iterable[Answer]) -> list[dict[str, t.Any]]:
    """The rules of a listener in the order in which they are tried, without the default one, which repeats the listener's default actions."""
    return [describe_rule(rule) for rule in sorted(said, key=_priority) if not rule.get("IsDefault")]


def describe_rule(said: Answer) -> dict[str, t.Any]:
    """A rule as the modules return it; its conditions by field."""
    conditions: dict[str, list[str]] = {}
    for condition in said.get("Conditions") or ():
        config: Answer = next((value for key, value in condition.items() if key.endswith("Config") and value), {})
        for value in condition.get("Values") or config.get("Values") or ():
            # A condition on a query string has pairs.
            text = value if isinstance(value, str) else f"{value.get('Key', '')}={value.get('Value', '')}"
            conditions.setdefault(condition.get("Field") or "", []).append(text)
    return {
        "arn": said.get("RuleArn") or "",
        "priority": said.get("Priority") or "",
        "conditions": conditions,
        "actions": [describe_action(action) for action in said.get("Actions") or ()],
    }


def describe_action(said: Answer) -> dict[str, t.Any]:
    """An action as the modules return it: its type, and where it leads."""
    forward = said.get("ForwardConfig") or {}
    groups = [one.get("TargetGroupArn") for one in forward.get("TargetGroups") or ()] or [said.get("TargetGroupArn")]
    action: dict[str, t.Any] = {"type": said.get("Type") or ""}
    if action["type"] == "forward":
        action["target_group_arns"] = [group for group in groups if group]
    redirect = said.get("RedirectConfig")
    if redirect:
        action["redirect"] = {"protocol": redirect.get("Protocol") or "", "port": redirect.get("Port") or "", "status_code": redirect.get("StatusCode") or ""}
    fixed = said.get("FixedResponseConfig")
    if fixed:
        action["status_code"] = fixed.get("StatusCode") or ""
    return action


def describe_target_group(said: Answer, health: t.Iterable[Answer]) -> dict[str, t.Any]:
    """A target group with its targets, as the modules return it, from entries of DescribeTargetGroups and DescribeTargetHealth."""
    return {
        "arn": said["TargetGroupArn"],
        "name": said.get("TargetGroupName") or "",
        "target_type": said.get("TargetType") or "",
        "protocol": said.get("Protocol") or "",
        "protocol_version": said.get("ProtocolVersion") or "",
        "port": said.get("Port") or 0,
        "health_check": {
            "enabled": said.get("HealthCheckEnabled", True),
            "protocol": said.get("HealthCheckProtocol") or "",
            "port": said.get("HealthCheckPort") or "",
            "path": said.get("HealthCheckPath") or "",
            "success_codes": (said.get("Matcher") or {}).get("HttpCode") or (said.get("Matcher") or {}).get("GrpcCode") or "",
            "interval_seconds": int(said.get("HealthCheckIntervalSeconds") or 0),
            "timeout_seconds": int(said.get("HealthCheckTimeoutSeconds") or 0),
            "healthy_threshold": int(said.get("HealthyThresholdCount") or 0),
            "unhealthy_threshold": int(said.get("UnhealthyThresholdCount") or 0),
        },
        "targets": sorted((_target(one) for one in health), key=lambda one: (one["id"], one["port"])),
    }


def _target(said: Answer) -> dict[str, t.Any]:
    target, health = said.get("Target") or {}, said.get("TargetHealth") or {}
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
    said = str(rule.get("Priority") or "")
    return (int(said), "") if said.isdigit() else (1 << 31, said)


def _dns(name: str) -> str:
    """Names that the Route 53 console copies carry a prefix, which leads to the same addresses."""
    name = name.lower().rstrip(".")
    return name[len("dualstack.") :] if name.startswith("dualstack.") else name


__all__ = (
    "APPLICATION",
    "CLOUD_CLUSTER_TAG_PREFIX",
    "CLUSTER_TAG",
    "INGRESS_STACK_TAG",
    "NETWORK",
    "SERVICE_STACK_TAG",
    "TLS_PROTOCOLS",
    "Answer",
    "Tags",
    "WantedListener",
    "Wish",
    "all_certificates",
    "cluster_by_tags",
    "describe_action",
    "describe_listener",
    "describe_load_balancer",
    "describe_rule",
    "describe_rules",
    "describe_target_group",
    "is_meant",
    "mistake_in",
    "owner_by_tags",
    "stacks_by_tags",
    "wish_of",
)
