# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Releases of Istio's chart gateway, as an inventory lists them: their values, what they are called, and what is wrong with the list.

Source: istio manifests/charts/gateway/values.yaml and templates.
"""

from __future__ import annotations

import typing as t

from .charts import Values, chart_reference, chart_values, merge

Gateway = t.Mapping[str, t.Any]

# The inventory's word for each field of the chart's block C(service).
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


def gateway_values(gateway: Gateway, *, platform: str = "") -> Values:
    """The values of one release; what the item does not say is left to the chart.

    Args:
        gateway: an item of C(istio_gateways).
        platform: as chart_values() takes it.
    """
    own: Values = {}
    service = gateway.get("service") or {}
    fields = {SERVICE_FIELDS[key]: value for key, value in service.items() if value is not None}
    if fields:
        own["service"] = fields
    if gateway.get("replicas"):
        own.update(autoscaling={"enabled": False}, replicaCount=gateway["replicas"])
    elif gateway.get("autoscaling"):
        own["autoscaling"] = {"enabled": True, "minReplicas": gateway["autoscaling"]["min"], "maxReplicas": gateway["autoscaling"]["max"]}
    return merge(chart_values("gateway", platform=platform, own=own), gateway.get("values") or {})


def gateway_releases(gateways: t.Iterable[Gateway], *, source: str, version: str, platform: str = "") -> list[dict[str, t.Any]]:
    """The releases of these gateways, in their order, as the role istio installs any of its charts.

    Args:
        gateways: the items of C(istio_gateways).
        source, version: as chart_reference() takes them.
        platform: as chart_values() takes it.
    """
    reference = chart_reference(source, "gateway", version)
    return [
        {
            "title": f"gateway as {gateway['name']}",
            "chart": "gateway",
            "name": gateway["name"],
            "namespace": gateway["namespace"],
            "reference": reference,
            "release_values": gateway_values(gateway, platform=platform),
        }
        for gateway in gateways
    ]


def gateway_targets(gateways: t.Iterable[Gateway]) -> list[dict[str, str]]:
    """What the module ready judges of these releases: the Deployment, which is called like the release."""
    return [
        {"kind": (gateway.get("values") or {}).get("kind") or "Deployment", "name": gateway["name"], "namespace": gateway["namespace"]} for gateway in gateways
    ]


def gateway_mistakes(gateways: t.Sequence[Gateway]) -> list[str]:
    """One sentence for each thing that no type can show."""
    mistakes = []
    places: dict[tuple[t.Any, t.Any], int] = {}
    for index, gateway in enumerate(gateways):
        item = f"istio_gateways[{index}]"
        place = (gateway.get("namespace"), gateway.get("name"))
        if place in places:
            mistakes.append(f"{item} says {place[0]}/{place[1]} again, as istio_gateways[{places[place]}] does: list each release once.")
        places.setdefault(place, index)
        autoscaling = gateway.get("autoscaling")
        if gateway.get("replicas") and autoscaling:
            mistakes.append(f"{item} has replicas and autoscaling, of which only one can be true: leave one out.")
        if autoscaling and autoscaling.get("min", 0) > autoscaling.get("max", 0):
            mistakes.append(f"{item} has autoscaling from {autoscaling['min']} to {autoscaling['max']}: give a max that is not below min.")
    return mistakes


__all__ = ("SERVICE_FIELDS", "gateway_mistakes", "gateway_releases", "gateway_targets", "gateway_values")
