# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Releases of Istio's chart gateway, as an inventory lists them.

Source: istio manifests/charts/gateway/values.yaml and templates.
"""

from __future__ import annotations

import typing as t

from .charts import Values, merge, platform_values, with_text_revisions

Gateway = t.Mapping[str, t.Any]

# The type of the chart's Service, unless its values say otherwise.
DEFAULT_TYPE = "LoadBalancer"
# The inventory's key for each field of the chart's block C(service).
SERVICE_FIELDS = {
    "type": "type",
    "ports": "ports",
    "annotations": "annotations",
    "cluster_ip": "clusterIP",
    "load_balancer_ip": "loadBalancerIP",
    "load_balancer_class": "loadBalancerClass",
    "load_balancer_source_ranges": "loadBalancerSourceRanges",
    "external_traffic_policy": "externalTrafficPolicy",
    "health_check_node_port": "healthCheckNodePort",
    "external_ips": "externalIPs",
    "ip_family_policy": "ipFamilyPolicy",
    "ip_families": "ipFamilies",
    "allocate_load_balancer_node_ports": "allocateLoadBalancerNodePorts",
}


def gateway_values(gateway: Gateway, platform: str, revision: str = "") -> Values:
    """The values of one release; what the item does not say is left to the chart.

    Args:
        gateway: an item of C(istio_gateways).
        platform: as platform_values() takes it.
        revision: that of istiod, which injects the proxy into its pods; empty for the istiod without one.
    """
    own: Values = {"revision": revision} if revision else {}
    service = gateway.get("service") or {}
    fields = {SERVICE_FIELDS[key]: value for key, value in service.items() if value is not None}
    if fields:
        own["service"] = fields
    if gateway.get("replicas") is not None:
        own.update(autoscaling={"enabled": False}, replicaCount=gateway["replicas"])
    elif gateway.get("autoscaling"):
        own["autoscaling"] = {"enabled": True, "minReplicas": gateway["autoscaling"]["min"], "maxReplicas": gateway["autoscaling"]["max"]}
    return with_text_revisions(merge({**platform_values(platform), **own}, gateway.get("values") or {}))


def gateway_targets(gateways: t.Iterable[Gateway]) -> list[dict[str, str]]:
    """What the module ready verifies of these releases: the Deployment, which has the name of the release."""
    return [
        {"kind": (gateway.get("values") or {}).get("kind") or "Deployment", "name": gateway["name"], "namespace": gateway["namespace"]} for gateway in gateways
    ]


__all__ = ("DEFAULT_TYPE", "SERVICE_FIELDS", "gateway_targets", "gateway_values")
