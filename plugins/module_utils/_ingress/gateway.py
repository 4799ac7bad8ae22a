# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""A Gateway of class istio that is an entry from outside: listeners, its Service's type and load balancer, the redirect to HTTPS.

Source: istio's files/kube-gateway.yaml and pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (extractServicePorts, applyOverlay).
"""

from __future__ import annotations

import json
import re
import typing as t

from .._k8s.managed_fields import FIELD_MANAGER, MANAGED_BY
from .._mesh.labels import REVISION
from .._mesh.parameters import OVERLAY_KINDS, parameters_name, render_parameters
from .._mesh.strategic_merge import OverlayError, combine
from .._text import format_scalar, repeated
from . import nlb as network
from .alb import apex_notes
from .words import STATUS_PORT

Item = t.Mapping[str, t.Any]

GATEWAY_CLASS = "istio"
PROXY_CONFIG = "proxy.istio.io/config"
# The label by which a gateway chooses the namespaces of its routes, unless another selector is given.
SHARED_ACCESS = {"shared-gateway-access": "true"}
# Source: the Gateway API's definition of spec.infrastructure, up to v1.5.
MOST_ANNOTATIONS = 8
DEFAULT_DRAIN_SECONDS = 30
# How long a pod may take to end after its connections were drained.
_GRACE_SECONDS = 15

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def service_name(gateway: str) -> str:
    """How istiod calls the Service and the Deployment of a Gateway of class istio."""
    return f"{gateway}-{GATEWAY_CLASS}"


def redirect_name(gateway: str) -> str:
    """How the HTTPRoute that redirects to HTTPS is called."""
    return f"{gateway}-redirect-http"


def service_type(item: Item, target_types: t.Collection[str] = ()) -> str:
    """The type of a gateway's Service: the one that fits its load balancer, unless one is given.

    Args:
        item: the gateway.
        target_types: those of the Application Load Balancers in front of it.
    """
    if item.get("service_type"):
        return str(item["service_type"])
    if item["load_balancer"] == "nlb":
        return "LoadBalancer"
    return "NodePort" if "instance" in target_types else "ClusterIP"


def allowed_routes(routes: Item | None) -> dict[str, t.Any] | None:
    """C(allowedRoutes) of a listener; a selector that is not given is that of SHARED_ACCESS."""
    if not routes:
        return None
    namespaces: dict[str, t.Any] = {"from": routes["from"]}
    if routes["from"] == "Selector":
        namespaces["selector"] = dict(routes.get("selector") or {"matchLabels": dict(SHARED_ACCESS)})
    return {"namespaces": namespaces}


def access_labels(item: Item) -> dict[str, str]:
    """The labels that the namespaces of a gateway's routes must carry."""
    labels: dict[str, str] = {}
    for routes in (item.get("allowed_routes"), *(listener.get("allowed_routes") for listener in item.get("listeners") or ())):
        namespaces = (allowed_routes(routes) or {}).get("namespaces") or {}
        labels.update((namespaces.get("selector") or {}).get("matchLabels") or {})
    return labels


def listeners_of(item: Item) -> list[dict[str, t.Any]]:
    """The listeners: as they are given, or port 80 and with TLS port 443 for each host."""
    if item.get("listeners"):
        return [_own_listener(item, listener) for listener in item["listeners"]]
    hosts: list[str] = list(item.get("hosts") or ()) or [""]
    found = []
    for place, host in enumerate(hosts):
        suffix = f"-{_word(host)}" if place else ""
        # What only redirects lets in the redirect alone, which lives beside the gateway: a route of others would be served in plain.
        plain = {**item, "allowed_routes": None} if item.get("redirect_http") else item
        found.append(_listener(plain, f"http{suffix}", 80, "HTTP", host))
        if item["tls"] == "load_balancer":
            # TLS has ended when the bytes arrive, so this is HTTP on purpose.
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


def render_gateway_parameters(item: Item, target_types: t.Collection[str] = ()) -> dict[str, t.Any]:
    """The ConfigMap of a Gateway, by which its Service has the right type from the start."""
    return render_parameters(item["name"], item["namespace"], overlays_of(item, target_types))


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
    """What the Gateway says to all that istiod makes for it."""
    found = {key: format_scalar(value) for key, value in (item.get("annotations") or {}).items()}
    config = proxy_config(item)
    if config:
        found[PROXY_CONFIG] = json.dumps(config, sort_keys=True)
    if item["load_balancer"] == "nlb":
        found.update({key: value for key, value in network.all_annotations(item.get("nlb") or _NO_NLB).items() if key in network.ON_GATEWAY})
    return dict(sorted(found.items()))


def service_annotations(item: Item) -> dict[str, str]:
    """The annotations that the Service must have in the end."""
    return network.all_annotations(item.get("nlb") or _NO_NLB) if item["load_balancer"] == "nlb" else {}


def proxy_config(item: Item) -> dict[str, t.Any]:
    """What Envoy must know of the load balancer in front: whose word on the client counts, and how long connections are drained."""
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
    """For how long a pod that ends still answers: at least as long as a load balancer takes to let go of it."""
    given = item.get("drain_seconds")
    if given is not None:
        return int(given)
    return DEFAULT_DRAIN_SECONDS if item["load_balancer"] in ("alb", "nlb") else 0


def overlays_of(item: Item, target_types: t.Collection[str] = ()) -> dict[str, t.Any]:
    """What istiod merges into the objects of the gateway, the item's own overlays last.

    Raises:
        OverlayError: the item's own overlays cannot be merged.
    """
    spec: dict[str, t.Any] = {"type": service_type(item, target_types)}
    service: dict[str, t.Any] = {"spec": spec}
    if item["load_balancer"] == "nlb":
        nlb = item.get("nlb") or _NO_NLB
        annotations = {key: value for key, value in network.all_annotations(nlb).items() if key not in network.ON_GATEWAY}
        if annotations:
            service["metadata"] = {"annotations": annotations}
        if nlb.get("external_traffic_policy"):
            spec["externalTrafficPolicy"] = nlb["external_traffic_policy"]
        if nlb.get("source_ranges"):
            spec["loadBalancerSourceRanges"] = list(nlb["source_ranges"])
        if not nlb.get("expose_status_port"):
            # The controller makes a listener, and opens it, for every port of a Service; health is asked of the pods themselves.
            spec["ports"] = [{"port": STATUS_PORT, "$patch": "delete"}]
    deployment: dict[str, t.Any] = {}
    if item.get("replicas") is not None:
        deployment["replicas"] = item["replicas"]
    if drain_seconds(item):
        deployment["template"] = {"spec": {"terminationGracePeriodSeconds": drain_seconds(item) + _GRACE_SECONDS}}
    overlays: dict[str, t.Any] = {"service": service, **({"deployment": {"spec": deployment}} if deployment else {})}
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        if isinstance(overlay, dict):
            overlays[key] = combine(overlays.get(key, {}), overlay)
    return overlays


def find_problems(item: Item, *, certificates_to_come: bool = False) -> list[str]:
    """What is wrong with one gateway, whatever is on the cluster or in AWS; each says what to do."""
    return [
        *_name_problems(item),
        *_load_balancer_problems(item, certificates_to_come),
        *_tls_problems(item, certificates_to_come),
        *_listener_problems(item),
        *_overlay_problems(item),
    ]


def find_notes(item: Item, *, certificates_to_come: bool = False) -> list[str]:
    """What the options do that is seldom meant."""
    notes = apex_notes(item.get("hosts") or ())
    if item["load_balancer"] != "nlb" and item.get("service_type") == "LoadBalancer":
        notes.append("service_type LoadBalancer makes a load balancer of its own, beside the one that is asked for or although none is: leave it out.")
    if item["load_balancer"] == "nlb":
        notes += (f"nlb: {note}" for note in network.find_notes(item.get("nlb") or _NO_NLB, certificates_to_come=certificates_to_come))
    return notes


def _listener(item: Item, name: str, port: int, protocol: str, host: str, certificates: t.Sequence[Item] = ()) -> dict[str, t.Any]:
    listener: dict[str, t.Any] = {"name": name, "port": port, "protocol": protocol}
    if host:
        listener["hostname"] = host
    if certificates:
        listener["tls"] = {"mode": "Terminate", "certificateRefs": _certificate_refs(certificates)}
    routes = allowed_routes(item.get("allowed_routes"))
    # Said even where it is the API's default, so that taking it out of the inventory takes it back.
    listener["allowedRoutes"] = routes or {"namespaces": {"from": "Same"}}
    return listener


def _own_listener(item: Item, given: Item) -> dict[str, t.Any]:
    source = {**item, "allowed_routes": given.get("allowed_routes") or item.get("allowed_routes")}
    listener = _listener(source, given["name"], given["port"], given["protocol"], given.get("hostname") or "")
    if given.get("certificate_refs") or given.get("tls_mode"):
        listener["tls"] = {"mode": given.get("tls_mode") or "Terminate"}
        if given.get("certificate_refs"):
            listener["tls"]["certificateRefs"] = _certificate_refs(given["certificate_refs"])
    return listener


def _certificate_refs(certificates: t.Sequence[Item]) -> list[dict[str, t.Any]]:
    return [{"name": ref["name"], **({"namespace": ref["namespace"]} if ref.get("namespace") else {})} for ref in certificates]


def _word(host: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", host.replace("*", "wildcard").lower()).strip("-")


def _name_problems(item: Item) -> t.Iterator[str]:
    for option in ("name", "namespace"):
        if not _NAME.fullmatch(str(item.get(option) or "")) or len(item[option]) > 63:
            yield f"{option} is {item.get(option)!r}: use lower-case letters, digits and dashes, at most 63."
    if len(service_name(str(item.get("name")))) > 63:
        yield f"name is {item['name']!r}: its Service is called {service_name(item['name'])}, which is longer than 63 characters: choose a shorter one."
    for host in item.get("hosts") or ():
        if not _HOST.fullmatch(str(host)):
            yield f"hosts has {host!r}: name a host such as shop.example.com or *.example.com."


def _load_balancer_problems(item: Item, certificates_to_come: bool) -> t.Iterator[str]:
    nlb = item.get("nlb")
    if item["load_balancer"] != "nlb":
        if nlb:
            yield f"nlb is given, but load_balancer is {item['load_balancer']}: set it to nlb, or take nlb out."
        return
    nlb = nlb or _NO_NLB
    if item.get("service_type") not in (None, "LoadBalancer"):
        yield f"load_balancer is nlb, but service_type is {item['service_type']}: leave service_type out."
    yield from (f"nlb.{problem}" for problem in network.find_problems(nlb, certificates_to_come=certificates_to_come))
    delay, drain = nlb.get("deregistration_delay"), drain_seconds(item)
    if delay is not None and drain < delay:
        yield f"drain_seconds is {drain}, but nlb.deregistration_delay {delay}: pods would be gone before the load balancer lets go of them."


def _tls_problems(item: Item, certificates_to_come: bool) -> t.Iterator[str]:
    nlb = item.get("nlb") or {}
    certificates = bool(nlb.get("certificate_arns")) or certificates_to_come
    kind, tls = item["load_balancer"], item["tls"]
    if tls == "load_balancer" and kind == "alb":
        yield "tls is load_balancer, but an ALB sends everything to one port: leave tls out, and give the item of the ALB its certificates."
    elif tls == "load_balancer" and kind == "none":
        yield "tls is load_balancer, but load_balancer is none: choose nlb, or let TLS end at the gateway."
    elif tls == "load_balancer" and not certificates:
        yield "tls is load_balancer, but nlb has no certificate: give nlb.certificate_arns or nlb.certificate_domains."
    if kind == "nlb" and certificates and tls == "gateway":
        yield "nlb has certificates, but tls is gateway: TLS ends once, so choose one of the two."
    if kind == "nlb" and certificates and tls != "gateway":
        ports = {listener["port"] for listener in listeners_of(item)}
        for port in network.ssl_ports(nlb):
            if port not in ports:
                yield f"nlb.ssl_ports has {port}, but the gateway has no listener at that port: set tls to load_balancer, or correct the port."
    if tls == "gateway" and not item.get("certificate_refs"):
        yield "tls is gateway, but certificate_refs is empty: name the Secret of the certificate."
    if item.get("redirect_http") and kind == "alb":
        yield "redirect_http would redirect what the ALB has already taken by HTTPS, without end: use ssl_redirect of the ALB."
    elif item.get("redirect_http") and not any(listener["port"] == 443 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 443 to redirect to: set tls."
    elif item.get("redirect_http") and not any(listener["port"] == 80 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 80 to redirect from: add it, or leave redirect_http out."


def _listener_problems(item: Item) -> t.Iterator[str]:
    given = item.get("listeners") or ()
    if given and (item.get("hosts") or item["tls"] != "none" or item.get("certificate_refs")):
        yield "listeners replaces hosts, tls and certificate_refs: give either."
    names = [listener["name"] for listener in listeners_of(item)]
    for name in repeated(names):
        yield f"listeners has the name {name} more than once: each needs its own."
    for listener in given:
        if listener["protocol"] == "HTTPS" and not listener.get("certificate_refs"):
            yield f"listener {listener['name']} is HTTPS without certificate_refs: name the Secret of its certificate."
    if item.get("route_namespaces") and not access_labels(item):
        yield "route_namespaces is given, but allowed_routes is not from Selector with matchLabels, so no label would matter: set allowed_routes."


def _overlay_problems(item: Item) -> t.Iterator[str]:
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        if key not in OVERLAY_KINDS:
            yield f"overlays has the key {key}: istiod knows {', '.join(OVERLAY_KINDS)}."
        elif not isinstance(overlay, dict):
            yield f"overlays.{key} is no dictionary: write it as the object's fields."
    try:
        overlays_of(item)
    except OverlayError as error:
        yield f"overlays cannot be merged ({error}): correct them."
    annotations = infrastructure_annotations(item)
    if len(annotations) > MOST_ANNOTATIONS:
        yield f"annotations are {len(annotations)} with those of the load balancer, but a Gateway takes at most {MOST_ANNOTATIONS}: take some out."
    managed = infrastructure_annotations({**item, "annotations": {}})
    for key in sorted(item.get("annotations") or {}):
        if key in managed or key.startswith(network.PREFIX):
            yield f"annotations has {key}, which belongs to the load balancer's options: use nlb, or nlb.annotations."


_NO_NLB: Item = {"target_type": "ip", "deregistration_delay": 30}

__all__ = (
    "GATEWAY_CLASS",
    "SHARED_ACCESS",
    "access_labels",
    "allowed_routes",
    "drain_seconds",
    "find_notes",
    "find_problems",
    "infrastructure_annotations",
    "listeners_of",
    "overlays_of",
    "redirect_name",
    "redirecting",
    "render_gateway",
    "render_gateway_parameters",
    "render_redirect",
    "service_annotations",
    "service_name",
    "service_type",
)
