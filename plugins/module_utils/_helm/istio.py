# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The releases of Istio, from the variables of the role istio."""

from __future__ import annotations

import typing as t

from .charts import Values, chart_reference, chart_values, revision_of
from .gateways import gateway_values

Release = t.Dict[str, t.Any]

_NAMES = {"base": "istio-base", "istiod": "istiod", "cni": "istio-cni", "ztunnel": "ztunnel"}
_OF_SIDECAR_MODE = ("base", "istiod")


def istio_releases(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The releases of Istio, each with the options of the module helm_release_info.

    Args:
        variables: the converted variables of the role istio.

    Returns:
        The release of each chart by the chart's name, those of the chart gateway as C(gateways), and as C(desired) all that belong to the mode.
    """
    names = {**_NAMES, **{chart: name for chart, name in variables["istio_release_names"].items() if name}}
    charts = {
        chart: _release(chart, name=name, namespace=variables["istio_namespace"], values=chart_values(chart, variables), variables=variables)
        for chart, name in names.items()
    }
    gateways = [
        _release(
            "gateway",
            name=gateway["name"],
            namespace=gateway["namespace"],
            values=gateway_values(gateway, variables["istio_platform"], revision_of(variables["istio_istiod_values"])),
            variables=variables,
        )
        for gateway in variables["istio_gateways"]
    ]
    desired = [release for chart, release in charts.items() if variables["istio_mode"] == "ambient" or chart in _OF_SIDECAR_MODE]
    return {**charts, "gateways": gateways, "desired": [*desired, *gateways]}


def _release(chart: str, *, name: str, namespace: str, values: Values, variables: t.Mapping[str, t.Any]) -> Release:
    reference = chart_reference(variables["istio_chart_source"], chart, variables["istio_version"])
    return {"name": name, "namespace": namespace, **reference, "values": values}


__all__ = ("istio_releases",)
