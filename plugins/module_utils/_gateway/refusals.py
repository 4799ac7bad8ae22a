# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Why Gateways must not be changed on this cluster, one sentence each."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._ingress.annotation_values import NLB_PREFIX, NLB_TYPE
from .._ingress.plan import Change, Place
from .._ingress.refusals import refuse_changes, refuse_unroutable
from .._ingress.spec import DesiredItem, Key, service_name
from .._mesh.labels import GATEWAY_NAME, Object, annotations_of, labels_of, matches
from .plan import missing_labels, namespaces_to_create
from .render import DEFAULT_NLB, redirecting, service_annotations


@dataclass(frozen=True)
class GatewayState:
    """The current state around Gateways.

    Attributes:
        objects: the objects of the kinds that Gateways stand for.
        namespaces: the labels of the namespaces, by name; planned ones included.
        services: the Services in the namespaces of the Gateways.
        deployments: Deployments that istiod did not make.
        controller: whether the load balancer controller is installed; None if that is not known.
        routable: whether a load balancer can reach the addresses of pods; None if that is not known.
        handles_services: whether the controller's webhook handles new Services; None if that is not known, or does not matter.
    """

    objects: t.Mapping[Key, Object] = field(default_factory=dict)
    namespaces: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    services: t.Mapping[Place, Object] = field(default_factory=dict)
    deployments: frozenset[Place] = frozenset()
    controller: bool | None = None
    routable: bool | None = None
    handles_services: bool | None = None


def refuse_gateways(
    changes: t.Sequence[Change], state: GatewayState, *, force_conflicts: bool = False, override_deletion_protection: bool = False
) -> list[str]:
    """Why these changes must not be made.

    Args:
        changes: the plan.
        state: the current state.
        force_conflicts: whether objects of others are taken over.
        override_deletion_protection: whether protected load balancers are deleted all the same.
    """
    items = [change.item for change in changes if change.is_main]
    existing = {*state.namespaces, *namespaces_to_create(items, state.namespaces)}
    refusals = refuse_changes(changes, existing, state.services, force_conflicts=force_conflicts, override_deletion_protection=override_deletion_protection)
    for item in items:
        refusals += [*_refuse_names(item, state), *_refuse_load_balancer(item, state), *_refuse_redirect(item, state)]
    return refusals


def _refuse_names(item: DesiredItem, state: GatewayState) -> t.Iterator[str]:
    place = (item.item["namespace"], service_name(item.item["name"]))
    service = state.services.get(place)
    if service is not None and labels_of(service).get(GATEWAY_NAME) != item.item["name"]:
        yield f"{item.title}: Service {place[0]}/{place[1]} was not created by istiod, which would not change it: choose another name."
    if place in state.deployments:
        yield f"{item.title}: Deployment {place[0]}/{place[1]} was not created by istiod, which would not change it: choose another name."


def _refuse_load_balancer(item: DesiredItem, state: GatewayState) -> t.Iterator[str]:
    place = (item.item["namespace"], service_name(item.item["name"]))
    nlb = item.item.get("nlb") or DEFAULT_NLB
    if item.item["load_balancer"] == "nlb":
        if state.controller is False:
            yield (
                f"{item.title}: this cluster has no AWS Load Balancer Controller, so the load balancer would never be provisioned: "
                "install it (role alb_controller), or set load_balancer to none."
            )
        yield from refuse_unroutable(item.title, nlb["target_type"], routable=state.routable)
    service = state.services.get(place)
    if service is None or service["spec"].get("type") != "LoadBalancer":
        return
    before, after = annotations_of(service).get(NLB_TYPE, ""), service_annotations(item.item).get(NLB_TYPE, "")
    if before != after:
        yield (
            f"{item.title}: {NLB_TYPE} of Service {place[0]}/{place[1]} would change from {before or 'none'} to {after or 'none'}, "
            "which would leave the old load balancer behind in AWS: delete the gateway (state absent) and create it again."
        )
    if after and (service.get("status") or {}).get("loadBalancer"):
        yield from _refuse_immutable(item, annotations_of(service), nlb)


def _refuse_immutable(item: DesiredItem, current: t.Mapping[str, str], nlb: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What the controller sets when it creates a load balancer, and silently leaves as it is later (its pkg/deploy/elbv2/load_balancer_manager.go)."""

    def values_of(name: str) -> list[str]:
        return [value.strip() for value in current.get(f"{NLB_PREFIX}{name}", "").split(",") if value.strip()]

    immutable = [("name", "the name", values_of("name"), [nlb["name"]] if nlb.get("name") else [])]
    # With other subnets, the controller takes the addresses, too.
    if values_of("subnets") == list(nlb.get("subnets") or ()):
        immutable.append(("eip_allocations", "the addresses", values_of("eip-allocations"), list(nlb.get("eip_allocations") or ())))
    for option, what, before, after in immutable:
        if before != after:
            yield (
                f"{item.title}: nlb.{option} would change from {', '.join(before) or 'none'} to {', '.join(after) or 'none'}, but {what} of a "
                f"load balancer cannot change: delete the gateway (state absent) and create it again, or keep the current value."
            )


def _refuse_redirect(item: DesiredItem, state: GatewayState) -> t.Iterator[str]:
    """The redirect is a route in the gateway's own namespace, which a listener with a selector may not admit."""
    name = item.item["namespace"]
    labels = {**state.namespaces.get(name, {}), **missing_labels([item], state.namespaces).get(name, {}), "kubernetes.io/metadata.name": name}
    for listener in redirecting(item.item):
        allowed = listener["allowedRoutes"]["namespaces"]
        if allowed["from"] == "Selector" and not matches(allowed["selector"], labels):
            yield (
                f"{item.title}: redirect_http creates an HTTPRoute in namespace {name}, which the selector of listener {listener['name']} does not allow: "
                f"set allowed_routes.from of that listener to Same, or add {name} to route_namespaces."
            )


__all__ = ("GatewayState", "refuse_gateways")
