# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""A Network Load Balancer as annotations of a Service: their values, errors in the options, and notes about options that are rarely intended.

Source: aws-load-balancer-controller docs/guide/service/annotations.md and pkg/service.
"""

from __future__ import annotations

import typing as t

from .._ingress.annotation_values import (
    DEFAULT_TLS_POLICY,
    NLB_PREFIX,
    STATUS_PATH,
    STATUS_PORT,
    STATUS_PORT_NAME,
    attributes_of,
    find_annotation_errors,
    find_common_errors,
    format_pairs,
    target_group_attributes_of,
)
from .._limits.hosts import find_host_errors
from .._limits.ranges import find_range_errors
from .._text import format_scalar

Item = t.Mapping[str, t.Any]

# Hands the Service to the AWS Load Balancer Controller, instead of the cloud provider that is built into Kubernetes.
_EXTERNAL = "external"
# A Gateway carries at most 8 annotations for what is made for it, and one of them is Istio's own; the others reach the Service by its overlay,
# which, unlike these, does not roll the pods when one changes.
ON_GATEWAY = tuple(f"{NLB_PREFIX}{name}" for name in ("type", "nlb-target-type", "scheme", "attributes", "ssl-cert", "ssl-ports", "subnets"))

_TRAFFIC_PORT = "traffic-port"
# The codes that a health check takes as success. Source: the API reference of Elastic Load Balancing, Matcher.
_CODES = (200, 599)
# The controller's defaults in seconds. Source: its pkg/service/model_builder.go.
_INTERVAL, _TIMEOUT, _TIMEOUT_OF_NODES = 10, 10, 6


def ssl_ports(nlb: Item) -> list[int]:
    """The ports at which TLS ends, when there is a certificate."""
    given = nlb.get("ssl_ports")
    return [443] if given is None else list(given)


def render_annotations(nlb: Item, *, certificates_pending: bool = False) -> dict[str, str]:
    """The annotations of a load balancer's options, without the free ones; what is not given is not rendered."""
    certificates = list(nlb.get("certificate_arns") or ())
    tls = bool(certificates) or certificates_pending
    check = _health_check(nlb)
    values: dict[str, t.Any] = {
        "type": _EXTERNAL,
        "nlb-target-type": nlb["target_type"],
        "scheme": nlb.get("scheme"),
        "name": nlb.get("name"),
        "subnets": ",".join(nlb.get("subnets") or ()),
        "attributes": format_pairs(attributes_of(nlb)),
        "target-group-attributes": format_pairs(target_group_attributes_of(nlb)),
        "ssl-cert": ",".join(certificates),
        "ssl-ports": ",".join(map(str, ssl_ports(nlb))) if tls else "",
        "ssl-negotiation-policy": nlb.get("ssl_policy") or (DEFAULT_TLS_POLICY if tls else None),
        "additional-resource-tags": format_pairs(nlb.get("tags") or {}),
        "ip-address-type": nlb.get("ip_address_type"),
        "eip-allocations": ",".join(nlb.get("eip_allocations") or ()),
        "security-groups": ",".join(nlb.get("security_groups") or ()),
        # Without this, the controller would open nothing between a security group of one's own and the targets.
        "manage-backend-security-group-rules": True if nlb.get("security_groups") else None,
        "proxy-protocol": "*" if nlb.get("proxy_protocol") else None,
        "healthcheck-protocol": check.get("protocol"),
        "healthcheck-port": check.get("port"),
        "healthcheck-path": check.get("path"),
        "healthcheck-interval": check.get("interval"),
        "healthcheck-timeout": check.get("timeout"),
        "healthcheck-healthy-threshold": check.get("healthy_threshold"),
        "healthcheck-unhealthy-threshold": check.get("unhealthy_threshold"),
        "healthcheck-success-codes": check.get("success_codes"),
    }
    return {f"{NLB_PREFIX}{name}": format_scalar(value) for name, value in sorted(values.items()) if value is not None and value != ""}


def all_annotations(nlb: Item) -> dict[str, str]:
    """The annotations of the options and the free ones."""
    free = {key: format_scalar(value) for key, value in (nlb.get("annotations") or {}).items()}
    return dict(sorted({**render_annotations(nlb), **free}.items()))


def _health_check(nlb: Item) -> dict[str, t.Any]:
    """The health check as it is rendered.

    Pods answer HTTP on the status port, whether or not the Service has it. A node answers there only by a NodePort, so with target type instance
    the controller's own default holds: kube-proxy's health check with external traffic policy Local, else TCP at the traffic port. With proxy
    protocol the check carries its header, too, which the status port does not understand.
    """
    given = {name: value for name, value in (nlb.get("health_check") or {}).items() if value is not None}
    if nlb.get("proxy_protocol"):
        return {"protocol": "TCP", "port": _TRAFFIC_PORT, **given}
    if nlb["target_type"] == "ip":
        defaults = {"protocol": "HTTP", "port": str(STATUS_PORT), "path": STATUS_PATH}
    elif nlb.get("expose_status_port"):
        defaults = {"protocol": "HTTP", "port": STATUS_PORT_NAME, "path": STATUS_PATH}
    else:
        defaults = {}
    if given.get("protocol") == "TCP":
        defaults = {"port": _TRAFFIC_PORT}
    return {**defaults, **given}


def _find_ignored_ranges(nlb: Item) -> t.Iterator[str]:
    """The controller creates rules for ranges only in a security group of its own (guide/service/nlb.md, security groups)."""
    if nlb.get("source_ranges") and nlb.get("security_groups"):
        yield "source_ranges has no effect beside security_groups, whose rules decide alone: omit one of them."


def find_errors(nlb: Item, *, certificates_pending: bool = False) -> list[str]:
    """The validation errors of a load balancer's options."""
    return [
        *find_common_errors(nlb, "name", _CODES),
        *find_range_errors("source_ranges", nlb.get("source_ranges")),
        *_find_ignored_ranges(nlb),
        *_find_check_errors(nlb),
        *_find_address_errors(nlb),
        *find_annotation_errors(nlb, NLB_PREFIX, render_annotations(nlb, certificates_pending=certificates_pending)),
    ]


def find_notes(nlb: Item, *, certificates_pending: bool = False) -> list[str]:
    """What the options do that is seldom intended."""
    notes = []
    if (nlb.get("certificate_arns") or certificates_pending) and not ssl_ports(nlb):
        notes.append("ssl_ports is empty, so every listener would terminate TLS, including those of ports 80 and 15021: list the ports that should.")
    if nlb.get("expose_status_port") and not nlb.get("source_ranges") and nlb.get("scheme") == "internet-facing":
        notes.append("expose_status_port opens port 15021 to the world: set source_ranges, or omit it.")
    if (nlb.get("access_logs") or {}).get("bucket") and not (nlb.get("certificate_arns") or certificates_pending):
        # Source: the user guide of Network Load Balancers, access logs.
        notes.append("access_logs stays empty, because a Network Load Balancer logs only what its TLS listeners serve: set a certificate, or omit access_logs.")
    return notes


def _find_check_errors(nlb: Item) -> t.Iterator[str]:
    check = _health_check(nlb)
    port, protocol = str(check.get("port") or ""), check.get("protocol")
    if nlb["target_type"] == "instance" and port.isdigit():
        yield f"health_check.port is {port} with target_type instance, which would probe port {port} of the nodes: omit it, or use {_TRAFFIC_PORT}."
    if port == STATUS_PORT_NAME and not nlb.get("expose_status_port"):
        yield (
            f"health_check.port is {STATUS_PORT_NAME}, but the Service has no such port, because every port of it becomes a listener: "
            f"omit it with target_type ip, or set expose_status_port."
        )
    if nlb.get("proxy_protocol") and protocol in ("HTTP", "HTTPS") and port in (STATUS_PORT_NAME, str(STATUS_PORT)):
        yield f"proxy_protocol adds a header to {protocol} health checks of the status port, which answers them with 400: omit health_check, or use TCP."
    default = _TIMEOUT_OF_NODES if nlb["target_type"] == "instance" and nlb.get("external_traffic_policy") == "Local" else _TIMEOUT
    interval, timeout = (check.get("interval") or _INTERVAL), (check.get("timeout") or default)
    if timeout > interval and not check.get("timeout"):
        yield f"health_check.interval is {interval} s, shorter than the default timeout of {timeout} s: set health_check.timeout as well."
    elif timeout > interval:
        yield f"health_check.timeout is {timeout} s, but health_check.interval is {interval} s: the timeout must not be longer than the interval."


def _find_address_errors(nlb: Item) -> t.Iterator[str]:
    yield from find_host_errors("certificate_domains", nlb.get("certificate_domains"), any_case=True)
    for text in nlb.get("source_ranges") or ():
        if ":" in str(text) and nlb.get("ip_address_type") != "dualstack":
            yield f"source_ranges has {text!r}, a range of IPv6: set ip_address_type to dualstack, without which the controller refuses it."
    allocations, subnets = nlb.get("eip_allocations") or (), nlb.get("subnets") or ()
    if allocations and nlb.get("scheme") != "internet-facing":
        yield "eip_allocations require scheme internet-facing: set it, or omit them."
    if allocations and subnets and len(allocations) != len(subnets):
        yield f"eip_allocations has {len(allocations)} entries, and subnets {len(subnets)}: one address belongs to each subnet."
    attribute = format_scalar((nlb.get("target_group_attributes") or {}).get("proxy_protocol_v2.enabled", "false")).lower() == "true"
    annotation = (nlb.get("annotations") or {}).get(f"{NLB_PREFIX}proxy-protocol")
    if not nlb.get("proxy_protocol") and (attribute or annotation):
        place = "target_group_attributes has proxy_protocol_v2.enabled" if attribute else "annotations has proxy-protocol"
        yield f"{place}, of which the gateway would not know, and refuse all connections: set proxy_protocol instead, which tells both."
    if nlb.get("proxy_protocol") and nlb.get("preserve_client_ip"):
        yield "proxy_protocol and preserve_client_ip both pass the client's address to the gateway: choose one."


__all__ = (
    "ON_GATEWAY",
    "all_annotations",
    "find_errors",
    "find_notes",
    "render_annotations",
    "ssl_ports",
)
