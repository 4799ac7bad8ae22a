# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Which controller provisions the load balancer of a Service.

Source: aws-load-balancer-controller webhooks/core/service_mutator.go (new Services without a class, unless they say a type of their own),
pkg/service/service_utils.go (IsServiceSupported), and cloud-provider-aws, which takes what is left.
"""

from __future__ import annotations

import typing as t

from .._mesh.labels import Object, annotations_of
from .annotation_values import NLB_TYPE

CONTROLLER = "AWS Load Balancer Controller"
CLOUD = "cloud controller"
# The name of the webhooks in the controller's chart, and of the one that handles new Services.
WEBHOOKS = "aws-load-balancer-webhook"
_SERVICE_WEBHOOK = "mservice.elbv2.k8s.aws"
_CLASS = "service.k8s.aws/nlb"
_ITS_TYPES = frozenset({"external", "nlb-ip"})


class Provisioner(t.NamedTuple):
    """The load balancer of a Service, and who provisions it.

    Attributes:
        load_balancer: V(nlb), V(cloud) for the cloud's own, in EKS a Classic Load Balancer, V(none), or V(unknown).
        made_by: CONTROLLER, CLOUD, or empty.
    """

    load_balancer: str
    made_by: str


NONE = Provisioner("none", "")


def find_provisioner(service_type: str, annotations: t.Mapping[str, str], service: Object | None, webhook: bool | None) -> Provisioner:
    """Who provisions a load balancer for the Service of a gateway.

    Args:
        service_type: the desired type of the Service.
        annotations: its desired annotations.
        service: the current Service; its load balancer stays with whoever provisioned it.
        webhook: whether the controller's webhook handles new Services; None if that is not known.
    """
    if service_type != "LoadBalancer":
        return NONE
    if annotations.get(NLB_TYPE) in _ITS_TYPES:
        return Provisioner("nlb", CONTROLLER)
    if service is not None and service["spec"].get("type") == "LoadBalancer":
        its = service["spec"].get("loadBalancerClass") == _CLASS or annotations_of(service).get(NLB_TYPE) in _ITS_TYPES
        return Provisioner("nlb", CONTROLLER) if its else Provisioner("cloud", CLOUD)
    if webhook is None:
        return Provisioner("unknown", "")
    return Provisioner("nlb", CONTROLLER) if webhook else Provisioner("cloud", CLOUD)


def handles_services(configuration: Object | None) -> bool:
    """Whether one of these webhooks of the controller handles new Services."""
    return any(webhook.get("name") == _SERVICE_WEBHOOK for webhook in (configuration or {}).get("webhooks") or ())


__all__ = ("CLOUD", "CONTROLLER", "NONE", "WEBHOOKS", "Provisioner", "find_provisioner", "handles_services")
