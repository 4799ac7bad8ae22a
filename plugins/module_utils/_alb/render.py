# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Renders an Application Load Balancer as the Ingress from which the AWS Load Balancer Controller provisions it.

Source: aws-load-balancer-controller docs/guide/ingress/annotations.md and pkg/ingress.
"""

from __future__ import annotations

import json
import typing as t

from .._ingress.annotation_values import (
    ALB_PREFIX,
    DEFAULT_TLS_POLICY,
    STATUS_PATH,
    STATUS_PORT_NAME,
    attributes_of,
    format_pairs,
    target_group_attributes_of,
)
from .._ingress.spec import service_name
from .._managed_fields import FIELD_MANAGER, MANAGED_BY
from .._text import format_scalar

Item = t.Mapping[str, t.Any]

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
# A backend of this port is no Service, but an action of an annotation.
_USE_ANNOTATION = "use-annotation"

_CHECKS = (
    ("interval", "interval-seconds"),
    ("timeout", "timeout-seconds"),
)
_THRESHOLDS = (("healthy_threshold", "healthy-threshold-count"), ("unhealthy_threshold", "unhealthy-threshold-count"))


def backend_service(item: Item) -> str:
    """The Service to which the load balancer sends requests."""
    return str(item.get("service") or service_name(str(item.get("gateway"))))


def listen_ports(item: Item) -> list[tuple[str, int]]:
    """The listeners, each protocol and port; the default ones if none are given."""
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
    """The annotations of an item's options, without the free ones; what is not given is not rendered."""
    listeners = listen_ports(item)
    https = any(protocol == "HTTPS" for protocol, _port in listeners)
    check = item.get("health_check") or {}
    values: dict[str, t.Any] = {
        "scheme": item.get("scheme"),
        "target-type": item["target_type"],
        # Without certificates, this is also the controller's default.
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
        "tags": format_pairs(item.get("tags") or {}),
        "load-balancer-attributes": format_pairs(attributes_of(item)),
        "target-group-attributes": format_pairs(target_group_attributes_of(item)),
        "security-groups": ",".join(item.get("security_groups") or ()),
        # Without this, the controller would open nothing between a security group of one's own and the targets.
        "manage-backend-security-group-rules": True if item.get("security_groups") else None,
        "inbound-cidrs": ",".join(item.get("inbound_cidrs") or ()),
        "ip-address-type": item.get("ip_address_type"),
        "group.name": item.get("group_name"),
        "group.order": item.get("group_order"),
        "backend-protocol": "HTTPS" if item.get("service_port") == 443 else None,
        # Omitting it leaves an attached web ACL or a protection where it is.
        "wafv2-acl-arn": (item["waf_acl_arn"] or "none") if item.get("waf_acl_arn") is not None else None,
        "shield-advanced-protection": item.get("shield"),
    }
    values.update({f"healthcheck-{key}": check.get(name) for name, key in _CHECKS})
    values.update({key: check.get(name) for name, key in _THRESHOLDS})
    values.update({f"actions.{name}": json.dumps(_with_texts(action), sort_keys=True) for name, action in (item.get("actions") or {}).items()})
    rendered = {f"{ALB_PREFIX}{name}": format_scalar(value) for name, value in values.items() if value is not None and value != ""}
    if item.get("class_annotation"):
        rendered[_CLASS_ANNOTATION] = str(item["ingress_class"])
    return dict(sorted(rendered.items()))


def _with_texts(action: t.Any) -> t.Any:
    """An action with the fields as texts that the controller reads as such, and that YAML makes numbers (pkg/ingress/config_types.go)."""
    if isinstance(action, dict):
        return {
            key: format_scalar(value)
            if str(key).lower() in ("port", "statuscode") and isinstance(value, int) and not isinstance(value, bool)
            else _with_texts(value)
            for key, value in action.items()
        }
    return [_with_texts(item) for item in action] if isinstance(action, list) else action


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


def _path(item: Item, service: str, port: t.Mapping[str, t.Any], path: str | None = None) -> dict[str, t.Any]:
    return {"path": path or item.get("path") or "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": dict(port)}}}


def _action_paths(item: Item) -> list[dict[str, t.Any]]:
    """A rule for each action: the annotation alone does nothing."""
    return [_path(item, name, {"name": _USE_ANNOTATION}) for name in sorted(map(str, item.get("actions") or {}))]


__all__ = ("backend_service", "listen_ports", "render_annotations", "render_ingress")
