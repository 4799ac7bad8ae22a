# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The labels and annotations that control ambient mesh. Source: istio.io/api label and annotation, istio.io/docs/reference."""

from __future__ import annotations

import typing as t

DATAPLANE_MODE = "istio.io/dataplane-mode"
USE_WAYPOINT = "istio.io/use-waypoint"
USE_WAYPOINT_NAMESPACE = "istio.io/use-waypoint-namespace"
INGRESS_USE_WAYPOINT = "istio.io/ingress-use-waypoint"
CANARY = "istio.io/use-waypoint-canary"
CANARY_NAMESPACE = "istio.io/use-waypoint-canary-namespace"
# An annotation, unlike the others.
CANARY_WEIGHT = "istio.io/use-waypoint-canary-weight"
WAYPOINT_FOR = "istio.io/waypoint-for"
REVISION = "istio.io/rev"
INJECTION = "istio-injection"
# A label of pods; older pods carry it as an annotation.
INJECT = "sidecar.istio.io/inject"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
# The network that an object is in; istiod copies it to what it creates for a waypoint only where no labels are set.
NETWORK = "topology.istio.io/network"

# On what istiod creates for a Gateway: which of its controllers did. Source: istio pkg/config/constants (ManagedGatewayLabel and the labels of controllers).
MANAGED_GATEWAY = "gateway.istio.io/managed"
MANAGED_BY_GATEWAY = "istio.io-gateway-controller"
MANAGED_BY_MESH = "istio.io-mesh-controller"
MANAGED_BY_EASTWEST = "istio.io-eastwest-controller"

REDIRECTION = "ambient.istio.io/redirection"
SIDECAR_STATUS = "sidecar.istio.io/status"

GATEWAY_CLASS = "istio"
WAYPOINT_CLASS = "istio-waypoint"
# The value of USE_WAYPOINT that opts an object out of its namespace's waypoint; no waypoint can bear this name.
NO_WAYPOINT = "none"
HBONE_PORT = 15008

Object = t.Mapping[str, t.Any]

# The labels and the annotation that this collection decides about; all others on the same objects are never touched.
MANAGED_LABELS = (DATAPLANE_MODE, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE, INGRESS_USE_WAYPOINT, CANARY, CANARY_NAMESPACE)
MANAGED_ANNOTATIONS = (CANARY_WEIGHT,)


def labels_of(item: Object) -> t.Mapping[str, str]:
    """The object's labels; empty if it has none."""
    return t.cast("t.Mapping[str, str]", item["metadata"].get("labels") or {})


def annotations_of(item: Object) -> t.Mapping[str, str]:
    """The object's annotations; empty if it has none."""
    return t.cast("t.Mapping[str, str]", item["metadata"].get("annotations") or {})


def template_of(workload: Object) -> Object:
    """A workload's pod template, with metadata even where it has none."""
    template = workload["spec"].get("template") or {}
    return {**template, "metadata": template.get("metadata") or {}}


def matches(selector: t.Mapping[str, t.Any], labels: t.Mapping[str, str]) -> bool:
    """Whether a Kubernetes LabelSelector (matchLabels, matchExpressions) matches; an empty one matches everything.

    Source: apimachinery's labels.Requirement: NotIn and DoesNotExist hold for a key that is not there.
    """
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or ())


def _holds(expression: t.Mapping[str, t.Any], labels: t.Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


__all__ = ("annotations_of", "labels_of", "matches", "template_of")
