# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Can webhooks be called: do they have a CA that is one, a Service with a ready endpoint, and does that endpoint really answer?

An endpoint stays ready until the readiness probe fails, so the endpoint itself is probed, too (see probes).
Source: the API reference of admissionregistration.k8s.io/v1 (WebhookClientConfig) and discovery.k8s.io/v1.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from .._kinds import ENDPOINT_SLICE, SERVICE, Kind
from .._mesh.labels import labels_of
from .probes import Probe
from .target import Expectation, Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, absent, terminating

_SERVICE_OF_SLICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class CertificateExpectation(Expectation):
    """What else must be true of the certificates of a webhook configuration, or of a control plane.

    Attributes:
        now: the time, in seconds since the epoch, at which certificates must be valid; None when that does not matter.
    """

    now: float | None = None


def judge_webhooks(
    title: str, configuration: Object | None, services: t.Sequence[Object], endpoint_slices: t.Sequence[Object], *, now: float | None = None
) -> Verdict:
    """Current when every webhook of a configuration has a good CA, and a Service with a ready endpoint.

    Args:
        title: how messages name the configuration.
        configuration: the configuration, or None.
        services: Services, the webhooks' among them.
        endpoint_slices: EndpointSlices, those Services' among them.
        now: the time, in seconds since the epoch, at which certificates must be valid; None when that does not matter.
    """
    if configuration is None or terminating(configuration):
        return absent(title, configuration, "Install the chart that contains it, or correct its name.")
    hooks = configuration.get("webhooks") or ()
    if not hooks:
        return Verdict("InProgress", "NoWebhooks", "it has no webhooks", "Reinstall the chart that contains it.")
    known = {_key(service): service for service in services}
    ready = {(item["metadata"].get("namespace"), labels_of(item).get(_SERVICE_OF_SLICE)) for item in endpoint_slices if has_ready_endpoint(item)}
    for hook in hooks:
        problem = ca_problem(hook, now)
        if problem:
            return Verdict("InProgress", problem[0], f"webhook {hook['name']} {problem[1]}", _REMEDIES[problem[0]])
        service = _service_of(hook)
        if service is None:
            continue
        place = f"{service['namespace']}/{service['name']}"
        found = known.get((service["namespace"], service["name"]))
        if found is None:
            return Verdict("InProgress", "NoService", f"Service {place} of webhook {hook['name']} does not exist", _REMEDIES["NoService"])
        ports = [port.get("port") for port in found["spec"].get("ports") or ()]
        if service.get("port", 443) not in ports:
            message = f"Service {place} has no port {service.get('port', 443)}, which webhook {hook['name']} calls"
            return Verdict("InProgress", "NoPort", message, _REMEDIES["NoService"])
        # A Service without a selector has somebody else's slices, with the same label; one that names a host has none at all.
        if found["spec"].get("type") != "ExternalName" and (service["namespace"], service["name"]) not in ready:
            return Verdict("InProgress", "NoEndpoint", f"Service {place} of webhook {hook['name']} has no ready endpoint", _REMEDIES["NoEndpoint"])
    return Verdict("Current", message=f"{len(hooks)} webhooks have a CA and a ready endpoint")


def ca_problem(hook: t.Mapping[str, t.Any], now: float | None = None) -> tuple[str, str] | None:
    """What is wrong with a webhook's CA bundle, as reason and message; None when it can be used.

    A webhook that is called by URL may do without: its certificate is then one that the API server's host trusts.
    """
    client = hook.get("clientConfig") or {}
    bundle = client.get("caBundle")
    if not bundle:
        return None if client.get("url") else ("NoCA", "has no CA yet")
    expiries = _expiries(bundle)
    if expiries is None:
        return "InvalidCA", "has a CA bundle without a certificate"
    if now is not None and expiries and max(expiries) <= now:
        return "ExpiredCA", "has a CA that has expired"
    return None


def has_ready_endpoint(endpoint_slice: Object) -> bool:
    """Whether one endpoint of a slice takes traffic; without the condition it does (API reference of EndpointConditions)."""
    return any((endpoint.get("conditions") or {}).get("ready", True) is not False for endpoint in endpoint_slice.get("endpoints") or ())


def endpoint_probes(configurations: t.Iterable[Object]) -> tuple[Probe, ...]:
    """One question for each endpoint and path that the webhooks of these configurations call."""
    hooks = (hook for configuration in configurations for hook in configuration.get("webhooks") or ())
    return tuple(dict.fromkeys(probe for probe in map(endpoint_probe, hooks) if probe))


def endpoint_probe(hook: t.Mapping[str, t.Any]) -> Probe | None:
    """The question for the endpoint of one webhook; None if it calls no Service."""
    service = _service_of(hook)
    if service is None:
        return None
    port, path = service.get("port", 443), quote(service.get("path") or "/")
    url = f"/api/v1/namespaces/{service['namespace']}/services/https:{service['name']}:{port}/proxy{path}"
    return Probe(url, f"Service {service['namespace']}/{service['name']}, port {port}, path {path}")


_REMEDIES = {
    "NoCA": "Its control plane writes the CA: check its log (in istiod's, search for 'caBundle').",
    "InvalidCA": "Remove the bundle, or reinstall the chart, so that its control plane writes it again.",
    "ExpiredCA": "Renew the CA and restart its control plane, which then writes the new one.",
    "NoService": "Install the chart that contains the webhook and its Service, or delete the webhook: the objects that it guards cannot be written.",
    "NoEndpoint": "Check the pods that the Service selects.",
}


@functools.lru_cache(maxsize=64)
def _expiries(bundle: str) -> tuple[float, ...] | None:
    """When the CA certificates of a bundle end, in seconds since the epoch; None when it holds no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=base64.b64decode(bundle).decode("ascii"))
    except (binascii.Error, UnicodeDecodeError, ValueError, ssl.SSLError):
        return None
    return tuple(float(ssl.cert_time_to_seconds(str(found["notAfter"]))) for found in context.get_ca_certs() if "notAfter" in found)


def services_of(configuration: Object | None) -> list[tuple[str, str]]:
    """Namespace and name of the Services that a configuration's webhooks call."""
    services = (_service_of(hook) for hook in (configuration or {}).get("webhooks") or ())
    return list(dict.fromkeys((service["namespace"], service["name"]) for service in services if service))


def _service_of(hook: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any] | None:
    return t.cast("t.Mapping[str, t.Any] | None", (hook.get("clientConfig") or {}).get("service"))


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def webhook_rule(kind: Kind) -> Rule:
    """The rule of one kind of webhook configuration. Its Services may be anywhere; a target that names their namespace has less read."""

    def needs(target: Target) -> t.Iterable[Need]:
        return (kind, None), (SERVICE, target.namespace or None), (ENDPOINT_SLICE, target.namespace or None)

    def judge(target: Target, snapshot: Snapshot) -> Verdict:
        configuration = snapshot.get(kind, target.name)
        places = services_of(configuration)
        services = [service for namespace, name in places for service in [snapshot.get(SERVICE, name, namespace)] if service]
        slices = [item for namespace in dict.fromkeys(namespace for namespace, _name in places) for item in snapshot.all(ENDPOINT_SLICE, namespace)]
        return judge_webhooks(f"{kind.name} {target.name}", configuration, services, slices, now=target.expected(CertificateExpectation).now)

    def probes(target: Target, snapshot: Snapshot) -> t.Iterable[Probe]:
        configuration = snapshot.get(kind, target.name)
        return endpoint_probes([configuration] if configuration else [])

    return Rule(needs, ("name",), judge, probes)


__all__ = (
    "CertificateExpectation",
    "ca_problem",
    "endpoint_probe",
    "endpoint_probes",
    "has_ready_endpoint",
    "judge_webhooks",
    "services_of",
    "webhook_rule",
)
