# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do labels say what was meant? Whoever reads them passes over a misspelled name or value without a word.

Source: istio.io/api label/labels.gen.go and annotation/annotations.gen.go, istio pilot/pkg/serviceregistry/ambient (waypoints.go: GetUseWaypoint;
services.go: ingressUseWaypointFromLabels), cni/pkg/util (enablement_selector.go; podutil.go: CheckBooleanAnnotation).
"""

from __future__ import annotations

import functools
import typing as t

from .._kinds import BY_NAME, GATEWAY, MUTATING_WEBHOOK, NAMESPACE, POD, SERVICE, SERVICE_ENTRY, Kind
from .._mesh.capture import workload_of
from .._mesh.labels import (
    CANARY,
    CANARY_NAMESPACE,
    CANARY_WEIGHT,
    DATAPLANE_MODE,
    INGRESS_USE_WAYPOINT,
    INJECTION,
    MANAGED_GATEWAY,
    REVISION,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    WAYPOINT_FOR,
    Object,
    annotations_of,
    labels_of,
)
from .._near_misses import find_near_miss, nearest
from .check import Check
from .cluster import Cluster, is_live, refs_of
from .finding import ObjectRef, Problem, Severity, ref_of
from .webhooks import injects_into

# The labels that decide about ambient mesh, with what does not happen if one is misspelled.
_DECIDING = {
    DATAPLANE_MODE: "so it enrolls nothing and opts nothing out",
    USE_WAYPOINT: "so no waypoint is used for it",
    USE_WAYPOINT_NAMESPACE: "so the waypoint is looked for in the wrong namespace",
    INGRESS_USE_WAYPOINT: "so it does not decide whether traffic of ingress gateways passes the waypoint",
    CANARY: "so no canary waypoint is used",
    CANARY_NAMESPACE: "so the canary waypoint is looked for in the wrong namespace",
    WAYPOINT_FOR: "so it does not decide what the waypoint serves",
    REVISION: "so it chooses no revision",
}
_LABELS = frozenset({
    *_DECIDING, INJECTION, "gateway.istio.io/managed", "gateway.istio.io/defaults-for-class", "gateway.networking.k8s.io/gateway-class-name",
    "gateway.networking.k8s.io/gateway-name", "istio.io/config", "istio.io/gateway-name", "istio.io/global", "istio.io/tag",
    "install.operator.istio.io/owning-resource", "install.operator.istio.io/owning-resource-namespace", "networking.istio.io/enable-autoallocate-ip",
    "networking.istio.io/gatewayPort", "networking.istio.io/tunnel", "operator.istio.io/component", "operator.istio.io/managed", "operator.istio.io/version",
    "security.istio.io/tlsMode", "service.istio.io/canonical-name", "service.istio.io/canonical-revision", "service.istio.io/workload-name",
    "sidecar.istio.io/inject", "topology.istio.io/cluster", "topology.istio.io/locality", "topology.istio.io/network", "topology.istio.io/subzone",
})  # fmt: skip
_OF_WAYPOINTS = frozenset({USE_WAYPOINT, USE_WAYPOINT_NAMESPACE, INGRESS_USE_WAYPOINT, CANARY, CANARY_NAMESPACE})
# On which kinds labels are looked at, besides pods, and which of them decide something there.
_LABELED: t.Mapping[Kind, frozenset[str]] = {
    NAMESPACE: _OF_WAYPOINTS | {DATAPLANE_MODE},
    SERVICE: _OF_WAYPOINTS,
    SERVICE_ENTRY: _OF_WAYPOINTS,
    GATEWAY: frozenset({WAYPOINT_FOR}),
}
# Names that are too far from the right one for a misspelling, and can mean nothing else.
_ALIASES = {
    "istio.io/ambient": DATAPLANE_MODE, "istio.io/dataplane": DATAPLANE_MODE, "istio.io/mode": DATAPLANE_MODE, "istio.io/revision": REVISION,
    "istio.io/ingress-waypoint": INGRESS_USE_WAYPOINT, "istio.io/use-ingress-waypoint": INGRESS_USE_WAYPOINT,
    "istio.io/use-waypoint-ns": USE_WAYPOINT_NAMESPACE, "istio.io/waypoint": USE_WAYPOINT, "istio.io/waypoint-name": USE_WAYPOINT,
    "istio.io/waypoint-namespace": USE_WAYPOINT_NAMESPACE,
}  # fmt: skip
_DOMAIN = "istio.io"
_OTHER_DOMAINS = frozenset({"istio", "istio.com", "istio.dev", "istio.org", "istio.k8s.io"})
_MODES = ("ambient", "none")
# Labels and annotations whose values are booleans, with what a value that is none counts as.
_BOOLEAN_LABELS = {INGRESS_USE_WAYPOINT: "false, so traffic of ingress gateways bypasses the waypoint"}
_BOOLEAN_ANNOTATIONS = ("ambient.istio.io/bypass-inbound-capture", "ambient.istio.io/dns-capture")
# Go's strconv.ParseBool.
_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
_NO = frozenset({"no", "off", "none", "disabled", "n", ""})
_YES = frozenset({"enabled", "true", "yes", "on"})


# MW4201


def _find_modes(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in cluster.all(NAMESPACE):
        value = labels_of(namespace).get(DATAPLANE_MODE, "none")
        if value not in _MODES:
            yield _mode(ref_of(namespace), value, "so it enrolls none of its pods", (), "error" if _is_near_ambient(value) else "warning")
    groups: dict[tuple[ObjectRef, str], list[Object]] = {}
    for pod in cluster.all(POD):
        value = labels_of(pod).get(DATAPLANE_MODE, "none")
        if value not in _MODES and is_live(pod):
            groups.setdefault((_owner(pod), value), []).append(pod)
    for (ref, value), pods in groups.items():
        if cluster.namespace_labels(ref.namespace).get(DATAPLANE_MODE) == "ambient":
            yield _mode(ref, value, "so it opts nothing out: the label of the namespace enrolls the pods", pods, "warning")
        else:
            yield _mode(ref, value, "so it enrolls nothing", pods, "error" if _is_near_ambient(value) else "warning")


def _mode(ref: ObjectRef, value: str, then: str, pods: t.Sequence[Object], severity: Severity) -> Problem:
    remedy = "Set it to ambient or none, or take it off (what asks for sidecars are istio-injection and istio.io/rev)."
    remedy = "Correct it to ambient." if _is_near_ambient(value) else remedy
    label = f"the label {DATAPLANE_MODE}{'' if ref.kind in (NAMESPACE.name, POD.name) else ' of its pods'}"
    return Problem(ref, f"{label} has the value {_shown(value)}, which means nothing, {then}", remedy, _members(ref, pods), severity=severity)


def _is_near_ambient(value: str) -> bool:
    return nearest(value, ("ambient",)) is not None


def _owner(pod: Object) -> ObjectRef:
    """The workload of a pod, or the pod itself if it has none."""
    kind, name = workload_of(pod)
    return ObjectRef(kind, pod["metadata"]["namespace"], name) if kind else ref_of(pod)


def _members(ref: ObjectRef, pods: t.Sequence[Object]) -> tuple[ObjectRef, ...]:
    """The pods that a finding about their workload affects; none where it is about the pod itself."""
    return tuple(found for found in refs_of(pods) if found != ref)


def _shown(value: str) -> str:
    return value or '""'


# MW4202


def _find_misspelled(cluster: Cluster) -> t.Iterator[Problem]:
    for kind in _LABELED:
        for item in cluster.all(kind):
            # What istiod makes for a Gateway has its labels and annotations from there.
            if MANAGED_GATEWAY in labels_of(item):
                continue
            for key in labels_of(item):
                yield from _misspelled(ref_of(item), key, labels_of(item), ())
            for key in annotations_of(item):
                yield from _misplaced(item, key)
    pods: dict[tuple[ObjectRef, str], list[Object]] = {}
    for pod in cluster.all(POD):
        for key in labels_of(pod) if is_live(pod) and MANAGED_GATEWAY not in labels_of(pod) else ():
            if _meant_label(key):
                pods.setdefault((_owner(pod), key), []).append(pod)
    for (ref, key), members in pods.items():
        yield from _misspelled(ref, key, labels_of(members[0]), _members(ref, members))


@functools.lru_cache(maxsize=4096)
def _meant_label(key: str) -> str:
    """The label that a misspelled name means; empty if it is no misspelled one."""
    if key in _LABELS:
        return ""
    if key == CANARY_WEIGHT:
        return key
    near = _ALIASES.get(key) or find_near_miss(key, _LABELS)
    prefix, slash, name = key.partition("/")
    if near or not slash or not _is_istios(prefix):
        return near or ""
    # The right name, or nearly, in another domain.
    return _ALIASES.get(f"{_DOMAIN}/{name}") or _nearest_deciding(f"{_DOMAIN}/{name}")


def _nearest_deciding(key: str) -> str:
    """The label that decides about ambient mesh and has this name, or nearly; empty if there is none."""
    return key if key in _DECIDING else find_near_miss(key, _DECIDING) or ""


def _is_istios(prefix: str) -> bool:
    return prefix in _OTHER_DOMAINS or prefix == _DOMAIN or prefix.endswith(f".{_DOMAIN}") or find_near_miss(prefix, (_DOMAIN,)) is not None


def _misspelled(ref: ObjectRef, key: str, labels: t.Mapping[str, str], related: tuple[ObjectRef, ...]) -> t.Iterator[Problem]:
    meant = _meant_label(key)
    if key == CANARY_WEIGHT:
        message = f"{key} is set as a label, but istiod reads it as an annotation, so the canary waypoint gets no traffic"
        yield Problem(ref, message, "Set it as an annotation.", related)
    elif meant:
        then = _DECIDING.get(meant, "so it has no effect")
        # Beside the right one it may be left from before.
        severity: Severity | None = "info" if labels.get(meant) == labels[key] else None
        yield Problem(ref, f"its label {key} is unknown to Istio, {then}", f"Rename it to {meant}.", related, severity=severity)


def _misplaced(item: Object, key: str) -> t.Iterator[Problem]:
    if key in _LABELED[BY_NAME[item["kind"]]] and key not in labels_of(item):
        message = f"{key} is set as an annotation, but it is read only as a label, {_DECIDING[key]}"
        yield Problem(ref_of(item), message, "Set it as a label.")
    elif key != CANARY_WEIGHT and find_near_miss(key, (CANARY_WEIGHT,)):
        yield Problem(ref_of(item), f"its annotation {key} is unknown to Istio, so the canary waypoint gets no traffic", f"Rename it to {CANARY_WEIGHT}.")


# MW4203


def _find_lonely_namespaces(cluster: Cluster) -> t.Iterator[Problem]:
    for item in (one for kind in (NAMESPACE, SERVICE, SERVICE_ENTRY) for one in cluster.all(kind)):
        for key, of in ((USE_WAYPOINT_NAMESPACE, USE_WAYPOINT), (CANARY_NAMESPACE, CANARY)):
            if _is_lonely(item, key, of):
                yield Problem(ref_of(item), *_lonely(key, of))
    pods: dict[ObjectRef, list[Object]] = {}
    for pod in cluster.all(POD):
        if is_live(pod) and _is_lonely(pod, USE_WAYPOINT_NAMESPACE, USE_WAYPOINT):
            pods.setdefault(_owner(pod), []).append(pod)
    for ref, members in pods.items():
        yield Problem(ref, *_lonely(USE_WAYPOINT_NAMESPACE, USE_WAYPOINT), _members(ref, members))


def _is_lonely(item: Object, key: str, of: str) -> bool:
    """Whether a label is there without the one that it belongs to; where that one is misspelled, MW4202 says so."""
    labels = labels_of(item)
    return key in labels and of not in labels and of not in annotations_of(item) and all(_meant_label(other) != of for other in labels)


def _lonely(key: str, of: str) -> tuple[str, str]:
    return f"it has the label {key} without {of}, so it has no effect", f"Add the label {of} with the name of the waypoint, or remove {key}."


# MW4204


def _find_no_booleans(cluster: Cluster) -> t.Iterator[Problem]:
    for item in (one for kind in (NAMESPACE, SERVICE, SERVICE_ENTRY) for one in cluster.all(kind)):
        for key, then in _BOOLEAN_LABELS.items():
            value = labels_of(item).get(key, "true")
            if value not in _BOOLEANS:
                severity: Severity | None = "info" if value.lower() in _NO else None
                message = f"the value of its label {key}, {_shown(value)}, is no boolean; istiod takes it for {then}"
                yield Problem(ref_of(item), message, "Set it to true or false.", severity=severity)
    pods: dict[tuple[ObjectRef, str, str], list[Object]] = {}
    for pod in cluster.all(POD):
        for key in _BOOLEAN_ANNOTATIONS:
            value = annotations_of(pod).get(key, "true")
            if value not in _BOOLEANS and is_live(pod):
                pods.setdefault((_owner(pod), key, value), []).append(pod)
    for (ref, key, value), members in pods.items():
        message = f"the value of the annotation {key}, {_shown(value)}, is no boolean, so the istio-cni agent ignores it"
        yield Problem(ref, message, "Set it to true or false.", _members(ref, members))


# MW4205


def _find_injection_values(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in cluster.all(NAMESPACE):
        value = labels_of(namespace).get(INJECTION, "disabled")
        if value in ("enabled", "disabled") or injects_into(namespace, cluster):
            continue
        if value.lower() in _YES:
            message = f"its label {INJECTION} has the value {value}, but injection webhooks ask for enabled, so no sidecar is injected"
            yield Problem(ref_of(namespace), message, "Set it to enabled, or take it off.")
        elif _is_near_ambient(value):
            message = f"its label {INJECTION} has the value {value}, which enrolls nothing in ambient mesh, and keeps sidecars away"
            yield Problem(ref_of(namespace), message, f"Set the label {DATAPLANE_MODE} to ambient instead, and take this one off.")


_API = "istio.io/api label/labels.gen.go"
_WAYPOINTS = "istio pilot/pkg/serviceregistry/ambient/waypoints.go"
_ALL = (NAMESPACE, SERVICE, SERVICE_ENTRY, POD)
CHECKS: tuple[Check, ...] = (
    Check("MW4201", "an unknown data plane mode", "error", (NAMESPACE, POD), _find_modes, "istio cni/pkg/util/enablement_selector.go"),
    Check("MW4202", "a misspelled label", "warning", (*_ALL, GATEWAY), _find_misspelled, _API),
    Check(
        "MW4203",
        "the namespace of a waypoint that is not named",
        "warning",
        _ALL,
        _find_lonely_namespaces,
        "istio pilot/pkg/serviceregistry/ambient/waypoints.go",
    ),
    Check("MW4204", "a value that is no boolean", "warning", _ALL, _find_no_booleans, "istio pilot/pkg/serviceregistry/ambient/services.go"),
    Check("MW4205", "an injection label that does nothing", "warning", (NAMESPACE, MUTATING_WEBHOOK), _find_injection_values, _API),
)

__all__ = ("CHECKS",)
