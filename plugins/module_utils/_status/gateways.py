# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Is a Gateway, or a waypoint, more than programmed: does its address lead to a ready pod?

Source: istio pilot/pkg/config/kube/gateway/conversion.go (reportGatewayStatus) and gatewaycommon/deploymentcontroller.go.
Programmed alone does not prove a ready pod: istiod needs an endpoint, not a healthy one. It never removes an address either: when no control plane
manages the Gateway any more, conditions and addresses stay as they were, whatever happens to its Service.
And a Gateway with one valid listener is accepted and programmed, however many others are not.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._kinds import DEPLOYMENT, EVENT, GATEWAY, HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET, SERVICE, Kind
from .._mesh.gateways import is_managed
from .._mesh.labels import GATEWAY_NAME, annotations_of, labels_of
from .addresses import external_addresses, external_problem
from .load_balancers import ControllerExpectation, judge_controller
from .target import Expectation, Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, absent, condition, observed_generation, terminating
from .waypoint_parameters import Overlays, judge_waypoint_parameters
from .workloads import judge_deployment

# Accepted=False with one of these cannot become True unless somebody changes the Gateway.
_FINAL_REASONS = frozenset({"UnsupportedAddress", "ListenersNotValid"})

# Of a NodePort Service with this annotation istiod reports the nodes' addresses (serviceregistry/kube/controller/network.go).
NODE_SELECTOR = "traffic.istio.io/nodeSelector"

_CHECK_LOAD_BALANCER = "Check that a load balancer controller is running, and read its events on the Service."
_REMEDIES = {
    "Pending": "No control plane has accepted it: check that istiod is running, and that it owns the GatewayClass and the revision (label istio.io/rev).",
    "AddressNotAssigned": "Its Service has no address or endpoint yet: check the pods that istiod created for it.",
    "AddressNotUsable": (
        "Its Service or port was not found: check the Service of the same name; if there is none, istiod's log says why it has created none, "
        "such as a policy, a quota or a missing permission."
    ),
    "InvalidParameters": "Create or correct the ConfigMap that spec.infrastructure.parametersRef names; istiod then reads it without a restart.",
    "NoService": "istiod creates its Service: check that istiod is running and owns the Gateway's revision (label istio.io/rev), and rename any "
    "Service of that name that istiod did not create.",
    "AddressOutdated": "istiod writes its addresses: check that istiod is running and owns the Gateway's revision (label istio.io/rev).",
    "UnsupportedAddress": "Remove the address from spec.addresses.",
    "ListenersNotValid": "Correct the listeners; their own conditions say what is wrong.",
    "InvalidCertificateRef": "Create the Secret that the listener names, of type kubernetes.io/tls, or correct certificateRefs.",
    "RefNotPermitted": "Allow it with a ReferenceGrant in the namespace of the Secret, or use a Secret in the Gateway's own namespace.",
}
# The conditions of a listener, the cause before what follows from it, each with the status that is right.
_LISTENER_CONDITIONS = (("Accepted", "True"), ("Conflicted", "False"), ("ResolvedRefs", "True"), ("Programmed", "True"))


@dataclass(frozen=True)
class GatewayExpectation(Expectation):
    """What else must be true of a Gateway.

    Attributes:
        load_balancer: whether its address must be a load balancer's.
        overlays: what its parameters must have changed; None when they do not matter.
        service_annotations: the annotations that its Service must have, because they configure its load balancer.
        controller: what its load balancer controller must have reported; None to leave its events unread.
    """

    load_balancer: bool = False
    overlays: Overlays | None = field(default=None, hash=False)
    service_annotations: t.Mapping[str, str] = field(default_factory=dict, hash=False)
    controller: ControllerExpectation | None = None


def judge_gateway(
    title: str,
    gateway: Object | None,
    deployments: t.Sequence[Object],
    services: t.Sequence[Object],
    *,
    managed: bool = True,
    load_balancer: bool = False,
) -> Verdict:
    """Current when accepted and programmed at this generation, with an address that is its Service's, and its Deployment's pods available.

    Args:
        title: how messages name it.
        gateway: the Gateway, or None.
        deployments: the Deployments that istiod has created for it.
        services: the Services that istiod has created for it.
        managed: whether istiod creates them.
        load_balancer: whether its address must be a load balancer's.
    """
    if gateway is None or terminating(gateway):
        return absent(title, gateway, "Create it (module waypoint for a waypoint), or correct its name.")
    broken = _judge_listeners(gateway)
    for kind in ("Accepted", "Programmed"):
        verdict = _judge_condition(gateway, kind)
        if verdict:
            return broken if broken and verdict.reason == "ListenersNotValid" else verdict
    if broken:
        return broken
    if not (gateway.get("status") or {}).get("addresses"):
        return Verdict("InProgress", "NoAddress", "it has no address", _REMEDIES["AddressNotAssigned"])
    lost = _judge_services(gateway, services) if managed else None
    if lost:
        return lost
    external = external_problem(_addresses(gateway), services) if load_balancer else None
    if external:
        return Verdict("InProgress", "NoLoadBalancer", external, _CHECK_LOAD_BALANCER)
    if not managed:
        return Verdict("Current", message=f"programmed at {_address(gateway)}")
    if not deployments:
        message = "it is programmed, but there is no Deployment behind it"
        return Verdict("InProgress", "NoDeployment", message, "Look for a Deployment of the same name that istiod did not create, and rename one of the two.")
    verdicts = [_judge_behind(deployment) for deployment in deployments]
    worst = next((verdict for verdict in verdicts if not verdict.current), None)
    if worst:
        return worst
    return Verdict("Current", message=f"programmed at {_address(gateway)}, {verdicts[0].message}", details={"address": _address(gateway)})


def _judge_services(gateway: Object, services: t.Sequence[Object]) -> Verdict | None:
    """None when a Service exists, and its address is that of the waypoint; other Gateways do not always have the IP addresses of their Service."""
    existing = [service for service in services if not terminating(service)]
    if not existing:
        message = f"it is programmed, but {'its Service is being deleted' if services else 'there is no Service behind it'}"
        return Verdict("InProgress", "NoService", message, _REMEDIES["NoService"])
    given = [str(address["value"]) for address in gateway["status"]["addresses"] if address.get("type") == "IPAddress"]
    if gateway["spec"].get("gatewayClassName") != "istio-waypoint" or not given or any(NODE_SELECTOR in annotations_of(service) for service in existing):
        return None
    own = [address for service in existing for address in _own_addresses(service)]
    if not own or not set(given).isdisjoint(own):
        return None
    name = f"Service {existing[0]['metadata']['namespace']}/{existing[0]['metadata']['name']}"
    message = f"its address {', '.join(given)} is not that of {name}, which is {', '.join(own)}"
    return Verdict("InProgress", "AddressOutdated", message, _REMEDIES["AddressOutdated"])


def _own_addresses(service: Object) -> list[str]:
    """Where a Service can be reached: its own cluster IPs, its spec's external ones, and its load balancer's."""
    spec = service["spec"]
    cluster = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [*(address for address in cluster if address not in (None, "", "None")), *(spec.get("externalIPs") or ()), *external_addresses(service)]


def _judge_behind(deployment: Object) -> Verdict:
    """The verdict on a Deployment, in terms of its Gateway; one without replicas is Current, but serves no traffic."""
    name = f"Deployment {deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
    verdict = judge_deployment(name, deployment)
    if not verdict.current:
        return replace(verdict, message=f"it is programmed, but {name}: {verdict.message}")
    if not deployment["spec"].get("replicas", 1):
        message = f"it is programmed, but {name} is scaled to 0, so its traffic goes nowhere"
        return Verdict("InProgress", "NoReplicas", message, "Scale the Deployment up.")
    return verdict


def _judge_condition(gateway: Object, kind: str) -> Verdict | None:
    """None when the condition is True at this generation."""
    found = condition(gateway, kind)
    generation = gateway["metadata"].get("generation", 0)
    if found is None or found.get("reason") == "Pending":
        return Verdict(
            "InProgress", "Pending", f"{kind} has not been decided: {(found or {}).get('message', 'no controller has processed it')}", _REMEDIES["Pending"]
        )
    if (observed_generation(found) or 0) < generation:
        message = f"{kind} is for generation {observed_generation(found) or 0}, but the current generation is {generation}"
        return Verdict("InProgress", "GenerationNotObserved", message, _REMEDIES["Pending"], found.get("lastTransitionTime", ""))
    if found.get("status") == "True":
        return None
    reason = str(found.get("reason", ""))
    final = kind == "Accepted" and reason in _FINAL_REASONS
    remedy = _REMEDIES.get(reason, "This message comes from istiod.")
    if "address pending for hostname" in str(found.get("message", "")):
        remedy = _CHECK_LOAD_BALANCER
    return Verdict(
        "Failed" if final else "InProgress",
        reason,
        f"{kind} is {found.get('status')}: {found.get('message', '')}",
        remedy,
        found.get("lastTransitionTime", ""),
        final,
    )


def _judge_listeners(gateway: Object) -> Verdict | None:
    """The first listener that does not serve; None when all do, or when none was reported on at this generation. What it refers to may still be created."""
    generation = gateway["metadata"].get("generation", 0)
    for listener in (gateway.get("status") or {}).get("listeners") or ():
        for kind, good_status in _LISTENER_CONDITIONS:
            found = condition({"status": listener}, kind)
            if found is None or found.get("status") == good_status or (observed_generation(found) or 0) < generation:
                continue
            reason = str(found.get("reason", ""))
            final = kind != "ResolvedRefs" and bool((condition(gateway, "Accepted") or {}).get("status") == "False")
            return Verdict(
                "Failed" if final else "InProgress",
                reason,
                f"{kind} of listener {listener.get('name')} is {found.get('status')}: {found.get('message', '')}",
                _REMEDIES.get(reason, _REMEDIES["ListenersNotValid"]),
                found.get("lastTransitionTime", ""),
                final,
            )
    return None


def _addresses(gateway: Object) -> list[str]:
    return [str(address.get("value")) for address in gateway["status"]["addresses"]]


def _address(gateway: Object) -> str:
    return ", ".join(_addresses(gateway))


def gateway_needs(namespace: str, *, parameters: bool = False, events: bool = False) -> t.Iterable[Need]:
    """What must be read for a Gateway: also for its parameters, and for the events about it."""
    kinds = [GATEWAY, DEPLOYMENT, SERVICE]
    if parameters:
        kinds += [HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET]
    if events:
        kinds.append(EVENT)
    return ((kind, namespace) for kind in kinds)


def judge_with_owned(target: Target, gateway: Object | None, snapshot: Snapshot, *, load_balancer: bool = False) -> Verdict:
    """judge_gateway, with what istiod has created for the Gateway."""
    managed = gateway is None or is_managed(gateway)
    deployments, services = (_owned_by(gateway, target, snapshot, kind) for kind in (DEPLOYMENT, SERVICE))
    return judge_gateway(target.title_of(GATEWAY), gateway, deployments, services, managed=managed, load_balancer=load_balancer)


def judge_parameters(overlays: Overlays | None, target: Target, gateway: Object | None, snapshot: Snapshot) -> Verdict | None:
    """Whether a Gateway's parameters have taken effect; None when they have, or when none are expected."""
    if overlays is None:
        return None
    kinds = (DEPLOYMENT, SERVICE, HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET)
    deployment, service, autoscaler, budget = (next(iter(_owned_by(gateway, target, snapshot, kind)), None) for kind in kinds)
    return judge_waypoint_parameters(overlays, deployment, service, autoscaler, budget)


def _owned_by(gateway: Object | None, target: Target, snapshot: Snapshot, kind: Kind) -> list[Object]:
    """What istiod has created for a Gateway: it has the Gateway's name as label, and the Gateway as owner.

    What it created for a deleted Gateway of the same name still exists for a moment, but does not serve this one.
    Source: istio's templates (manifests/charts/istio-control/istio-discovery/files), which all write ownerReferences.
    """
    uid = gateway["metadata"].get("uid") if gateway else None
    named = [item for item in snapshot.all(kind, target.namespace) if labels_of(item).get(GATEWAY_NAME) == target.name]
    return [item for item in named if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ())]


def _needs(target: Target) -> t.Iterable[Need]:
    expected = target.expected(GatewayExpectation)
    return gateway_needs(target.namespace, parameters=expected.overlays is not None, events=expected.controller is not None)


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    expected = target.expected(GatewayExpectation)
    gateway = snapshot.get(GATEWAY, target.name, target.namespace)
    verdict = judge_with_owned(target, gateway, snapshot, load_balancer=expected.load_balancer)
    services = _owned_by(gateway, target, snapshot, SERVICE) if expected.controller or expected.service_annotations else []
    answer = judge_controller(expected.controller, snapshot, SERVICE, target.namespace, [service["metadata"]["name"] for service in services])
    if answer and (answer.final or verdict.current):
        return answer
    if not verdict.current:
        return verdict
    return _missing_annotations(expected.service_annotations, services) or judge_parameters(expected.overlays, target, gateway, snapshot) or verdict


def _missing_annotations(expected: t.Mapping[str, str], services: t.Sequence[Object]) -> Verdict | None:
    """Whether annotations that configure a load balancer have not reached the Service yet."""
    for service in services:
        current = annotations_of(service)
        missing = [key for key, value in sorted(expected.items()) if current.get(key) != value]
        if missing:
            name = f"Service {service['metadata']['namespace']}/{service['metadata']['name']}"
            message = f"{name} does not have the expected {', '.join(missing)}"
            return Verdict("InProgress", "AnnotationsNotApplied", message, "istiod copies them: check that it is running, and check its log.")
    return None


GATEWAY_RULE = Rule(_needs, ("name", "namespace"), _judge)

__all__ = ("GATEWAY_RULE", "GatewayExpectation", "gateway_needs", "judge_gateway", "judge_parameters", "judge_with_owned")
