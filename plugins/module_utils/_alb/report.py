# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Application Load Balancers as a module returns them, each with the hops from it to the pods."""

from __future__ import annotations

import typing as t

from .._ingress.provisioner import CONTROLLER
from .._status.addresses import external_addresses
from .render import backend_service

if t.TYPE_CHECKING:
    from .._ingress.plan import Place
    from .._ingress.spec import DesiredItem
    from .refusals import AlbState


def report_albs(
    items: t.Iterable[DesiredItem], state: AlbState, verdicts: t.Sequence[t.Mapping[str, t.Any]], ready_pods: t.Mapping[Place, list[str]]
) -> list[dict[str, t.Any]]:
    """The load balancers that should be present.

    Args:
        items: the load balancers.
        state: the state before the writes.
        verdicts: the targets of a wait, as a module returns them.
        ready_pods: the names of the ready pods behind each Service.
    """
    addresses = {(verdict["namespace"], verdict["name"]): verdict["details"].get("address", "") for verdict in verdicts}
    return [_report(item, state, addresses.get(item.place), ready_pods) for item in items if item.present]


def _report(item: DesiredItem, state: AlbState, address: str | None, ready_pods: t.Mapping[Place, list[str]]) -> dict[str, t.Any]:
    namespace, name = item.place
    service = backend_service(item.item)
    ports = state.services.get((namespace, service), {}).get("spec", {}).get("ports") or ()
    node_port = next((port.get("nodePort", 0) for port in ports if port["port"] == item.item["service_port"]), 0)
    return {
        "name": name,
        "namespace": namespace,
        "made_by": CONTROLLER,
        "address": address or ", ".join(external_addresses(state.objects.get(item.main.key, {}))),
        "target_type": item.item["target_type"],
        "node_port": node_port if item.item["target_type"] == "instance" else 0,
        "service": service,
        "service_port": item.item["service_port"],
        "pods": ready_pods.get((namespace, service), []),
    }


__all__ = ("report_albs",)
