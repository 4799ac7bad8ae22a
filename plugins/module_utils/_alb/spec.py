# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Options of Application Load Balancers, their Ingresses, and their validation errors."""

from __future__ import annotations

import re
import typing as t

from .._ingress.annotation_values import (
    ALB_PREFIX,
    STATUS_PORT_NAME,
    find_annotation_errors,
    find_common_errors,
    group_of,
    is_global_web_acl,
    is_web_acl,
    speaks_grpc,
)
from .._ingress.spec import DICT, IDENTITY, LOAD_BALANCER, STRINGS, DesiredItem, DesiredObject, Item, Options, list_of, note_uncovered_domains
from .._kubernetes_text import find_text_errors, with_text
from .._limits.hosts import find_host_errors
from .._limits.http import find_sequence_errors
from .._limits.kubernetes import HIGHEST_PORT, LONGEST_LABEL, find_key_errors, find_label_errors, find_label_name_errors, find_name_errors
from .._limits.ranges import find_range_errors
from .._text import format_scalar, repeated
from .actions import find_action_errors, note_answering_actions
from .render import listen_ports, render_annotations, render_ingress

ALB: Options = {
    **IDENTITY,
    "gateway": {"type": "str"},
    "service": {"type": "str"},
    "service_port": {"type": "int", "default": 80},
    "hosts": STRINGS,
    "tls_hosts": STRINGS,
    "path": {"type": "str", "default": "/"},
    "labels": DICT,
    "ingress_class": {"type": "str", "default": "alb"},
    "class_annotation": {"type": "bool", "default": False},
    "load_balancer_name": {"type": "str"},
    **LOAD_BALANCER,
    "listen_ports": {"type": "list", "elements": "dict"},
    "ssl_redirect": {"type": "int"},
    "certificate_discovery": {"type": "bool", "default": False},
    "waf_acl_arn": {"type": "str"},
    "shield": {"type": "bool"},
    "idle_timeout": {"type": "int"},
    "group_name": {"type": "str"},
    "group_order": {"type": "int"},
    "inbound_cidrs": STRINGS,
    "actions": DICT,
}
ALBS = list_of(ALB, mutually_exclusive=[("gateway", "service")])

# The controller's defaults in seconds. Source: its docs/guide/ingress/annotations.md.
_INTERVAL, _TIMEOUT = 15, 5
# Source: the API reference of Elastic Load Balancing, Matcher and HostHeaderConditionConfig.
_CODES, _GRPC_CODES, _LONGEST_HOST = (200, 499), (0, 99), 128
# The controller adds /* to a prefix, and a condition has at most 128 characters. Source: the API reference, PathPatternConditionConfig.
_LONGEST_PATH = 126
_PATH = re.compile(rf"[A-Za-z0-9_.$/~\"'@:+&-]{{1,{_LONGEST_PATH}}}")
# Source: the controller's pkg/ingress/group_loader.go.
_GROUP_NAME = re.compile(r"([a-z0-9][-a-z0-9.]*)?[a-z0-9]")
_LEAST_ORDER, _MOST_ORDER = -1000, 1000


def parse_alb(item: Item, *, certificates_pending: bool = False) -> DesiredItem:
    """An item, with its Ingress and what is wrong with it.

    Args:
        item: the load balancer, with all its keys.
        certificates_pending: whether its certificates are looked up later.
    """
    ingress = DesiredObject(("Ingress", item["namespace"], item["name"]))
    if item["state"] == "absent":
        return DesiredItem("ALB", item, ingress)
    item = with_text(dict(item))
    errors = [*find_text_errors(item), *find_alb_errors(item, certificates_pending=certificates_pending)]
    notes = (*note_uncovered_domains(item["hosts"]), *_note_subnets(item), *note_answering_actions(item))
    return DesiredItem("ALB", item, DesiredObject(ingress.key, render_ingress(item)), (), tuple(errors), notes)


def find_alb_errors(item: Item, *, certificates_pending: bool = False) -> list[str]:
    """The validation errors of a load balancer.

    Args:
        item: the load balancer, with all its keys.
        certificates_pending: whether its certificates are looked up later.
    """
    return [
        *_find_backend_errors(item),
        *_find_name_errors(item),
        *find_common_errors(item, "load_balancer_name", _GRPC_CODES if speaks_grpc(item) else _CODES),
        *_find_host_errors(item),
        *_find_path_errors(item),
        *_find_range_errors(item),
        *_find_group_errors(item),
        *_find_listener_errors(item, certificates_pending),
        *_find_check_errors(item),
        *_find_waf_errors(item),
        *find_action_errors(item),
        *find_annotation_errors(item, ALB_PREFIX, render_annotations(item)),
    ]


def _find_backend_errors(item: Item) -> t.Iterator[str]:
    if bool(item.get("gateway")) == bool(item.get("service")):
        yield "set either gateway (a Gateway in the same namespace) or service (the Service of a chart's release)."
    if not 1 <= int(item.get("service_port") or 0) <= HIGHEST_PORT:
        yield f"service_port is {item.get('service_port')}: use a port from 1 to {HIGHEST_PORT}."


def _find_name_errors(item: Item) -> t.Iterator[str]:
    yield from find_name_errors("name", item.get("name"))
    yield from find_name_errors("ingress_class", item.get("ingress_class"))
    for option in ("namespace", "gateway", "service"):
        if item.get(option):
            yield from find_label_name_errors(option, item[option])
    yield from find_label_errors("labels", item.get("labels"))
    for key in item.get("annotations") or ():
        yield from find_key_errors("annotations", key)
    for name in item.get("actions") or ():
        yield from find_label_name_errors("actions", name)


def _find_host_errors(item: Item) -> t.Iterator[str]:
    """Hosts; those of the rules are conditions of listeners, too, which take fewer characters."""
    yield from find_host_errors("hosts", item.get("hosts"), longest=_LONGEST_HOST)
    yield from find_host_errors("tls_hosts", item.get("tls_hosts"))
    yield from find_host_errors("certificate_domains", item.get("certificate_domains"), any_case=True)


def _note_subnets(item: Item) -> t.Iterator[str]:
    """Source: the user guide of Application Load Balancers, subnets: two zones, or one Local Zone, or one Outpost, which the data does not show."""
    if len(item.get("subnets") or ()) == 1:
        yield (
            f"subnets has only {item['subnets'][0]}, and an Application Load Balancer needs two subnets in different zones, "
            "unless this one is in a Local Zone or on an Outpost: otherwise add one, or omit subnets."
        )


def _find_path_errors(item: Item) -> t.Iterator[str]:
    """Source: the API server's rules for paths of type Prefix, the controller's pkg/ingress/model_build_listener_rules.go, and PathPatternConditionConfig."""
    path = str(item.get("path") or "/")
    problems = list(find_sequence_errors("path", path))
    yield from problems
    if re.search(r"[*?]", path):
        yield f"path is {path!r}: it is a prefix, which the controller takes without wildcards, so write {re.sub(r'/?[*?].*', '', path) or '/'!r}."
    elif not problems and not _PATH.fullmatch(path):
        yield f"path is {path!r}: use at most {_LONGEST_PATH} letters, digits and the signs _ - . $ / ~ \" ' @ : + &."


def _find_range_errors(item: Item) -> t.Iterator[str]:
    """Ranges of the option, and of the annotation that it stands for."""
    yield from find_range_errors("inbound_cidrs", item.get("inbound_cidrs"))
    if item.get("inbound_cidrs") and item.get("security_groups"):
        yield "inbound_cidrs has no effect beside security_groups, whose rules decide alone: omit one of them."
    written = str((item.get("annotations") or {}).get(f"{ALB_PREFIX}inbound-cidrs") or "")
    yield from find_range_errors("annotations.inbound-cidrs", [text.strip() for text in written.split(",") if text.strip()])


def _find_group_errors(item: Item) -> t.Iterator[str]:
    group, order = group_of(item), item.get("group_order")
    if group and (len(group) > LONGEST_LABEL or not _GROUP_NAME.fullmatch(group)):
        option = "group_name" if item.get("group_name") else "annotations.group.name"
        yield f"{option} is {group!r}: use at most {LONGEST_LABEL} lower-case letters, digits, dashes and dots, with a letter or digit at both ends."
    if order is not None and not _LEAST_ORDER <= order <= _MOST_ORDER:
        yield f"group_order is {order}: use {_LEAST_ORDER} to {_MOST_ORDER}."


def _find_listener_errors(item: Item, certificates_pending: bool) -> t.Iterator[str]:
    listeners = listen_ports(item)
    given = item.get("listen_ports")
    if given is not None and not listeners:
        yield "listen_ports is empty, and the controller then provisions nothing: omit it, or write {HTTPS: 443}."
    for entry in given or ():
        for (protocol, port), (known, number) in zip(entry.items(), listen_ports({"listen_ports": [entry]})):  # noqa: B905  # both are of one length
            if known not in ("HTTP", "HTTPS") or not 1 <= number <= HIGHEST_PORT:
                shown = " without a port" if port is None else f": {format_scalar(port)}"
                yield f"listen_ports has {protocol}{shown}, which is not HTTP or HTTPS with a port from 1 to {HIGHEST_PORT}: write it as {{HTTPS: 443}}."
    ports = [port for _protocol, port in listeners]
    for port in repeated(ports):
        yield f"listen_ports names port {port} twice, but a listener has only one protocol: remove one of them."
    https = [port for protocol, port in listeners if protocol == "HTTPS"]
    if https and not (item.get("certificate_arns") or item.get("certificate_discovery") or certificates_pending):
        yield (
            f"listen_ports has HTTPS {', '.join(map(str, https))}, but there is no certificate: set certificate_arns or certificate_domains, "
            "or set certificate_discovery, which lets the controller find one by host."
        )
    if item.get("certificate_discovery") and not (item.get("hosts") or item.get("tls_hosts")):
        yield "certificate_discovery needs hosts or tls_hosts, by which the controller looks for certificates: set one of them, or certificate_arns."
    redirect = item.get("ssl_redirect")
    if redirect is not None and redirect not in https:
        yield f"ssl_redirect is {redirect}, but listen_ports has no HTTPS listener at that port: add {{HTTPS: {redirect}}}, or omit ssl_redirect."


def _find_check_errors(item: Item) -> t.Iterator[str]:
    check = item.get("health_check") or {}
    interval, timeout = (check.get("interval") or _INTERVAL), (check.get("timeout") or _TIMEOUT)
    if timeout >= interval:
        yield f"health_check.timeout is {timeout} s, but health_check.interval is {interval} s: the timeout must be shorter than the interval."
    port = str(check.get("port") or STATUS_PORT_NAME)
    if item["target_type"] == "instance" and port.isdigit():
        yield (
            f"health_check.port is {port} with target_type instance, which would probe port {port} of the nodes: "
            f"use the Service port's name ({STATUS_PORT_NAME}), which works for both target types."
        )
    if check.get("protocol") == "TCP":
        yield "health_check.protocol is TCP, which an Application Load Balancer cannot probe: use HTTP."
    if check.get("protocol") == "HTTPS" and port in (STATUS_PORT_NAME, "15021"):
        yield f"health_check.protocol is HTTPS, but Istio's gateways answer HTTP on their status port ({STATUS_PORT_NAME}): use HTTP."


def _find_waf_errors(item: Item) -> t.Iterator[str]:
    arn = item.get("waf_acl_arn")
    if not arn or arn == "none":
        return
    if is_global_web_acl(arn):
        yield f"waf_acl_arn is {arn}, a web ACL for CloudFront: use one with the scope REGIONAL in the region of the load balancer."
    elif not is_web_acl(arn):
        yield (
            f"waf_acl_arn is {arn!r}: use the ARN of a web ACL (arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>), or an empty string to detach it."
        )


__all__ = ("ALB", "ALBS", "find_alb_errors", "parse_alb")
