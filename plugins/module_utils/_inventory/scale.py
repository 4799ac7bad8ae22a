# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates how many pods everything has, and how long the roles wait for it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .variables import Variables


_NO_PODS = "without a pod it does nothing, and a chart may ignore it: use at least 1"


def validate_scale(variables: Variables) -> t.Iterator[str]:
    """One sentence for each number of pods, and each time to wait, that cannot be; waypoints and their autoscalers are validated as their module does it.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    values: t.Mapping[str, t.Any] = variables
    for name, value in values.items():
        if name.endswith("_replicas") and value < 1:
            remedy = ", or omit the variable to use the autoscaling of the chart" if name == "istio_istiod_replicas" else ""
            yield f"{name} is {value}: {_NO_PODS}{remedy}."
        elif name.endswith("_timeout") and value < 0:
            yield f"{name} is {value}: it is a time in seconds, so use 0 or more."
    istiod = {"replicas": variables.get("istio_istiod_replicas"), "autoscaling": variables.get("istio_istiod_autoscaling")}
    yield from _validate_autoscaling("istio_istiod_replicas", "istio_istiod_autoscaling", istiod)
    for index, gateway in enumerate(variables.get("istio_gateways") or ()):
        place = f"istio_gateways[{index}]"
        replicas = gateway.get("replicas")
        if replicas is not None and replicas < 1:
            yield f"{place}.replicas is {replicas}: {_NO_PODS}."
        yield from _validate_autoscaling(f"{place}.replicas", f"{place}.autoscaling", gateway)


def _validate_autoscaling(replicas: str, autoscaling: str, item: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    limits = item.get("autoscaling")
    if not limits:
        return
    if not 1 <= limits["min"] <= limits["max"]:
        yield f"{autoscaling} is from {limits['min']} to {limits['max']}: min must be at least 1, and max must not be less than min."
    if item.get("replicas") is not None:
        yield f"{replicas} and {autoscaling} are both set, but exclude each other: omit one of them."


__all__ = ("validate_scale",)
