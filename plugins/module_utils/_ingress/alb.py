# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""An Application Load Balancer as the Ingress that the AWS Load Balancer Controller makes it from.

Source: aws-load-balancer-controller docs/guide/ingress/annotations.md and pkg/ingress.
"""

from __future__ import annotations

import json
import typing as t

from .._k8s.managed_fields import FIELD_MANAGER, MANAGED_BY
from .._mesh.labels import Object
from .._text import format_scalar, repeated
from .words import (
    DEFAULT_TLS_POLICY,
    STATUS_PATH,
    STATUS_PORT_NAME,
    attributes_of,
    common_problems,
    is_global_web_acl,
    is_web_acl,
    own_annotations_problems,
    pairs,
    target_group_attributes_of,
)

Item = t.Mapping[str, t.Any]

PREFIX = "alb.ingress.kubernetes.io/"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
# A backend of this port is no Service, but an action of an annotation.
USE_ANNOTATION = "use-annotation"

_INTERVAL, _TIMEOUT = 15, 5
_CHECKS = (
    ("interval", "interval-seconds"),
    ("timeout", "timeout-seconds"),
)
_THRESHOLDS = (("healthy_threshold", "healthy-threshold-count"), ("unhealthy_threshold", "unhealthy-threshold-count"))


def backend_service(item: Item) -> str:
    """The Service that an item's load balancer sends to."""
    return str(item.get("service") or f"{item.get('gateway')}-istio")


def listen_ports(item: Item) -> list[tuple[str, int]]:
    """The listeners, each protocol and port; those of the default, when none are named."""
    given = item.get("listen_ports")
    if given is None:
        # An inventory may name the certificates by domains, which are found later.
        tls = any(item.get(option) for option in ("certificate_arns", "certificate_domains", "certificate_discovery"))
        return [("HTTP", 80), ("HTTPS", 443)] if tls else [("HTTP", 80)]
    found = []
    for entry in given:
        for protocol, port in entry.items():
            number = str(port)
            found.append((str(protocol), int(number) if number.isdigit() else 0))
    return found


def render_annotations(item: Item) -> dict[str, str]:
    """The annotations that an item's options say, without the free ones; what is not said is not rendered."""
    listeners = listen_ports(item)
    https = any(protocol == "HTTPS" for protocol, _port in listeners)
    check = item.get("health_check") or {}
    values: dict[str, t.Any] = {
        "scheme": item.get("scheme"),
        "target-type": item["target_type"],
        # Without certificates, this is the controller's default, too.
        "listen-ports": json.dumps([{protocol: port} for protocol, port in listeners]) if item.get("listen_ports") is not None or https else None,
        "healthcheck-protocol": check.get("protocol") or "HTTP",
        "healthcheck-port": check.get("port") or STATUS_PORT_NAME,
        "healthcheck-path": check.get("path") or STATUS_PATH,
        "load-balancer-name": item.get("load_balancer_name"),
        "subnets": ",".join(item.get("subnets") or ()),
        "certificate-arn": ",".join(item.get("certificate_arns") or ()),
        "ssl-policy": (item.get("ssl_policy") or DEFAULT_TLS_POLICY) if https else item.get("ssl_policy"),
        "ssl-redirect": item.get("ssl_redirect"),
        "success-codes": check.get("success_codes"),
        "tags": pairs(item.get("tags") or {}),
        "load-balancer-attributes": pairs(attributes_of(item)),
        "target-group-attributes": pairs(target_group_attributes_of(item)),
        "security-groups": ",".join(item.get("security_groups") or ()),
        # Without this, the controller would open nothing between a security group of one's own and the targets.
        "manage-backend-security-group-rules": True if item.get("security_groups") else None,
        "inbound-cidrs": ",".join(item.get("inbound_cidrs") or ()),
        "ip-address-type": item.get("ip_address_type"),
        "group.name": item.get("group_name"),
        "group.order": item.get("group_order"),
        "backend-protocol": "HTTPS" if item.get("service_port") == 443 else None,
        # Leaving it out leaves an attached web ACL or a protection where it is.
        "wafv2-acl-arn": (item["waf_acl_arn"] or "none") if item.get("waf_acl_arn") is not None else None,
        "shield-advanced-protection": item.get("shield"),
    }
    values.update({f"healthcheck-{key}": check.get(name) for name, key in _CHECKS})
    values.update({key: check.get(name) for name, key in _THRESHOLDS})
    values.update({f"actions.{name}": json.dumps(action, sort_keys=True) for name, action in (item.get("actions") or {}).items()})
    rendered = {f"{PREFIX}{name}": format_scalar(value) for name, value in values.items() if value is not None and value != ""}
    if item.get("class_annotation"):
        rendered[CLASS_ANNOTATION] = str(item["ingress_class"])
    return dict(sorted(rendered.items()))


def render_ingress(item: Item) -> dict[str, t.Any]:
    """The Ingress of an item: the same rules for each host, or one without host."""
    annotations = {**render_annotations(item), **{key: format_scalar(value) for key, value in (item.get("annotations") or {}).items()}}
    block = {"paths": [*_action_paths(item), _path(item, backend_service(item), {"number": item["service_port"]})]}
    spec: dict[str, t.Any] = {} if item.get("class_annotation") else {"ingressClassName": item["ingress_class"]}
    if item.get("tls_hosts"):
        spec["tls"] = [{"hosts": list(item["tls_hosts"])}]
    spec["rules"] = [{"host": host, "http": block} for host in item.get("hosts") or ()] or [{"http": block}]
    labels = {**{key: format_scalar(value) for key, value in (item.get("labels") or {}).items()}, MANAGED_BY: FIELD_MANAGER}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": item["name"], "namespace": item["namespace"], "labels": labels, "annotations": dict(sorted(annotations.items()))},
        "spec": spec,
    }


def find_problems(item: Item, *, certificates_to_come: bool = False) -> list[str]:
    """What is wrong with one item, whatever is on the cluster or in AWS; each says what to do.

    Args:
        item: the item, with all its keys.
        certificates_to_come: whether certificates are looked up later, by their domains.
    """
    return [
        *_backend_problems(item),
        *common_problems(item, "load_balancer_name"),
        *_listener_problems(item, certificates_to_come),
        *_check_problems(item),
        *_waf_problems(item),
        *_action_problems(item),
        *own_annotations_problems(item, PREFIX, render_annotations(item)),
    ]


def apex_notes(hosts: t.Sequence[str]) -> list[str]:
    """Wildcards whose apex domain is not listed: C(*.example.com) does not cover C(example.com)."""
    return [
        f"{host} does not cover {host[2:]} itself: add {host[2:]} to hosts, if it is meant too."
        for host in hosts
        if host.startswith("*.") and host[2:] not in hosts
    ]


def annotation(item: Object, name: str) -> str:
    """An annotation of an Ingress that is there, by the name behind the prefix; empty without it."""
    return str((item["metadata"].get("annotations") or {}).get(f"{PREFIX}{name}") or "")


def _path(item: Item, service: str, port: t.Mapping[str, t.Any], path: str | None = None) -> dict[str, t.Any]:
    return {"path": path or item.get("path") or "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": dict(port)}}}


def _action_paths(item: Item) -> list[dict[str, t.Any]]:
    """A rule for each action: the annotation alone does nothing."""
    return [_path(item, name, {"name": USE_ANNOTATION}) for name in sorted(item.get("actions") or {})]


def _backend_problems(item: Item) -> t.Iterator[str]:
    if bool(item.get("gateway")) == bool(item.get("service")):
        yield "name either gateway (a Gateway of the same namespace) or service (the Service of a chart's release)."
    if not 1 <= int(item.get("service_port") or 0) <= 65535:
        yield f"service_port is {item.get('service_port')}: name a port from 1 to 65535."


def _listener_problems(item: Item, certificates_to_come: bool) -> t.Iterator[str]:
    listeners = listen_ports(item)
    for protocol, port in listeners:
        if protocol not in ("HTTP", "HTTPS") or not 1 <= port <= 65535:
            yield (
                "listen_ports has an entry that is not HTTP or HTTPS with a port from 1 to 65535: "
                f"write each as {{HTTPS: 443}}, not as in {item.get('listen_ports')!r}."
            )
    ports = [port for _protocol, port in listeners]
    for port in repeated(ports):
        yield f"listen_ports names port {port} twice: one listener has one protocol."
    https = [port for protocol, port in listeners if protocol == "HTTPS"]
    if https and not (item.get("certificate_arns") or item.get("certificate_discovery") or certificates_to_come):
        yield (
            f"listen_ports has HTTPS {', '.join(map(str, https))}, but no certificate: give certificate_arns or certificate_domains, "
            "or set certificate_discovery, by which the controller looks for one by host."
        )
    if item.get("certificate_discovery") and not (item.get("hosts") or item.get("tls_hosts")):
        yield "certificate_discovery needs hosts or tls_hosts, by which the controller looks for certificates: name them, or give certificate_arns."
    redirect = item.get("ssl_redirect")
    if redirect is not None and redirect not in https:
        yield f"ssl_redirect is {redirect}, but listen_ports has no HTTPS listener at that port: add {{HTTPS: {redirect}}}, or leave ssl_redirect out."


def _check_problems(item: Item) -> t.Iterator[str]:
    check = item.get("health_check") or {}
    # Source: the controller's defaults, 15 s and 5 s (docs/guide/ingress/annotations.md).
    interval, timeout = (check.get("interval") or _INTERVAL), (check.get("timeout") or _TIMEOUT)
    if timeout >= interval:
        yield f"health_check.timeout is {timeout} s, and the interval {interval} s: a timeout must be shorter than the interval."
    port = str(check.get("port") or STATUS_PORT_NAME)
    if item["target_type"] == "instance" and port.isdigit():
        yield (
            f"health_check.port is {port} with target_type instance, which would probe port {port} of the nodes: "
            f"use the Service port's name ({STATUS_PORT_NAME}), which is right for both types."
        )
    if check.get("protocol") == "TCP":
        yield "health_check.protocol is TCP, which an Application Load Balancer cannot probe: use HTTP."
    if check.get("protocol") == "HTTPS" and port in (STATUS_PORT_NAME, "15021"):
        yield f"health_check.protocol is HTTPS, but Istio's gateways answer HTTP on their status port ({STATUS_PORT_NAME}): use HTTP."


def _waf_problems(item: Item) -> t.Iterator[str]:
    arn = item.get("waf_acl_arn")
    if not arn or arn == "none":
        return
    if is_global_web_acl(arn):
        yield f"waf_acl_arn is {arn}, a web ACL of CloudFront: a load balancer takes one of scope REGIONAL, in its own region."
    elif not is_web_acl(arn):
        yield f"waf_acl_arn is {arn!r}: name a web ACL's ARN (arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>), or an empty text to take it off."


def _action_problems(item: Item) -> t.Iterator[str]:
    for name, action in sorted((item.get("actions") or {}).items()):
        if not isinstance(action, dict) or not (action.get("type") or action.get("Type")):
            yield f"actions.{name} has no type: write it as the controller's documentation of actions does, such as {{type: fixed-response, ...}}."


__all__ = (
    "CLASS_ANNOTATION",
    "PREFIX",
    "USE_ANNOTATION",
    "annotation",
    "apex_notes",
    "backend_service",
    "find_problems",
    "listen_ports",
    "render_annotations",
    "render_ingress",
)
