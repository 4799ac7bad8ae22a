# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Renders a Gateway of class istio: listeners, the type and load balancer of its Service, the redirect to HTTPS.

Source: istio's files/kube-gateway.yaml and pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (extractServicePorts, applyOverlay).
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from .._ingress.annotation_values import DEFAULT_DELAY, STATUS_PORT
from .._limits.kubernetes import LONGEST_NAME
from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .._mesh.labels import GATEWAY_CLASS, REVISION
from .._mesh.parameters import parameters_name, render_parameters
from .._mesh.strategic_merge import combine
from .._text import format_scalar
from . import nlb as network

Item = t.Mapping[str, t.Any]

PROXY_CONFIG = "proxy.istio.io/config"
# The label by which a gateway chooses the namespaces of its routes, unless another selector is given.
_SHARED_ACCESS = {"shared-gateway-access": "true"}
DEFAULT_DRAIN_SECONDS = 30
# A Network Load Balancer with no options.
DEFAULT_NLB: Item = {"target_type": "ip", "deregistration_delay": DEFAULT_DELAY}
# The name of a listener is "https-", what is made of its host, and a dash with this many characters of a hash where that is not enough.
_HASH = 8
_LONGEST_SLUG = LONGEST_NAME - len("https-") - _HASH - 1
# How long a pod may take to end after its connections were drained.
_TERMINATION_SECONDS = 15


def redirect_name(gateway: str) -> str:
    """The name of the HTTPRoute that redirects to HTTPS."""
    return f"{gateway}-redirect-http"


def service_type(item: Item) -> str:
    """The type of a gateway's Service: the one that fits its load balancer, unless one is given."""
    return str(item.get("service_type") or ("LoadBalancer" if item["load_balancer"] == "nlb" else "ClusterIP"))


def _allowed_routes(routes: Item | None) -> dict[str, t.Any] | None:
    """C(allowedRoutes) of a listener; the selector defaults to SHARED_ACCESS."""
    if not routes:
        return None
    namespaces: dict[str, t.Any] = {"from": routes["from"]}
    if routes["from"] == "Selector":
        namespaces["selector"] = dict(routes.get("selector") or {"matchLabels": dict(_SHARED_ACCESS)})
    return {"namespaces": namespaces}


def access_labels(item: Item) -> dict[str, str]:
    """The labels that the namespaces of a gateway's routes must carry."""
    labels: dict[str, str] = {}
    for routes in (item.get("allowed_routes"), *(listener.get("allowed_routes") for listener in item.get("listeners") or ())):
        namespaces = (_allowed_routes(routes) or {}).get("namespaces") or {}
        labels.update((namespaces.get("selector") or {}).get("matchLabels") or {})
    return labels


def listeners_of(item: Item) -> list[dict[str, t.Any]]:
    """The listeners: as given, or port 80 and with TLS port 443 for each host."""
    if item.get("listeners"):
        return [_given_listener(item, listener) for listener in item["listeners"]]
    hosts: list[str] = list(item.get("hosts") or ()) or [""]
    found = []
    for host, suffix in _suffixes(hosts).items():
        # A listener that only redirects admits the redirect alone, which is in the namespace of the gateway: other routes would be served in plain HTTP.
        plain = {**item, "allowed_routes": None} if item.get("redirect_http") else item
        found.append(_listener(plain, f"http{suffix}", 80, "HTTP", host))
        if item["tls"] == "load_balancer":
            # TLS has ended before, so this is HTTP on purpose.
            found.append(_listener(item, f"https{suffix}", 443, "HTTP", host))
        elif item["tls"] == "gateway":
            found.append(_listener(item, f"https{suffix}", 443, "HTTPS", host, item.get("certificate_refs") or ()))
    return found


def redirecting(item: Item) -> list[dict[str, t.Any]]:
    """The listeners that only redirect to HTTPS."""
    return [listener for listener in listeners_of(item) if listener["port"] == 80] if item.get("redirect_http") else []


def render_gateway(item: Item) -> dict[str, t.Any]:
    """The Gateway of an item."""
    labels = {REVISION: item["revision"]} if item.get("revision") else {}
    infrastructure: dict[str, t.Any] = {}
    if item.get("labels"):
        infrastructure["labels"] = {key: format_scalar(value) for key, value in sorted(item["labels"].items())}
    annotations = infrastructure_annotations(item)
    if annotations:
        infrastructure["annotations"] = annotations
    infrastructure["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": parameters_name(item["name"])}
    metadata: dict[str, t.Any] = {"name": item["name"], "namespace": item["namespace"]}
    if labels:
        metadata["labels"] = labels
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": listeners_of(item), "infrastructure": infrastructure},
    }


def render_gateway_parameters(item: Item) -> dict[str, t.Any]:
    """The ConfigMap of a Gateway, by which its Service has the right type from the start."""
    return render_parameters(item["name"], item["namespace"], overlays_of(item))


def render_redirect(item: Item) -> dict[str, t.Any]:
    """The HTTPRoute that sends plain HTTP to HTTPS."""
    sections = [listener["name"] for listener in redirecting(item)]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": redirect_name(item["name"]), "namespace": item["namespace"], "labels": {MANAGED_BY: FIELD_MANAGER}},
        "spec": {
            "parentRefs": [{"name": item["name"], "sectionName": section} for section in sections],
            "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}],
        },
    }


def infrastructure_annotations(item: Item) -> dict[str, str]:
    """The annotations of everything that istiod makes for the Gateway."""
    found = {key: format_scalar(value) for key, value in (item.get("annotations") or {}).items()}
    config = proxy_config(item)
    if config:
        found[PROXY_CONFIG] = json.dumps(config, sort_keys=True)
    if item["load_balancer"] == "nlb":
        found.update({key: value for key, value in network.all_annotations(item.get("nlb") or DEFAULT_NLB).items() if key in network.ON_GATEWAY})
    return dict(sorted(found.items()))


def service_annotations(item: Item) -> dict[str, str]:
    """The annotations that the Service must have in the end."""
    return network.all_annotations(item.get("nlb") or DEFAULT_NLB) if item["load_balancer"] == "nlb" else {}


def proxy_config(item: Item) -> dict[str, t.Any]:
    """What Envoy must know of the load balancer in front: how many proxies it trusts, and how long it drains connections."""
    topology: dict[str, t.Any] = {}
    trusted = item.get("trusted_proxies")
    trusted = (1 if item["load_balancer"] == "alb" else 0) if trusted is None else trusted
    if trusted:
        topology["numTrustedProxies"] = trusted
    if item["load_balancer"] == "nlb" and (item.get("nlb") or {}).get("proxy_protocol"):
        topology["proxyProtocol"] = {}
    config: dict[str, t.Any] = {"gatewayTopology": topology} if topology else {}
    drain = drain_seconds(item)
    if drain:
        config["terminationDrainDuration"] = f"{drain}s"
    return config


def drain_seconds(item: Item) -> int:
    """For how long a terminating pod still answers: at least until a load balancer has deregistered it."""
    given = item.get("drain_seconds")
    if given is not None:
        return int(given)
    return DEFAULT_DRAIN_SECONDS if item["load_balancer"] in ("alb", "nlb") else 0


def overlays_of(item: Item) -> dict[str, t.Any]:
    """What istiod merges into the objects of the gateway, the item's own overlays last.

    Raises:
        OverlayError: the item's own overlays cannot be merged.
    """
    spec: dict[str, t.Any] = {"type": service_type(item)}
    service: dict[str, t.Any] = {"spec": spec}
    if item["load_balancer"] == "nlb":
        nlb = item.get("nlb") or DEFAULT_NLB
        annotations = {key: value for key, value in network.all_annotations(nlb).items() if key not in network.ON_GATEWAY}
        if annotations:
            service["metadata"] = {"annotations": annotations}
        if nlb.get("external_traffic_policy"):
            spec["externalTrafficPolicy"] = nlb["external_traffic_policy"]
        if nlb.get("source_ranges"):
            spec["loadBalancerSourceRanges"] = list(nlb["source_ranges"])
        if not nlb.get("expose_status_port"):
            # The controller creates and opens a listener for every port of a Service; the pods themselves are probed.
            spec["ports"] = [{"port": STATUS_PORT, "$patch": "delete"}]
    deployment: dict[str, t.Any] = {}
    if item.get("replicas") is not None:
        deployment["replicas"] = item["replicas"]
    if drain_seconds(item):
        deployment["template"] = {"spec": {"terminationGracePeriodSeconds": drain_seconds(item) + _TERMINATION_SECONDS}}
    overlays: dict[str, t.Any] = {"service": service, **({"deployment": {"spec": deployment}} if deployment else {})}
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        if isinstance(overlay, dict):
            overlays[key] = combine(overlays.get(key, {}), overlay)
    return overlays


def _listener(item: Item, name: str, port: int, protocol: str, host: str, certificates: t.Sequence[Item] = ()) -> dict[str, t.Any]:
    listener: dict[str, t.Any] = {"name": name, "port": port, "protocol": protocol}
    if host:
        listener["hostname"] = host
    if certificates:
        listener["tls"] = {"mode": "Terminate", "certificateRefs": _certificate_refs(certificates)}
    routes = _allowed_routes(item.get("allowed_routes"))
    # Written even if it is the API's default, so that taking it out of the inventory has an effect.
    listener["allowedRoutes"] = routes or {"namespaces": {"from": "Same"}}
    return listener


def _given_listener(item: Item, given: Item) -> dict[str, t.Any]:
    source = {**item, "allowed_routes": given.get("allowed_routes") or item.get("allowed_routes")}
    listener = _listener(source, given["name"], given["port"], given["protocol"], given.get("hostname") or "")
    if given.get("certificate_refs") or given.get("tls_mode"):
        listener["tls"] = {"mode": given.get("tls_mode") or "Terminate"}
        if given.get("certificate_refs"):
            listener["tls"]["certificateRefs"] = _certificate_refs(given["certificate_refs"])
    return listener


def _certificate_refs(certificates: t.Sequence[Item]) -> list[dict[str, t.Any]]:
    return [{"name": ref["name"], **({"namespace": ref["namespace"]} if ref.get("namespace") else {})} for ref in certificates]


def _suffixes(hosts: t.Sequence[str]) -> dict[str, str]:
    """What the names of the listeners of each host end with: nothing for the first, then the host without its dots.

    Where an earlier host has this end already, as C(a.b.example.com) has that of C(a-b.example.com), or it is too long, a hash of the host is added.
    """
    found = {hosts[0]: ""}
    for host in dict.fromkeys(hosts[1:]):
        slug = re.sub(r"[^a-z0-9]+", "-", host.replace("*", "wildcard").lower()).strip("-")
        if f"-{slug}" in found.values() or len(slug) > _LONGEST_SLUG:
            slug = f"{slug[:_LONGEST_SLUG]}-{hashlib.sha256(host.encode()).hexdigest()[:_HASH]}"
        found.setdefault(host, f"-{slug}")
    return found


__all__ = (
    "DEFAULT_NLB",
    "access_labels",
    "drain_seconds",
    "infrastructure_annotations",
    "listeners_of",
    "overlays_of",
    "redirect_name",
    "redirecting",
    "render_gateway",
    "render_gateway_parameters",
    "render_redirect",
    "service_annotations",
    "service_type",
)
