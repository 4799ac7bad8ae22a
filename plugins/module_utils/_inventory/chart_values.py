# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the structure of values of charts: Helm fails in the middle of a template, or ignores a key, and names no variable.

Sources: values.yaml of istio's charts base, istiod, cni, ztunnel and gateway (manifests/charts), of karpenter, and of aws-load-balancer-controller. Below
these keys, and for others, the charts themselves decide.
"""

from __future__ import annotations

import typing as t
from decimal import Decimal

from .._helm.charts import PREFIXES
from .._near_misses import find_near_miss

if t.TYPE_CHECKING:
    from .variables import Variables

Values = t.Mapping[str, t.Any]

_DICTIONARIES = (
    *("affinity", "dnsConfig", "global", "nodeSelector", "podAnnotations", "podLabels", "podSecurityContext", "resources", "securityContext", "service"),
    *("serviceAccount",),
)
_LISTS = ("extraVolumes", "imagePullSecrets", "tolerations", "topologySpreadConstraints", "volumeMounts", "volumes")
# For each chart, further keys whose value is a dictionary in each version of it, and further ones whose value is a list.
_OF_CHART: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "base": (("base",), ()),
    "istiod": (
        ("autoscaleBehavior", "base", "cni", "env", "gatewayClasses", "meshConfig", "pilot", "seccompProfile", "sidecarInjectorWebhook", "taint", "telemetry"),
        ("envVarFrom", "extraContainerArgs", "ipFamilies", "revisionTags"),
    ),
    "cni": (("ambient", "cni", "env", "logging", "repair", "resourceQuotas", "seccompProfile", "updateStrategy"), ("excludeNamespaces",)),
    "ztunnel": (("annotations", "env", "labels", "meshConfig", "multiCluster", "resourceQuotas", "updateStrategy"), ()),
    "gateway": (("annotations", "autoscaling", "env", "labels", "podDisruptionBudget", "rbac"), ()),
    "karpenter": (("additionalAnnotations", "additionalLabels", "controller", "podDisruptionBudget", "serviceMonitor", "settings", "strategy"), ()),
    "aws-load-balancer-controller": (("autoscaling", "cluster", "defaultTags", "env", "image", "podDisruptionBudget", "rbac", "updateStrategy"), ()),
}
# What every chart of Istio takes besides its values.yaml. Source: templates/zzz_profile.yaml.
_OF_ISTIO = ("profile", "platform", "compatibilityVersion", "global", "defaults", "enabled")
_FIRST_WITH_EXPONENT = 10**6
_DEFAULTS = "_internal_defaults_do_not_set"
_KINDS: dict[type, tuple[str, str]] = {
    dict: ("a dictionary", "write its keys with their values"),
    list: ("a list", "begin each item with a dash"),
}


def charts_of(variables: Variables) -> list[tuple[str, str, Values]]:
    """The user's values of each chart: how messages name them, the chart, and the values."""
    values_of: Values = variables
    found = [(f"istio_{chart}_values", chart, values_of.get(f"istio_{chart}_values")) for chart in ("base", "istiod", "cni", "ztunnel")]
    found += [(f"istio_gateways[{index}].values", "gateway", item.get("values")) for index, item in enumerate(variables.get("istio_gateways") or ())]
    for role, chart in (("karpenter", "karpenter"), ("alb_controller", "aws-load-balancer-controller")):
        if values_of.get(f"{role}_enabled"):
            found.append((f"{role}_values", chart, values_of.get(f"{role}_values")))
    return [(place, chart, values) for place, chart, values in found if isinstance(values, dict) and values]


def validate_chart_values(variables: Variables) -> t.Iterator[str]:
    """One sentence for each value of a structure that the chart cannot read; a null takes the chart's own value away, and passes.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    for place, chart, values in charts_of(variables):
        expected = _expected(chart)
        yield from _find_structure_errors(place, values, expected)
        prefix = PREFIXES.get(chart)
        if prefix and isinstance(values.get(prefix), dict):
            yield from _find_structure_errors(f"{place}.{prefix}", values[prefix], expected)


def chart_number_warnings(variables: Variables) -> t.Iterator[str]:
    """One sentence for each variable of a container whose number a template would write in another way.

    Helm reads numbers as float64, which a template writes with an exponent from a million on: text/template prints by C(%v), and fmt by strconv's C(g).
    Source: helm.sh/helm/v3 pkg/cli/values/options.go and sigs.k8s.io/yaml.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    for place, _chart, values in charts_of(variables):
        for path, value in _numbers_of_containers(place, values):
            digits, _e, exponent = f"{Decimal(value).normalize():e}".partition("e+")
            yield f"{path} is {value}, a number, which Helm would write as {digits}e+{exponent:0>2}: put it in quotes."


def _numbers_of_containers(place: str, values: Values) -> t.Iterator[tuple[str, int]]:
    for key, value in values.items():
        if not isinstance(value, dict):
            continue
        if key == "env":
            numbers = {name: one for name, one in value.items() if isinstance(one, int) and abs(one) >= _FIRST_WITH_EXPONENT}
            yield from ((f"{place}.env.{name}", number) for name, number in numbers.items())
        yield from _numbers_of_containers(f"{place}.{key}", value)


def find_chart_errors(place: str, chart: str, values: Values, defaults: Values) -> t.Iterator[str]:
    """What a chart that is at hand shows besides: a lone value where its values.yaml has a dictionary or a list.

    Args:
        place: how messages name the values.
        chart: the chart.
        values: the user's values.
        defaults: the content of its values.yaml.
    """
    known = _own_values(defaults)
    expected = {key: type(value) for key, value in known.items() if type(value) in _KINDS and key not in _expected(chart)}
    for key, kind in expected.items():
        if values.get(key) is not None and not isinstance(values[key], (dict, list)):
            yield _sentence(f"{place}.{key}", values[key], kind)


def find_chart_warnings(place: str, chart: str, values: Values, defaults: Values) -> t.Iterator[str]:
    """Keys that the chart does not have, but that are nearly one of it; the arguments are those of find_chart_errors()."""
    known = {*_own_values(defaults), *_expected(chart), *(_OF_ISTIO if _DEFAULTS in defaults else ())}
    for key in map(str, values):
        meant = find_near_miss(key, known)
        if meant and meant not in values:
            yield f"{place} has the key {key!r}, which the chart {chart} does not have: did you mean {meant}?"


def _own_values(defaults: Values) -> Values:
    """The values of a chart by their keys; those of Istio's charts are below one that nobody sets."""
    inner = defaults.get(_DEFAULTS)
    return {**defaults, **inner} if isinstance(inner, dict) else defaults


def _expected(chart: str) -> dict[str, type]:
    dictionaries, lists = _OF_CHART[chart]
    return {**dict.fromkeys((*_DICTIONARIES, *dictionaries), dict), **dict.fromkeys((*_LISTS, *lists), list)}


def _find_structure_errors(place: str, values: Values, expected: t.Mapping[str, type]) -> t.Iterator[str]:
    for key, kind in expected.items():
        if values.get(key) is not None and not isinstance(values[key], kind):
            yield _sentence(f"{place}.{key}", values[key], kind)


def _sentence(place: str, value: t.Any, kind: type) -> str:
    expected, remedy = _KINDS[kind]
    kinds = ((bool, "a boolean"), ((int, float), "a number"), (str, "a text"), (dict, "a dictionary"), (list, "a list"))
    # Values may be secret, so that only what they are is shown.
    shown = next((name for types, name in kinds if isinstance(value, types)), "a value of another type")
    return f"{place} is {shown}, but the chart needs {expected}: {remedy}."


__all__ = ("chart_number_warnings", "charts_of", "find_chart_errors", "find_chart_warnings", "validate_chart_values")
