# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Is a Gateway, or a waypoint, more than programmed: does a ready pod stand behind its address?

Source: istio pilot/pkg/config/kube/gateway/conversion.go (reportGatewayStatus) and gatewaycommon/deploymentcontroller.go.
Programmed alone does not prove a ready pod: istiod asks for an endpoint, not for its health.
"""

from __future__ import annotations

import typing as t

from .addresses import external_problem
from .verdict import Object, Verdict, condition, not_found, observed_generation, terminating
from .workloads import judge_deployment

# Accepted=False with one of these cannot become True unless somebody changes the Gateway.
_FINAL_REASONS = frozenset({"InvalidParameters", "UnsupportedAddress", "ListenersNotValid"})

_LOOK_AT_LOAD_BALANCER = "See that a load balancer controller runs, and what its events say of the Service."
_REMEDIES = {
    "Pending": "No control plane has taken it up: see that istiod runs, that GatewayClass and revision (label istio.io/rev) are ones that it owns.",
    "AddressNotAssigned": "Its Service has no address or endpoint yet: look at the pods that istiod made for it.",
    "AddressNotUsable": "Its Service or port was not found: look at the Service of the same name.",
    "InvalidParameters": "Correct the ConfigMap that spec.infrastructure.parametersRef names.",
    "UnsupportedAddress": "Take the address out of spec.addresses.",
    "ListenersNotValid": "Correct the listeners; their own conditions say what is wrong.",
}


def judge_gateway(
    title: str,
    gateway: Object | None,
    deployments: t.Sequence[Object],
    *,
    managed: bool = True,
    load_balancer_services: t.Sequence[Object] | None = None,
) -> Verdict:
    """Current when accepted and programmed at this generation, with an address, and its Deployment's pods available.

    Args:
        title: how messages name it.
        gateway: the Gateway, or None.
        deployments: the Deployments that carry its gateway-name label.
        managed: whether istiod makes a Deployment for it; it makes none for a Gateway with an address of type Hostname.
        load_balancer_services: the Services that carry its gateway-name label, when its address must be a load balancer's; else None.
    """
    if gateway is None:
        return not_found(title, "Create it (module waypoint for a waypoint), or correct its name.")
    deleted = terminating(gateway)
    if deleted:
        return deleted
    for kind in ("Accepted", "Programmed"):
        verdict = _judge_condition(gateway, kind)
        if verdict:
            return verdict
    if not (gateway.get("status") or {}).get("addresses"):
        return Verdict("InProgress", "NoAddress", "it has no address", _REMEDIES["AddressNotAssigned"])
    external = None if load_balancer_services is None else external_problem(_addresses(gateway), load_balancer_services)
    if external:
        return Verdict("InProgress", "NoLoadBalancer", external, _LOOK_AT_LOAD_BALANCER)
    if not managed:
        return Verdict("Current", message=f"programmed at {_address(gateway)}")
    if not deployments:
        message = "it is programmed, but there is no Deployment behind it"
        return Verdict("InProgress", "NoDeployment", message, "Look for a Deployment of the same name that istiod did not make, and rename one of the two.")
    name = f"Deployment {deployments[0]['metadata']['namespace']}/{deployments[0]['metadata']['name']}"
    verdict = judge_deployment(name, deployments[0])
    if not verdict.current:
        return Verdict(verdict.status, verdict.reason, f"it is programmed, but {name}: {verdict.message}", verdict.remedy, verdict.since, verdict.final)
    if not deployments[0]["spec"].get("replicas", 1):
        message = f"it is programmed, but {name} is scaled to 0, so its traffic goes nowhere"
        return Verdict("InProgress", "NoReplicas", message, "Scale the Deployment up.")
    return Verdict("Current", message=f"programmed at {_address(gateway)}, {verdict.message}", details={"address": _address(gateway)})


def _judge_condition(gateway: Object, kind: str) -> Verdict | None:
    """None when the condition is True and speaks of this generation."""
    seen = condition(gateway, kind)
    generation = gateway["metadata"].get("generation", 0)
    if seen is None or seen.get("reason") == "Pending":
        return Verdict(
            "InProgress", "Pending", f"{kind} has not been decided: {(seen or {}).get('message', 'no controller has looked at it')}", _REMEDIES["Pending"]
        )
    if (observed_generation(seen) or 0) < generation:
        message = f"{kind} speaks of generation {observed_generation(seen) or 0}, but generation {generation} is wanted"
        return Verdict("InProgress", "GenerationNotObserved", message, _REMEDIES["Pending"], seen.get("lastTransitionTime", ""))
    if seen.get("status") == "True":
        return None
    reason = str(seen.get("reason", ""))
    final = kind == "Accepted" and reason in _FINAL_REASONS
    remedy = _REMEDIES.get(reason, "The message above is istiod's own.")
    if "address pending for hostname" in str(seen.get("message", "")):
        remedy = _LOOK_AT_LOAD_BALANCER
    return Verdict(
        "Failed" if final else "InProgress",
        reason,
        f"{kind} is {seen.get('status')}: {seen.get('message', '')}",
        remedy,
        seen.get("lastTransitionTime", ""),
        final,
    )


def _addresses(gateway: Object) -> list[str]:
    return [str(address.get("value")) for address in gateway["status"]["addresses"]]


def _address(gateway: Object) -> str:
    return ", ".join(_addresses(gateway))


__all__ = ("judge_gateway",)
