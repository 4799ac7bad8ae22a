# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What ztunnel makes of the rules of AuthorizationPolicies: which of their fields it reads, and which callers they match.

Source: istio pilot/pkg/serviceregistry/ambient/authorization.go (convertAuthorizationPolicy, handleRule), ztunnel src/rbac.rs
(Authorization::matches), which is the same from 1.24 on.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .._mesh.labels import Object, annotations_of

_DRY_RUN = "istio.io/dry-run"
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_HTTP_OPERATION = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
_HTTP_SOURCE = ("remoteIpBlocks", "notRemoteIpBlocks", "requestPrincipals", "notRequestPrincipals")
# istiod drops these without a word.
_UNREAD_SOURCE = ("trustDomains", "notTrustDomains")
_SOURCE = ("principals", "namespaces", "serviceAccounts", "ipBlocks")
# The field that each key of a condition becomes; all other keys are HTTP to istiod.
_CONDITIONS = {
    "source.ip": "ipBlocks",
    "source.namespace": "namespaces",
    "source.principal": "principals",
    "destination.port": "ports",
    "destination.ip": "destinationIps",
}

# The fields that must all hold; ztunnel never matches one without fields.
Match = t.Mapping[str, t.Sequence[str]]


@dataclass(frozen=True)
class Rule:
    """One rule as istiod gives it to ztunnel.

    Attributes:
        clauses: all must match; each does if one of its matches does.
        http: the HTTP fields in it, for which istiod drops a rule of an ALLOW policy.
        unread: all fields in it that ztunnel does not have, the HTTP fields included.
        from_somebody: whether it says anything about the caller.
    """

    clauses: tuple[tuple[Match, ...], ...]
    http: tuple[str, ...]
    unread: tuple[str, ...]
    from_somebody: bool

    @property
    def can_match(self) -> bool:
        """Whether it may match at all: a clause of which only HTTP fields were dropped never does."""
        return all(any(clause) for clause in self.clauses)


@dataclass(frozen=True)
class Caller:
    """Who connects to a pod.

    Attributes:
        principals: its possible identities, without C(spiffe://).
        namespace: its namespace.
        accounts: its possible service accounts.
        addresses: its addresses; none if they are not known.
    """

    principals: frozenset[str]
    namespace: str
    accounts: frozenset[str]
    addresses: tuple[str, ...] = ()


def spec_of(policy: Object) -> t.Mapping[str, t.Any]:
    """The spec of a policy; a policy that allows nothing may have none."""
    return policy.get("spec") or {}


def targets_of(policy: Object) -> list[t.Mapping[str, t.Any]]:
    """The targetRefs of a policy; the old singular form counts when there are none."""
    single = spec_of(policy).get("targetRef")
    return [*(spec_of(policy).get("targetRefs") or ())] or ([single] if single else [])


def action_of(policy: Object) -> str:
    """The action of a policy."""
    return str(spec_of(policy).get("action") or "ALLOW")


def is_dry_run(policy: Object) -> bool:
    """Whether a policy is only tried, on purpose."""
    return annotations_of(policy).get(_DRY_RUN) in _TRUE


def rules_of(policy: Object) -> list[Rule]:
    """The rules of a policy as ztunnel would have them, those included that it never matches."""
    return [_rule_of(rule or {}) for rule in spec_of(policy).get("rules") or ()]


def enforced_rules(policy: Object) -> list[Rule]:
    """The rules of a policy that ztunnel may match."""
    return [rule for rule in rules_of(policy) if rule.can_match and not (rule.http and action_of(policy) == "ALLOW")]


def _rule_of(rule: t.Mapping[str, t.Any]) -> Rule:
    operations = [entry.get("operation") or {} for entry in rule.get("to") or ()]
    sources = [entry.get("source") or {} for entry in rule.get("from") or ()]
    conditions = [condition for condition in rule.get("when") or () if condition.get("key")]
    http = {name for operation in operations for name in _HTTP_OPERATION if operation.get(name)}
    http |= {name for source in sources for name in _HTTP_SOURCE if source.get(name)}
    http |= {condition["key"] for condition in conditions if condition["key"] not in _CONDITIONS}
    unread = http | {name for source in sources for name in _UNREAD_SOURCE if source.get(name)}
    clauses = [tuple(_match_of(item, names) for item in items) for items, names in ((operations, ("ports",)), (sources, _SOURCE)) if items]
    clauses += [(_match_of_condition(condition),) for condition in conditions]
    from_somebody = bool(sources) or any(condition["key"].startswith("source.") for condition in conditions)
    return Rule(tuple(clauses), tuple(sorted(http)), tuple(sorted(unread)), from_somebody)


def negative(name: str) -> str:
    """The field that excludes what a field includes: C(notPrincipals)."""
    return f"not{name[0].upper()}{name[1:]}"


def _match_of(item: t.Mapping[str, t.Any], names: t.Iterable[str]) -> Match:
    return {field: item[field] for name in names for field in (name, negative(name)) if item.get(field)}


def _match_of_condition(condition: t.Mapping[str, t.Any]) -> Match:
    name = _CONDITIONS.get(condition["key"])
    found = {name: condition.get("values"), negative(name): condition.get("notValues")} if name else {}
    return {field: values for field, values in found.items() if values}


def matches(rule: Rule, caller: Caller, own_namespace: str, port: int | None, *, unknown: bool) -> bool:
    """Whether a rule matches a connection.

    Args:
        rule: the rule.
        caller: who connects.
        own_namespace: the namespace of the policy, to which names of service accounts are relative.
        port: the port of the pod; None if it is not known.
        unknown: what counts where it cannot be known.
    """
    return all(any(match and _holds(match, caller, own_namespace, port, unknown) for match in clause) for clause in rule.clauses)


def _holds(match: Match, caller: Caller, own_namespace: str, port: int | None, unknown: bool) -> bool:
    for name in (*_SOURCE, "ports", "destinationIps"):
        included, excluded = match.get(name), match.get(negative(name))
        if not included and not excluded:
            continue
        if name == "destinationIps" or (name == "ports" and port is None) or (name == "ipBlocks" and not caller.addresses):
            if not unknown:
                return False
            continue
        if included and not any(_is(name, value, caller, own_namespace, port) for value in included):
            return False
        if excluded and any(_is(name, value, caller, own_namespace, port) for value in excluded):
            return False
    return True


def _is(name: str, value: object, caller: Caller, own_namespace: str, port: int | None) -> bool:
    text = str(value)
    if name == "ports":
        return text == str(port)
    if name == "principals":
        return any(_text_matches(text, principal) for principal in caller.principals)
    if name == "namespaces":
        return _text_matches(text, caller.namespace)
    if name == "serviceAccounts":
        namespace, _rest, account = text.rpartition("/")
        return (namespace or own_namespace) == caller.namespace and account in caller.accounts
    return any(address_in(text, address) for address in caller.addresses)


def _text_matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a policy matches: a star alone, first or last stands for anything, anywhere else it is a letter."""
    if pattern == "*":
        return bool(text)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def address_in(block: str, address: str) -> bool:
    """Whether a block of addresses, or a single one, contains an address; not if either is none."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


__all__ = (
    "Caller",
    "Rule",
    "action_of",
    "address_in",
    "enforced_rules",
    "is_dry_run",
    "matches",
    "negative",
    "rules_of",
    "spec_of",
    "targets_of",
)
