# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Gateways of the chart and load balancers: what would be made beside an ALB, what could not be reached, and by whom a load balancer is made.

The chart's Service is of type LoadBalancer unless its values say otherwise, and it is made before the role ingress looks at the cluster.
Source: istio manifests/charts/gateway/values.yaml and templates/service.yaml; the AWS Load Balancer Controller's webhooks/core/service_mutator.go.
"""

from __future__ import annotations

import typing as t

from .._helm.gateways import DEFAULT_TYPE, gateway_values
from .._ingress.annotation_values import NLB_TYPE, STATUS_PORT_NAME

if t.TYPE_CHECKING:
    from .variables import Variables

Item = t.Mapping[str, t.Any]

_DEFAULT_PORTS = ({"name": STATUS_PORT_NAME, "port": 15021}, {"name": "http2", "port": 80}, {"name": "https", "port": 443})


def validate_chart_gateways(variables: Variables) -> list[str]:
    """One sentence for each ALB that could not serve what is behind it, or would be the second load balancer in front of it.

    Args:
        variables: the values of the roles' variables, as backends.with_backends() returns them.
    """
    releases = {(release["namespace"], release["name"]): (index, release) for index, release in enumerate(variables.get("istio_gateways") or ())}
    errors: list[str] = []
    for number, alb in enumerate(variables.get("ingress_albs") or ()):
        found = releases.get((alb["namespace"], alb.get("service") or ""))
        if found and alb.get("state") != "absent":
            allowed = bool(variables.get("ingress_allow_load_balancer_service"))
            errors += _refuse_service(f"istio_gateways[{found[0]}]", f"ingress_albs[{number}]", alb, _service_of(found[1]), allowed=allowed)
    return errors


def chart_gateway_warnings(variables: Variables) -> list[str]:
    """One warning for each Service of type LoadBalancer that Kubernetes' own AWS code would serve, as a Classic Load Balancer or a former kind of NLB.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    if not variables.get("eks_enabled") or variables.get("alb_controller_enabled"):
        return []
    warnings = []
    for index, release in enumerate(variables.get("istio_gateways") or ()):
        service = _service_of(release)
        annotations = service.get("annotations")
        handed_over = service.get("loadBalancerClass") or (isinstance(annotations, dict) and annotations.get(NLB_TYPE))
        if _type_of(service) == DEFAULT_TYPE and not handed_over:
            warnings.append(
                f"istio_gateways[{index}] gets a Service of type LoadBalancer, and alb_controller_enabled is false: unless the AWS Load Balancer Controller "
                "is installed otherwise, AWS creates a Classic Load Balancer for it. Set alb_controller_enabled, or service.type to ClusterIP or NodePort."
            )
    return warnings


def _service_of(release: Item) -> dict[str, t.Any]:
    """The chart's value service, as the role hands it to Helm."""
    service = gateway_values(release, "").get("service")
    return service if isinstance(service, dict) else {}


def _type_of(service: Item) -> str:
    return str(service.get("type") or DEFAULT_TYPE)


def _refuse_service(release: str, item: str, alb: Item, service: Item, *, allowed: bool) -> t.Iterator[str]:
    kind, instance = _type_of(service), alb.get("target_type") == "instance"
    fitting = "NodePort" if instance else "ClusterIP"
    if kind == "None":
        yield f"{release}.service.type is None, so the chart creates no Service for {item} to send requests to: set it to {fitting}."
        return
    if kind == DEFAULT_TYPE and not allowed:
        given = "is LoadBalancer" if service.get("type") else "is not set, and the chart's default is LoadBalancer"
        yield (
            f"{release}.service.type {given}, so there would be a second load balancer beside {item}: set it to {fitting}, "
            "or set ingress_allow_load_balancer_service."
        )
    if kind == "ClusterIP" and instance:
        yield f"{item}.target_type is instance, which needs a NodePort, but {release}.service.type is ClusterIP: set that to NodePort, or use target_type ip."
    ports = service.get("ports") or _DEFAULT_PORTS
    if isinstance(ports, (list, tuple)) and all(isinstance(port, dict) for port in ports):
        yield from _refuse_ports(release, item, alb, ports)


def _refuse_ports(release: str, item: str, alb: Item, ports: t.Sequence[Item]) -> t.Iterator[str]:
    numbers, names = [port.get("port") for port in ports], [str(port["name"]) for port in ports if port.get("name")]
    if alb.get("service_port", 80) not in numbers:
        yield f"{item}.service_port is {alb.get('service_port', 80)}, but {release} has only {', '.join(map(str, numbers))}: correct it, or add the port."
    check = str((alb.get("health_check") or {}).get("port") or STATUS_PORT_NAME)
    if not check.isdigit() and check != "traffic-port" and check not in names:
        yield f"{item} probes the port {check}, which {release}.service.ports does not have: add it, or set health_check.port."


__all__ = ("chart_gateway_warnings", "validate_chart_gateways")
