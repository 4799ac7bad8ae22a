# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The load balancers that are to be checked before they exist. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import as_text
from .._load_balancer.owners import name_owner


@dataclass(frozen=True)
class LoadBalancerSpec:
    """A desired load balancer; what is empty is not asked for.

    Attributes:
        title: how messages name it.
        name: its name.
        type: C(alb) or C(nlb).
        scheme: C(internal) or C(internet-facing).
        vpc_id: its VPC; empty when it is not known.
        cluster: the cluster that it belongs to.
        ingress, ingress_group, service: what it is for, as its controller will tag it.
        subnets: ids or names; empty when the controller finds them by tags.
        hosts: the hosts that its certificates must cover.
        certificate_arns, ssl_policy, waf_acl_arn, shield, security_groups, tags: as they will be asked for.
        eip_allocations: the ids of its elastic IP addresses.
        log_bucket, log_prefix: where its access logs go.
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


def parse_spec(index: int, item: t.Mapping[str, t.Any], vpc: str, cluster: str) -> LoadBalancerSpec:
    """One item of the option; vpc and cluster are those of the module, for an item without its own."""
    logs = item["access_logs"] or {}
    logged = bool(logs.get("enabled"))
    owner = name_owner(item["ingress"], item["ingress_group"], item["service"])
    called = f"load balancer {item['name']}" if item["name"] else f"load_balancers[{index}]"
    return LoadBalancerSpec(
        title=item["title"] or owner or called,
        vpc_id=item["vpc_id"] or vpc,
        cluster=item["cluster_name"] or cluster,
        log_bucket=(logs.get("bucket") or "") if logged else "",
        log_prefix=(logs.get("prefix") or "") if logged else "",
        tags=as_text(item["tags"] or {}),
        type=item["type"],
        scheme=item["scheme"],
        shield=item["shield"],
        name=item["name"] or "",
        ingress=item["ingress"] or "",
        ingress_group=item["ingress_group"] or "",
        service=item["service"] or "",
        ssl_policy=item["ssl_policy"] or "",
        waf_acl_arn=item["waf_acl_arn"] or "",
        subnets=tuple(item["subnets"]),
        hosts=tuple(item["hosts"]),
        certificate_arns=tuple(item["certificate_arns"]),
        security_groups=tuple(item["security_groups"]),
        eip_allocations=tuple(item["eip_allocations"]),
    )


__all__ = ("LoadBalancerSpec", "parse_spec")
