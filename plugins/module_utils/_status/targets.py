# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What can be waited for: each kind of target, what must be read for it, and who judges it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import GATEWAY_NAME, labels_of
from .._mesh.waypoint import WaypointRef
from .bindings import judge_binding
from .control_plane import judge_control_plane
from .custom_resources import judge_custom_resource_definition
from .enrollments import judge_enrollment
from .gateways import judge_gateway
from .verdict import Object, Verdict
from .workloads import judge_daemon_set, judge_deployment, judge_stateful_set


class Snapshot(t.Protocol):
    """The objects that have been read."""

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""

    def all(self, kind: str, namespace: str | None = None) -> t.Sequence[Object]:
        """All objects of a kind, in a namespace or everywhere."""


@dataclass(frozen=True)
class Target:
    """One thing to wait for.

    Attributes:
        kind: a key of RULES.
        name: the object's name; for a control plane, its revision.
        namespace: its namespace.
        waypoint: for a binding, the waypoint that must be bound.
    """

    kind: str
    name: str = ""
    namespace: str = ""
    waypoint: WaypointRef | None = None

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.kind} {place}"

    @property
    def needs(self) -> tuple[tuple[str, str | None], ...]:
        """The kinds to read, each with the namespace to read it in (None: it has none)."""
        return tuple((kind, self.namespace if namespaced else None) for kind, namespaced in RULES[self.kind].needs)

    def judge(self, snapshot: Snapshot) -> Verdict:
        """The verdict on what has been read."""
        return RULES[self.kind].judge(self, snapshot)


@dataclass(frozen=True)
class Rule:
    """How targets of one kind are judged.

    Attributes:
        needs: the kinds to read, and whether each is in the target's namespace.
        options: the target's options that must be given.
        judge: the verdict.
    """

    needs: tuple[tuple[str, bool], ...]
    options: tuple[str, ...]
    judge: t.Callable[[Target, Snapshot], Verdict]


def _control_plane(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_control_plane(
        target.namespace,
        target.name or "default",
        snapshot.all("Deployment", target.namespace),
        snapshot.all("EndpointSlice", target.namespace),
        [*snapshot.all("ValidatingWebhookConfiguration"), *snapshot.all("MutatingWebhookConfiguration")],
    )


def _gateway(target: Target, snapshot: Snapshot) -> Verdict:
    gateway = snapshot.get("Gateway", target.name, target.namespace)
    deployments = [item for item in snapshot.all("Deployment", target.namespace) if labels_of(item).get(GATEWAY_NAME) == target.name]
    addresses = (gateway["spec"].get("addresses") if gateway else None) or ()
    managed = not any(address.get("type") == "Hostname" for address in addresses)
    return judge_gateway(f"Gateway {target.namespace}/{target.name}", gateway, deployments, managed=managed)


def _waypoint(target: Target, snapshot: Snapshot) -> Verdict:
    gateway = snapshot.get("Gateway", target.name, target.namespace)
    gateway_class = gateway["spec"].get("gatewayClassName") if gateway else None
    if gateway_class not in (None, "istio-waypoint"):
        message = f"Gateway {target.namespace}/{target.name} is of class {gateway_class}, not a waypoint"
        return Verdict("Failed", "NotAWaypoint", message, "Name a Gateway of class istio-waypoint.", final=True)
    return _gateway(target, snapshot)


def _binding(target: Target, snapshot: Snapshot) -> Verdict:
    namespace = snapshot.get("Namespace", target.namespace)
    services = snapshot.all("Service", target.namespace)
    if target.name:
        services = [item for item in services if item["metadata"]["name"] == target.name]
    title = f"Service {target.namespace}/{target.name}" if target.name else f"Namespace {target.namespace}"
    return judge_binding(title, services, namespace, target.waypoint, one=bool(target.name))


def _enrollment(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_enrollment(target.namespace, snapshot.get("Namespace", target.namespace), snapshot.all("Pod", target.namespace))


def _workload(kind: str, judge: t.Callable[[str, Object | None], Verdict]) -> Rule:
    def judge_one(target: Target, snapshot: Snapshot) -> Verdict:
        return judge(f"{kind} {target.namespace}/{target.name}", snapshot.get(kind, target.name, target.namespace))

    return Rule(((kind, True),), ("name", "namespace"), judge_one)


def _definition(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_custom_resource_definition(target.name, snapshot.get("CustomResourceDefinition", target.name))


_GATEWAY_NEEDS = (("Gateway", True), ("Deployment", True))

RULES: t.Mapping[str, Rule] = {
    "control_plane": Rule(
        (("Deployment", True), ("EndpointSlice", True), ("ValidatingWebhookConfiguration", False), ("MutatingWebhookConfiguration", False)),
        ("namespace",),
        _control_plane,
    ),
    "waypoint": Rule(_GATEWAY_NEEDS, ("name", "namespace"), _waypoint),
    "binding": Rule((("Service", True), ("Namespace", False)), ("namespace",), _binding),
    "enrollment": Rule((("Pod", True), ("Namespace", False)), ("namespace",), _enrollment),
    "CustomResourceDefinition": Rule((("CustomResourceDefinition", False),), ("name",), _definition),
    "DaemonSet": _workload("DaemonSet", judge_daemon_set),
    "Deployment": _workload("Deployment", judge_deployment),
    "Gateway": Rule(_GATEWAY_NEEDS, ("name", "namespace"), _gateway),
    "StatefulSet": _workload("StatefulSet", judge_stateful_set),
}

__all__ = ("RULES", "Snapshot", "Target")
