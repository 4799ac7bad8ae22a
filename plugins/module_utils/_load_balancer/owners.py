# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who owns a load balancer, by the tags that its controller sets. Pure."""

from __future__ import annotations

import typing as t

Tags = t.Mapping[str, str]

# How the AWS Load Balancer Controller marks what it makes (its pkg/deploy/tracking/provider.go).
CLUSTER_TAG = "elbv2.k8s.aws/cluster"
INGRESS_STACK_TAG = "ingress.k8s.aws/stack"
SERVICE_STACK_TAG = "service.k8s.aws/stack"
# How Kubernetes' own controller of Services marks its load balancers (cloud-provider-aws, pkg/providers/v1).
CLOUD_CLUSTER_TAG_PREFIX = "kubernetes.io/cluster/"
CLOUD_SERVICE_TAG = "kubernetes.io/service-name"


def cluster_by_tags(tags: Tags) -> str:
    """The cluster whose controller made a load balancer; empty when none did."""
    older = (key[len(CLOUD_CLUSTER_TAG_PREFIX) :] for key in tags if key.startswith(CLOUD_CLUSTER_TAG_PREFIX))
    return tags.get(CLUSTER_TAG) or next(older, "")


def stacks_by_tags(tags: Tags) -> tuple[str, ...]:
    """The Ingress, group of Ingresses or Service that a load balancer was made for, as the controller writes it."""
    return tuple(tags[key] for key in (INGRESS_STACK_TAG, SERVICE_STACK_TAG, CLOUD_SERVICE_TAG) if tags.get(key))


def name_owner(ingress: str, ingress_group: str, service: str) -> str:
    """The object that a load balancer is made for, in words; empty when none of them is named."""
    for kind, name in (("Ingress", ingress), ("Ingress group", ingress_group), ("Service", service)):
        if name:
            return f"{kind} {name}"
    return ""


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


__all__ = (
    "CLOUD_CLUSTER_TAG_PREFIX",
    "CLOUD_SERVICE_TAG",
    "CLUSTER_TAG",
    "INGRESS_STACK_TAG",
    "SERVICE_STACK_TAG",
    "Tags",
    "cluster_by_tags",
    "name_owner",
    "owner_by_tags",
    "stacks_by_tags",
)
