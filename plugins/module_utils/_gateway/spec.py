# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of Gateways of class istio and their Network Load Balancers, their objects, and their validation errors."""

from __future__ import annotations

import re
import typing as t

from .._ingress.annotation_values import NLB_PREFIX
from .._ingress.spec import (
    DICT,
    IDENTITY,
    LOAD_BALANCER,
    STRINGS,
    DesiredItem,
    DesiredObject,
    Item,
    Options,
    list_of,
    note_uncovered_domains,
    service_name,
)
from .._kubernetes_text import find_text_errors, with_text
from .._mesh.parameters import OVERLAY_KINDS, parameters_name
from .._mesh.strategic_merge import OverlayError
from .._text import repeated
from . import nlb as network
from .render import (
    DEFAULT_NLB,
    access_labels,
    drain_seconds,
    infrastructure_annotations,
    listeners_of,
    overlays_of,
    redirect_name,
    render_gateway,
    render_gateway_parameters,
    render_redirect,
)

NLB: Options = {
    "name": {"type": "str"},
    **LOAD_BALANCER,
    "ssl_ports": {"type": "list", "elements": "int"},
    "cross_zone": {"type": "bool"},
    "eip_allocations": STRINGS,
    "source_ranges": STRINGS,
    "external_traffic_policy": {"type": "str", "choices": ["Cluster", "Local"]},
    "preserve_client_ip": {"type": "bool"},
    "proxy_protocol": {"type": "bool", "default": False},
    "expose_status_port": {"type": "bool", "default": False},
}

_ALLOWED_ROUTES: Options = {
    "type": "dict",
    "options": {"from": {"type": "str", "choices": ["Same", "All", "Selector"], "default": "Same"}, "selector": {"type": "dict"}},
}
_CERTIFICATE_REFS = list_of({"name": {"type": "str", "required": True}, "namespace": {"type": "str"}})
_LISTENER: Options = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP", "TLS"], "default": "HTTP"},
    "hostname": {"type": "str"},
    "certificate_refs": _CERTIFICATE_REFS,
    "tls_mode": {"type": "str", "choices": ["Terminate", "Passthrough"]},
    "allowed_routes": _ALLOWED_ROUTES,
}

GATEWAY: Options = {
    **IDENTITY,
    "create_namespace": {"type": "bool", "default": True},
    "load_balancer": {"type": "str", "choices": ["none", "nlb", "alb"], "default": "none"},
    "service_type": {"type": "str", "choices": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "hosts": STRINGS,
    "tls": {"type": "str", "choices": ["none", "load_balancer", "gateway"], "default": "none"},
    "certificate_refs": _CERTIFICATE_REFS,
    "redirect_http": {"type": "bool", "default": False},
    "allowed_routes": _ALLOWED_ROUTES,
    "route_namespaces": STRINGS,
    "listeners": list_of(_LISTENER),
    "revision": {"type": "str"},
    "labels": DICT,
    "annotations": DICT,
    "replicas": {"type": "int"},
    "trusted_proxies": {"type": "int"},
    "drain_seconds": {"type": "int"},
    "overlays": DICT,
    "nlb": {"type": "dict", "options": NLB},
}

# Source: the Gateway API's definition of spec.infrastructure, up to v1.5.
MOST_ANNOTATIONS = 8
# The steps of writing: what others need comes first.
_PARAMETERS, _GATEWAYS, _ROUTES = range(3)

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def parse_gateway(item: Item, *, certificates_pending: bool = False) -> DesiredItem:
    """An item, with its objects and what is wrong with it.

    Args:
        item: the gateway, with all its keys.
        certificates_pending: whether the certificates of its load balancer are looked up later.
    """
    name, namespace = item["name"], item["namespace"]
    gateway = DesiredObject(("Gateway", namespace, name), order=_GATEWAYS)
    parameters = DesiredObject(("ConfigMap", namespace, parameters_name(name)), order=_PARAMETERS)
    redirect = DesiredObject(("HTTPRoute", namespace, redirect_name(name)), order=_ROUTES)
    if item["state"] == "absent":
        return DesiredItem("Gateway", item, gateway, (parameters, redirect))
    item = with_text(dict(item))
    errors = [*find_text_errors(item), *find_gateway_errors(item, certificates_pending=certificates_pending)]
    if any("cannot be merged" in error for error in errors):
        return DesiredItem("Gateway", item, gateway, errors=tuple(errors))
    others = (
        DesiredObject(parameters.key, render_gateway_parameters(item), _PARAMETERS),
        DesiredObject(redirect.key, render_redirect(item) if item["redirect_http"] else {}, _ROUTES),
    )
    notes = find_gateway_notes(item, certificates_pending=certificates_pending)
    return DesiredItem("Gateway", item, DesiredObject(gateway.key, render_gateway(item), _GATEWAYS), others, tuple(errors), tuple(notes))


def find_gateway_errors(item: Item, *, certificates_pending: bool = False) -> list[str]:
    """The validation errors of a gateway."""
    return [
        *_find_name_errors(item),
        *_find_replica_errors(item),
        *_find_load_balancer_errors(item, certificates_pending),
        *_find_tls_errors(item, certificates_pending),
        *_find_listener_errors(item),
        *_find_overlay_errors(item),
    ]


def find_gateway_notes(item: Item, *, certificates_pending: bool = False) -> list[str]:
    """What the options do that is seldom intended."""
    notes = note_uncovered_domains(item.get("hosts") or ())
    if item["load_balancer"] != "nlb" and item.get("service_type") == "LoadBalancer":
        notes.append("service_type LoadBalancer creates another load balancer than the one that load_balancer requests: omit it.")
    if item["load_balancer"] == "nlb":
        notes += (f"nlb: {note}" for note in network.find_notes(item.get("nlb") or DEFAULT_NLB, certificates_pending=certificates_pending))
    return notes


def _find_name_errors(item: Item) -> t.Iterator[str]:
    for option in ("name", "namespace"):
        if not _NAME.fullmatch(str(item.get(option) or "")) or len(item[option]) > 63:
            yield f"{option} is {item.get(option)!r}: use at most 63 lower-case letters, digits and dashes."
    if len(service_name(str(item.get("name")))) > 63:
        yield f"name is {item['name']!r}: its Service would be named {service_name(item['name'])}, which is longer than 63 characters: choose a shorter one."
    for host in item.get("hosts") or ():
        if not _HOST.fullmatch(str(host)):
            yield f"hosts has {host!r}: use a host name such as shop.example.com or *.example.com."


def _find_replica_errors(item: Item) -> t.Iterator[str]:
    replicas = item.get("replicas")
    if replicas is not None and replicas < 1:
        yield f"replicas is {replicas}, and without a pod all of its traffic is lost: use at least 1."


def _find_load_balancer_errors(item: Item, certificates_pending: bool) -> t.Iterator[str]:
    nlb = item.get("nlb")
    if item["load_balancer"] != "nlb":
        if nlb:
            yield f"nlb is set, but load_balancer is {item['load_balancer']}: set load_balancer to nlb, or remove nlb."
        return
    nlb = nlb or DEFAULT_NLB
    if item.get("service_type") not in (None, "LoadBalancer"):
        yield f"load_balancer is nlb, but service_type is {item['service_type']}: omit service_type."
    yield from (f"nlb.{error}" for error in network.find_errors(nlb, certificates_pending=certificates_pending))
    delay, drain = nlb.get("deregistration_delay"), drain_seconds(item)
    if delay is not None and drain < delay:
        yield (
            f"drain_seconds is {drain}, but nlb.deregistration_delay is {delay}: pods would terminate before the load balancer has deregistered them, "
            "so increase drain_seconds."
        )


def _find_tls_errors(item: Item, certificates_pending: bool) -> t.Iterator[str]:
    nlb = item.get("nlb") or {}
    certificates = bool(nlb.get("certificate_arns")) or certificates_pending
    kind, tls = item["load_balancer"], item["tls"]
    if tls == "load_balancer" and kind == "alb":
        yield "tls is load_balancer, but an ALB sends everything to one port: omit tls, and set the certificates in the item of the ALB."
    elif tls == "load_balancer" and kind == "none":
        yield "tls is load_balancer, but load_balancer is none: choose nlb, or terminate TLS at the gateway."
    elif tls == "load_balancer" and not certificates:
        yield "tls is load_balancer, but nlb has no certificate: set nlb.certificate_arns or nlb.certificate_domains."
    if kind == "nlb" and certificates and tls == "gateway":
        yield "nlb has certificates, but tls is gateway: TLS terminates in one place only, so choose one of the two."
    if kind == "nlb" and certificates and tls != "gateway":
        ports = {listener["port"] for listener in listeners_of(item)}
        for port in network.ssl_ports(nlb):
            if port not in ports:
                yield f"nlb.ssl_ports has {port}, but the gateway has no listener at that port: set tls to load_balancer, or correct the port."
    if tls == "gateway" and not item.get("certificate_refs"):
        yield "tls is gateway, but certificate_refs is empty: add the Secret of the certificate."
    if item.get("redirect_http") and kind == "alb":
        yield "redirect_http would cause a redirect loop, because the ALB already terminates HTTPS: use ssl_redirect of the ALB."
    elif item.get("redirect_http") and not any(listener["port"] == 443 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 443 to redirect to: set tls."
    elif item.get("redirect_http") and not any(listener["port"] == 80 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 80 to redirect from: add it, or omit redirect_http."


def _find_listener_errors(item: Item) -> t.Iterator[str]:
    given = item.get("listeners") or ()
    if given and (item.get("hosts") or item["tls"] != "none" or item.get("certificate_refs")):
        yield "listeners replaces hosts, tls and certificate_refs: set either listeners or these."
    names = [listener["name"] for listener in listeners_of(item)]
    for name in repeated(names):
        yield f"listeners has the name {name} more than once: each listener needs a unique name."
    for listener in given:
        if listener["protocol"] == "HTTPS" and not listener.get("certificate_refs"):
            yield f"listener {listener['name']} is HTTPS without certificate_refs: add the Secret of its certificate."
    if item.get("route_namespaces") and not access_labels(item):
        yield "route_namespaces is set, but allowed_routes does not select namespaces by matchLabels, so their labels would have no effect: set allowed_routes."


def _find_overlay_errors(item: Item) -> t.Iterator[str]:
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        if key not in OVERLAY_KINDS:
            yield f"overlays has the key {key}: istiod knows {', '.join(OVERLAY_KINDS)}."
        elif not isinstance(overlay, dict):
            yield f"overlays.{key} is not a dictionary: set fields of the object."
    try:
        overlays_of(item)
    except OverlayError as error:
        yield f"overlays cannot be merged ({error}): correct them."
    annotations = infrastructure_annotations(item)
    if len(annotations) > MOST_ANNOTATIONS:
        yield f"there are {len(annotations)} annotations, including those of the load balancer, but a Gateway allows at most {MOST_ANNOTATIONS}: remove some."
    managed = infrastructure_annotations({**item, "annotations": {}})
    for key in sorted(item.get("annotations") or {}):
        if key in managed or key.startswith(NLB_PREFIX):
            yield f"annotations has {key}, which is an annotation of the load balancer: use nlb, or nlb.annotations."


__all__ = ("GATEWAY", "NLB", "find_gateway_errors", "find_gateway_notes", "parse_gateway")
