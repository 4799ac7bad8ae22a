# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does istiod run, for ambient mesh, and can ztunnel get its configuration and certificates from it?

Source: istio pilot/pkg/features (ambient.go, security.go), security/pkg/server/ca/node_auth.go, pilot/pkg/bootstrap (mesh.go, sidecarinjector.go),
manifests/charts/istio-control/istio-discovery/templates/deployment.yaml, ztunnel src/config.rs.
"""

from __future__ import annotations

import typing as t

from .._kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
)
from .._managed_gateway.spec import injector_name
from .._mesh.gateways import is_managed
from .._mesh.labels import DATAPLANE_MODE, Object, labels_of, template_of
from .._mesh.namespaces import is_terminating
from .._near_misses import nearest
from .._status.verdict import condition
from .ages import day_of, is_new
from .check import Check
from .cluster import Cluster, refs_of
from .finding import ObjectRef, Problem, Severity, ref_of
from .serving import (
    CA_ADDRESS,
    XDS_ADDRESS,
    addresses_of,
    endpoint_of,
    environment_of,
    is_starting,
    istiod_at,
    problem_of,
    ready_services,
    ref_behind,
    waiting_reason,
)
from .stuck_statuses import CHECKS as STATUS_CHECKS
from .stuck_statuses import is_istios, istiod_of_revision, owner_of, revision_of
from .webhooks import WARNED_BEFORE, ends_of

_AMBIENT = "PILOT_ENABLE_AMBIENT"
_TRUSTED = "CA_TRUSTED_NODE_ACCOUNTS"
_ROOT_CERTIFICATE, _ROOT_KEY = "istio-ca-root-cert", "root-cert.pem"
_OF_PILOT = ("operator.istio.io/component", "Pilot")
# Go's strconv.ParseBool.
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_PLACES = {CA_ADDRESS: "its certificates", XDS_ADDRESS: "its configuration"}


def ambient_namespaces(cluster: Cluster) -> list[Object]:
    """The Namespaces that are labelled for ambient mesh, without those that are being deleted."""
    return [item for item in cluster.all(NAMESPACE) if labels_of(item).get(DATAPLANE_MODE) == "ambient" and not is_terminating(item)]


def _find_unavailable(cluster: Cluster) -> t.Iterator[Problem]:
    for istiod in cluster.istiods:
        if not is_terminating(istiod) and (why := _why_unavailable(istiod, cluster)):
            message = (
                f"it {why}, so ztunnel and waypoints get no new configuration, no certificate is renewed (they end within a day), "
                "and its webhooks admit no pods where sidecars are injected"
            )
            remedy = "Scale it up." if istiod["spec"].get("replicas") == 0 else "Look at its pods (kubectl describe) and at their log."
            yield Problem(ref_of(istiod), message, remedy)
    labelled = ambient_namespaces(cluster)
    if labelled and not cluster.istiods and not _is_served_from_elsewhere(cluster):
        message = "namespaces are labelled for ambient mesh, but no istiod runs in this cluster, so nothing is captured, and what was is no longer configured"
        yield Problem(ObjectRef("Cluster"), message, "Install the control plane (role istio), or take the labels off.", refs_of(labelled))


def _why_unavailable(istiod: Object, cluster: Cluster) -> str:
    """Why no pod of an istiod is available, as a clause; empty if one is, or is about to be."""
    if istiod["spec"].get("replicas") == 0:
        return "is scaled to 0 replicas"
    if (istiod.get("status") or {}).get("availableReplicas"):
        return ""
    pods = cluster.pods(istiod["metadata"]["namespace"], (istiod["spec"].get("selector") or {}).get("matchLabels") or {"app": "istiod"})
    if is_starting(pods, cluster) or (not pods and is_new(istiod, cluster)):
        return ""
    reasons = sorted({waiting_reason(pod) for pod in pods} - {""})
    refused = condition(istiod, "ReplicaFailure") or {}
    if reasons:
        return f"has no available pod ({', '.join(reasons)})"
    return f"has no available pod ({refused.get('message')})" if refused.get("status") == "True" else "has no available pod"


def _is_served_from_elsewhere(cluster: Cluster) -> bool:
    """Whether a ztunnel is configured by an istiod that is not of this cluster, or none that its chart has installed."""
    for ztunnel in cluster.ztunnels:
        address = addresses_of(ztunnel).get(XDS_ADDRESS)
        endpoint = endpoint_of(address, ztunnel["metadata"]["namespace"], cluster) if address else None
        if address and (endpoint is None or cluster.get(SERVICE, endpoint.name, endpoint.namespace)):
            return True
    return False


def _find_without_ambient(cluster: Cluster) -> t.Iterator[Problem]:
    labelled = ambient_namespaces(cluster)
    lacking = [istiod for istiod in cluster.istiods if _lacks_ambient(istiod)] if labelled or cluster.ztunnels else []
    users = [istiod_at(XDS_ADDRESS, ztunnel, cluster) for ztunnel in cluster.ztunnels] + [owner_of(waypoint, cluster) for waypoint in cluster.waypoints]
    used = {ref_of(istiod) for istiod in users if istiod}
    # One for sidecars alone may run beside that of the ambient mesh.
    faulty = [istiod for istiod in lacking if ref_of(istiod) in used]
    if not faulty and lacking and len(lacking) == len(cluster.istiods):
        faulty = [istiod_of_revision(cluster.revisions.default, cluster) or lacking[0]]
    for istiod in faulty:
        message = f"it runs without ambient mode (its environment does not set {_AMBIENT} to true), so it refuses ztunnel and serves no waypoint"
        remedy = "Install it with the value profile ambient: an upgrade with other values and without this one turns ambient mode off."
        yield Problem(ref_of(istiod), message, remedy, (*refs_of(cluster.ztunnels), *refs_of(labelled)))


def _lacks_ambient(istiod: Object) -> bool:
    environment = environment_of(istiod)
    given = environment.get(_AMBIENT, "") if environment is not None else None
    return given is not None and given not in _TRUE


def _find_untrusted(cluster: Cluster) -> t.Iterator[Problem]:
    for ztunnel in cluster.ztunnels:
        istiod = istiod_at(CA_ADDRESS, ztunnel, cluster)
        environment = environment_of(istiod) if istiod else None
        given = environment.get(_TRUSTED, "") if environment is not None else None
        if istiod is None or given is None:
            continue
        name = (template_of(ztunnel).get("spec") or {}).get("serviceAccountName") or "default"
        account = f"{ztunnel['metadata']['namespace']}/{name}"
        # istiod takes no blanks off.
        if account not in given.split(","):
            trusted = f"names {given}" if given else "is not set"
            message = (
                f"it does not trust ServiceAccount {account} of {ref_of(ztunnel)} (its variable {_TRUSTED} {trusted}), "
                "so this ztunnel gets no certificates for pods, and their connections fail"
            )
            namespace, _slash, account_name = account.partition("/")
            remedy = f"Set the values trustedZtunnelNamespace to {namespace} and trustedZtunnelName to {account_name} in the chart istiod (below pilot)."
            yield Problem(ref_of(istiod), message, remedy, (ref_of(ztunnel),))


def _find_wrong_addresses(cluster: Cluster) -> t.Iterator[Problem]:
    ready = ready_services(cluster)
    for ztunnel in cluster.ztunnels:
        found: dict[str, list[str]] = {}
        for variable, address in addresses_of(ztunnel).items():
            found.setdefault(address, []).append(variable)
        for address, variables in found.items():
            endpoint = endpoint_of(address, ztunnel["metadata"]["namespace"], cluster)
            problem = problem_of(endpoint, ready, cluster) if endpoint else ""
            if endpoint and problem:
                what = " and ".join(_PLACES[variable] for variable in variables)
                place = f"{endpoint.ref} ({', '.join(variables)})"
                message = f"it gets {what} from {place}, which {problem}, so the pods of the mesh get no new certificates and configuration"
                yield Problem(ref_of(ztunnel), message, _address_remedy(endpoint.name, problem, cluster), (endpoint.ref,), ref_behind(endpoint, cluster))


def _address_remedy(name: str, problem: str, cluster: Cluster) -> str:
    if problem.endswith("endpoint"):
        return "Check the pods that the Service selects."
    services = {item["metadata"]["name"]: item for istiod in cluster.istiods for item in cluster.all(SERVICE, istiod["metadata"]["namespace"])}
    names = {found: item for found, item in services.items() if labels_of(item).get("app") == "istiod"}
    near = nearest(name, names) or next(iter(names), None)
    known = f" (there is {ref_of(names[near])})" if near else ""
    return f"Give the chart ztunnel the revision and the namespace of istiod (values revision and istioNamespace){known}, or install the istiod that it names."


def _find_root_that_ends(cluster: Cluster) -> t.Iterator[Problem]:
    for namespace in sorted({istiod["metadata"]["namespace"] for istiod in cluster.istiods}):
        config_map = cluster.get(CONFIG_MAP, _ROOT_CERTIFICATE, namespace)
        text = (config_map.get("data") or {}).get(_ROOT_KEY) if config_map else None
        found = _root_problem(ends_of(text), cluster.now) if text else None
        if found:
            severity, message = found
            remedy = "Renew the root (Secret cacerts or istio-ca-secret); keep both roots in the bundle until all workloads have certificates of the new one."
            yield Problem(ObjectRef(CONFIG_MAP.name, namespace, _ROOT_CERTIFICATE), message, remedy, severity=severity)


def _root_problem(ends: list[float] | None, now: float) -> tuple[Severity, str] | None:
    """How serious it is when the certificates of a bundle end, and what to say about it."""
    if ends is None:
        return "error", "the root certificate of the mesh is none, so no workload can be verified, and connections fail"
    # While one root replaces another, both are there.
    if not ends or max(ends) > now + WARNED_BEFORE:
        return None
    if max(ends) <= now:
        return "error", f"the root certificate of the mesh ended on {day_of(max(ends))}, so no workload can be verified any more, and connections fail"
    return "warning", f"the root certificate of the mesh ends on {day_of(max(ends))}, and from then on no workload can be verified, and connections fail"


def _find_unreadable_settings(cluster: Cluster) -> t.Iterator[Problem]:
    homes = {(istiod["metadata"]["namespace"], _settings_name(istiod)): istiod for istiod in cluster.istiods}
    for settings in cluster.mesh_configs:
        istiod = homes.get((settings.namespace, settings.name))
        if istiod and not settings.readable:
            message = "its key mesh is no valid YAML, so istiod goes on with the settings that it read last, and with its defaults once it restarts"
            yield Problem(ObjectRef(CONFIG_MAP.name, settings.namespace, settings.name), message, "Correct the text.", (ref_of(istiod),))


def _find_without_templates(cluster: Cluster) -> t.Iterator[Problem]:
    for istiod in cluster.istiods:
        namespace, name = istiod["metadata"]["namespace"], injector_name(revision_of(istiod))
        # They are read by this label: where no ConfigMap has it, nothing can be told.
        key, value = _OF_PILOT
        if cluster.get(CONFIG_MAP, name, namespace) or not any(labels_of(item).get(key) == value for item in cluster.all(CONFIG_MAP, namespace)):
            continue
        owned = [gateway for gateway in cluster.all(GATEWAY) if is_istios(gateway, cluster) and is_managed(gateway)]
        gateways = [gateway for gateway in owned if (owner := owner_of(gateway, cluster)) and ref_of(owner) == ref_of(istiod)]
        ref = ObjectRef(CONFIG_MAP.name, namespace, name)
        message = f"{ref}, from which it renders waypoints, gateways and sidecars, does not exist, so once it restarts it creates and updates none of them"
        remedy = "Install the chart istiod again without omitSidecarInjectorConfigMap, and restart istiod."
        yield Problem(ref_of(istiod), message, remedy, (ref, *refs_of(gateways)), severity="error" if gateways else "warning")


def _settings_name(istiod: Object) -> str:
    revision = revision_of(istiod)
    return "istio" if revision == "default" else f"istio-{revision}"


_CHART = "istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml"
_OF_REVISIONS = (DEPLOYMENT, MUTATING_WEBHOOK, VALIDATING_WEBHOOK, SERVICE)
CHECKS: tuple[Check, ...] = (
    Check("MW3001", "istiod does not run", "error", (DEPLOYMENT, POD, NAMESPACE, DAEMON_SET, SERVICE), _find_unavailable, _CHART),
    Check(
        "MW3002",
        "istiod runs without ambient mode",
        "error",
        (NAMESPACE, DAEMON_SET, GATEWAY, *_OF_REVISIONS),
        _find_without_ambient,
        "istio pilot/pkg/features/ambient.go",
    ),
    Check(
        "MW3003",
        "istiod does not trust ztunnel",
        "error",
        (DEPLOYMENT, DAEMON_SET, SERVICE, NAMESPACE),
        _find_untrusted,
        "istio security/pkg/server/ca/node_auth.go",
    ),
    Check(
        "MW3004",
        "ztunnel cannot reach istiod",
        "error",
        (DAEMON_SET, SERVICE, ENDPOINT_SLICE, POD, NAMESPACE, DEPLOYMENT),
        _find_wrong_addresses,
        "istio manifests/charts/ztunnel/templates/daemonset.yaml",
    ),
    Check(
        "MW3005",
        "the root certificate ends",
        "error",
        (CONFIG_MAP, DEPLOYMENT),
        _find_root_that_ends,
        "istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go",
    ),
    *STATUS_CHECKS,
    Check("MW3008", "istiod cannot read its settings", "error", (CONFIG_MAP, DEPLOYMENT), _find_unreadable_settings, "istio pilot/pkg/bootstrap/mesh.go"),
    Check(
        "MW3010",
        "istiod has no templates",
        "error",
        (CONFIG_MAP, GATEWAY, NAMESPACE, *_OF_REVISIONS),
        _find_without_templates,
        "istio pilot/pkg/bootstrap/sidecarinjector.go",
    ),
)

__all__ = ("CHECKS", "ambient_namespaces")
