# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""A task's one session with an API server: read in pages, write concurrently, say clearly what went wrong."""

from __future__ import annotations

import json
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._errors import ApiError, MeshError, NotServed, ResourceExpired, Unreachable
from .kinds import SELF_SUBJECT_ACCESS_REVIEW, Kind
from .transport import Response, Timeout, Transport, TransportError

Object = t.Dict[str, t.Any]
Objects = t.List[Object]

FIELD_MANAGER = "meshwright"
PAGE_SIZE = 500
WRITERS = 8
ATTEMPTS = 4

_NOT_BEGUN: dict[str, t.Any] = {}


@dataclass(frozen=True)
class ObjectList:
    """What a list answered: the objects, and the resource version from which a watch goes on."""

    items: Objects
    resource_version: str


@dataclass(frozen=True)
class Write:
    """One write to be sent.

    Attributes:
        verb: C(create), C(apply), C(patch) or C(delete).
        kind: what is written.
        name: the object's name.
        namespace: its namespace, or None for a cluster-scoped kind.
        body: the object (create, apply), the merge patch (patch) or the delete options (delete).
        force: with apply, take over fields that another field manager owns.
        creates: with apply, whether the object is not there yet.
        subresource: such as C(status); empty for the object itself.
    """

    verb: t.Literal["create", "apply", "patch", "delete"]
    kind: Kind
    name: str
    namespace: str | None = None
    body: Object | None = None
    force: bool = False
    creates: bool = False
    subresource: str = ""

    @property
    def access_verbs(self) -> tuple[str, ...]:
        """The verbs that RBAC asks about; server-side apply is a patch, and a creation where there is nothing yet."""
        if self.verb == "apply":
            return ("patch", "create") if self.creates else ("patch",)
        return (self.verb,)

    def __str__(self) -> str:
        return f"{self.verb} {describe(self.kind, self.name, self.namespace)}"


def describe(kind: Kind, name: str | None = None, namespace: str | None = None) -> str:
    """How messages name an object: C(Gateway shop/waypoint), C(Namespace shop), or C(pods in namespace shop)."""
    if name:
        return f"{kind.name} {namespace}/{name}" if namespace else f"{kind.name} {name}"
    return f"{kind.plural} in namespace {namespace}" if namespace else kind.plural


class ApiSession:
    """Reads and writes objects on one API server.

    Args:
        transport: sends the requests.
        name: how the user knows this cluster; messages name it.
        pause: waits for the given seconds before a retry; tests hand in their own.
        field_manager: the name under which the API server records what this session writes.
    """

    def __init__(self, transport: Transport, *, name: str, pause: t.Callable[[float], None], field_manager: str = FIELD_MANAGER) -> None:
        self._transport = transport
        self._pause = pause
        self._field_manager = field_manager
        self.cluster = f"{name} ({transport.server})" if name and name != transport.server else transport.server

    # reading

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None when there is none.

        Raises:
            NotServed: the API server does not know the kind.
            ApiError: any other refusal.
        """
        answer = self._request("GET", kind.path(namespace, name), f"read {describe(kind, name, namespace)}", kind, absent_ok=True)
        return t.cast("t.Optional[Object]", answer)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> ObjectList:
        """All objects of a kind in a namespace, or in all of them, read in pages of PAGE_SIZE.

        Raises:
            NotServed: the API server does not know the kind.
            ResourceExpired: the list took longer than the server keeps its pages; list again.
        """
        query = [("limit", str(PAGE_SIZE))]
        query += [("labelSelector", label_selector)] if label_selector else []
        query += [("fieldSelector", field_selector)] if field_selector else []
        items: Objects = []
        page_token = ""
        while True:
            page_query = [*query, ("continue", page_token)] if page_token else query
            answer = self._request("GET", kind.path(namespace), f"list {describe(kind, None, namespace)}", kind, query=page_query)
            # The items of a list carry neither kind nor apiVersion of their own.
            items += ({"apiVersion": kind.api_version, "kind": kind.name, **item} for item in answer.get("items") or ())
            metadata = answer.get("metadata") or {}
            page_token = metadata.get("continue") or ""
            if not page_token:
                return ObjectList(items, metadata.get("resourceVersion", ""))

    def open_watch(self, kind: Kind, namespace: str | None, *, query: t.Sequence[tuple[str, str]], timeout: Timeout) -> Response:
        """Open a watch; the caller reads its lines. Raises as C(list) does, and ResourceExpired when the version is too old."""
        full = [("watch", "1"), ("allowWatchBookmarks", "true"), *query]
        return self._send("GET", kind.path(namespace), f"watch {describe(kind, None, namespace)}", kind, query=full, timeout=timeout)

    # writing

    def write(self, write: Write) -> Object | None:
        """Send one write; returns the object as the server now has it, or None for a delete of what was already gone."""
        action = str(write)
        path = write.kind.path(write.namespace, write.name, write.subresource or None)
        manager = [("fieldManager", self._field_manager)]
        answer: t.Any
        if write.verb == "create":
            # A subresource is created below the object that it belongs to.
            where = path if write.subresource else write.kind.path(write.namespace)
            answer = self._request("POST", where, action, write.kind, query=manager, body=write.body)
        elif write.verb == "apply":
            query = [*manager, ("force", "true")] if write.force else manager
            answer = self._request("PATCH", path, action, write.kind, query=query, body=write.body, content_type="application/apply-patch+yaml")
        elif write.verb == "patch":
            answer = self._request("PATCH", path, action, write.kind, query=manager, body=write.body, content_type="application/merge-patch+json")
        else:
            body = write.body or {"propagationPolicy": "Background"}
            answer = self._request("DELETE", path, action, write.kind, body=body, absent_ok=True)
        return t.cast("t.Optional[Object]", answer)

    def write_all(self, writes: t.Sequence[Write]) -> t.List[t.Optional[Object]]:
        """Send independent writes over WRITERS connections; results come in the order of the writes.

        After the first refusal no further write is started.

        Raises:
            MeshError: one sentence for each write that failed, and how many were made and not begun.
        """
        if not writes:
            return []
        stopped = threading.Event()

        def send(write: Write) -> Object | ApiError | None:
            if stopped.is_set():
                return _NOT_BEGUN
            try:
                return self.write(write)
            except ApiError as error:
                stopped.set()
                return error

        with ThreadPoolExecutor(max_workers=min(WRITERS, len(writes))) as pool:
            outcomes = list(pool.map(send, writes))
        failures = [outcome for outcome in outcomes if isinstance(outcome, ApiError)]
        if failures:
            sentences = [failure.message for failure in failures]
            not_begun = sum(outcome is _NOT_BEGUN for outcome in outcomes)
            made = len(writes) - len(failures) - not_begun
            tally = f"{made} of {len(writes)} writes were made, {not_begun} were not begun; run again to go on where this stopped."
            raise MeshError("\n".join([*sentences, tally]) if len(writes) > 1 else sentences[0])
        return t.cast("list[t.Optional[Object]]", outcomes)

    # permissions

    def refused(self, writes: t.Iterable[Write]) -> t.List[str]:
        """Which of the planned writes RBAC would refuse, one sentence each; one question per verb, kind and namespace.

        The question is a SelfSubjectAccessReview, which the API server answers and does not keep.
        """
        asked: dict[tuple[str, Kind, str | None], Write] = {}
        for write in writes:
            for verb in write.access_verbs:
                asked.setdefault((verb, write.kind, write.namespace), write)
        sentences = []
        for (verb, kind, namespace), write in asked.items():
            attributes = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": namespace or "", "name": write.name}
            body = {
                "apiVersion": SELF_SUBJECT_ACCESS_REVIEW.api_version,
                "kind": SELF_SUBJECT_ACCESS_REVIEW.name,
                "spec": {"resourceAttributes": attributes},
            }
            action = f"ask whether it may {write}"
            answer = self._request("POST", SELF_SUBJECT_ACCESS_REVIEW.path(), action, SELF_SUBJECT_ACCESS_REVIEW, body=body)
            if not answer["status"].get("allowed"):
                place = f"in namespace {namespace}" if namespace else "at cluster scope"
                sentences.append(
                    f"Cluster {self.cluster} does not let this user {verb} {kind.plural} {place} (needed to {write}): "
                    f"grant the verb {verb} on {kind.plural}{'.' + kind.group if kind.group else ''} and run again; nothing was changed."
                )
        return sentences

    # one request

    def _request(
        self,
        method: str,
        path: str,
        action: str,
        kind: Kind,
        *,
        query: t.Sequence[tuple[str, str]] = (),
        body: Object | None = None,
        content_type: str = "application/json",
        absent_ok: bool = False,
    ) -> t.Any:
        """Send one request and decode its answer; retried when the server says that it is busy."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._send(method, path, action, kind, query=query, body=body, content_type=content_type, absent_ok=absent_ok)
                break
            except ApiError as error:
                if attempt == ATTEMPTS or not _worth_a_retry(method, error):
                    raise
                self._pause(error.retry_after if error.retry_after is not None else 0.2 * 2**attempt)
        try:
            text = response.text()
        except TransportError as error:
            raise self._unreachable(action, str(error)) from error
        if response.status == 404:
            return None
        return json.loads(text)

    def _send(
        self,
        method: str,
        path: str,
        action: str,
        kind: Kind,
        *,
        query: t.Sequence[tuple[str, str]] = (),
        body: Object | None = None,
        content_type: str = "application/json",
        absent_ok: bool = False,
        timeout: Timeout = (10.0, 60.0),
    ) -> Response:
        try:
            response = self._transport.send(method, path, query=query, body=body, content_type=content_type, timeout=timeout)
            if response.status < 400:
                return response
            text = response.text()
        except TransportError as error:
            raise self._unreachable(action, str(error)) from error
        refusal = self._refusal(action, kind, response, text)
        if absent_ok and response.status == 404 and not isinstance(refusal, NotServed):
            return response
        raise refusal

    def _unreachable(self, action: str, words: str) -> Unreachable:
        message = (
            f"Cluster {self.cluster} could not be reached to {action} ({words}): "
            "check that the API server runs and that the kubeconfig names the right address and CA."
        )
        return Unreachable(message, status=0, reason=words)

    def _refusal(self, action: str, kind: Kind, response: Response, text: str) -> ApiError:
        status = _parse_status(text)
        said = str(status.get("message") or text.strip()[:300] or "no message")
        reason = str(status.get("reason") or "")
        details: dict[str, t.Any] = {"status": response.status, "reason": reason, "retry_after": _retry_after(response)}
        if response.status == 401:
            message = (
                f"Cluster {self.cluster} did not accept the credentials to {action} (401 Unauthorized): "
                "the token or certificate is missing, wrong or expired; log in again or renew the kubeconfig."
            )
            return ApiError(message, **details)
        if response.status == 403:
            message = f"Cluster {self.cluster} refused to {action} ({said}): grant this permission to the user and run again."
            return ApiError(message, **details)
        # A 404 whose Status names no object means that the path itself is not served.
        if response.status == 404 and not (status.get("details") or {}).get("name"):
            return NotServed(f"Cluster {self.cluster} does not serve {kind.name} ({kind.api_version}): {_remedy_for_missing(kind)}", **details)
        if response.status == 410:
            return ResourceExpired(f"Cluster {self.cluster} has dropped the version asked for to {action}: list again.", **details)
        if response.status == 409 and "conflict" in said.lower() and reason == "Conflict":
            message = f"Cluster {self.cluster} refused to {action}: {said.rstrip('.')}. Leave the field to its owner, or set force_conflicts to take it over."
            return ApiError(message, **details)
        return ApiError(f"Cluster {self.cluster} refused to {action} ({response.status} {reason or 'error'}): {said}", **details)


def _worth_a_retry(method: str, error: ApiError) -> bool:
    """429 and 503 come before any work is done, so every method may be sent again; a cut connection only for reads and idempotent writes."""
    if error.status in (429, 503):
        return True
    return isinstance(error, Unreachable) and method in ("GET", "PATCH") and "refused" not in error.reason.lower() and "certificate" not in error.reason.lower()


def _parse_status(text: str) -> Object:
    try:
        status = json.loads(text)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after(response: Response) -> float | None:
    """The Retry-After header in seconds; API servers send whole seconds."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _remedy_for_missing(kind: Kind) -> str:
    if kind.group.endswith("gateway.networking.k8s.io"):
        return "install the Gateway API CRDs first (role gateway_api)."
    if kind.group.endswith("istio.io"):
        return "install Istio's CRDs first (role istio)."
    return "check the version of the cluster."


__all__ = ("FIELD_MANAGER", "ApiSession", "Object", "ObjectList", "Write", "describe")
