# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Why a plan must not be carried out: what Istio would take without a word, and what would then be weaker than it looks."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._mesh.labels import (
    CANARY,
    CANARY_NAMESPACE,
    CANARY_WEIGHT,
    INJECT,
    INJECTION,
    NO_WAYPOINT,
    REVISION,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    WAYPOINT_FOR,
    Object,
    annotations_of,
    labels_of,
    template_of,
)
from .._mesh.mesh_settings import too_old_for_canary
from .._mesh.waypoints import WaypointRef, allows_namespace, is_waypoint
from .plan import LabelChange, Snapshot
from .wishes import Wish

_SKIPPED = "traffic would skip it and its L7 policies silently"


@dataclass(frozen=True)
class Overruled:
    """The refusals that the task lifts, each by its own option.

    Attributes:
        unsafe_binding: bind to waypoints that are missing, not ready or closed, which skips L7 policy silently.
        injection_labels: enroll where pods would get sidecars.
        excluded_namespaces: enroll namespaces that the istio-cni agent leaves alone.
        hidden_namespaces: enroll namespaces that no istiod sees.
        conflicts: change labels that another field manager declares by server-side apply.
    """

    unsafe_binding: bool = False
    injection_labels: bool = False
    excluded_namespaces: bool = False
    hidden_namespaces: bool = False
    conflicts: bool = False


def refuse_enrollment(changes: t.Sequence[LabelChange], snapshot: Snapshot, overruled: Overruled = Overruled()) -> list[str]:
    """Why the plan must not be carried out, one sentence each, in the order of the wishes; empty when it may."""
    plan = {change.wish.key: change for change in changes}
    refusals: list[str] = []
    for change in changes:
        missing = _missing(change.wish, snapshot)
        if missing:
            refusals.append(missing)
            continue
        refusals += _refuse_canary_mistakes(change, plan, snapshot)
        if not overruled.unsafe_binding:
            refusals += _refuse_binding(change.wish, snapshot, change.wish.waypoint_ref, "waypoint")
            refusals += _refuse_canary(change.wish, snapshot)
        if not overruled.injection_labels:
            refusals += _refuse_injection(change.wish, snapshot)
        if change.wish.dataplane_mode == "ambient":
            if not overruled.excluded_namespaces:
                refusals += _refuse_excluded(change.wish, snapshot)
            if not overruled.hidden_namespaces:
                refusals += _refuse_hidden(change.wish, plan, snapshot)
        if not overruled.conflicts:
            refusals += _refuse_conflicts(change)
    if not overruled.unsafe_binding and any(change.wish.canary for change in changes):
        old = too_old_for_canary(snapshot.istiods)
        refusals += [f"{istiod}, and a waypoint canary needs Istio 1.31 or newer: upgrade it first, or take the canary away." for istiod in old]
    return refusals


def _missing(wish: Wish, snapshot: Snapshot) -> str | None:
    if wish.home in snapshot.planned_namespaces:
        return None
    if wish.home not in snapshot.namespaces:
        return f"{wish.title}: namespace {wish.home} does not exist: create it first, or correct its name."
    if snapshot.find(wish) is None:
        return f"{wish.title} does not exist: create it first, or correct its name."
    return None


# waypoints


def _refuse_binding(wish: Wish, snapshot: Snapshot, ref: WaypointRef | None, word: str) -> list[str]:
    """A label that points to no working waypoint fails open: traffic goes on, without any L7 policy.

    Source: pilot/pkg/serviceregistry/ambient/waypoints.go; istiod asks neither for the class nor for the condition Programmed.
    """
    if ref is None or ref in snapshot.planned_waypoints:
        return []
    begin = f"{wish.title}: {word} {ref}"
    consequence = f"so {_SKIPPED}"
    gateway = snapshot.waypoints.get(ref)
    if gateway is None:
        return [f"{begin} does not exist, {consequence}: create it first (module waypoint), or correct its name."]
    if not is_waypoint(gateway):
        gateway_class = gateway["spec"].get("gatewayClassName")
        return [f"{wish.title}: Gateway {ref} is of class {gateway_class}, not a waypoint: name a Gateway of class istio-waypoint."]
    if not (gateway.get("status") or {}).get("addresses"):
        return [f"{begin} has no address yet, {consequence}: wait until it is ready first (module ready, kind waypoint)."]
    programmed = _programmed(gateway)
    if programmed.get("status") != "True":
        why = f"{programmed.get('reason')}: {programmed.get('message')}" if programmed else "istiod has said nothing about it"
        return [f"{begin} is not programmed ({str(why).rstrip('.')}), {consequence}: wait until it is ready first (module ready, kind waypoint)."]
    namespace = snapshot.namespaces.get(wish.home)
    if not allows_namespace(gateway, wish.home, labels_of(namespace) if namespace else {}):
        return [f"{begin} does not allow namespace {wish.home}, {consequence}: widen allowed_routes of the waypoint."]
    traffic = labels_of(gateway).get(WAYPOINT_FOR, "service")
    if traffic not in _fitting(wish.kind, word):
        what = "nothing" if traffic == "none" else f"{traffic} traffic only"
        return [f"{begin} handles {what} ({WAYPOINT_FOR}), {consequence}: name another waypoint, or change what it is for."]
    return []


def _programmed(gateway: Object) -> t.Mapping[str, t.Any]:
    conditions = (gateway.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == "Programmed"), {})


def _fitting(kind: str, word: str) -> tuple[str, ...]:
    """The traffic types with which a waypoint does anything for the object; a canary is for Services alone."""
    if kind == "Service" or word == "canary":
        return ("service", "all")
    # What a namespace names may be meant for its Services or for its pods.
    return ("service", "workload", "all") if kind == "Namespace" else ("workload", "all")


def _refuse_canary(wish: Wish, snapshot: Snapshot) -> list[str]:
    return _refuse_binding(wish, snapshot, wish.canary_ref, "canary")


def _refuse_canary_mistakes(change: LabelChange, plan: t.Mapping[tuple[str, str, str], LabelChange], snapshot: Snapshot) -> list[str]:
    """What no cluster could carry out: a canary beside no waypoint, or beside itself; a weight of no canary."""
    wish, after = change.wish, change.after
    if wish.waypoint is None and wish.canary is None and not wish.weight:
        return []
    if CANARY not in after:
        # A Service may weigh the canary that it inherits with its namespace's waypoint.
        inherited = USE_WAYPOINT not in after and CANARY in _inherited(wish, plan, snapshot)
        if CANARY_WEIGHT in change.patch and wish.weight and not inherited:
            return [f"{wish.title}: a weight is given, but there is no canary: name the canary's waypoint, too."]
        return []
    # The primary may be the namespace's; it is then its labels after this task that count.
    primary = _ref(after, wish.home, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
    if USE_WAYPOINT not in after:
        primary = _ref(_inherited(wish, plan, snapshot), wish.home, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
    canary = _ref(after, wish.home, CANARY, CANARY_NAMESPACE)
    if primary is None and (wish.canary or wish.weight):
        return [f"{wish.title}: canary {canary} stands beside no waypoint, and would not be used: bind the object to a waypoint, too (use_waypoint)."]
    if primary == canary:
        return [f"{wish.title}: canary {canary} is the waypoint itself: name another one, or take the canary away with an empty string."]
    return []


def _inherited(wish: Wish, plan: t.Mapping[tuple[str, str, str], LabelChange], snapshot: Snapshot) -> t.Mapping[str, str]:
    """The labels that a Service gets from its namespace, as they will be."""
    if wish.kind != "Service":
        return {}
    planned = plan.get(("Namespace", "", wish.home))
    namespace = snapshot.namespaces.get(wish.home)
    return planned.after if planned else labels_of(namespace) if namespace else {}


def _ref(labels: t.Mapping[str, str], home: str, name: str, namespace: str) -> WaypointRef | None:
    waypoint = labels.get(name, NO_WAYPOINT)
    return None if waypoint == NO_WAYPOINT else WaypointRef(labels.get(namespace, home), waypoint)


# capture


def _refuse_injection(wish: Wish, snapshot: Snapshot) -> list[str]:
    """The injection webhook knows no dataplane mode: pods that get sidecars leave the ambient mesh.

    Source: the istiod chart's mutatingwebhook.yaml. The namespace's labels are asked first; the pod's count where it has none, and
    sidecar.istio.io/inject=false is an opt-out everywhere.
    """
    if wish.dataplane_mode != "ambient":
        return []
    namespace = snapshot.namespaces.get(wish.home)
    labels = labels_of(namespace) if namespace else {}
    # The webhooks ask for the revision only where the injection label is absent.
    name = INJECTION if INJECTION in labels else REVISION
    injected = name in labels and labels[name] != "disabled"
    end = "so its new pods would get sidecars instead of ambient mesh"
    if wish.kind == "Namespace":
        return [f"{wish.title} carries {name}={labels[name]}, {end}: take that label away first."] if injected else []
    workload = snapshot.find(wish)
    template = template_of(workload) if workload else {"metadata": {}}
    if (labels_of(template).get(INJECT) or annotations_of(template).get(INJECT)) == "false":
        return []
    if injected:
        remedy = f"take that label away, or label the pod template {INJECT}=false, first."
        return [f"{wish.title} is in namespace {wish.home}, which carries {name}={labels[name]}, {end}: {remedy}"]
    if INJECTION in labels or REVISION in labels:
        return []
    label = REVISION if labels_of(template).get(REVISION) else INJECT
    value = labels_of(template).get(label)
    if not value or (label == INJECT and value != "true"):
        return []
    return [f"{wish.title} carries {label}={value} in its pod template, {end}: take that label away first."]


def _refuse_excluded(wish: Wish, snapshot: Snapshot) -> list[str]:
    if not snapshot.settings.installed or wish.home not in snapshot.settings.excluded_namespaces:
        return []
    remedy = "take it out of that list (role istio), or leave it alone."
    return [f"{wish.title}: namespace {wish.home} is in excludeNamespaces of the istio-cni chart, so its pods would never be captured: {remedy}"]


def _refuse_hidden(wish: Wish, plan: t.Mapping[tuple[str, str, str], LabelChange], snapshot: Snapshot) -> list[str]:
    """Pods of a namespace that istiod does not see are redirected to a ztunnel that has been told nothing about them."""
    namespace = snapshot.namespaces.get(wish.home)
    if namespace is None:
        return []
    planned = plan.get(("Namespace", "", wish.home))
    # The managed labels as they will be: selectors may ask for them.
    others = {name: value for name, value in labels_of(namespace).items() if planned is None or name not in planned.before}
    if not snapshot.settings.hides({**others, **(planned.after if planned else {})}):
        return []
    remedy = "give it a label that one of them asks for, or widen them (role istio)."
    return [f"{wish.title}: meshConfig.discoverySelectors hide namespace {wish.home} from istiod, so no mesh would know its pods: {remedy}"]


# field managers


def _refuse_conflicts(change: LabelChange) -> list[str]:
    """Who declares a label by server-side apply will set it again; and then two would change it in turn."""
    refusals = []
    for name, owners in change.others.items():
        if owners[0].applies:
            remedy = "change it there, or set force_conflicts to take it over."
            refusals.append(f"{change.wish.title}: {name} is declared by the field manager {owners[0].manager} (server-side apply): {remedy}")
    return refusals


__all__ = ("Overruled", "refuse_enrollment")
