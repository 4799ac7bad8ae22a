# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do webhooks stand in the way: of whichever product, those whose server is gone, or whose certificate the API server does not accept?

Source: the API reference of admissionregistration.k8s.io/v1 (failurePolicy is Fail by default; namespaceSelector does not concern what has no namespace),
istio manifests/charts/istio-control/istio-discovery/templates (mutatingwebhook.yaml, validatingwebhookconfiguration.yaml).
"""

from __future__ import annotations

import base64
import ssl
import typing as t
from dataclasses import dataclass

from .._kinds import DEPLOYMENT, ENDPOINT_SLICE, GATEWAY, MUTATING_WEBHOOK, NAMESPACE, POD, SERVICE, VALIDATING_WEBHOOK
from .._mesh.labels import Object, labels_of, matches
from .._mesh.namespaces import is_terminating
from .._status.webhooks import ca_problem
from .._text import format_names
from .ages import day_of, is_new
from .check import PHASES, Check
from .cluster import Cluster, is_live, refs_of
from .finding import SEVERITIES, Problem, Severity, ref_of
from .serving import Endpoint, problem_of, ready_services, ref_behind

# How long before a certificate ends this is said, in seconds.
WARNED_BEFORE = 30 * 86400.0
_INJECTOR = "sidecar-injector.istio.io"
# Source: istio pkg/kube/inject/initializer.go (IgnoredNamespaces).
_NEVER_INJECTED = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
# What a cluster cannot do without, whatever runs in it.
_RESOURCES = frozenset({
    "pods", "services", "endpoints", "endpointslices", "namespaces", "nodes", "configmaps", "secrets", "serviceaccounts", "deployments", "daemonsets",
    "statefulsets", "replicasets", "jobs", "ingresses", "customresourcedefinitions", "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
    "poddisruptionbudgets", "leases", "*",
})  # fmt: skip
_SUBRESOURCES = frozenset({"", "*", "binding", "status", "eviction", "scale"})
_GROUPS = (GATEWAY.group, "elbv2.k8s.aws")
# These have no namespace, so that no namespaceSelector spares them.
_CLUSTER_WIDE = frozenset({"nodes", "customresourcedefinitions", "mutatingwebhookconfigurations", "validatingwebhookconfigurations"})
_VERBS = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete", "CONNECT": "connect to", "*": "write"}
_MOST_NAMED = 5

Hook = t.Mapping[str, t.Any]


def ends_of(text: str) -> list[float] | None:
    """When the CA certificates in a PEM text end, in seconds since the epoch; None if it holds none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError):
        return None
    return [float(ssl.cert_time_to_seconds(str(found["notAfter"]))) for found in context.get_ca_certs() if "notAfter" in found]


def injects_into(namespace: Object, cluster: Cluster) -> str:
    """The webhook that puts sidecars into new pods of a namespace that say nothing about it themselves, as messages name it; empty if none does."""
    if namespace["metadata"]["name"] in _NEVER_INJECTED:
        return ""
    for configuration in cluster.all(MUTATING_WEBHOOK):
        for hook in configuration.get("webhooks") or ():
            if _is_injector(hook) and matches(hook.get("namespaceSelector") or {}, labels_of(namespace)) and matches(hook.get("objectSelector") or {}, {}):
                return f"{hook['name']} of {configuration['kind']} {configuration['metadata']['name']}"
    return ""


def _is_injector(hook: Hook) -> bool:
    client = hook.get("clientConfig") or {}
    path = str((client.get("service") or {}).get("path") or client.get("url") or "")
    return str(hook.get("name")).endswith(_INJECTOR) and "/inject" in path


# what a webhook intercepts


@dataclass(frozen=True)
class Reach:
    """What a webhook intercepts now.

    Attributes:
        writes: what cannot be written without it, as messages say it.
        matters: whether the cluster or the mesh cannot do without these writes.
        now: whether something in the cluster is of that kind at present.
        namespaces: the Namespaces that it is limited to; empty if it is about all.
    """

    writes: str
    matters: bool
    now: bool
    namespaces: tuple[Object, ...]


def _reach_of(hook: Hook, cluster: Cluster) -> Reach:
    rules = hook.get("rules") or ()
    resources = [resource for rule in rules for resource in rule.get("resources") or ()]
    selector = hook.get("namespaceSelector") or {}
    matched = tuple(item for item in cluster.all(NAMESPACE) if matches(selector, labels_of(item)) and not is_terminating(item)) if selector else ()
    everywhere = not selector or any(rule.get("scope") == "Cluster" for rule in rules) or bool(_CLUSTER_WIDE.intersection(resources))
    names = {item["metadata"]["name"]: None for item in matched}
    objects = hook.get("objectSelector") or {}
    labelled = "" if matches(objects, {}) else " with the labels that its objectSelector asks for"
    now = everywhere or bool(names)
    if now and labelled:
        # Of other kinds with such labels there are few, and not all are read.
        pods = cluster.all(POD) if "pods" in resources else ()
        now = any(matches(objects, labels_of(pod)) for pod in pods if is_live(pod) and (everywhere or pod["metadata"]["namespace"] in names))
    limits = "" if everywhere else _format_places(list(names), len(cluster.all(NAMESPACE)))
    return Reach(f"{_format_rules(rules)}{labelled}{limits}", any(map(_matters, rules)), now, () if everywhere else matched)


def _format_places(names: t.Sequence[str], total: int) -> str:
    if len(names) > _MOST_NAMED:
        return f" in {len(names)} of {total} namespaces"
    return (
        f" in namespace{'s' if len(names) > 1 else ''} {format_names(names)}"
        if names
        else " in the namespaces that its namespaceSelector matches, which are none now"
    )


def _format_rules(rules: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """What rules are about: C(create, update pods, deployments.apps)."""
    verbs = dict.fromkeys(_VERBS.get(operation, operation) for rule in rules for operation in rule.get("operations") or ("*",))
    resources: dict[str, None] = {}
    for rule in rules:
        for resource in rule.get("resources") or ():
            for group in rule.get("apiGroups") or ("",):
                everything = "everything" if group in ("", "*") else f"everything of {group}"
                plain = resource if group in ("", "*") else f"{resource}.{group}"
                resources[everything if resource in ("*", "*/*") else plain] = None
    return f"{' or '.join(verbs)} {format_names(resources, _MOST_NAMED)}"


def _matters(rule: t.Mapping[str, t.Any]) -> bool:
    """Whether a rule is about objects that a cluster or a mesh cannot do without."""
    groups = rule.get("apiGroups") or ()
    if any(group in _GROUPS or str(group).endswith(".istio.io") for group in groups):
        return True
    parts = (str(resource).partition("/") for resource in rule.get("resources") or ())
    # A resource of somebody else's group may be called like one of Kubernetes.
    known = any(group in ("", "*", "apps", "batch") or str(group).endswith(".k8s.io") for group in groups)
    return known and any(name in _RESOURCES and below in _SUBRESOURCES for name, _slash, below in parts)


# the checks


def _configurations(cluster: Cluster) -> list[Object]:
    found = [*cluster.all(VALIDATING_WEBHOOK), *cluster.all(MUTATING_WEBHOOK)]
    return [item for item in found if not item["metadata"].get("deletionTimestamp") and not is_new(item, cluster)]


def _endpoint(hook: Hook) -> Endpoint | None:
    service = (hook.get("clientConfig") or {}).get("service")
    return Endpoint(service["namespace"], service["name"], service.get("port", 443)) if service else None


def _find_without_server(cluster: Cluster) -> t.Iterator[Problem]:
    ready = ready_services(cluster)
    for configuration in _configurations(cluster):
        hooks: dict[Endpoint, list[Hook]] = {}
        for hook in configuration.get("webhooks") or ():
            endpoint = _endpoint(hook)
            if endpoint:
                hooks.setdefault(endpoint, []).append(hook)
        for endpoint, callers in hooks.items():
            problem = problem_of(endpoint, ready, cluster)
            if problem:
                yield _without_server(configuration, endpoint, problem, callers, cluster)


def _without_server(configuration: Object, endpoint: Endpoint, problem: str, hooks: t.Sequence[Hook], cluster: Cluster) -> Problem:
    severity, hook, reach, namespaces = _worst(hooks, cluster)
    called = f"{endpoint.ref}, which its webhook {hook['name']} calls, {problem}"
    if _fails(hook):
        message = f"{called}, and its failurePolicy is Fail, so that nobody can {reach.writes}"
        delete = f"delete this {configuration['kind']} if its product is not installed any more"
        remedy = f"{'Check the pods that the Service selects' if problem.endswith('endpoint') else 'Install what serves it'}, or {delete}."
    else:
        then = "new pods come up without sidecars" if _is_injector(hook) else "what it would check or change is written as it is"
        message = f"{called}; its failurePolicy is Ignore, so {then} ({reach.writes})"
        remedy = f"Let its server run again, or delete this {configuration['kind']}."
    return Problem(ref_of(configuration), message, remedy, (endpoint.ref, *refs_of(namespaces)), ref_behind(endpoint, cluster), severity)


def _worst(hooks: t.Sequence[Hook], cluster: Cluster) -> tuple[Severity, Hook, Reach, list[Object]]:
    """The first webhook that is worst off if none of these can be called, and the Namespaces that all those are limited to that are as badly off."""
    judged = [(_severity_of(hook, reach), hook, reach) for hook in hooks for reach in [_reach_of(hook, cluster)]]
    severity, hook, reach = min(judged, key=lambda one: SEVERITIES.index(one[0]))
    namespaces = {item["metadata"]["name"]: item for level, _hook, each in judged if level == severity for item in each.namespaces}
    return severity, hook, reach, list(namespaces.values())


def _fails(hook: Hook) -> bool:
    return bool(hook.get("failurePolicy", "Fail") == "Fail")


def _severity_of(hook: Hook, reach: Reach) -> Severity:
    """How serious it is that a webhook does not answer."""
    if _fails(hook):
        return "error" if reach.matters and reach.now else "warning"
    return "warning" if _is_injector(hook) and reach.now else "info"


def _find_bad_certificates(cluster: Cluster) -> t.Iterator[Problem]:
    ready = ready_services(cluster)
    for configuration in _configurations(cluster):
        found: dict[tuple[str, str], list[Hook]] = {}
        for hook in configuration.get("webhooks") or ():
            endpoint = _endpoint(hook)
            # What has no server needs none.
            problem = None if endpoint and problem_of(endpoint, ready, cluster) else _certificate_problem(hook, cluster.now)
            if problem:
                found.setdefault(problem, []).append(hook)
        for (when, what), hooks in found.items():
            yield _bad_certificate(configuration, when, what, hooks, cluster)


def _certificate_problem(hook: Hook, now: float) -> tuple[str, str] | None:
    """What is wrong with the CA of a webhook: C(now) or C(soon), and a clause."""
    problem = ca_problem(hook, now)
    later = ca_problem(hook, now + WARNED_BEFORE)
    if problem is None and later is None:
        return None
    reason, clause = problem or later or ("", "")
    if reason == "ExpiredCA":
        ends = ends_of(base64.b64decode(hook["clientConfig"]["caBundle"]).decode("ascii")) or [now]
        clause = f"has a CA that {'ended' if problem else 'ends'} on {day_of(max(ends))}"
    return ("now" if problem else "soon"), clause.replace("has no CA yet", "has no CA (caBundle)")


def _bad_certificate(configuration: Object, when: str, what: str, hooks: t.Sequence[Hook], cluster: Cluster) -> Problem:
    worst, hook, reach, namespaces = _worst(hooks, cluster)
    endpoint = _endpoint(hook)
    then = f"nobody can {reach.writes}" if _fails(hook) else "goes on without it"
    call = f"so the API server cannot call it, and {then}" if when == "now" else f"and from then on the API server cannot call it, and {then}"
    more = f" (and {len(hooks) - 1} more)" if len(hooks) > 1 else ""
    remedy = "Let its control plane write the CA again: renew the certificate if it has ended, restart the server, and look in its log for caBundle."
    severity: Severity = "error" if when == "now" and worst == "error" else "warning"
    message = f"its webhook {hook['name']}{more} {what}, {call}"
    return Problem(ref_of(configuration), message, remedy, refs_of(namespaces), ref_behind(endpoint, cluster) if endpoint else None, severity)


_NEEDS = (VALIDATING_WEBHOOK, MUTATING_WEBHOOK, SERVICE, ENDPOINT_SLICE, NAMESPACE, POD, DEPLOYMENT)
_SOURCE = "kubernetes API reference, admissionregistration.k8s.io/v1"
CHECKS: tuple[Check, ...] = (
    Check("MW3101", "a webhook without a server", "error", _NEEDS, _find_without_server, _SOURCE, PHASES),
    Check("MW3102", "a webhook whose CA is missing or ends", "error", _NEEDS, _find_bad_certificates, _SOURCE, PHASES),
)

__all__ = ("CHECKS", "WARNED_BEFORE", "ends_of", "injects_into")
