# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does an address lead somewhere: the address of a Service, an Ingress or a Gateway, from inside or outside of the cluster?

Source: kubernetes' API reference of ServiceStatus and IngressStatus. kstatus calls a load balancer without an address Current, but nobody can use it.
istiod may give a Gateway the name of its Service inside the cluster as address (pilot/pkg/config/kube/gateway/conversion.go), and never removes an
address, so the addresses of a Gateway are compared with those of its Service.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import EVENT, INGRESS, SERVICE
from .load_balancers import ControllerExpectation, judge_controller
from .target import Expectation, Need, Rule, Snapshot, Target, needs_in_namespace
from .verdict import Object, Verdict, absent, condition, terminating

_CREATE = "Create it, or correct its name."
_CHECK_CONTROLLER = "Check that a load balancer controller is running, and read its events on this object."


@dataclass(frozen=True)
class ServiceExpectation(Expectation):
    """What else must be true of a Service.

    Attributes:
        load_balancer: whether it must be a load balancer.
    """

    load_balancer: bool = False


@dataclass(frozen=True)
class IngressExpectation(Expectation):
    """What else must be true of an Ingress.

    Attributes:
        controller: what its load balancer controller must have reported; None to leave its events unread.
    """

    controller: ControllerExpectation | None = None


def judge_service(title: str, service: Object | None, *, load_balancer: bool = False) -> Verdict:
    """Current when it has its address: a load balancer an external one, any other a cluster IP or an external name.

    Args:
        title: how messages name it.
        service: the Service, or None.
        load_balancer: whether it must be a load balancer.
    """
    if service is None or terminating(service):
        return absent(title, service, _CREATE)
    spec = service["spec"]
    kind = spec.get("type", "ClusterIP")
    if kind == "LoadBalancer":
        return _judge_load_balancer(service)
    if load_balancer:
        return Verdict("Failed", "NotALoadBalancer", f"it is of type {kind}, not LoadBalancer", "Change its type, or omit load_balancer.", final=True)
    address = spec.get("externalName") if kind == "ExternalName" else spec.get("clusterIP")
    if not address:
        return Verdict("InProgress", "NoClusterIP", "it has no cluster IP", "Check that the API server's range of Service addresses is not exhausted.")
    return Verdict("Current", message=f"of type {kind} at {address}", details={"address": address})


def judge_ingress(title: str, ingress: Object | None) -> Verdict:
    """Current when its load balancer has an address."""
    if ingress is None or terminating(ingress):
        return absent(title, ingress, _CREATE)
    return _judge_load_balancer(ingress)


def external_problem(addresses: t.Sequence[str], services: t.Sequence[Object]) -> str | None:
    """Why these addresses of a Gateway are not those of a load balancer; None when they are.

    Args:
        addresses: the Gateway's.
        services: the Services that istiod created for it.
    """
    inside = [address for address in addresses if ".svc." in f"{address}."]
    if inside:
        return f"its address {', '.join(inside)} is a name inside the cluster, not a load balancer's"
    for service in services:
        name = f"Service {service['metadata']['namespace']}/{service['metadata']['name']}"
        if service["spec"].get("type") != "LoadBalancer":
            return f"{name} behind it is of type {service['spec'].get('type', 'ClusterIP')}, not LoadBalancer"
        given = external_addresses(service)
        if not given:
            return f"{name} behind it has no load balancer address"
        strange = [address for address in addresses if address not in given]
        if strange:
            return f"its address {', '.join(strange)} is not that of {name}, which is {', '.join(given)}"
    return None


def external_addresses(item: Object) -> list[str]:
    """The addresses that a load balancer has given to a Service or an Ingress."""
    entries = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [str(entry.get("hostname") or entry.get("ip")) for entry in entries if entry.get("hostname") or entry.get("ip")]


def _judge_load_balancer(item: Object) -> Verdict:
    # KEP-1435: a cloud provider that cannot serve the ports says so here.
    error = condition(item, "LoadBalancerPortsError")
    if error and error.get("status") == "True":
        return Verdict("InProgress", "LoadBalancerPortsError", str(error.get("message", "")), _CHECK_CONTROLLER, str(error.get("lastTransitionTime", "")))
    addresses = external_addresses(item)
    if not addresses:
        return Verdict(
            "InProgress", "NoLoadBalancer", "its load balancer has no address yet", _CHECK_CONTROLLER, str(item["metadata"].get("creationTimestamp", ""))
        )
    return Verdict("Current", message=f"load balancer at {', '.join(addresses)}", details={"address": ", ".join(addresses)})


def _service(target: Target, snapshot: Snapshot) -> Verdict:
    service = snapshot.get(SERVICE, target.name, target.namespace)
    return judge_service(target.title_of(SERVICE), service, load_balancer=target.expected(ServiceExpectation).load_balancer)


def _ingress_needs(target: Target) -> t.Iterable[Need]:
    yield INGRESS, target.namespace
    if target.expected(IngressExpectation).controller is not None:
        yield EVENT, target.namespace


def _ingress(target: Target, snapshot: Snapshot) -> Verdict:
    ingress = snapshot.get(INGRESS, target.name, target.namespace)
    verdict = judge_ingress(target.title_of(INGRESS), ingress)
    if ingress is None:
        return verdict
    answer = judge_controller(target.expected(IngressExpectation).controller, snapshot, INGRESS, target.namespace, [target.name])
    return answer if answer and (answer.final or verdict.current or answer.reason != "NotReconciled") else verdict


SERVICE_RULE = Rule(needs_in_namespace(SERVICE), ("name", "namespace"), _service)
INGRESS_RULE = Rule(_ingress_needs, ("name", "namespace"), _ingress)

__all__ = (
    "INGRESS_RULE",
    "SERVICE_RULE",
    "IngressExpectation",
    "ServiceExpectation",
    "external_addresses",
    "external_problem",
    "judge_ingress",
    "judge_service",
)
