# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What gateways, load balancers and routes have in common: their options, and the objects of each item."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._text import repeated
from .annotation_values import DEFAULT_DELAY

Item = t.Mapping[str, t.Any]
Options = t.Dict[str, t.Any]
# Kind (a key of KINDS in state.py), namespace and name.
Key = t.Tuple[str, str, str]

STRINGS: Options = {"type": "list", "elements": "str", "default": []}
DICT: Options = {"type": "dict", "default": {}}

# What identifies every item.
IDENTITY: Options = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

# What an Application and a Network Load Balancer have in common.
LOAD_BALANCER: Options = {
    "scheme": {"type": "str", "choices": ["internet-facing", "internal"]},
    "target_type": {"type": "str", "choices": ["ip", "instance"], "default": "ip"},
    "subnets": STRINGS,
    "certificate_arns": STRINGS,
    "ssl_policy": {"type": "str"},
    "attributes": DICT,
    "deletion_protection": {"type": "bool"},
    "access_logs": {"type": "dict", "options": {"enabled": {"type": "bool", "default": True}, "bucket": {"type": "str"}, "prefix": {"type": "str"}}},
    "tags": DICT,
    "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack", "dualstack-without-public-ipv4"]},
    "security_groups": STRINGS,
    "health_check": {
        "type": "dict",
        "options": {
            "protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP"]},
            "port": {"type": "str"},
            "path": {"type": "str"},
            "interval": {"type": "int"},
            "timeout": {"type": "int"},
            "healthy_threshold": {"type": "int"},
            "unhealthy_threshold": {"type": "int"},
            "success_codes": {"type": "str"},
        },
    },
    "deregistration_delay": {"type": "int", "default": DEFAULT_DELAY},
    "target_group_attributes": DICT,
    "annotations": DICT,
}

# The options of a module that waits.
WAITING: Options = {"wait": {"type": "bool", "default": False}, "wait_timeout": {"type": "int", "default": 600}, "progress": {"type": "path"}}

# The options that several modules have beside their items, as the documentation fragment _ingress describes them.
_SWITCH: Options = {"type": "bool", "default": False}
ROUTE_OPTIONS: Options = {"force_conflicts": _SWITCH, "planned": {"type": "dict", "options": {"namespaces": STRINGS}}}
LOAD_BALANCER_OPTIONS: Options = {"force_conflicts": _SWITCH, "override_deletion_protection": _SWITCH, "allow_unroutable_targets": _SWITCH}
ALB_OPTIONS: Options = {
    **LOAD_BALANCER_OPTIONS,
    "allow_load_balancer_service": _SWITCH,
    "planned": {"type": "dict", "options": {"namespaces": STRINGS, "services": STRINGS, "controller": _SWITCH}},
}


@dataclass(frozen=True)
class DesiredObject:
    """One object that should be present or absent.

    Attributes:
        key: identifies it.
        manifest: what to apply; empty if it should be absent.
        order: the step in which it is written; deletions go through the steps backwards.
    """

    key: Key
    manifest: dict[str, t.Any] = field(default_factory=dict)
    order: int = 0


@dataclass(frozen=True)
class DesiredItem:
    """One item of a list, and what it means.

    Attributes:
        noun: what messages call it, such as C(Gateway).
        item: the item, with all its keys.
        main: the object that stands for it.
        others: the objects that belong to it.
        errors: what is wrong with it.
        notes: what it does that is seldom intended.
    """

    noun: str
    item: Item
    main: DesiredObject
    others: tuple[DesiredObject, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.item["namespace"], self.item["name"]

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{self.noun} {self.item['namespace']}/{self.item['name']}"

    @property
    def present(self) -> bool:
        return bool(self.item["state"] == "present")

    @property
    def objects(self) -> tuple[DesiredObject, ...]:
        return (self.main, *self.others)


def list_of(options: Options, **rules: t.Any) -> Options:
    """The option of a list of such items; rules are those of an argument spec."""
    return {"type": "list", "elements": "dict", "default": [], "options": options, **rules}


def complete(items: t.Any, options: Options) -> list[Item]:
    """The items as a module gets them: with all keys and their defaults. Whatever is not a dictionary is left out."""
    return [_complete(item, options) for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def find_errors(items: t.Sequence[DesiredItem]) -> list[str]:
    """The validation errors of the items, one sentence each."""
    return [*(f"{item.title}: {error}" for item in items for error in item.errors), *find_duplicates(items)]


def find_duplicates(items: t.Sequence[DesiredItem]) -> t.Iterator[str]:
    """Objects that several items name."""
    keys = [item.main.key for item in items]
    for kind, namespace, name in repeated(keys):
        yield f"{kind} {namespace}/{name} is listed more than once: declare it in one item."


def note_uncovered_domains(hosts: t.Sequence[str]) -> list[str]:
    """Wildcards whose own domain is not listed: C(*.example.com) does not cover C(example.com)."""
    return [
        f"{host} does not cover {host[2:]} itself: add {host[2:]} to hosts, if it is meant too."
        for host in hosts
        if host.startswith("*.") and host[2:] not in hosts
    ]


def service_name(gateway: str) -> str:
    """What istiod calls the Service and the Deployment of a Gateway of class istio."""
    return f"{gateway}-istio"


def _complete(item: Item, options: Options) -> dict[str, t.Any]:
    filled: dict[str, t.Any] = dict(item)
    for name, option in options.items():
        value = filled.get(name, option.get("default"))
        inner = option.get("options")
        if inner and isinstance(value, dict):
            value = _complete(value, inner)
        elif inner and isinstance(value, list):
            value = [_complete(one, inner) if isinstance(one, dict) else one for one in value]
        filled[name] = value
    return filled


__all__ = (
    "ALB_OPTIONS",
    "DICT",
    "IDENTITY",
    "LOAD_BALANCER",
    "LOAD_BALANCER_OPTIONS",
    "ROUTE_OPTIONS",
    "STRINGS",
    "WAITING",
    "DesiredItem",
    "DesiredObject",
    "complete",
    "find_duplicates",
    "find_errors",
    "list_of",
    "note_uncovered_domains",
    "service_name",
)
