# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Gateways as a module returns them: where each is, and who provisions its load balancer."""

from __future__ import annotations

import typing as t

from .._diff import diff_of
from .._ingress.provisioner import CONTROLLER, NONE, find_provisioner
from .._ingress.spec import service_name
from .render import service_annotations, service_type

if t.TYPE_CHECKING:
    from .._ingress.plan import Place
    from .._ingress.spec import DesiredItem
    from .refusals import GatewayState


def report_gateways(
    items: t.Iterable[DesiredItem], state: GatewayState, verdicts: t.Sequence[t.Mapping[str, t.Any]], ready_pods: t.Mapping[Place, list[str]]
) -> list[dict[str, t.Any]]:
    """The gateways that should be present.

    Args:
        items: the gateways.
        state: the state before the writes.
        verdicts: the targets of a wait, as a module returns them.
        ready_pods: the names of the ready pods behind each Service.
    """
    ready = {(verdict["namespace"], verdict["name"]): verdict for verdict in verdicts if verdict["kind"] == "Gateway" and verdict["status"] == "Current"}
    return [_report(item, state, ready.get(item.place), ready_pods) for item in items if item.present]


def diff_namespaces(created: t.Iterable[str], labels: t.Mapping[str, t.Mapping[str, str]]) -> list[dict[str, str]]:
    """The diff of namespaces that are created, and of labels that they get."""
    return [
        *(diff_of(f"Namespace {name}", {}, {"name": name}) for name in created),
        *(diff_of(f"Namespace {name}", {}, {f"labels.{key}": value for key, value in missing.items()}) for name, missing in sorted(labels.items())),
    ]


def _report(item: DesiredItem, state: GatewayState, ready: t.Mapping[str, t.Any] | None, ready_pods: t.Mapping[Place, list[str]]) -> dict[str, t.Any]:
    namespace, name = item.place
    service = state.services.get((namespace, service_name(name)))
    addresses = (state.objects.get(item.main.key, {}).get("status") or {}).get("addresses") or ()
    provisioner = find_provisioner(service_type(item.item), service_annotations(item.item), service, state.handles_services)
    if provisioner == NONE and item.item["load_balancer"] == "alb":
        # An Ingress in front of it has one provisioned.
        provisioner = provisioner._replace(load_balancer="alb", made_by=CONTROLLER)
    return {
        "name": name,
        "namespace": namespace,
        "service": service_name(name),
        "deployment": service_name(name),
        "reference": f"{namespace}/{name}",
        # A gateway is ready when istiod has given its Service the desired type.
        "service_type": service_type(item.item) if ready else ((service or {}).get("spec") or {}).get("type", ""),
        "load_balancer": provisioner.load_balancer,
        "made_by": provisioner.made_by,
        "address": ready["details"].get("address", "") if ready else ", ".join(str(address["value"]) for address in addresses),
        "pods": ready_pods.get((namespace, service_name(name)), []),
    }


__all__ = (
    "diff_namespaces",
    "report_gateways",
)
