# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""What the role ingress asks the modules of AWS: certificates to look up, load balancers to check before and to wait for afterwards."""

from __future__ import annotations

import typing as t

from .._alb.render import listen_ports
from .._alb.spec import ALB
from .._gateway import nlb as network
from .._gateway.render import DEFAULT_NLB, listeners_of
from .._gateway.spec import GATEWAY
from .._ingress.annotation_values import DEFAULT_TLS_POLICY, group_of
from .._ingress.spec import complete, service_name

Item = t.Mapping[str, t.Any]
Items = t.Sequence[Item]


def certificate_domains(albs: Items, gateways: Items) -> list[str]:
    """The domains whose certificates are to be looked up, each once."""
    domains = [domain for source in _sources(albs, gateways) for domain in source.get("certificate_domains") or ()]
    return list(dict.fromkeys(domains))


def with_certificates(items: Items, arns: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The items of ingress_albs or ingress_gateways as the modules take them: domains replaced by the ARNs that were found.

    Raises:
        KeyError: a domain has no ARN.
    """
    found = []
    for item in items:
        # Certificates of absent items are not looked up.
        present = item.get("state", "present") == "present"
        changed = _with_certificates(item, arns, present=present)
        if isinstance(changed.get("nlb"), dict):
            changed["nlb"] = _with_certificates(changed["nlb"], arns, present=present)
        found.append(changed)
    return found


def to_check(albs: Items, gateways: Items) -> list[dict[str, t.Any]]:
    """The items of load_balancer_check, for what should be present."""
    requests: list[dict[str, t.Any]] = []
    for item in _present(complete(list(albs), ALB)):
        place = f"{item['namespace']}/{item['name']}"
        own: dict[str, t.Any] = {"ingress_group": group_of(item)} if group_of(item) else {"ingress": place}
        requests.append({**own, "title": f"ALB {place}", "type": "alb", **_request(item, item.get("load_balancer_name"))})
        hosts = list(dict.fromkeys([*item["hosts"], *item["tls_hosts"]]))
        if hosts and any(protocol == "HTTPS" for protocol, _port in listen_ports(item)):
            requests[-1]["hosts"] = hosts
        if item.get("waf_acl_arn"):
            requests[-1]["waf_acl_arn"] = item["waf_acl_arn"]
        if item.get("shield"):
            requests[-1]["shield"] = True
    for item in _with_nlb(complete(list(gateways), GATEWAY)):
        place = f"{item['namespace']}/{service_name(item['name'])}"
        nlb = item["nlb"] or DEFAULT_NLB
        requests.append({"service": place, "title": f"Gateway {item['namespace']}/{item['name']}", "type": "nlb", **_request(nlb, nlb.get("name"))})
        if item["hosts"] and item["tls"] == "load_balancer":
            requests[-1]["hosts"] = list(dict.fromkeys(item["hosts"]))
        if nlb.get("eip_allocations"):
            requests[-1]["eip_allocations"] = list(nlb["eip_allocations"])
    return requests


def to_wait_for(albs: Items, gateways: Items, cluster: str) -> list[dict[str, t.Any]]:
    """The items of load_balancer_info: each load balancer with its listeners, and healthy targets."""
    requests: list[dict[str, t.Any]] = []
    for item in _present(complete(list(albs), ALB)):
        own: dict[str, t.Any] = {"ingress": f"{item['namespace']}/{item['name']}"}
        if group_of(item):
            own = {"ingress_group": group_of(item)}
        listeners = [_listener(item, port, protocol, tls=protocol == "HTTPS") for protocol, port in listen_ports(item)]
        requests.append({**own, "cluster": cluster, "listeners": listeners, "healthy_targets": "all"})
    for item in _with_nlb(complete(list(gateways), GATEWAY)):
        nlb = item["nlb"] or DEFAULT_NLB
        ended = network.ssl_ports(nlb) if nlb.get("certificate_arns") else []
        ports = list(dict.fromkeys(listener["port"] for listener in listeners_of(item)))
        listeners = [_listener(nlb, port, "TLS" if port in ended else "TCP", tls=port in ended) for port in ports]
        # Only nodes with a pod answer then.
        some = nlb["target_type"] == "instance" and nlb.get("external_traffic_policy") == "Local"
        service = f"{item['namespace']}/{service_name(item['name'])}"
        requests.append({"service": service, "cluster": cluster, "listeners": listeners, "healthy_targets": "any" if some else "all"})
    return requests


def _with_certificates(item: Item, arns: t.Mapping[str, str], *, present: bool) -> dict[str, t.Any]:
    changed = {name: value for name, value in item.items() if name != "certificate_domains"}
    domains = (item.get("certificate_domains") or ()) if present else ()
    if domains:
        changed["certificate_arns"] = list(dict.fromkeys([*(item.get("certificate_arns") or ()), *(arns[domain] for domain in domains)]))
    return changed


def _sources(albs: Items, gateways: Items) -> t.Iterator[Item]:
    yield from _present(albs)
    for item in _present(gateways):
        if item.get("load_balancer") == "nlb" and item.get("nlb"):
            yield item["nlb"]


def _present(items: Items) -> list[Item]:
    return [item for item in items if item.get("state", "present") == "present"]


def _with_nlb(items: Items) -> list[Item]:
    return [item for item in _present(items) if item["load_balancer"] == "nlb"]


def _request(source: Item, name: t.Any) -> dict[str, t.Any]:
    """What both types of load balancer have in common; what is not given is left out."""
    tls = bool(source.get("certificate_arns"))
    found = {
        "name": name,
        "scheme": source.get("scheme") or "internal",
        "subnets": list(source.get("subnets") or ()),
        "certificate_arns": list(source.get("certificate_arns") or ()),
        "ssl_policy": source.get("ssl_policy") or (DEFAULT_TLS_POLICY if tls else None),
        "access_logs": source.get("access_logs"),
        "security_groups": list(source.get("security_groups") or ()),
        "tags": dict(source.get("tags") or {}),
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _listener(source: Item, port: int, protocol: str, *, tls: bool) -> dict[str, t.Any]:
    listener: dict[str, t.Any] = {"port": port, "protocol": protocol}
    if tls:
        listener["ssl_policy"] = source.get("ssl_policy") or DEFAULT_TLS_POLICY
        if source.get("certificate_arns"):
            listener["certificate_arns"] = list(source["certificate_arns"])
    return listener


__all__ = ("certificate_domains", "to_check", "to_wait_for", "with_certificates")
