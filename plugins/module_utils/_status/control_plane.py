# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does a control plane work: is istiod available, and can its webhooks be called?

Source: istio pilot/pkg/bootstrap and pkg/webhooks/validation/controller: istiod patches its CA into the webhook configurations, and turns the
validating one to failurePolicy Fail only after the API server has once refused a wrong object through it.
"""

from __future__ import annotations

import typing as t

from .._kinds import CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, MUTATING_WEBHOOK, VALIDATING_WEBHOOK
from .._managed_gateway.spec import find_problem, injector_name
from .._mesh.labels import REVISION, labels_of
from .._mesh.revisions import istiod_name
from .foreign_webhooks import foreign_probes
from .probes import Probe
from .target import Rule, Snapshot, Target, needs_in_namespace
from .verdict import Object, Verdict, not_found
from .webhooks import CertificateExpectation, ca_problem, endpoint_probes, has_ready_endpoint
from .workloads import judge_deployment

_VALIDATING = VALIDATING_WEBHOOK.name
# What a validating webhook does until istiod has verified it.
IGNORES_FAILURES = "still ignores failures (failurePolicy Ignore)"
INJECTOR_REMEDY = "Run site.yml --tags istio, which installs it again, and restart istiod if it has started without it."


def judge_control_plane(
    namespace: str,
    revision: str,
    deployments: t.Sequence[Object],
    endpoint_slices: t.Sequence[Object],
    webhooks: t.Sequence[Object],
    *,
    now: float | None = None,
) -> Verdict:
    """Current when istiod is available, its Service has a ready endpoint, and every webhook of this revision can be called.

    Args:
        namespace: where istiod is.
        revision: its revision; V(default) for the one without a name.
        deployments: the Deployments of the namespace.
        endpoint_slices: the EndpointSlices of the namespace.
        webhooks: all webhook configurations of the cluster.
        now: the time, in seconds since the epoch, at which certificates must be valid; None when that does not matter.
    """
    name = istiod_name(revision)
    title = f"Deployment {namespace}/{name}"
    deployment = next((item for item in deployments if item["metadata"]["name"] == name), None)
    if deployment is None:
        return not_found(title, "Install the control plane (role istio), or correct namespace and revision.")
    verdict = judge_deployment(title, deployment)
    if not verdict.current:
        return Verdict(verdict.status, "IstiodNotAvailable", f"istiod is the cause: {title}: {verdict.message}", verdict.remedy, verdict.since, verdict.final)
    if not any(has_ready_endpoint(item) for item in endpoint_slices if labels_of(item).get("kubernetes.io/service-name") == name):
        return Verdict(
            "InProgress",
            "NoEndpoint",
            f"Service {namespace}/{name} has no ready endpoint",
            "Compare the Service's selector with istiod's labels; if there is no Service, run site.yml --tags istio, which creates it.",
        )
    own = _webhooks_of(namespace, revision, webhooks)
    if not any(item["kind"] == _VALIDATING for item in own):
        return not_found(f"the validating webhook of revision {revision}", "Install the charts base and istiod in the same version.")
    for item in own:
        problem = _webhook_problem(item, now)
        if problem:
            return Verdict(
                "InProgress", "WebhookNotServing", f"{item['kind']} {item['metadata']['name']}: {problem}", "Search istiod's log for 'validationController'."
            )
    return Verdict("Current", message=f"istiod is available, {len(own)} webhook configurations are ready")


def _webhooks_of(namespace: str, revision: str, webhooks: t.Iterable[Object]) -> list[Object]:
    """The webhook configurations that call this control plane."""
    return [item for item in webhooks if _serves(item, namespace, istiod_name(revision), revision)]


def _serves(configuration: Object, namespace: str, service: str, revision: str) -> bool:
    if labels_of(configuration).get(REVISION, "default") != revision:
        return False
    services = [(hook.get("clientConfig") or {}).get("service") or {} for hook in configuration.get("webhooks") or ()]
    return any(item.get("namespace") == namespace and item.get("name") == service for item in services)


def _webhook_problem(configuration: Object, now: float | None) -> str | None:
    for hook in configuration.get("webhooks") or ():
        problem = ca_problem(hook, now)
        if problem:
            return f"webhook {hook['name']} {problem[1]}"
        if configuration["kind"] == _VALIDATING and hook.get("failurePolicy") == "Ignore":
            return f"webhook {hook['name']} {IGNORES_FAILURES}: istiod has not verified yet that it rejects an invalid object"
    return None


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_control_plane(
        target.namespace,
        target.name or "default",
        snapshot.all(DEPLOYMENT, target.namespace),
        snapshot.all(ENDPOINT_SLICE, target.namespace),
        [*snapshot.all(VALIDATING_WEBHOOK), *snapshot.all(MUTATING_WEBHOOK)],
        now=target.expected(CertificateExpectation).now,
    )


def _probes(target: Target, snapshot: Snapshot) -> t.Iterable[Probe]:
    webhooks = [*snapshot.all(VALIDATING_WEBHOOK), *snapshot.all(MUTATING_WEBHOOK)]
    own = _webhooks_of(target.namespace, target.name or "default", webhooks)
    return [*endpoint_probes(own), *foreign_probes(own, webhooks), *([_injector_probe(target.namespace, target.name)] if own else ())]


def _injector_probe(namespace: str, revision: str) -> Probe:
    """Whether istiod has the templates of waypoints and gateways; without them it creates nothing, and only logs it."""
    name = injector_name(revision)
    title = f"ConfigMap {namespace}/{name}"
    return Probe(CONFIG_MAP.path(namespace, name), title, INJECTOR_REMEDY, lambda config_map: find_problem(config_map, title))


CONTROL_PLANE_RULE = Rule(needs_in_namespace(DEPLOYMENT, ENDPOINT_SLICE, VALIDATING_WEBHOOK, MUTATING_WEBHOOK), ("namespace",), _judge, _probes)

__all__ = ("CONTROL_PLANE_RULE", "IGNORES_FAILURES", "INJECTOR_REMEDY", "judge_control_plane")
