# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""From wishes about ingress and what is there to changes, and why they must not be made on this cluster."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import GATEWAY_NAME, Object, annotations_of, labels_of, matches
from . import gateway as entry
from . import nlb as network
from .alb import annotation, backend_service
from .compare import is_as_wanted, is_ours
from .removals import say_removals
from .words import STATUS_PORT_NAME

if t.TYPE_CHECKING:
    from .wishes import Key, Wanted, Wish

Action = t.Literal["created", "changed", "deleted", "unchanged"]
Place = t.Tuple[str, str]


@dataclass(frozen=True)
class Change:
    """What to do about one object.

    Attributes:
        wish: the item that it belongs to.
        wanted: the object as it should be.
        seen: the object as it is, or None.
        action: V(created), V(changed), V(deleted) or V(unchanged).
    """

    wish: Wish
    wanted: Wanted
    seen: Object | None
    action: Action

    @property
    def changed(self) -> bool:
        return self.action != "unchanged"


@dataclass(frozen=True)
class Surroundings:
    """What else is on the cluster.

    Attributes:
        namespaces: the labels of the namespaces, by name; those that are planned included.
        services: the Services in the namespaces of the items.
        planned_services: Services that an earlier task of a check run would make.
        deployments: names of Deployments that istiod did not make, with their namespaces.
        ingress_classes: the names of the IngressClasses; None where it is not known.
        controller: whether the load balancer controller is installed; None where it is not known.
        routable: whether pods have addresses that a load balancer can reach; None where it is not known.
        force_conflicts: whether what somebody else has made is taken over.
        override_deletion_protection: whether a load balancer that is guarded is deleted all the same.
        allow_unroutable_targets: whether pods are made targets though no such network plug-in is known.
        allow_load_balancer_service: whether an ALB may stand in front of a Service that has a load balancer of its own.
    """

    namespaces: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    services: t.Mapping[Place, Object] = field(default_factory=dict)
    planned_services: frozenset[Place] = frozenset()
    deployments: frozenset[Place] = frozenset()
    ingress_classes: frozenset[str] | None = None
    controller: bool | None = None
    routable: bool | None = None
    force_conflicts: bool = False
    override_deletion_protection: bool = False
    allow_unroutable_targets: bool = False
    allow_load_balancer_service: bool = False


def plan_changes(wishes: t.Iterable[Wish], objects: t.Mapping[Key, Object]) -> list[Change]:
    """What to do, in the order of the wishes; what belongs to an item follows it."""
    changes = []
    for wish in say_removals(list(wishes), objects):
        changes.append(_plan(wish, wish.main, objects.get(wish.main.key)))
        for wanted in wish.others:
            seen = objects.get(wanted.key)
            # What somebody else has made under such a name is none of ours to delete.
            changes.append(_plan(wish, wanted, seen if wanted.manifest or (seen is not None and is_ours(seen)) else None))
    return changes


def missing_labels(wishes: t.Iterable[Wish], namespaces: t.Mapping[str, t.Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The labels that namespaces still need for the routes of shared gateways."""
    missing: dict[str, dict[str, str]] = {}
    for wish in wishes:
        if wish.group != "gateways" or not wish.present:
            continue
        for name in wish.item.get("route_namespaces") or ():
            there = namespaces.get(name, {})
            lacking = {key: value for key, value in entry.access_labels(wish.item).items() if there.get(key) != value}
            if lacking:
                missing.setdefault(name, {}).update(lacking)
    return missing


def namespaces_to_make(wishes: t.Iterable[Wish], namespaces: t.Collection[str]) -> list[str]:
    """The namespaces of gateways that are not there and may be made."""
    wanted = {wish.item["namespace"] for wish in wishes if wish.group == "gateways" and wish.present and wish.item["create_namespace"]}
    return sorted(wanted - set(namespaces))


def guarded(change: Change, services: t.Mapping[Place, Object]) -> str:
    """The attributes of a load balancer that is to be deleted and is guarded against it; empty when it is not."""
    if change.action != "deleted" or change.seen is None:
        return ""
    kind, namespace, name = change.wanted.key
    attributes = ""
    if kind == "Ingress":
        attributes = annotation(change.seen, "load-balancer-attributes")
    elif kind == "Gateway":
        service = services.get((namespace, entry.service_name(name)))
        attributes = annotations_of(service).get(network.ATTRIBUTES, "") if service else ""
    return attributes if network.protected(attributes) else ""


def refuse_changes(changes: t.Sequence[Change], around: Surroundings) -> list[str]:
    """Why the changes must not be made on this cluster, one sentence each."""
    made = frozenset(namespaces_to_make([change.wish for change in changes], around.namespaces))
    known = made | frozenset(around.namespaces)
    refusals: list[str] = []
    for change in changes:
        refusals += _refuse_foreign(change, around)
        refusals += _refuse_guarded(change, around)
        if change.wanted is not change.wish.main or not change.wish.present:
            continue
        refusals += _refuse_namespaces(change.wish, known)
        if change.wish.group == "albs":
            refusals += _refuse_alb(change, changes, around)
        elif change.wish.group == "gateways":
            refusals += _refuse_gateway(change, around)
            refusals += _refuse_redirect(change.wish, around)
    return list(dict.fromkeys(refusals))


def _plan(wish: Wish, wanted: Wanted, seen: Object | None) -> Change:
    if not wanted.manifest:
        gone = seen is None or bool(seen["metadata"].get("deletionTimestamp"))
        return Change(wish, wanted, seen, "unchanged" if gone else "deleted")
    if seen is None:
        return Change(wish, wanted, None, "created")
    return Change(wish, wanted, seen, "unchanged" if is_as_wanted(seen, wanted.manifest) else "changed")


def _refuse_namespaces(wish: Wish, known: t.Collection[str]) -> t.Iterator[str]:
    names = [wish.item["namespace"], *(wish.item.get("route_namespaces") or ())]
    for name in dict.fromkeys(names):
        if name not in known:
            yield f"{wish.title}: namespace {name} does not exist: create it first, or correct its name."


def _refuse_foreign(change: Change, around: Surroundings) -> t.Iterator[str]:
    seen, (kind, namespace, name) = change.seen, change.wanted.key
    if seen is None or not change.changed or is_ours(seen) or around.force_conflicts:
        return
    verb = "delete" if change.action == "deleted" else "change"
    yield f"{change.wish.title}: {kind} {namespace}/{name} was made by somebody else: choose another name, or set force_conflicts to {verb} it."


def _refuse_guarded(change: Change, around: Surroundings) -> t.Iterator[str]:
    if guarded(change, around.services) and not around.override_deletion_protection:
        yield (
            f"{change.wish.title}: its load balancer has deletion protection, so it would not be deleted: set deletion_protection to false and run, "
            "or set override_deletion_protection."
        )


def _refuse_alb(change: Change, changes: t.Sequence[Change], around: Surroundings) -> t.Iterator[str]:
    wish, item = change.wish, change.wish.item
    if around.ingress_classes is not None and item["ingress_class"] not in around.ingress_classes:
        yield (
            f"{wish.title}: this cluster has no IngressClass {item['ingress_class']}, so nobody would make the load balancer: "
            "install the AWS Load Balancer Controller (role alb_controller), or correct ingress_class."
        )
    yield from _refuse_unroutable(wish, item, around)
    yield from _refuse_backend(wish, changes, around)
    before = annotation(change.seen, "load-balancer-name") if change.seen else ""
    addressed = bool(change.seen and ((change.seen.get("status") or {}).get("loadBalancer") or {}).get("ingress"))
    after = item.get("load_balancer_name") or ""
    if change.seen and addressed and before != after:
        yield (
            f"{wish.title}: load_balancer_name would change from {before or 'none'} to {after or 'none'}, but a load balancer gets its name "
            "when it is made: delete the item (state absent) and make it anew, or keep the name."
        )


def _refuse_backend(wish: Wish, changes: t.Sequence[Change], around: Surroundings) -> t.Iterator[str]:
    item = wish.item
    place = (item["namespace"], backend_service(item))
    made_here = any(
        other.wish.present and other.wanted.key == ("Gateway", item["namespace"], item.get("gateway")) for other in changes if other.wish.group == "gateways"
    )
    service = around.services.get(place)
    if made_here or place in around.planned_services:
        return
    title = f"Service {place[0]}/{place[1]}"
    if service is None:
        yield f"{wish.title}: there is no {title}, its backend: make the gateway first, or correct {'gateway' if item.get('gateway') else 'service'}."
        return
    ports = service["spec"].get("ports") or ()
    told = ", ".join(f"{port['port']} ({port.get('name', '')})" for port in ports)
    if item["service_port"] not in [port["port"] for port in ports]:
        yield f"{wish.title}: {title} has no port {item['service_port']}, only {told}: correct service_port."
    check = str((item.get("health_check") or {}).get("port") or STATUS_PORT_NAME)
    if not check.isdigit() and check != "traffic-port" and check not in [port.get("name") for port in ports]:
        yield f"{wish.title}: {title} has no port named {check} for the health check, only {told}: add it to the Service, or set health_check.port."
    kind = service["spec"].get("type", "ClusterIP")
    if item["target_type"] == "instance" and kind == "ClusterIP":
        yield f"{wish.title}: target_type instance needs a NodePort, but {title} is of type ClusterIP: give its chart the value service.type NodePort."
    if kind == "LoadBalancer" and not around.allow_load_balancer_service:
        fitting = "NodePort" if item["target_type"] == "instance" else "ClusterIP"
        yield (
            f"{wish.title}: {title} is of type LoadBalancer, so it has a second load balancer beside this one: "
            f"give its chart the value service.type {fitting}, or set allow_load_balancer_service."
        )


def _refuse_gateway(change: Change, around: Surroundings) -> t.Iterator[str]:
    wish, item = change.wish, change.wish.item
    place = (item["namespace"], entry.service_name(item["name"]))
    service = around.services.get(place)
    if service is not None and labels_of(service).get(GATEWAY_NAME) != item["name"]:
        yield f"{wish.title}: Service {place[0]}/{place[1]} is not istiod's, which would leave it as it is: choose another name."
    if place in around.deployments:
        yield f"{wish.title}: Deployment {place[0]}/{place[1]} is not istiod's, which would leave it as it is: choose another name."
    if item["load_balancer"] == "nlb":
        if around.controller is False:
            yield (
                f"{wish.title}: this cluster has no AWS Load Balancer Controller, so nobody would make the load balancer: "
                "install it (role alb_controller), or set load_balancer to none."
            )
        yield from _refuse_unroutable(wish, item.get("nlb") or {"target_type": "ip"}, around)
    if service is None or service["spec"].get("type") != "LoadBalancer":
        return
    before, after = annotations_of(service).get(network.TYPE, ""), entry.service_annotations(item).get(network.TYPE, "")
    if before != after:
        yield (
            f"{wish.title}: {network.TYPE} of Service {place[0]}/{place[1]} would change from {before or 'none'} to {after or 'none'}, "
            "which leaves what was made in AWS behind: delete the gateway (state absent) and make it anew."
        )
    if after and (service.get("status") or {}).get("loadBalancer"):
        yield from _refuse_what_is_fixed(wish, annotations_of(service), item.get("nlb") or {})


def _refuse_what_is_fixed(wish: Wish, present: t.Mapping[str, str], nlb: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What the controller takes when it makes a load balancer, and silently leaves as it is later (its pkg/deploy/elbv2/load_balancer_manager.go)."""

    def seen(name: str) -> list[str]:
        return [value.strip() for value in present.get(f"{network.PREFIX}{name}", "").split(",") if value.strip()]

    fixed = [("name", "its name", seen("name"), [nlb["name"]] if nlb.get("name") else [])]
    # With other subnets, the addresses are taken, too.
    if seen("subnets") == list(nlb.get("subnets") or ()):
        fixed.append(("eip_allocations", "its addresses", seen("eip-allocations"), list(nlb.get("eip_allocations") or ())))
    for option, what, before, after in fixed:
        if before != after:
            yield (
                f"{wish.title}: nlb.{option} would change from {', '.join(before) or 'none'} to {', '.join(after) or 'none'}, but a load balancer gets "
                f"{what} when it is made: delete the gateway (state absent) and make it anew, or keep what it has."
            )


def _refuse_redirect(wish: Wish, around: Surroundings) -> t.Iterator[str]:
    """The redirect is a route of the gateway's own namespace, which a listener with a selector may keep out."""
    name = wish.item["namespace"]
    labels = {**around.namespaces.get(name, {}), **missing_labels([wish], around.namespaces).get(name, {}), "kubernetes.io/metadata.name": name}
    for listener in entry.redirecting(wish.item):
        allowed = listener["allowedRoutes"]["namespaces"]
        if allowed["from"] == "Selector" and not matches(allowed["selector"], labels):
            yield (
                f"{wish.title}: redirect_http makes an HTTPRoute in namespace {name}, which the selector of listener {listener['name']} keeps out: "
                f"give that listener allowed_routes from Same, or add {name} to route_namespaces."
            )


def _refuse_unroutable(wish: Wish, item: t.Mapping[str, t.Any], around: Surroundings) -> t.Iterator[str]:
    if item["target_type"] == "ip" and around.routable is False and not around.allow_unroutable_targets:
        yield (
            f"{wish.title}: target_type ip needs pods whose addresses the VPC routes, but neither DaemonSet aws-node nor Cilium with ENI addresses runs: "
            "use target_type instance, or set allow_unroutable_targets."
        )


__all__ = ("Change", "Surroundings", "guarded", "missing_labels", "namespaces_to_make", "plan_changes", "refuse_changes")
