# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What the Ingresses of one group must agree on, because they share one load balancer: the controller provisions nothing for any of them otherwise.

Source: aws-load-balancer-controller pkg/ingress (model_builder.go, model_build_load_balancer.go, model_build_load_balancer_addons.go, model_build_tags.go,
model_build_ipam.go, model_build_load_balancer_capacity_reservation.go, model_build_frontend_nlb.go).
"""

from __future__ import annotations

import re
import typing as t

from .._ingress.annotation_values import ALB_PREFIX, group_of, parse_pairs, speaks_grpc
from .._ingress.spec import DesiredItem, Item
from .render import listen_ports

# Annotations of which a load balancer has one value, by the option that messages name.
_ONCE = {
    "load_balancer_name": "load-balancer-name",
    "scheme": "scheme",
    "ip_address_type": "ip-address-type",
    "ssl_redirect": "ssl-redirect",
    "waf_acl_arn": "wafv2-acl-arn",
    "shield": "shield-advanced-protection",
    "security_groups": "security-groups",
    **{
        f"annotations.{key}": key
        for key in ("customer-owned-ipv4-pool", "frontend-nlb-scheme", "frontend-nlb-security-groups", "ipam-ipv4-pool-id", "wafv2-acl-name")
    },
}
# Those that are true or false, in any case.
_FLAGS = ("enable-frontend-nlb", "manage-backend-security-group-rules")
# Those whose value is a list, of which the order does not matter.
_LISTS = {"subnets": "subnets", "annotations.frontend-nlb-subnets": "frontend-nlb-subnets"}
# Those whose value is a dictionary, of which each key has one value.
_PAIRS = {
    "tags": "tags",
    "attributes": "load-balancer-attributes",
    "annotations.minimum-load-balancer-capacity": "minimum-load-balancer-capacity",
}
# Those that each listener has once, and that are lists.
_LISTENER_LISTS = {"inbound_cidrs": "inbound-cidrs", "annotations.security-group-prefix-lists": "security-group-prefix-lists"}
# Attributes with an option of their own.
_OPTIONS = {"attributes.idle_timeout.timeout_seconds": "idle_timeout", "attributes.deletion_protection.enabled": "deletion_protection"}


def _groups_of(albs: t.Iterable[DesiredItem]) -> dict[str, list[DesiredItem]]:
    """The members of each group of which there is more than one, of those that should be present."""
    groups: dict[str, list[DesiredItem]] = {}
    for alb in albs:
        if alb.present and group_of(alb.item):
            groups.setdefault(group_of(alb.item), []).append(alb)
    return {name: members for name, members in sorted(groups.items()) if len(members) > 1}


def find_group_conflicts(albs: t.Iterable[DesiredItem]) -> t.Iterator[str]:
    """One sentence for each thing about which the members of a group disagree, and for each rule that two of them have."""
    for name, members in _groups_of(albs).items():
        settings: dict[str, dict[str, list[str]]] = {}
        for alb in members:
            for option, value in _shared_settings(alb).items():
                settings.setdefault(option, {}).setdefault(value, []).append(alb.title)
        for option, values in settings.items():
            if len(values) > 1:
                titles = " and ".join(title for owners in values.values() for title in owners)
                yield f"Group {name}: {titles} set different values of {option} ({', '.join(sorted(values))}), but share one load balancer: make them equal."
        yield from _find_same_rules(name, members)


def _shared_settings(alb: DesiredItem) -> dict[str, str]:
    """What an Ingress says about its load balancer and the listeners of it, by the option or what messages call it; what it leaves open is left out."""
    annotations = {key[len(ALB_PREFIX) :]: value for key, value in alb.main.manifest["metadata"]["annotations"].items() if key.startswith(ALB_PREFIX)}
    found = {option: ",".join(part.strip() for part in annotations[key].split(",")) for option, key in _ONCE.items() if key in annotations}
    found.update({f"annotations.{key}": annotations[key].lower() for key in _FLAGS if key in annotations})
    found.update({option: _sorted(annotations[key]) for option, key in _LISTS.items() if annotations.get(key)})
    for option, key in _PAIRS.items():
        named = {f"{option}.{name}": value for name, value in parse_pairs(annotations.get(key, "")).items()}
        found.update({_OPTIONS.get(name, name): value for name, value in named.items()})
    for protocol, port in listen_ports(alb.item):
        found[f"the protocol of port {port}"] = protocol
        found.update({f"{option} of port {port}": _sorted(annotations[key]) for option, key in _LISTENER_LISTS.items() if annotations.get(key)})
        if protocol == "HTTPS" and "ssl-policy" in annotations:
            found[f"ssl_policy of port {port}"] = annotations["ssl-policy"]
        listener = f"listener-attributes.{protocol}-{port}"
        found.update({f"annotations.{listener}.{name}": value for name, value in parse_pairs(annotations.get(listener, "")).items()})
    return found


def find_grpc_errors(albs: t.Sequence[DesiredItem]) -> t.Iterator[str]:
    """Load balancers that would send gRPC from a listener of plain HTTP, of which AWS takes none."""
    for alb in albs:
        if not alb.present or not speaks_grpc(alb.item):
            continue
        group = group_of(alb.item)
        redirects = any(one.item.get("ssl_redirect") for one in albs if one is alb or (one.present and group and group_of(one.item) == group))
        plain = [str(port) for protocol, port in listen_ports(alb.item) if protocol == "HTTP"]
        if plain and not redirects:
            yield (
                f"{alb.title}: its backend speaks gRPC, but listen_ports has HTTP {', '.join(plain)}, and an ALB takes gRPC by HTTPS only: "
                "list only HTTPS, with a certificate, or set ssl_redirect."
            )


def _find_same_rules(group: str, members: t.Sequence[DesiredItem]) -> t.Iterator[str]:
    """Rules of which the second would never be used; actions and conditions may tell them apart."""
    owners: dict[tuple[str, str], dict[int, list[str]]] = {}
    for alb in members:
        if _has_conditions(alb):
            continue
        for host in dict.fromkeys(alb.item["hosts"]):
            for _protocol, port in listen_ports(alb.item):
                owners.setdefault((host, alb.item.get("path") or "/"), {}).setdefault(port, []).append(alb.title)
    for (host, path), ports in owners.items():
        titles = next((titles for titles in ports.values() if len(titles) > 1), None)
        if titles:
            yield f"Group {group}: {' and '.join(titles)} both have the rule for {host} {path}, of which only the first would be used: remove one of them."


def hidden_rule_warnings(albs: t.Iterable[DesiredItem]) -> t.Iterator[str]:
    """One sentence for each member of a group that would never serve, because another one comes before it."""
    for name, members in _groups_of(albs).items():
        plain = [alb for alb in members if not _has_conditions(alb)]
        # As the controller sorts them (pkg/ingress/group_loader.go).
        ordered = sorted(plain, key=lambda alb: (_order_of(alb), "/".join(alb.place)))
        for earlier, later in ((one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :]):
            if _hides(earlier.item, later.item) and not set(earlier.item["hosts"]) & set(later.item["hosts"]):
                yield (
                    f"Group {name}: {earlier.title} comes before {later.title} and serves all of its hosts and paths, so that {later.title} would never serve: "
                    f"give {later.title} hosts or a path of its own, and a smaller group_order."
                )


def _order_of(alb: DesiredItem) -> int:
    """By the option or by the annotation that this stands for."""
    written = str(alb.main.manifest["metadata"]["annotations"].get(f"{ALB_PREFIX}group.order") or "0")
    return int(written) if re.fullmatch(r"-?\d{1,4}", written) else 0


def _hides(earlier: Item, later: Item) -> bool:
    """Whether each rule of one Ingress takes only requests that another one takes before it (pkg/ingress/model_build_listener_rules.go).

    A rule without hosts is for all hosts. A path is a prefix of whole segments.
    """
    prefix, path = ((item.get("path") or "/").rstrip("/") for item in (earlier, later))
    if not set(listen_ports(later)) <= set(listen_ports(earlier)) or not f"{path}/".startswith(f"{prefix}/"):
        return False
    hosts = earlier["hosts"] or [""]
    return all(any(not host or host == one or (host.startswith("*") and one.endswith(host[1:])) for host in hosts) for one in later["hosts"] or [""])


def _has_conditions(alb: DesiredItem) -> bool:
    """Whether actions or conditions decide, too, which requests it takes."""
    return bool(alb.item.get("actions")) or any(str(key).startswith(f"{ALB_PREFIX}conditions.") for key in alb.item.get("annotations") or ())


def _sorted(values: str) -> str:
    return ",".join(sorted({value.strip() for value in values.split(",")}))


__all__ = ("find_group_conflicts", "find_grpc_errors", "hidden_rule_warnings")
