# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Why planned labels must not be written: what Istio would accept silently, and what would then be weaker than it seems."""

from __future__ import annotations

import typing as t

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
from .._text import format_names
from .plan import CurrentObjects, LabelChange
from .spec import DesiredLabels, Key, Overrides

_SKIPPED = "traffic would silently bypass it and its L7 policies"


def refuse_enrollment(changes: t.Sequence[LabelChange], current: CurrentObjects, overrides: Overrides) -> list[str]:
    """Why the changes must not be written, one sentence each, in the order of the changes; empty if they may be."""
    plan = {change.desired.key: change for change in changes}
    refusals: list[str] = []
    for change in changes:
        missing = _missing(change.desired, current)
        if missing:
            refusals.append(missing)
            continue
        refusals += _refuse_canary_errors(change, plan, current)
        if not overrides.unsafe_binding:
            refusals += _refuse_binding(change.desired, current, change.desired.waypoint_ref, "waypoint")
            refusals += _refuse_canary(change.desired, current)
        if not overrides.injection_labels:
            refusals += _refuse_injection(change.desired, current)
        if change.desired.dataplane_mode == "ambient":
            if not overrides.excluded_namespaces:
                refusals += _refuse_excluded(change.desired, current)
            if not overrides.hidden_namespaces:
                refusals += _refuse_hidden(change.desired, plan, current)
        if not overrides.conflicts:
            refusals += _refuse_conflicts(change)
    if not overrides.unsafe_binding and any(change.desired.canary for change in changes):
        old = too_old_for_canary(current.istiods)
        refusals += [f"{istiod}, and a waypoint canary needs Istio 1.31 or newer: upgrade it first, or remove the canary." for istiod in old]
    return refusals


def _missing(desired: DesiredLabels, current: CurrentObjects) -> str | None:
    if desired.home in current.planned_namespaces:
        return None
    if desired.home not in current.namespaces:
        return f"{desired.title}: namespace {desired.home} does not exist: create it first, or correct its name."
    if current.find(desired) is None:
        return f"{desired.title} does not exist: create it first, or correct its name."
    return None


# waypoints


def _refuse_binding(desired: DesiredLabels, current: CurrentObjects, ref: WaypointRef | None, role: str) -> list[str]:
    """A label that names no working waypoint fails open: traffic continues without any L7 policy. Only one without a ready pod fails closed.

    Source: pilot/pkg/serviceregistry/ambient/waypoints.go; istiod checks neither the class nor the condition Programmed, and Programmed needs an endpoint,
    not a ready one (pilot/pkg/config/kube/gateway/conversion.go, reportGatewayStatus). ztunnel then finds no healthy upstream (its proxy/outbound.rs).
    """
    if ref is None or ref in current.planned_waypoints:
        return []
    begin = f"{desired.title}: {role} {ref}"
    consequence = f"so {_SKIPPED}"
    gateway = current.waypoints.get(ref)
    if gateway is None:
        return [f"{begin} does not exist, {consequence}: create it first (module waypoint), or correct its name."]
    if not is_waypoint(gateway):
        gateway_class = gateway["spec"].get("gatewayClassName")
        return [f"{desired.title}: Gateway {ref} is of class {gateway_class}, not a waypoint: name a Gateway of class istio-waypoint."]
    if not (gateway.get("status") or {}).get("addresses"):
        return [f"{begin} has no address yet, {consequence}: wait until it is ready first (module ready, kind waypoint)."]
    programmed = _programmed(gateway)
    if programmed.get("status") != "True":
        why = f"{programmed.get('reason')}: {programmed.get('message')}" if programmed else "istiod has not reported on it"
        return [f"{begin} is not programmed ({str(why).rstrip('.')}), {consequence}: wait until it is ready first (module ready, kind waypoint)."]
    namespace = current.namespaces.get(desired.home)
    if not allows_namespace(gateway, desired.home, labels_of(namespace) if namespace else {}):
        return [f"{begin} does not allow namespace {desired.home}, {consequence}: widen allowed_routes of the waypoint."]
    traffic = labels_of(gateway).get(WAYPOINT_FOR, "service")
    if traffic not in _fitting(desired.kind, role):
        what = "nothing" if traffic == "none" else f"{traffic} traffic only"
        return [f"{begin} handles {what} ({WAYPOINT_FOR}), {consequence}: name another waypoint, or change what it is for."]
    if ref in current.without_pods:
        return [f"{begin} is programmed, but has no ready pod, so requests through it would fail: wait until it is ready first (module ready, kind waypoint)."]
    return []


def _programmed(gateway: Object) -> t.Mapping[str, t.Any]:
    conditions = (gateway.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == "Programmed"), {})


def _fitting(kind: str, role: str) -> tuple[str, ...]:
    """The traffic types with which a waypoint has an effect on the object; a canary is for Services only."""
    if kind == "Service" or role == "canary":
        return ("service", "all")
    # What a namespace names may be meant for its Services or for its pods.
    return ("service", "workload", "all") if kind == "Namespace" else ("workload", "all")


def _refuse_canary(desired: DesiredLabels, current: CurrentObjects) -> list[str]:
    return _refuse_binding(desired, current, desired.canary_ref, "canary")


def _refuse_canary_errors(change: LabelChange, plan: t.Mapping[Key, LabelChange], current: CurrentObjects) -> list[str]:
    """What has no effect on any cluster: a canary without a waypoint beside it, or that is that waypoint; a weight without a canary."""
    desired, after = change.desired, change.after
    if desired.waypoint is None and desired.canary is None and not desired.weight:
        return []
    if CANARY not in after:
        # A Service may set the weight of a canary that it inherits with its namespace's waypoint.
        inherited = USE_WAYPOINT not in after and CANARY in _inherited(desired, plan, current)
        if CANARY_WEIGHT in change.patch and desired.weight and not inherited:
            return [f"{desired.title}: a weight is set, but there is no canary: set the waypoint of the canary as well."]
        return []
    # The primary may be the namespace's, according to its labels after this task.
    primary = _ref(after, desired.home, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
    if USE_WAYPOINT not in after:
        primary = _ref(_inherited(desired, plan, current), desired.home, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE)
    canary = _ref(after, desired.home, CANARY, CANARY_NAMESPACE)
    if primary is None and (desired.canary or desired.weight):
        return [
            f"{desired.title}: canary {canary} would not be used, because no waypoint is set beside it: bind the object to a waypoint as well (use_waypoint)."
        ]
    if primary == canary:
        return [f"{desired.title}: canary {canary} is the waypoint itself: name another one, or remove the canary with an empty string."]
    return []


def _inherited(desired: DesiredLabels, plan: t.Mapping[Key, LabelChange], current: CurrentObjects) -> t.Mapping[str, str]:
    """The labels that a Service inherits from its namespace, as they will be."""
    if desired.kind != "Service":
        return {}
    planned = plan.get(("Namespace", "", desired.home))
    namespace = current.namespaces.get(desired.home)
    return planned.after if planned else labels_of(namespace) if namespace else {}


def _ref(labels: t.Mapping[str, str], home: str, name: str, namespace: str) -> WaypointRef | None:
    waypoint = labels.get(name, NO_WAYPOINT)
    return None if waypoint == NO_WAYPOINT else WaypointRef(labels.get(namespace, home), waypoint)


# capture


def _refuse_injection(desired: DesiredLabels, current: CurrentObjects) -> list[str]:
    """The injection webhook ignores the dataplane mode: pods that get sidecars leave the ambient mesh.

    Source: the istiod chart's mutatingwebhook.yaml. The namespace's labels take precedence; the pod's count where it has none, and
    sidecar.istio.io/inject=false is an opt-out everywhere.
    """
    if desired.dataplane_mode != "ambient":
        return []
    namespace = current.namespaces.get(desired.home)
    labels = labels_of(namespace) if namespace else {}
    # The webhooks check the revision only where the injection label is absent.
    name = INJECTION if INJECTION in labels else REVISION
    injected = name in labels and labels[name] != "disabled"
    end = "so its new pods would get sidecars instead of ambient mesh"
    if desired.kind == "Namespace":
        return [f"{desired.title} carries {name}={labels[name]}, {end}: remove that label first."] if injected else []
    workload = current.find(desired)
    template = template_of(workload) if workload else {"metadata": {}}
    if (labels_of(template).get(INJECT) or annotations_of(template).get(INJECT)) == "false":
        return []
    if injected:
        remedy = f"remove that label, or label the pod template {INJECT}=false, first."
        return [f"{desired.title} is in namespace {desired.home}, which carries {name}={labels[name]}, {end}: {remedy}"]
    if INJECTION in labels or REVISION in labels:
        return []
    label = REVISION if labels_of(template).get(REVISION) else INJECT
    value = labels_of(template).get(label)
    if not value or (label == INJECT and value != "true"):
        return []
    return [f"{desired.title} carries {label}={value} in its pod template, {end}: remove that label first."]


def _refuse_excluded(desired: DesiredLabels, current: CurrentObjects) -> list[str]:
    if not current.settings.installed or desired.home not in current.settings.excluded_namespaces:
        return []
    remedy = "remove it from that list (role istio), or do not enroll it."
    return [f"{desired.title}: namespace {desired.home} is in excludeNamespaces of the istio-cni chart, so its pods would never be captured: {remedy}"]


def _refuse_hidden(desired: DesiredLabels, plan: t.Mapping[Key, LabelChange], current: CurrentObjects) -> list[str]:
    """Pods of a namespace that istiod does not see are redirected to a ztunnel that does not know them."""
    namespace = current.namespaces.get(desired.home)
    if namespace is None:
        return []
    planned = plan.get(("Namespace", "", desired.home))
    # Selectors may select the managed labels, as they will be.
    others = {name: value for name, value in labels_of(namespace).items() if planned is None or name not in planned.before}
    if not current.settings.hides({**others, **(planned.after if planned else {})}):
        return []
    remedy = "add a label that one of them selects, or widen them (role istio)."
    return [f"{desired.title}: meshConfig.discoverySelectors hide namespace {desired.home} from istiod, so the mesh would not know its pods: {remedy}"]


# field managers


def _refuse_conflicts(change: LabelChange) -> list[str]:
    """A manager that declares a label by server-side apply will set it again, and both would change it in turn."""
    refusals = []
    for name, owners in change.others.items():
        if owners[0].applies:
            remedy = "change it there, or set force_conflicts to take it over."
            refusals.append(f"{change.desired.title}: {name} is declared by the field manager {owners[0].manager} (server-side apply): {remedy}")
    return refusals


# warnings


def find_warnings(changes: t.Sequence[LabelChange], current: CurrentObjects) -> list[str]:
    """What is done as desired and should be known all the same, one sentence for each cause, however many objects."""
    warnings = []
    taken = {f"{change.desired.title} ({name}, set by {manager})" for change in changes for name, manager in change.taken_over.items()}
    if taken:
        warnings.append(f"Labels that others had set are changed: {format_names(sorted(taken))}. Change them at their source as well, or they may be reverted.")
    left = {change.desired.name for change in changes if change.desired.kind == "Namespace" and change.leaves}
    after = {change.desired.key: change.after for change in changes}
    bound = {
        f"{place}/{name}"
        for (kind, place, name), item in current.objects.items()
        if kind == "Service" and place in left and USE_WAYPOINT in after.get((kind, place, name), labels_of(item))
    }
    if bound:
        warnings.append(
            f"Services of namespaces that leave the mesh keep their own label {USE_WAYPOINT}: {format_names(sorted(bound))}. "
            "They will use that waypoint again when the namespace returns; to remove the label, list them in services with state absent."
        )
    return warnings


__all__ = ("find_warnings", "refuse_enrollment")
