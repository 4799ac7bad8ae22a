# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The options of ingress: gateways, their load balancers, routes; one spec for the module, the role and the inventory."""

from __future__ import annotations

import typing as t

Item = t.Mapping[str, t.Any]
Spec = t.Dict[str, t.Any]

STATE: Spec = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_STRINGS: Spec = {"type": "list", "elements": "str", "default": []}
_DICT: Spec = {"type": "dict", "default": {}}

HEALTH_CHECK: Spec = {
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP"]},
    "port": {"type": "str"},
    "path": {"type": "str"},
    "interval": {"type": "int"},
    "timeout": {"type": "int"},
    "healthy_threshold": {"type": "int"},
    "unhealthy_threshold": {"type": "int"},
    "success_codes": {"type": "str"},
}

ACCESS_LOGS: Spec = {"enabled": {"type": "bool", "default": True}, "bucket": {"type": "str"}, "prefix": {"type": "str"}}

ALLOWED_ROUTES: Spec = {
    "type": "dict",
    "options": {"from": {"type": "str", "choices": ["Same", "All", "Selector"], "default": "Same"}, "selector": {"type": "dict"}},
}

# What an Application and a Network Load Balancer have in common.
_LOAD_BALANCER: Spec = {
    "scheme": {"type": "str", "choices": ["internet-facing", "internal"]},
    "target_type": {"type": "str", "choices": ["ip", "instance"], "default": "ip"},
    "subnets": _STRINGS,
    "certificate_arns": _STRINGS,
    "ssl_policy": {"type": "str"},
    "attributes": _DICT,
    "deletion_protection": {"type": "bool"},
    "access_logs": {"type": "dict", "options": ACCESS_LOGS},
    "tags": _DICT,
    "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack", "dualstack-without-public-ipv4"]},
    "security_groups": _STRINGS,
    "health_check": {"type": "dict", "options": HEALTH_CHECK},
    "deregistration_delay": {"type": "int", "default": 30},
    "target_group_attributes": _DICT,
    "annotations": _DICT,
}

NLB: Spec = {
    "name": {"type": "str"},
    **_LOAD_BALANCER,
    "ssl_ports": {"type": "list", "elements": "int"},
    "cross_zone": {"type": "bool"},
    "eip_allocations": _STRINGS,
    "source_ranges": _STRINGS,
    "external_traffic_policy": {"type": "str", "choices": ["Cluster", "Local"]},
    "preserve_client_ip": {"type": "bool"},
    "proxy_protocol": {"type": "bool", "default": False},
    "expose_status_port": {"type": "bool", "default": False},
}

CERTIFICATE_REFS: Spec = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {"name": {"type": "str", "required": True}, "namespace": {"type": "str"}},
}

LISTENER: Spec = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP", "TLS"], "default": "HTTP"},
    "hostname": {"type": "str"},
    "certificate_refs": CERTIFICATE_REFS,
    "tls_mode": {"type": "str", "choices": ["Terminate", "Passthrough"]},
    "allowed_routes": ALLOWED_ROUTES,
}

GATEWAY: Spec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "create_namespace": {"type": "bool", "default": True},
    "state": STATE,
    "load_balancer": {"type": "str", "choices": ["none", "nlb", "alb"], "default": "none"},
    "service_type": {"type": "str", "choices": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "hosts": _STRINGS,
    "tls": {"type": "str", "choices": ["none", "load_balancer", "gateway"], "default": "none"},
    "certificate_refs": CERTIFICATE_REFS,
    "redirect_http": {"type": "bool", "default": False},
    "allowed_routes": ALLOWED_ROUTES,
    "route_namespaces": _STRINGS,
    "listeners": {"type": "list", "elements": "dict", "default": [], "options": LISTENER},
    "revision": {"type": "str"},
    "labels": _DICT,
    "annotations": _DICT,
    "replicas": {"type": "int"},
    "trusted_proxies": {"type": "int"},
    "drain_seconds": {"type": "int"},
    "overlays": _DICT,
    "nlb": {"type": "dict", "options": NLB},
}

ALB: Spec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": STATE,
    "gateway": {"type": "str"},
    "service": {"type": "str"},
    "service_port": {"type": "int", "default": 80},
    "hosts": _STRINGS,
    "tls_hosts": _STRINGS,
    "path": {"type": "str", "default": "/"},
    "labels": _DICT,
    "ingress_class": {"type": "str", "default": "alb"},
    "class_annotation": {"type": "bool", "default": False},
    "load_balancer_name": {"type": "str"},
    **_LOAD_BALANCER,
    "listen_ports": {"type": "list", "elements": "dict"},
    "ssl_redirect": {"type": "int"},
    "certificate_discovery": {"type": "bool", "default": False},
    "waf_acl_arn": {"type": "str"},
    "shield": {"type": "bool"},
    "idle_timeout": {"type": "int"},
    "group_name": {"type": "str"},
    "group_order": {"type": "int"},
    "inbound_cidrs": _STRINGS,
    "actions": _DICT,
}

ROUTE_RULE: Spec = {
    "path": {"type": "str", "default": "/"},
    "path_type": {"type": "str", "choices": ["PathPrefix", "Exact", "RegularExpression"], "default": "PathPrefix"},
    "backends": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "service": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "namespace": {"type": "str"},
            "weight": {"type": "int"},
        },
    },
}

ROUTE: Spec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": STATE,
    "kind": {"type": "str", "choices": ["HTTPRoute", "VirtualService"], "default": "HTTPRoute"},
    "gateway": {"type": "str"},
    "gateway_namespace": {"type": "str"},
    "section_names": _STRINGS,
    "hosts": _STRINGS,
    "rules": {"type": "list", "elements": "dict", "default": [], "options": ROUTE_RULE},
    "labels": _DICT,
    "spec": _DICT,
}

CLASSIC_GATEWAY: Spec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": STATE,
    "labels": _DICT,
    "release": {"type": "str"},
    "selector": _DICT,
    "hosts": _STRINGS,
    "port": {"type": "int", "default": 80},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "HTTP2", "GRPC", "TCP", "TLS"], "default": "HTTP"},
    "tls": _DICT,
    "servers": {"type": "list", "elements": "dict", "default": []},
}


def _items(options: Spec, **rules: t.Any) -> Spec:
    return {"type": "list", "elements": "dict", "default": [], "options": options, **rules}


OPTIONS: Spec = {
    "gateways": _items(GATEWAY),
    "albs": _items(ALB, mutually_exclusive=[("gateway", "service")]),
    "routes": _items(ROUTE),
    "classic_gateways": _items(CLASSIC_GATEWAY),
}

__all__ = ("OPTIONS", "Item")
