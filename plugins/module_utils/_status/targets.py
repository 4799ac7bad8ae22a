# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What can be waited for: each kind of target, what must be read for it, and who judges it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._kinds import (
    AUTHORIZATION_POLICY,
    BY_NAME,
    CUSTOM_RESOURCE_DEFINITION,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EVENT,
    GATEWAY,
    GRPC_ROUTE,
    HORIZONTAL_POD_AUTOSCALER,
    HTTP_ROUTE,
    INGRESS,
    JOB,
    MUTATING_WEBHOOK,
    NAMESPACE,
    PEER_AUTHENTICATION,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REQUEST_AUTHENTICATION,
    SERVICE,
    SERVICE_ENTRY,
    STATEFUL_SET,
    VALIDATING_WEBHOOK,
    Kind,
)
from .._mesh.capture import EXCLUDED_NAMESPACES
from .._mesh.labels import GATEWAY_NAME, annotations_of, labels_of
from .._waypoint.gateway import WaypointRef
from .addresses import judge_ingress, judge_service
from .any_objects import WantedCondition, judge_any_object
from .bindings import judge_binding
from .control_plane import judge_control_plane, webhooks_of
from .custom_resources import judge_custom_resource_definition
from .enrollments import judge_enrollment
from .gateways import judge_gateway
from .load_balancers import about, judge_events
from .policies import ROOT_NAMESPACE, judge_authorization_policy, judge_peer_authentication, judge_request_authentication
from .probes import Probe
from .routes import judge_route, parents_of
from .verdict import Object, Verdict
from .waypoint_parameters import judge_waypoint_parameters
from .webhooks import judge_webhooks, probes_of, services_of
from .workloads import judge_daemon_set, judge_deployment, judge_job, judge_pod, judge_replica_set, judge_stateful_set

# A kind to read, and the namespace to read it in; None for all of them, or when it has none.
Need = t.Tuple[Kind, t.Optional[str]]


class Snapshot(t.Protocol):
    """The objects that have been read."""

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""

    def all(self, kind: Kind, namespace: str | None = None) -> t.Sequence[Object]:
        """All objects of a kind, in a namespace or everywhere."""


@dataclass(frozen=True)
class Target:
    """One thing to wait for.

    Attributes:
        kind: a key of RULES; with api_kind, any kind.
        name: the object's name; for a control plane, its revision.
        namespace: its namespace.
        waypoint: for a binding, the waypoint that must be bound.
        wish: what else must be true of it, by the names of its rule's wishes; and as C(now) the time, in seconds since the epoch,
            by which certificates are judged. Of what has a load balancer: as C(known_events) the events of former times, without which none
            are read, and C(written) and C(since) to tell these (see judge_events); as C(reconciled) that its controller must have said that it is true;
            as C(service_annotations) what the Service must have.
        api_kind: for an object of any kind, where the API server serves it.
    """

    kind: str
    name: str = ""
    namespace: str = ""
    waypoint: WaypointRef | None = None
    wish: t.Mapping[str, t.Any] = field(default_factory=dict, hash=False)
    api_kind: Kind | None = None

    def __str__(self) -> str:
        return self.title

    @property
    def rule(self) -> Rule:
        """How it is judged."""
        return ANY_OBJECT if self.api_kind else RULES[self.kind]

    @property
    def title(self) -> str:
        """How messages name its object."""
        return f"{self.kind} {'/'.join(part for part in (self.namespace, self.name) if part)}"

    def title_of(self, kind: Kind) -> str:
        """How messages name the object of this kind that it is about."""
        return f"{kind.name} {self.namespace}/{self.name}"

    @property
    def needs(self) -> tuple[Need, ...]:
        """The kinds to read, each with the namespace to read it in (None: in all, or it has none)."""
        return tuple(self.rule.needs(self))

    def judge(self, snapshot: Snapshot) -> Verdict:
        """The verdict on what has been read."""
        return self.rule.judge(self, snapshot)

    def probes(self, snapshot: Snapshot) -> tuple[Probe, ...]:
        """What must answer besides, when the verdict on what has been read is Current."""
        return tuple(self.rule.probes(self, snapshot))


@dataclass(frozen=True)
class Rule:
    """How targets of one kind are judged.

    Attributes:
        needs: what must be read for a target.
        options: the target's options that must be given.
        judge: the verdict.
        probes: what must answer besides.
        wishes: the names of what else may be asked for.
    """

    needs: t.Callable[[Target], t.Iterable[Need]]
    options: tuple[str, ...]
    judge: t.Callable[[Target, Snapshot], Verdict]
    probes: t.Callable[[Target, Snapshot], t.Iterable[Probe]] = lambda _target, _snapshot: ()
    wishes: tuple[str, ...] = ()


def _near(*kinds: Kind) -> t.Callable[[Target], t.Iterable[Need]]:
    """Needs of what lies beside the target: in its namespace, where kinds have one."""
    return lambda target: ((kind, target.namespace if kind.namespaced else None) for kind in kinds)


def _control_plane(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_control_plane(
        target.namespace,
        target.name or "default",
        snapshot.all(DEPLOYMENT, target.namespace),
        snapshot.all(ENDPOINT_SLICE, target.namespace),
        [*snapshot.all(VALIDATING_WEBHOOK), *snapshot.all(MUTATING_WEBHOOK)],
        now=target.wish.get("now"),
    )


def _control_plane_probes(target: Target, snapshot: Snapshot) -> t.Iterable[Probe]:
    webhooks = [*snapshot.all(VALIDATING_WEBHOOK), *snapshot.all(MUTATING_WEBHOOK)]
    return probes_of(webhooks_of(target.namespace, target.name or "default", webhooks))


def _webhooks(kind: Kind) -> Rule:
    """Their Services may be anywhere; who names their namespace has less read."""

    def needs(target: Target) -> t.Iterable[Need]:
        return (kind, None), (SERVICE, target.namespace or None), (ENDPOINT_SLICE, target.namespace or None)

    def judge(target: Target, snapshot: Snapshot) -> Verdict:
        configuration = snapshot.get(kind, target.name)
        places = services_of(configuration)
        services = [service for namespace, name in places for service in [snapshot.get(SERVICE, name, namespace)] if service]
        slices = [item for namespace in dict.fromkeys(namespace for namespace, _name in places) for item in snapshot.all(ENDPOINT_SLICE, namespace)]
        return judge_webhooks(f"{kind.name} {target.name}", configuration, services, slices, now=target.wish.get("now"))

    def probes(target: Target, snapshot: Snapshot) -> t.Iterable[Probe]:
        configuration = snapshot.get(kind, target.name)
        return probes_of([configuration] if configuration else [])

    return Rule(needs, ("name",), judge, probes)


def _gateway_needs(target: Target) -> t.Iterable[Need]:
    kinds = [GATEWAY, DEPLOYMENT, SERVICE]
    if target.wish.get("overlays") is not None:
        kinds += [HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET]
    if target.wish.get("known_events") is not None:
        kinds.append(EVENT)
    return ((kind, target.namespace) for kind in kinds)


def _gateway(target: Target, snapshot: Snapshot) -> Verdict:
    gateway = snapshot.get(GATEWAY, target.name, target.namespace)
    addresses = (gateway["spec"].get("addresses") if gateway else None) or ()
    managed = not any(address.get("type") == "Hostname" for address in addresses)
    deployments, services = (_made_for(gateway, target, snapshot, kind) for kind in (DEPLOYMENT, SERVICE))
    load_balancer = bool(target.wish.get("load_balancer"))
    verdict = judge_gateway(target.title_of(GATEWAY), gateway, deployments, services, managed=managed, load_balancer=load_balancer)
    if target.kind == "waypoint":
        return verdict
    said = _said_of(target, snapshot, SERVICE, [service["metadata"]["name"] for service in services])
    if said and (said.final or verdict.current):
        return said
    if not verdict.current:
        return verdict
    return _lacking_annotations(target, services) or _parameters_problem(target, snapshot, gateway) or verdict


def _said_of(target: Target, snapshot: Snapshot, kind: Kind, names: t.Collection[str]) -> Verdict | None:
    """What the load balancer controller has against the target's objects; None when nothing, or when that is not asked."""
    known = target.wish.get("known_events")
    if known is None:
        return None
    events = about(snapshot.all(EVENT, target.namespace), kind.name, names)
    wish = target.wish
    return judge_events(events, known, reconciled=bool(wish.get("reconciled")), written=wish.get("written", 0), since=wish.get("since", ""))


def _lacking_annotations(target: Target, services: t.Sequence[Object]) -> Verdict | None:
    """The annotations by which a load balancer is asked for, as they have reached the Service."""
    for service in services:
        there = annotations_of(service)
        lacking = [key for key, value in sorted((target.wish.get("service_annotations") or {}).items()) if there.get(key) != value]
        if lacking:
            name = f"Service {service['metadata']['namespace']}/{service['metadata']['name']}"
            message = f"{name} does not have {', '.join(lacking)} as wanted"
            return Verdict("InProgress", "AnnotationsNotApplied", message, "istiod copies them: see that it runs, and what its log says.")
    return None


def _parameters_problem(target: Target, snapshot: Snapshot, gateway: Object | None) -> Verdict | None:
    overlays = target.wish.get("overlays")
    if overlays is None:
        return None
    kinds = (DEPLOYMENT, SERVICE, HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET)
    deployment, service, autoscaler, budget = (next(iter(_made_for(gateway, target, snapshot, kind)), None) for kind in kinds)
    return judge_waypoint_parameters(overlays, deployment, service, autoscaler, budget)


def _made_for(gateway: Object | None, target: Target, snapshot: Snapshot, kind: Kind) -> list[Object]:
    """What istiod has made for a Gateway carries its name as label, and is owned by it.

    What it made for one of the same name that was deleted just before is still there for a moment, but is of no use to this one.
    Source: istio's templates (manifests/charts/istio-control/istio-discovery/files), which all write ownerReferences.
    """
    uid = gateway["metadata"].get("uid") if gateway else None
    named = [item for item in snapshot.all(kind, target.namespace) if labels_of(item).get(GATEWAY_NAME) == target.name]
    return [item for item in named if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ())]


def _waypoint(target: Target, snapshot: Snapshot) -> Verdict:
    gateway = snapshot.get(GATEWAY, target.name, target.namespace)
    gateway_class = gateway["spec"].get("gatewayClassName") if gateway else None
    if gateway_class not in (None, "istio-waypoint"):
        message = f"Gateway {target.namespace}/{target.name} is of class {gateway_class}, not a waypoint"
        return Verdict("Failed", "NotAWaypoint", message, "Name a Gateway of class istio-waypoint.", final=True)
    verdict = _gateway(target, snapshot)
    # None at all is a wish, too: then nothing of them may be left.
    return (_parameters_problem(target, snapshot, gateway) if verdict.current else None) or verdict


def _bound_kind(target: Target) -> Kind:
    return BY_NAME[str(target.wish.get("bound_kind") or SERVICE.name)]


def _binding_needs(target: Target) -> t.Iterable[Need]:
    return (_bound_kind(target), target.namespace), (NAMESPACE, None)


def _binding(target: Target, snapshot: Snapshot) -> Verdict:
    kind = _bound_kind(target)
    namespace = snapshot.get(NAMESPACE, target.namespace)
    if target.name:
        one = snapshot.get(kind, target.name, target.namespace)
        services: t.Sequence[Object] = [one] if one else []
    else:
        services = snapshot.all(kind, target.namespace)
    title = f"{kind.name} {target.namespace}/{target.name}" if target.name else f"Namespace {target.namespace}"
    return judge_binding(title, services, namespace, target.waypoint, one=bool(target.name), kind=kind.name)


def _enrollment(target: Target, snapshot: Snapshot) -> Verdict:
    excluded = target.wish.get("excluded_namespaces")
    namespace = snapshot.get(NAMESPACE, target.namespace)
    return judge_enrollment(target.namespace, namespace, snapshot.all(POD, target.namespace), EXCLUDED_NAMESPACES if excluded is None else excluded)


def _one(kind: Kind, judge: t.Callable[[str, Object | None], Verdict]) -> Rule:
    """A rule that reads the object alone."""

    def judge_one(target: Target, snapshot: Snapshot) -> Verdict:
        return judge(target.title_of(kind), snapshot.get(kind, target.name, target.namespace))

    return Rule(_near(kind), ("name", "namespace"), judge_one)


def _ingress_needs(target: Target) -> t.Iterable[Need]:
    yield INGRESS, target.namespace
    if target.wish.get("known_events") is not None:
        yield EVENT, target.namespace


def _ingress(target: Target, snapshot: Snapshot) -> Verdict:
    ingress = snapshot.get(INGRESS, target.name, target.namespace)
    verdict = judge_ingress(target.title_of(INGRESS), ingress)
    said = _said_of(target, snapshot, INGRESS, [target.name]) if ingress else None
    return said if said and (said.final or verdict.current or said.reason != "NotReconciled") else verdict


def _service(target: Target, snapshot: Snapshot) -> Verdict:
    service = snapshot.get(SERVICE, target.name, target.namespace)
    return judge_service(target.title_of(SERVICE), service, load_balancer=bool(target.wish.get("load_balancer")))


def _definition(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_custom_resource_definition(
        target.name,
        snapshot.get(CUSTOM_RESOURCE_DEFINITION, target.name),
        served_versions=target.wish.get("served_versions") or (),
        bundle_version=target.wish.get("bundle_version") or "",
    )


def _route(kind: Kind) -> Rule:
    """Its parents may be in other namespaces, and who they are is known only when it has been read."""

    def needs(target: Target) -> t.Iterable[Need]:
        return (kind, target.namespace), (SERVICE, None), (NAMESPACE, None)

    def judge(target: Target, snapshot: Snapshot) -> Verdict:
        route = snapshot.get(kind, target.name, target.namespace)
        parents = [(namespace, name) for parent, namespace, name in parents_of(route) if parent == SERVICE.name]
        services = {place: snapshot.get(SERVICE, place[1], place[0]) for place in parents}
        namespaces = {namespace: snapshot.get(NAMESPACE, namespace) for namespace, _name in parents}
        return judge_route(target.title_of(kind), route, services, namespaces)

    return Rule(needs, ("name", "namespace"), judge)


def _peer_authentication(target: Target, snapshot: Snapshot) -> Verdict:
    policy = snapshot.get(PEER_AUTHENTICATION, target.name, target.namespace)
    neighbours = snapshot.all(PEER_AUTHENTICATION, target.namespace)
    return judge_peer_authentication(target.title_of(PEER_AUTHENTICATION), policy, neighbours, root_namespace=_root_namespace(target))


def _request_authentication(target: Target, snapshot: Snapshot) -> Verdict:
    def find(kind: str, name: str) -> Object | None:
        return snapshot.get(BY_NAME[kind], name, target.namespace)

    policy = snapshot.get(REQUEST_AUTHENTICATION, target.name, target.namespace)
    namespace = snapshot.get(NAMESPACE, target.namespace)
    return judge_request_authentication(target.title_of(REQUEST_AUTHENTICATION), policy, namespace, find, root_namespace=_root_namespace(target))


def _root_namespace(target: Target) -> str:
    return str(target.wish.get("root_namespace") or ROOT_NAMESPACE)


def _any_object_needs(target: Target) -> t.Iterable[Need]:
    return ((kind, target.namespace if kind.namespaced else None) for kind in (target.api_kind,) if kind)


def _any_object(target: Target, snapshot: Snapshot) -> Verdict:
    kind = target.api_kind or BY_NAME[target.kind]
    wanted = target.wish.get("condition")
    return judge_any_object(
        target.title,
        snapshot.get(kind, target.name, target.namespace if kind.namespaced else None),
        wanted=WantedCondition(wanted["type"], wanted.get("status") or "True", wanted.get("reason") or "") if wanted else None,
        json_path=target.wish.get("json_path") or "",
        value=target.wish.get("value"),
    )


ANY_OBJECT = Rule(_any_object_needs, ("name",), _any_object, wishes=("condition", "json_path", "value"))

RULES: t.Mapping[str, Rule] = {
    "control_plane": Rule(_near(DEPLOYMENT, ENDPOINT_SLICE, VALIDATING_WEBHOOK, MUTATING_WEBHOOK), ("namespace",), _control_plane, _control_plane_probes),
    "waypoint": Rule(_gateway_needs, ("name", "namespace"), _waypoint),
    "binding": Rule(_binding_needs, ("namespace",), _binding, wishes=("bound_kind",)),
    "enrollment": Rule(_near(POD, NAMESPACE), ("namespace",), _enrollment, wishes=("excluded_namespaces",)),
    "AuthorizationPolicy": _one(AUTHORIZATION_POLICY, judge_authorization_policy),
    "CustomResourceDefinition": Rule(_near(CUSTOM_RESOURCE_DEFINITION), ("name",), _definition, wishes=("served_versions", "bundle_version")),
    "DaemonSet": _one(DAEMON_SET, judge_daemon_set),
    "Deployment": _one(DEPLOYMENT, judge_deployment),
    "GRPCRoute": _route(GRPC_ROUTE),
    "Gateway": Rule(_gateway_needs, ("name", "namespace"), _gateway, wishes=("load_balancer",)),
    "HTTPRoute": _route(HTTP_ROUTE),
    "Ingress": Rule(_ingress_needs, ("name", "namespace"), _ingress),
    "Job": _one(JOB, judge_job),
    "MutatingWebhookConfiguration": _webhooks(MUTATING_WEBHOOK),
    "PeerAuthentication": Rule(_near(PEER_AUTHENTICATION), ("name", "namespace"), _peer_authentication, wishes=("root_namespace",)),
    "Pod": _one(POD, judge_pod),
    "ReplicaSet": _one(REPLICA_SET, judge_replica_set),
    "RequestAuthentication": Rule(
        _near(REQUEST_AUTHENTICATION, NAMESPACE, GATEWAY, SERVICE, SERVICE_ENTRY), ("name", "namespace"), _request_authentication, wishes=("root_namespace",)
    ),
    "Service": Rule(_near(SERVICE), ("name", "namespace"), _service, wishes=("load_balancer",)),
    "StatefulSet": _one(STATEFUL_SET, judge_stateful_set),
    "ValidatingWebhookConfiguration": _webhooks(VALIDATING_WEBHOOK),
}

__all__ = ("ANY_OBJECT", "RULES", "Need", "Probe", "Rule", "Snapshot", "Target")
