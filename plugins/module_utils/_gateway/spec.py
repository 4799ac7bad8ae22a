# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of Gateways of class istio and their Network Load Balancers, their objects, and their validation errors."""

from __future__ import annotations

import typing as t

from .._ingress.annotation_values import NLB_PREFIX, STATUS_PORT, deregistration_delay
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
from .._limits.hosts import find_host_errors, find_one_host_errors
from .._limits.kubernetes import (
    HIGHEST_PORT,
    LONGEST_LABEL,
    MOST_CERTIFICATES,
    MOST_INFRASTRUCTURE_LABELS,
    MOST_LISTENERS,
    MOST_PARENTS,
    find_count_errors,
    find_key_errors,
    find_label_errors,
    find_label_name_errors,
    find_name_errors,
    find_number_errors,
    find_selector_errors,
    is_label_name,
)
from .._limits.pods import find_overlay_errors
from .._limits.services import find_annotated_range_errors, find_type_errors
from .._mesh.labels import REVISION
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
    redirecting,
    render_gateway,
    render_gateway_parameters,
    render_redirect,
    service_type,
)

NLB: Options = {
    "name": {"type": "str"},
    **LOAD_BALANCER,
    # Source: the controller's pkg/service/model_build_load_balancer.go.
    "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack"]},
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
        *_find_number_errors(item),
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
        yield from find_label_name_errors(option, item.get(option))
    if is_label_name(item.get("name")) and len(service_name(item["name"])) > LONGEST_LABEL:
        yield (
            f"name is {item['name']!r}: its Service would be named {service_name(item['name'])}, which is longer than {LONGEST_LABEL} characters: "
            "choose a shorter one."
        )
    yield from find_host_errors("hosts", item.get("hosts"))
    for namespace in item.get("route_namespaces") or ():
        yield from find_label_name_errors("route_namespaces", namespace)
    yield from find_label_errors("labels", item.get("labels"))
    if item.get("revision"):
        yield from find_label_errors("revision", {REVISION: item["revision"]})
    yield from find_count_errors("labels", item.get("labels"), MOST_INFRASTRUCTURE_LABELS, "set the others in overlays")
    for key in item.get("annotations") or ():
        yield from find_key_errors("annotations", key)
    for place, references in (("", item), *((f"listener {listener['name']}: ", listener) for listener in item.get("listeners") or ())):
        yield from find_count_errors(f"{place}certificate_refs", references.get("certificate_refs"), MOST_CERTIFICATES, "use a wildcard, or another listener")
        for reference in references.get("certificate_refs") or ():
            yield from find_name_errors(f"{place}certificate_refs.name", reference["name"])
            if reference.get("namespace"):
                yield from find_label_name_errors(f"{place}certificate_refs.namespace", reference["namespace"])


def _find_number_errors(item: Item) -> t.Iterator[str]:
    most = 2**31 - 1
    yield from find_number_errors("", item, {"trusted_proxies": (0, most), "drain_seconds": (0, most)})
    for listener in item.get("listeners") or ():
        yield from find_number_errors(f"listener {listener['name']}: ", listener, {"port": (1, HIGHEST_PORT)})
    for port in (item.get("nlb") or {}).get("ssl_ports") or ():
        yield from find_number_errors("nlb.", {"ssl_ports": port}, {"ssl_ports": (1, HIGHEST_PORT)})


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
    delay, drain = deregistration_delay(nlb), drain_seconds(item)
    if delay is not None and str(delay).isdecimal() and drain < int(delay):
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
        yield from _find_ssl_port_errors(item, nlb)
    if tls == "gateway" and not item.get("certificate_refs"):
        yield "tls is gateway, but certificate_refs is empty: add the Secret of the certificate."
    if item.get("redirect_http") and kind == "alb":
        yield "redirect_http would cause a redirect loop, because the ALB already terminates HTTPS: use ssl_redirect of the ALB."
    elif item.get("redirect_http") and not any(listener["port"] == 443 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 443 to redirect to: set tls."
    elif item.get("redirect_http") and not any(listener["port"] == 80 for listener in listeners_of(item)):
        yield "redirect_http is set, but there is no listener at port 80 to redirect from: add it, or omit redirect_http."


def _find_ssl_port_errors(item: Item, nlb: Item) -> t.Iterator[str]:
    """Ports at which a load balancer ends TLS, and the listeners that get what it has decrypted."""
    protocols = {listener["port"]: listener["protocol"] for listener in listeners_of(item)}
    encrypts = str((nlb.get("annotations") or {}).get(f"{NLB_PREFIX}backend-protocol", "")).lower() == "ssl"
    for port in network.ssl_ports(nlb):
        if port not in protocols:
            yield f"nlb.ssl_ports has {port}, but the gateway has no listener at that port: set tls to load_balancer, or correct the port."
        elif protocols[port] in ("HTTPS", "TLS") and not encrypts:
            yield (
                f"nlb has certificates, so TLS of port {port} ends there, but the listener of that port is {protocols[port]} and expects TLS again: "
                "make it HTTP or TCP, or omit the certificates."
            )


def _find_listener_errors(item: Item) -> t.Iterator[str]:
    given = item.get("listeners") or ()
    if given and (item.get("hosts") or item["tls"] != "none" or item.get("certificate_refs")):
        yield "listeners replaces hosts, tls and certificate_refs: set either listeners or these."
    for listener in given:
        yield from _find_one_listener_errors(listener)
    for place, routes in (("", item.get("allowed_routes")), *((f"listener {one['name']}: ", one.get("allowed_routes")) for one in given)):
        if routes and routes.get("selector"):
            yield from find_selector_errors(f"{place}allowed_routes.selector", routes["selector"])
    for listener in given:
        if listener["port"] == STATUS_PORT:
            yield f"listener {listener['name']} has port {STATUS_PORT}, which istiod adds to the Service for health checks: use another port."
    yield from _find_protocol_conflicts(given)
    names = [listener["name"] for listener in given]
    for name in repeated(names):
        yield f"listeners has the name {name} more than once: each listener needs a unique name."
    places = [(listener["port"], listener["protocol"], listener.get("hostname") or "") for listener in given]
    for port, protocol, host in repeated(places):
        yield f"listeners has {protocol} {port} {f'of {host}' if host else 'of every host'} more than once: combine these listeners into one."
    count = len(listeners_of(item))
    if count > MOST_LISTENERS:
        made = f"hosts has {len(item['hosts'])} entries, which make {count} listeners" if not given else f"listeners has {count} entries"
        yield f"{made}, but a Gateway has at most {MOST_LISTENERS}: replace hosts by a wildcard such as *.example.com, or move some to a second gateway."
    elif len(redirecting(item)) > MOST_PARENTS:
        yield (
            f"redirect_http would attach an HTTPRoute to {len(redirecting(item))} listeners, and the Gateway API allows {MOST_PARENTS}: "
            "replace hosts by a wildcard, or move some to a second gateway."
        )
    if item.get("route_namespaces") and not access_labels(item):
        yield "route_namespaces is set, but allowed_routes does not select namespaces by matchLabels, so their labels would have no effect: set allowed_routes."


def _find_protocol_conflicts(listeners: t.Sequence[Item]) -> t.Iterator[str]:
    """Ports whose listeners cannot share them: only HTTPS and TLS tell each other apart, by the host that a client asks for."""
    protocols: dict[int, set[str]] = {}
    for listener in listeners:
        protocols.setdefault(listener["port"], set()).add("TLS" if listener["protocol"] == "HTTPS" else listener["protocol"])
    for port, found in sorted(protocols.items()):
        if len(found) > 1:
            yield f"listeners has port {port} with the protocols {' and '.join(sorted(found))}, which cannot share it: use another port for one of them."


def _find_one_listener_errors(listener: Item) -> t.Iterator[str]:
    """What the Gateway API refuses of one listener, whatever the others are."""
    name, protocol, mode = listener["name"], listener["protocol"], listener.get("tls_mode")
    place = f"listener {name}"
    yield from find_name_errors(f"{place}: name", name)
    if listener.get("hostname"):
        yield from find_one_host_errors(f"{place}: hostname", listener["hostname"])
        if protocol == "TCP":
            yield f"{place} is TCP, which knows no hosts: omit hostname."
    if protocol == "HTTPS" and not listener.get("certificate_refs"):
        yield f"{place} is HTTPS without certificate_refs: add the Secret of its certificate."
    if protocol in ("HTTP", "TCP") and (listener.get("certificate_refs") or mode):
        yield f"{place} is {protocol}, which has no TLS: omit certificate_refs and tls_mode, or use {'HTTPS' if protocol == 'HTTP' else 'TLS'}."
    if protocol == "HTTPS" and mode == "Passthrough":
        yield f"{place} is HTTPS with tls_mode Passthrough, but HTTPS ends at the gateway: use the protocol TLS, or omit tls_mode."
    if protocol == "TLS" and not (listener.get("certificate_refs") or mode):
        yield f"{place} is TLS, but says neither where TLS ends nor with which certificate: set certificate_refs, or tls_mode to Passthrough."


def _find_overlay_errors(item: Item) -> t.Iterator[str]:
    for key, overlay in sorted((item.get("overlays") or {}).items()):
        if key not in OVERLAY_KINDS:
            yield f"overlays has the key {key}: istiod knows {', '.join(OVERLAY_KINDS)}."
        # A key without a value is one that is left out.
        elif overlay is not None and not isinstance(overlay, dict):
            yield f"overlays.{key} is not a dictionary: set fields of the object."
    yield from find_overlay_errors(item.get("overlays"))
    try:
        service = overlays_of(item)["service"]
    except OverlayError as error:
        yield f"overlays cannot be merged ({error}): correct them."
    else:
        yield from _find_source_range_errors(item, service)
    yield from find_annotated_range_errors("annotations", item.get("annotations"))
    annotations = infrastructure_annotations(item)
    if len(annotations) > MOST_ANNOTATIONS:
        yield f"there are {len(annotations)} annotations, including those of the load balancer, but a Gateway allows at most {MOST_ANNOTATIONS}: remove some."
    managed = infrastructure_annotations({**item, "annotations": {}})
    for key in sorted(item.get("annotations") or {}):
        if key in managed or key.startswith(NLB_PREFIX):
            yield f"annotations has {key}, which is an annotation of the load balancer: use nlb, or nlb.annotations."


def _find_source_range_errors(item: Item, service: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Ranges of sources of a Service that istiod could not write.

    Args:
        item: the gateway.
        service: what is merged into its Service.
    """
    spec, metadata = (service[part] if isinstance(service.get(part), dict) else {} for part in ("spec", "metadata"))
    own = metadata.get("annotations") if isinstance(metadata.get("annotations"), dict) else {}
    yield from find_type_errors("its Service", str(spec.get("type") or service_type(item)), spec, {**(item.get("annotations") or {}), **own})


__all__ = ("GATEWAY", "NLB", "find_gateway_errors", "find_gateway_notes", "parse_gateway")
