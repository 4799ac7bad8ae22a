# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which load balancers a task means, and their desired state. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import MeshError
from .owners import CLOUD_CLUSTER_TAG_PREFIX, CLOUD_SERVICE_TAG, CLUSTER_TAG, INGRESS_STACK_TAG, SERVICE_STACK_TAG, Tags, name_owner

Answer = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class ListenerSpec:
    """A desired listener; what is empty may be anything."""

    port: int
    protocol: str = ""
    certificate_arns: tuple[str, ...] = ()
    ssl_policy: str = ""


@dataclass(frozen=True)
class LoadBalancerSpec:
    """Which load balancer is meant, and its desired state.

    Attributes:
        arn, name, dns_name: what it is called in AWS.
        cluster: the name of the cluster that owns it, as its controller knows it.
        ingress: the Ingress that it was made for, as C(namespace/name).
        ingress_group: the group of Ingresses that it was made for.
        service: the Service that it was made for, as C(namespace/name).
        state: C(present), or C(absent) when it should be gone.
        listeners: which it should have; others may be there too.
        healthy_targets: C(all), C(any) of each target group, or C(none) when they do not matter.
    """

    arn: str = ""
    name: str = ""
    dns_name: str = ""
    cluster: str = ""
    ingress: str = ""
    ingress_group: str = ""
    service: str = ""
    state: str = "present"
    listeners: tuple[ListenerSpec, ...] = ()
    healthy_targets: str = "all"

    @property
    def owner(self) -> str:
        """The Kubernetes object that it was made for, in words; empty when the spec names none."""
        return name_owner(self.ingress, self.ingress_group, self.service)

    @property
    def by_tags(self) -> bool:
        """Whether tags must be read to know which one is meant."""
        return bool(self.cluster or self.owner)

    @property
    def is_whole_cluster(self) -> bool:
        """Whether all load balancers of a cluster are meant, rather than one."""
        return not (self.arn or self.name or self.dns_name or self.owner)

    @property
    def title(self) -> str:
        """How messages name it."""
        called = self.name or self.dns_name or self.arn
        parts = [f"load balancer {called}" if called else "load balancer"]
        if self.owner:
            parts.append(f"of {self.owner}")
        if self.cluster:
            parts.append(f"of cluster {self.cluster}")
        return " ".join(parts)


def parse_specs(items: t.Sequence[t.Mapping[str, t.Any]]) -> list[LoadBalancerSpec]:
    """The option C(load_balancers).

    Raises:
        MeshError: an item says too little, or what cannot be.
    """
    if not items:
        raise MeshError("The list load_balancers is empty: add a load balancer, or skip the task.")
    specs = [parse_spec(item) for item in items]
    errors = [(index, validation_error(spec)) for index, spec in enumerate(specs)]
    if any(error for _index, error in errors):
        raise MeshError(f"load_balancers[{index}] {error}." for index, error in errors if error)
    return specs


def parse_spec(item: t.Mapping[str, t.Any]) -> LoadBalancerSpec:
    """One item of a module's option."""
    listeners = [
        ListenerSpec(one["port"], (one.get("protocol") or "").upper(), tuple(one.get("certificate_arns") or ()), one.get("ssl_policy") or "")
        for one in item.get("listeners") or ()
    ]
    fields = ("arn", "name", "dns_name", "cluster", "ingress", "ingress_group", "service")
    return LoadBalancerSpec(
        **{field: item.get(field) or "" for field in fields},
        state=item.get("state") or "present",
        listeners=tuple(listeners),
        healthy_targets=item.get("healthy_targets") or "all",
    )


def validation_error(spec: LoadBalancerSpec) -> str | None:
    """What is wrong with a spec; None when it can be looked for."""
    if not (spec.arn or spec.name or spec.dns_name or spec.by_tags):
        return "does not name a load balancer: add arn, name, dns_name, ingress, ingress_group, service, or cluster for all of a cluster"
    if sum(map(bool, (spec.ingress, spec.ingress_group, spec.service))) > 1:
        return "sets more than one of ingress, ingress_group and service, but a load balancer is created for only one of them: keep one"
    for option, name in (("ingress", spec.ingress), ("service", spec.service)):
        if name and len([part for part in name.split("/") if part]) != 2:
            return f"has the {option} {name!r}, which is not a namespace and a name: write it as namespace/name"
    return None


def matches(spec: LoadBalancerSpec, answer: Answer, tags: Tags) -> bool:
    """Whether a load balancer is the one (or one of those) that a spec means.

    Args:
        spec: which one is meant.
        answer: an entry of DescribeLoadBalancers.
        tags: its tags; not looked at unless the spec needs them.
    """
    if spec.arn and answer.get("LoadBalancerArn") != spec.arn:
        return False
    if spec.name and answer.get("LoadBalancerName") != spec.name:
        return False
    if spec.dns_name and _dns(answer.get("DNSName") or "") != _dns(spec.dns_name):
        return False
    if spec.cluster and tags.get(CLUSTER_TAG) != spec.cluster and CLOUD_CLUSTER_TAG_PREFIX + spec.cluster not in tags:
        return False
    stack = spec.ingress or spec.ingress_group
    if stack and tags.get(INGRESS_STACK_TAG) != stack:
        return False
    return not spec.service or spec.service in (tags.get(SERVICE_STACK_TAG), tags.get(CLOUD_SERVICE_TAG))


def _dns(name: str) -> str:
    """Names that the Route 53 console copies carry a prefix, which leads to the same addresses."""
    name = name.lower().rstrip(".")
    return name[len("dualstack.") :] if name.startswith("dualstack.") else name


__all__ = ("ListenerSpec", "LoadBalancerSpec", "matches", "parse_spec", "parse_specs", "validation_error")
