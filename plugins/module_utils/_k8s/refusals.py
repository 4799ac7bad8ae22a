# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Turns an unexpected response into an error: what failed, where, why, and what to do."""

from __future__ import annotations

import json
import typing as t

from .._errors import ApiError, NotServed, ResourceExpired, Unreachable
from .._kinds import Kind
from .._text import in_one_line, quoted
from .denials import Denial, find_denial

# How often a request is sent that fails with a broken connection or a server error.
ATTEMPTS = 4


def unreachable(cluster: str, action: str, detail: str, proxy: str = "") -> Unreachable:
    """No answer came; detail is the transport's own message, and proxy the proxy on the way, if there is one."""
    remedy = "check that the API server runs and that the kubeconfig names the right address and CA"
    if proxy:
        action += f" through the proxy {proxy}"
        remedy = f"check that the proxy runs and reaches the API server (proxy-url of the kubeconfig, K8S_AUTH_PROXY or HTTPS_PROXY), and {remedy[6:]}"
    message = f"Cluster {cluster} could not be reached to {action} ({detail}): {remedy}."
    return Unreachable(message, status=0, reason=detail)


def refusal(cluster: str, action: str, kind: Kind, code: int, headers: t.Mapping[str, str], text: str) -> ApiError:
    """The error that an answer of 400 or more means.

    Args:
        cluster: how the user knows the cluster.
        action: what was asked, such as C(list pods in namespace shop).
        kind: the kind that it was about.
        code: the HTTP status.
        headers: the answer's headers.
        text: its body, by the API's rules a Status object.
    """
    status = _parse_status(text)
    server_message = quoted(status.get("message") or text.strip()[:300] or "no message")
    reason = quoted(status.get("reason") or "")
    denial = find_denial(server_message)
    details: dict[str, t.Any] = {"status": code, "reason": reason, "retry_after": _retry_after(headers), "server_message": server_message}
    label = f"{code} {reason or 'error'}"
    if denial:
        return ApiError(_denied(cluster, action, denial, "" if code == 403 else label, server_message), cause=denial.cause, refused_by=denial.name, **details)
    if code == 401:
        message = (
            f"Cluster {cluster} did not accept the credentials to {action} (401 Unauthorized): "
            "the token or certificate is missing, wrong or expired, or the cluster does not know its owner (in EKS: the owner has no access entry); "
            "log in again or renew the kubeconfig."
        )
        return ApiError(message, **details)
    if code == 403:
        remedy = (
            "it is a rule of the API server and no missing permission, so change what it names" if status else "a proxy has answered, so check the way to it"
        )
        return ApiError(f"Cluster {cluster} refused to {action} ({server_message}): {remedy}.", **details)
    # A 404 whose Status names no object means that the path itself is not served.
    if code == 404 and not (status.get("details") or {}).get("name"):
        return NotServed(not_served(cluster, kind), **details)
    if code == 410:
        return ResourceExpired(f"Cluster {cluster} no longer has the requested resource version to {action}: list again.", **details)
    if code >= 500:
        remedy = "Check the API server and its log, and run again."
        return ApiError(f"Cluster {cluster} could not {action} ({label}): {server_message.rstrip('.')}. {remedy}", **details)
    return ApiError(f"Cluster {cluster} refused to {action} ({label}): {server_message}", **details)


def _denied(cluster: str, action: str, denial: Denial, label: str, server_message: str) -> str:
    seen = server_message.rstrip(".")
    if not label:
        return f"Cluster {cluster} refused to {action} ({seen}): {denial.remedy}."
    verb, shown = "could not" if label.startswith("5") else "refused to", "" if denial.cause == "field_conflict" else f" ({label})"
    return f"Cluster {cluster} {verb} {action}{shown}: {seen}. {denial.remedy[0].upper()}{denial.remedy[1:]}."


def no_api_server(cluster: str, action: str, text: str) -> ApiError:
    """An answer came that no API server gives, such as the page of a proxy."""
    excerpt = in_one_line(text)[:100] or "nothing"
    message = f"Cluster {cluster} did not answer like an API server to {action} ({excerpt}): check the address, and the proxies on the way to it."
    return ApiError(message, status=0, reason="NoJSON")


def not_served(cluster: str, kind: Kind) -> str:
    """The sentence for a kind that the API server does not know."""
    # A group with a dot that is not Kubernetes' own comes from a CustomResourceDefinition.
    custom = "." in kind.group and not kind.group.endswith("k8s.io")
    remedy = "install its CustomResourceDefinition, or correct api_version and kind." if custom else "check the version of the cluster."
    if kind.group.endswith("gateway.networking.k8s.io"):
        remedy = "install the Gateway API CRDs first (role gateway_api)."
    elif kind.group.endswith("istio.io"):
        remedy = "install Istio's CRDs first (role istio)."
    return f"Cluster {cluster} does not serve {kind.name} ({kind.api_version}): {remedy}"


def worth_a_retry(method: str, error: ApiError, attempt: int) -> bool:
    """Whether the same request may be sent once more.

    429 and 503 come before any work is done, so every method may be sent again; after another server error or a cut connection only reads
    and idempotent writes, and only ATTEMPTS times.
    """
    if error.status in (429, 503):
        return True
    if method not in ("GET", "PATCH") or attempt >= ATTEMPTS:
        return False
    if isinstance(error, Unreachable):
        return "refused" not in error.reason.lower() and "certificate" not in error.reason.lower()
    return error.status in (500, 502, 504)


def _parse_status(text: str) -> dict[str, t.Any]:
    try:
        status = json.loads(text)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after(headers: t.Mapping[str, str]) -> float | None:
    """The Retry-After header in seconds; API servers send whole seconds."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


__all__ = ("ATTEMPTS", "no_api_server", "not_served", "refusal", "unreachable", "worth_a_retry")
