# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can the callers that AuthorizationPolicies name exist: their namespaces, service accounts and trust domains, and the form of their principals?

ztunnel compares a principal with an identity of the form C(trust-domain/ns/namespace/sa/account), without C(spiffe://); a star stands for anything only
where it is the first or the last letter. It accepts no caller of another trust domain than its own, and knows no aliases; a waypoint does, and takes
cluster.local for its own trust domain.

Source: ztunnel src/rbac.rs (matches_principal), src/tls/workload.rs (TrustDomainVerifier), istio pilot/pkg/security/trustdomain/bundle.go.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._kinds import CONFIG_MAP, DEPLOYMENT, GATEWAY, NAMESPACE, POD, STATEFUL_SET
from .._mesh.labels import NETWORK, Object, template_of
from .._mesh.waypoints import is_waypoint
from .._near_misses import find_near_miss
from .._text import format_names
from .._yaml import YamlOutOfBounds, load_document
from .ages import is_new
from .cluster import Cluster
from .finding import Problem, Severity, ref_of
from .policy_pods import captured_pods, policies_in
from .policy_rules import negative, spec_of, targets_of

_SPIFFE = "spiffe://"
_CLUSTER_LOCAL = "cluster.local"
_IDENTITY = re.compile(r"[^/]+/ns/[^/]+/sa/[^/]+")
_EAST_WEST = "istio-east-west"
_SKIP = "PILOT_SKIP_VALIDATE_TRUST_DOMAIN"


@dataclass(frozen=True)
class _Named:
    """The callers that a policy names, in the order of its rules."""

    principals: tuple[str, ...]
    namespaces: tuple[str, ...]
    accounts: tuple[tuple[str, str], ...]


def find_identities(cluster: Cluster) -> t.Iterator[Problem]:
    """The policies that name callers which cannot exist, or do not."""
    accounts = _Accounts(cluster)
    domains = {config.trust_domain for config in cluster.mesh_configs} | {_CLUSTER_LOCAL} | _aliases(cluster)
    for policy in policies_in(cluster):
        named = _named_by(policy, domains)
        place = ref_of(policy)
        form = _find_form(named, in_mesh=_is_in_mesh(policy, cluster))
        if form:
            message = f"no caller has the {form}, so the rules that name it do not work as written"
            yield Problem(place, message, "Write principals as trust-domain/ns/namespace/sa/service-account, or with one star at the end.", severity="error")
        for message, remedy, severity in (*_find_domains(policy, named, cluster), *_find_namespaces(policy, named, cluster), *accounts.find(named)):
            yield Problem(place, message, remedy, severity=severity)


_Found = t.Tuple[str, str, Severity]


def _named_by(policy: Object, domains: t.Collection[str]) -> _Named:
    principals: dict[str, None] = {}
    namespaces: dict[str, None] = {}
    accounts: dict[tuple[str, str], None] = {}
    for rule in spec_of(policy).get("rules") or ():
        for source in ((entry or {}).get("source") or {} for entry in (rule or {}).get("from") or ()):
            principals.update(dict.fromkeys(_values(source, "principals")))
            namespaces.update(dict.fromkeys(_values(source, "namespaces")))
            for value in _values(source, "serviceAccounts"):
                namespace, _position, account = value.rpartition("/")
                accounts[(namespace or policy["metadata"]["namespace"], account)] = None
        for condition in (rule or {}).get("when") or ():
            values = dict.fromkeys(map(str, [*(condition.get("values") or ()), *(condition.get("notValues") or ())]))
            if condition.get("key") == "source.principal":
                principals.update(values)
            elif condition.get("key") == "source.namespace":
                namespaces.update(values)
    # The namespaces of other trust domains are not known here.
    for principal in (one for one in principals if _domain_of(one) in ("", *domains)):
        namespace, account = _place_of(principal)
        if namespace and account:
            accounts[(namespace, account)] = None
        elif namespace:
            namespaces[namespace] = None
    namespaces.update(dict.fromkeys(namespace for namespace, _position in accounts))
    return _Named(tuple(principals), tuple(name for name in namespaces if "*" not in name), tuple(accounts))


def _values(source: t.Mapping[str, t.Any], name: str) -> list[str]:
    return [str(value) for field in (name, negative(name)) for value in source.get(field) or ()]


def _place_of(principal: str) -> tuple[str, str]:
    """The namespace and the service account that a principal names; empty where it leaves them open."""
    found = re.search(r"(?:^|[/*])ns/(?P<namespace>[^/*]+)/(?:sa/(?P<account>[^/*]+)$)?", principal)
    return (found["namespace"], found["account"] or "") if found else ("", "")


def _is_in_mesh(policy: Object, cluster: Cluster) -> bool:
    """Whether ztunnel or a waypoint enforces a policy: callers of an ingress gateway may have certificates of any form."""
    targets = targets_of(policy)
    if not targets:
        return bool(captured_pods(cluster, policy))
    found = (cluster.get(GATEWAY, str(target.get("name")), policy["metadata"]["namespace"]) for target in targets if target.get("kind") == "Gateway")
    return any(target.get("kind") != "Gateway" for target in targets) or any(gateway is None or is_waypoint(gateway) for gateway in found)


# form and trust domain


def _find_form(named: _Named, *, in_mesh: bool) -> str:
    prefixed = [value for value in named.principals if value.startswith(_SPIFFE)]
    others = [value for value in named.principals if in_mesh and value not in prefixed and not _can_match(value)]
    odd = [*prefixed, *others]
    if not odd:
        return ""
    why = " (principals are written without spiffe://)" if prefixed else ""
    return f"{'identity' if len(odd) == 1 else 'identities'} {format_names(odd)}{why}"


def _can_match(principal: str) -> bool:
    """Whether an identity may match a principal at all."""
    body = principal.strip("*")
    if "*" in body or (len(principal) > 1 and principal.startswith("*") and principal.endswith("*")):
        return False
    if principal.startswith("*") or not body:
        return True
    if not principal.endswith("*"):
        return bool(_IDENTITY.fullmatch(principal))
    *whole, last = body.split("/")
    expected = (None, "ns", None, "sa", None)
    if len(whole) >= len(expected):
        return False
    fixed = expected[len(whole)]
    return all(wanted in (None, part) for part, wanted in zip(whole, expected)) and (fixed is None or fixed.startswith(last))  # noqa: B905  # older Pythons


def _find_domains(policy: Object, named: _Named, cluster: Cluster) -> t.Iterator[_Found]:
    own = {config.trust_domain for config in cluster.mesh_configs}
    if not own or not all(config.readable for config in cluster.mesh_configs) or not _is_in_mesh(policy, cluster):
        return
    known = own | {_CLUSTER_LOCAL} | _aliases(cluster) if targets_of(policy) else own
    # Waypoints may be told not to check it; ztunnel always does.
    severity: Severity = "info" if targets_of(policy) and _skips_trust_domains(cluster) else "warning"
    strange: dict[str, list[str]] = {}
    for principal in named.principals:
        domain = _domain_of(principal)
        if domain and _can_match(principal) and domain not in known:
            strange.setdefault(domain, []).append(principal)
    for domain, principals in strange.items():
        message = f"{format_names(principals)} is of trust domain {domain}, but that of the mesh is {format_names(sorted(own))}, so no caller has it"
        yield message, f"Write {format_names(sorted(own))} instead of {domain}, or a star before /ns.", severity


def _domain_of(principal: str) -> str:
    """The trust domain that a principal names; empty if it leaves it open."""
    domain = principal.partition("/")[0]
    return domain if "/" in principal and "*" not in domain and not principal.startswith(_SPIFFE) else ""


def _skips_trust_domains(cluster: Cluster) -> bool:
    containers = (one for item in cluster.istiods for one in (template_of(item).get("spec") or {}).get("containers") or ())
    return any(entry.get("name") == _SKIP and entry.get("value") == "true" for one in containers for entry in one.get("env") or ())


def _aliases(cluster: Cluster) -> set[str]:
    from yaml import YAMLError

    found: set[str] = set()
    for config in cluster.mesh_configs:
        config_map = cluster.get(CONFIG_MAP, config.name, config.namespace) or {}
        text = str((config_map.get("data") or {}).get("mesh") or "")
        if "trustDomainAliases" in text:
            try:
                found |= {str(alias) for alias in (load_document(text) or {}).get("trustDomainAliases") or ()}
            except (YAMLError, YamlOutOfBounds, AttributeError):
                continue
    return found


# namespaces and service accounts


def _find_namespaces(policy: Object, named: _Named, cluster: Cluster) -> t.Iterator[_Found]:
    known = {item["metadata"]["name"] for item in cluster.all(NAMESPACE)}
    missing = [name for name in named.namespaces if name not in known]
    if not missing or is_new(policy, cluster):
        return
    near = {name: find_near_miss(name, known) for name in missing}
    hint = format_names([f"{found} exists" for found in near.values() if found])
    # The callers may be in another cluster of the mesh.
    severity: Severity = "info" if _is_multicluster(cluster) and not hint else "warning"
    message = f"it names callers in namespace {format_names(missing)}, which does not exist{f' ({hint})' if hint else ''}, so that part of it matches nobody"
    yield message, "Correct the namespace, or remove it from the policy.", severity


def _is_multicluster(cluster: Cluster) -> bool:
    if any(gateway["spec"].get("gatewayClassName") == _EAST_WEST for gateway in cluster.all(GATEWAY)):
        return True
    return any(NETWORK in cluster.namespace_labels(name) for name in cluster.root_namespaces)


class _Accounts:
    """The service accounts that pods use, or will; ServiceAccounts themselves are not read."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._used: dict[str, set[str]] = {}
        for pod in cluster.all(POD):
            self._add(pod, pod["spec"])
        for item in (*cluster.all(DEPLOYMENT), *cluster.all(STATEFUL_SET)):
            self._add(item, template_of(item).get("spec") or {})
        for gateway in cluster.all(GATEWAY):
            name, namespace = gateway["metadata"]["name"], gateway["metadata"]["namespace"]
            self._used.setdefault(namespace, set()).update((name, f"{name}-{gateway['spec'].get('gatewayClassName')}"))

    def _add(self, item: Object, spec: t.Mapping[str, t.Any]) -> None:
        self._used.setdefault(item["metadata"]["namespace"], set()).add(str(spec.get("serviceAccountName") or "default"))

    def find(self, named: _Named) -> t.Iterator[_Found]:
        for namespace, account in named.accounts:
            used = self._used.get(namespace, set())
            if account in used or not self._cluster.pods(namespace):
                continue
            near = find_near_miss(account, used)
            hint = f" (pods use {near})" if near else ""
            message = f"it names the service account {namespace}/{account}, which no pod uses{hint}"
            yield message, "Correct the name, unless pods with this service account are to come.", "warning" if near else "info"


__all__ = ("find_identities",)
