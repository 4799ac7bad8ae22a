# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validation of the variables of the roles istio and gateway_api, and of what must fit them in other roles."""

from __future__ import annotations

import re
import typing as t

from .._helm.charts import revision_of
from .._helm.gateways import DEFAULT_TYPE, SERVICE_FIELDS, gateway_values
from .._limits.kubernetes import HIGHEST_PORT, find_label_name_errors, find_number_errors, is_label_name
from .._limits.services import find_annotated_range_errors, find_service_errors, find_type_errors
from .._mesh.strategic_merge import OverlayError
from .._mesh.version_matrix import find_version_conflicts, reads_parameters
from .._text import repeated, userinfo_in
from .._waypoint.overlays import compose_overlays
from .releases import LONGEST_RELEASE
from .scale import validate_scale

if t.TYPE_CHECKING:
    from .items import IstioGateway, MeshWaypoint
    from .variables import Variables

_OLDEST_ISTIO = (1, 24)


def validate_istio(variables: Variables) -> list[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [
        *_validate_sources(variables),
        *_validate_delivery(variables),
        *validate_scale(variables),
        *_validate_gateways(variables.get("istio_gateways") or ()),
        *_validate_revisions(variables.get("istio_istiod_values") or {}, variables.get("istio_ztunnel_values") or {}),
        *_validate_namespaces_of_values(variables),
        *_validate_names_of_values(variables),
        *_validate_versions(variables),
        *_validate_parameters(variables),
    ]


def _validate_versions(variables: Variables) -> list[str]:
    """One sentence for each pair of versions in this inventory that do not work together."""
    serves_gateways = variables.get("alb_controller_enabled") and variables.get("alb_controller_gateway_api")
    controller = variables.get("alb_controller_version") if serves_gateways else None
    return find_version_conflicts(variables.get("istio_version") or "", variables.get("gateway_api_version") or "", controller or "")


def _validate_parameters(variables: Variables) -> t.Iterator[str]:
    """What an older Istio would silently ignore: with it, every gateway would have a load balancer, and waypoints would lack their options."""
    version = str(variables.get("istio_version") or "")
    if reads_parameters(version):
        return
    older = f"but istio_version is {version}, and Istio reads the parameters of a Gateway from 1.26 on"
    if any(gateway.get("state") != "absent" for gateway in variables.get("ingress_gateways") or ()):
        yield (
            f"ingress_gateways has gateways, {older}, so the Service of each would be of type LoadBalancer, whatever it should be: use a newer Istio, "
            "or releases of the chart gateway (istio_gateways)."
        )
    for index, waypoint in enumerate(variables.get("mesh_waypoints") or ()):
        if waypoint.get("state") != "absent" and _has_overlays(waypoint):
            yield f"mesh_waypoints[{index}] has options that become parameters of its Gateway, {older}: use a newer Istio, or omit them."


def _has_overlays(waypoint: MeshWaypoint) -> bool:
    try:
        return bool(compose_overlays(waypoint))
    except OverlayError:
        # A validation error of its own.
        return False


def _validate_sources(variables: Variables) -> t.Iterator[str]:
    """Only what the chosen roles have is asked for."""
    values: t.Mapping[str, t.Any] = variables
    for name, desired in (("cluster_kubeconfig", "a path"), ("istio_chart_source", "a URL or a path"), ("gateway_api_source", "a URL or a path")):
        if name in values and not str(values[name] or "").strip():
            yield f'{name} is empty: set it to {desired}. For the sandbox, run make twin-up and then eval "$(make -s twin-env)".'
    if "istio_version" not in variables:
        return
    version = str(variables["istio_version"])
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?", version)
    if not found:
        yield f"istio_version is {version!r}: use a full version, such as 1.31.1."
    elif (int(found[1]), int(found[2])) < _OLDEST_ISTIO:
        yield f"istio_version is {version}: ambient mesh is stable from {_OLDEST_ISTIO[0]}.{_OLDEST_ISTIO[1]} on, so use that version or a newer one."


def _find_port_errors(place: str, ports: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    """Ports of a chart's Service, as the API server takes them."""
    names = [str(port["name"]) for port in ports if port.get("name")]
    if len(ports) > 1 and len(names) < len(ports):
        yield f"{place} has several ports, of which each needs a name: add the missing names."
    for name in names:
        if not is_label_name(name):
            yield f"{place} has the name {name!r}: use at most 63 lower-case letters, digits and dashes."
    for name in repeated(names):
        yield f"{place} has the name {name} more than once: each port needs a name of its own."
    for port in ports:
        yield from find_number_errors(f"{place}: ", port, {"port": (1, HIGHEST_PORT), "targetPort": (1, HIGHEST_PORT), "nodePort": (1, HIGHEST_PORT)})


def _find_service_errors(item: str, gateway: IstioGateway) -> t.Iterator[str]:
    """Addresses and ranges of a chart's Service, as options and as values of the chart."""
    own = gateway_values({**gateway, "values": None}, "").get("service") or {}
    values = (gateway.get("values") or {}).get("service")
    merged = gateway_values(gateway, "").get("service") or {}
    kind = str(merged.get("type") or DEFAULT_TYPE) if isinstance(merged, dict) else DEFAULT_TYPE
    yield from find_service_errors(f"{item}.service", {**own, "type": kind}, {field: option for option, field in SERVICE_FIELDS.items()})
    yield from find_service_errors(f"{item}.values.service", values)
    for place, service in ((f"{item}.service", own), (f"{item}.values.service", values)):
        yield from find_annotated_range_errors(f"{place}.annotations", service.get("annotations") if isinstance(service, dict) else None)
    # Without a Service there is nothing to refuse.
    if isinstance(merged, dict) and kind != "None":
        yield from find_type_errors(f"{item}.service", kind, merged, merged.get("annotations"))


def _validate_gateways(gateways: t.Iterable[IstioGateway]) -> t.Iterator[str]:
    places: dict[tuple[t.Any, t.Any], int] = {}
    for index, gateway in enumerate(gateways):
        item = f"istio_gateways[{index}]"
        yield from find_label_name_errors(f"{item}.namespace", gateway["namespace"])
        if not is_label_name(gateway["name"]) or len(gateway["name"]) > LONGEST_RELEASE:
            yield f"{item}.name is {gateway['name']!r}: use at most {LONGEST_RELEASE} lower-case letters, digits and dashes."
        service = gateway.get("service") or {}
        yield from _find_service_errors(item, gateway)
        ports = service.get("ports")
        if isinstance(ports, list) and all(isinstance(port, dict) for port in ports):
            yield from _find_port_errors(f"{item}.service.ports", ports)
        place = (gateway.get("namespace"), gateway.get("name"))
        if place in places:
            yield f"{item} names the same release {place[0]}/{place[1]} as istio_gateways[{places[place]}]: list each release once."
        places.setdefault(place, index)


def _validate_revisions(istiod: t.Mapping[str, t.Any], ztunnel: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """The revision is part of the names of Services, which have no dots. The charts know no name for the istiod without one.

    With V(default), the chart istiod creates the Service C(istiod-default), while that of the chart base calls C(istiod).
    Source: istio manifests/charts, istio-control/istio-discovery/templates/service.yaml, ztunnel/templates/daemonset.yaml and
    base/templates/defaultrevision-validatingwebhookconfiguration.yaml.
    """
    revision = revision_of(istiod)
    for name, value in (("istio_istiod_values", revision), ("istio_ztunnel_values", ztunnel.get("revision"))):
        if value == "default":
            yield f"{name}.revision is 'default', for which the charts would use a Service istiod-default: omit it for the istiod without a revision."
    if revision and not is_label_name(revision):
        yield f"istio_istiod_values.revision is {revision!r}: use lower-case letters, digits and dashes, such as 1-31."


def _validate_namespaces_of_values(variables: Variables) -> t.Iterator[str]:
    """Values that look for istiod in a namespace where the role does not install it; istio_namespace sets them in all charts.

    Source: istio manifests/charts, base/templates, istio-control/istio-discovery/templates and ztunnel/templates/daemonset.yaml.
    """
    ztunnel = variables.get("istio_ztunnel_values") or {}
    found = {} if ztunnel.get("xdsAddress") and ztunnel.get("caAddress") else {"istio_ztunnel_values.istioNamespace": ztunnel.get("istioNamespace")}
    for name, values in (("istio_base_values", variables.get("istio_base_values")), ("istio_istiod_values", variables.get("istio_istiod_values"))):
        below = (values or {}).get("global")
        found[f"{name}.global.istioNamespace"] = below.get("istioNamespace") if isinstance(below, dict) else None
    for place, namespace in found.items():
        if namespace and "istio_namespace" in variables and namespace != variables["istio_namespace"]:
            yield (
                f"{place} is {namespace!r}, but istio_namespace is {variables['istio_namespace']}, where istiod is installed: "
                "omit it, and set istio_namespace to the namespace of istiod."
            )


def _validate_names_of_values(variables: Variables) -> t.Iterator[str]:
    """Values by which a chart names its workloads otherwise than the roles, routes and selectors look for them.

    Source: istio manifests/charts, gateway/templates/_helpers.tpl and ztunnel/templates/_helpers.tpl.
    """
    for index, gateway in enumerate(variables.get("istio_gateways") or ()):
        name = (gateway.get("values") or {}).get("name")
        if name and name != gateway["name"]:
            yield (
                f"istio_gateways[{index}].values.name is {name!r}, but name is {gateway['name']}, which everything else looks for: "
                f"omit it, and set name to {name}."
            )
    name = (variables.get("istio_ztunnel_values") or {}).get("resourceName")
    if name and name != "ztunnel":
        yield f"istio_ztunnel_values.resourceName is {name!r}, but the roles verify, and other tools look for, DaemonSet ztunnel: omit it."


def _validate_delivery(variables: Variables) -> t.Iterator[str]:
    source = variables.get("istio_chart_source") or ""
    destination = (variables.get("istio_argocd") or {}).get("destination")
    if variables.get("istio_delivery") == "argocd" and destination is not None and not destination.startswith(("https://", "http://")):
        yield (
            f"istio_argocd.destination is {destination!r}: use the URL of the API server that Argo CD has for the cluster, not its name, "
            "such as https://kubernetes.default.svc for the cluster of Argo CD."
        )
    if variables.get("istio_delivery") == "argocd" and source and not source.startswith(("https://", "http://", "oci://")):
        yield f"istio_chart_source is {source!r}, which Argo CD cannot read: use an HTTPS or OCI repository, or set istio_delivery to helm."
    elif variables.get("istio_delivery") == "argocd" and userinfo_in(source):
        yield (
            "istio_chart_source has a user or a password, which everybody who may read Argo CD's Applications would see: "
            "give it to Argo CD as the credentials of a repository, and name the repository without it."
        )


__all__ = ("validate_istio",)
