# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""Who makes a load balancer of a Service, and which.

Source: aws-load-balancer-controller webhooks/core/service_mutator.go (new Services without a class, unless they say a type of their own),
pkg/service/service_utils.go (IsServiceSupported), and cloud-provider-aws, which takes what is left.
"""

from __future__ import annotations

import typing as t

from .._mesh.labels import Object, annotations_of
from . import nlb as network

CONTROLLER = "AWS Load Balancer Controller"
CLOUD = "cloud controller"
# What the controller's chart calls its webhooks, and the one of them that is asked about new Services.
WEBHOOKS = "aws-load-balancer-webhook"
_SERVICE_WEBHOOK = "mservice.elbv2.k8s.aws"
_CLASS = "service.k8s.aws/nlb"
_ITS_TYPES = frozenset({"external", "nlb-ip"})


class Maker(t.NamedTuple):
    """What comes of a Service.

    Attributes:
        load_balancer: V(nlb), V(cloud) for the cloud's own, in EKS a Classic Load Balancer, V(none), or V(unknown).
        made_by: CONTROLLER, CLOUD, or nobody.
    """

    load_balancer: str
    made_by: str


NOBODY = Maker("none", "")


def maker_of_service(kind: str, annotations: t.Mapping[str, str], service: Object | None, webhook: bool | None) -> Maker:
    """Who will serve the Service of a gateway.

    Args:
        kind: the type that the Service should have.
        annotations: those that it should have.
        service: the Service that is there; its load balancer stays with whom it was made by.
        webhook: whether the controller is asked about new Services; None where it is not known.
    """
    if kind != "LoadBalancer":
        return NOBODY
    if annotations.get(network.TYPE) in _ITS_TYPES:
        return Maker("nlb", CONTROLLER)
    if service is not None and service["spec"].get("type") == "LoadBalancer":
        its = service["spec"].get("loadBalancerClass") == _CLASS or annotations_of(service).get(network.TYPE) in _ITS_TYPES
        return Maker("nlb", CONTROLLER) if its else Maker("cloud", CLOUD)
    if webhook is None:
        return Maker("unknown", "")
    return Maker("nlb", CONTROLLER) if webhook else Maker("cloud", CLOUD)


def asks_about_services(configuration: Object | None) -> bool:
    """Whether these webhooks of the controller are asked about new Services."""
    return any(webhook.get("name") == _SERVICE_WEBHOOK for webhook in (configuration or {}).get("webhooks") or ())


__all__ = ("CLOUD", "CONTROLLER", "NOBODY", "WEBHOOKS", "Maker", "asks_about_services", "maker_of_service")
