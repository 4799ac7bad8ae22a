# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A task's one session with an API server: reads in pages, writes concurrently, and reports failures."""

from __future__ import annotations

import itertools
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._errors import ApiError, MeshError, NotServed, ResourceExpired
from .._kinds import NAMESPACE, SELF_SUBJECT_ACCESS_REVIEW, Kind
from .._managed_fields import FIELD_MANAGER
from .._mesh.namespaces import is_terminating, refuse_terminating
from .outside import decode
from .refusals import no_api_server, not_served, refusal, unreachable, worth_a_retry
from .transport import Response, Timeout, Transport, TransportError
from .writes import Object, Write, title_of

Objects = t.List[Object]

PAGE_SIZE = 500
WRITERS = 8
DEFAULT_TIMEOUT: Timeout = (10.0, 60.0)
# How long one request waits for a busy server in all, in seconds.
RETRY_SECONDS = 60.0

# Source: Kubernetes' API concepts, "fetch as a PartialObjectMetadata".
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_NOT_BEGUN: dict[str, t.Any] = {}


@dataclass(frozen=True)
class ObjectList:
    """What a list answered: the objects, and the resource version from which a watch goes on."""

    items: Objects
    resource_version: str


class ApiSession:
    """Reads and writes objects on one API server.

    Args:
        transport: sends the requests.
        name: how the user knows this cluster; messages name it.
        pause: waits for the given seconds before a retry; tests hand in their own.
        field_manager: the name under which the API server records what this session writes.

    Attributes:
        cluster: the cluster, as messages name it.
        has_written: whether the API server has confirmed a write that was no dry run, nor the deletion of what was gone.
    """

    def __init__(self, transport: Transport, *, name: str, pause: t.Callable[[float], None], field_manager: str = FIELD_MANAGER) -> None:
        self._transport = transport
        self._pause = pause
        self._field_manager = field_manager
        self._terminating: set[str] = set()
        self.has_written = False
        self.cluster = f"{name} ({transport.server})" if name and name != transport.server else transport.server

    # reading

    def get(self, kind: Kind, name: str, namespace: str | None = None, *, timeout: Timeout = DEFAULT_TIMEOUT, persist: bool = True) -> Object | None:
        """One object, or None when there is none; timeout and persist are those of C(list).

        Raises:
            NotServed: the API server does not know the kind.
            ApiError: any other refusal.
        """
        action = f"read {title_of(kind, name, namespace)}"
        answer = self._request("GET", kind.path(namespace, name), action, kind, absent_ok=True, timeout=timeout, persist=persist)
        return t.cast("t.Optional[Object]", answer)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
        trim: t.Callable[[Object], Object] | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        persist: bool = True,
    ) -> ObjectList:
        """All objects of a kind in a namespace, or in all of them, read in pages of PAGE_SIZE.

        Args:
            kind: what to list.
            namespace: where; None for all namespaces.
            label_selector: as C(kubectl -l) takes it.
            field_selector: as C(kubectl --field-selector) takes it.
            metadata_only: leave out all but metadata, which is much less to send and to hold.
            trim: makes each object smaller before the next page is read, so that memory is bounded by what is kept.
            timeout: seconds to connect, and to wait for each piece of the answer.
            persist: ask again when the server is busy or the connection breaks, instead of raising at once.

        Raises:
            NotServed: the API server does not know the kind.
            ResourceExpired: the list took longer than the server keeps its pages, twice.
        """
        query = [("limit", str(PAGE_SIZE))]
        query += [("labelSelector", label_selector)] if label_selector else []
        query += [("fieldSelector", field_selector)] if field_selector else []
        action = f"list {title_of(kind, None, namespace)}"
        accept = _METADATA_ONLY if metadata_only else ""
        items: Objects = []
        page_token = ""
        begun_again = False
        while True:
            page_query = [*query, ("continue", page_token)] if page_token else query
            try:
                answer = self._request("GET", kind.path(namespace), action, kind, query=page_query, accept=accept, timeout=timeout, persist=persist)
            except ResourceExpired:
                if begun_again or not page_token:
                    raise
                items, page_token, begun_again = [], "", True
                continue
            # The items of a list carry neither kind nor apiVersion of their own, or the metadata's.
            page: t.Iterable[Object] = ({**item, "apiVersion": kind.api_version, "kind": kind.name} for item in answer.get("items") or ())
            if kind == NAMESPACE:
                page = map(self._note_terminating, page)
            items += map(trim, page) if trim else page
            metadata = answer.get("metadata") or {}
            page_token = metadata.get("continue") or ""
            if not page_token:
                return ObjectList(items, metadata.get("resourceVersion", ""))

    def open_watch(self, kind: Kind, namespace: str | None, *, query: t.Sequence[tuple[str, str]], timeout: Timeout) -> Response:
        """Open a watch; the caller reads its lines. Raises as C(list) does, and ResourceExpired when the version is too old."""
        full = [("watch", "1"), ("allowWatchBookmarks", "true"), *query]
        return self._send("GET", kind.path(namespace), f"watch {title_of(kind, None, namespace)}", kind, query=full, timeout=timeout)

    # writing

    def write(self, write: Write, *, timeout: Timeout = DEFAULT_TIMEOUT, persist: bool = True) -> Object | None:
        """Send one write; returns the object as the server now has it, or None for a delete of what was already gone.

        Args:
            write: what to write.
            timeout: seconds to connect, and to wait for each piece of the answer.
            persist: send it again when the server is busy or the connection breaks, as far as that is harmless, instead of raising at once.
        """
        action = str(write)
        limits: dict[str, t.Any] = {"timeout": timeout, "persist": persist}
        path = write.kind.path(write.namespace, write.name, write.subresource or None)
        manager = [("fieldManager", self._field_manager)]
        if write.dry_run:
            manager += [("dryRun", "All"), ("fieldValidation", "Strict")]
        answer: t.Any
        if write.verb == "create":
            # A subresource is created below the object that it belongs to.
            where = path if write.subresource else write.kind.path(write.namespace)
            answer = self._request("POST", where, action, write.kind, query=manager, body=write.body, **limits)
        elif write.verb == "apply":
            query = [*manager, ("force", "true")] if write.force else manager
            answer = self._request("PATCH", path, action, write.kind, query=query, body=write.body, content_type="application/apply-patch+yaml", **limits)
        elif write.verb == "patch":
            answer = self._request("PATCH", path, action, write.kind, query=manager, body=write.body, content_type="application/merge-patch+json", **limits)
        else:
            body = write.body or {"propagationPolicy": "Background"}
            # The options of a delete are those of its body; the API server then ignores those of the query (apiserver, handlers/delete.go), which
            # only show in its audit log that nothing was deleted.
            body = {**body, "dryRun": ["All"]} if write.dry_run else body
            answer = self._request("DELETE", path, action, write.kind, query=manager[1:], body=body, absent_ok=True, **limits)
        self.has_written = self.has_written or (not write.dry_run and answer is not None)
        return t.cast("t.Optional[Object]", answer)

    def write_all(self, *steps: t.Sequence[Write]) -> t.List[t.Optional[Object]]:
        """Send writes, those of each step over WRITERS connections and independent of each other; results come in their order.

        After the first refusal no further write is started.

        Raises:
            MeshError: what was refused, and how many writes were completed, lost and not started.
        """
        outcomes: list[t.Any] = []
        for step in steps:
            outcomes += self._write_step(step)
            if any(isinstance(outcome, ApiError) for outcome in outcomes):
                raise MeshError(_tally(outcomes, sum(map(len, steps))))
        return outcomes

    def _write_step(self, writes: t.Sequence[Write]) -> t.List[t.Any]:
        """Each write's answer, its ApiError, or _NOT_BEGUN."""
        stopped = threading.Event()

        def send(write: Write) -> Object | ApiError | None:
            if stopped.is_set():
                return _NOT_BEGUN
            try:
                return self.write(write)
            except ApiError as error:
                stopped.set()
                return error

        if not writes:
            return []
        with ThreadPoolExecutor(max_workers=min(WRITERS, len(writes))) as pool:
            return list(pool.map(send, writes))

    # what would be refused

    def refused(self, writes: t.Iterable[Write]) -> t.List[str]:
        """Which of the planned writes RBAC would refuse, or a namespace that is being deleted, one sentence each.

        One question per verb and kind when the user may write in all namespaces, else one more per namespace. The question is a
        SelfSubjectAccessReview, which the API server answers and does not keep.
        """
        planned = list(writes)
        asked: dict[tuple[str, Kind], dict[str | None, Write]] = {}
        for write in planned:
            for verb in write.access_verbs:
                asked.setdefault((verb, write.kind), {}).setdefault(write.namespace, write)
        sentences = self.refuse_terminating((write.into, str(write)) for write in planned)
        for (verb, kind), places in asked.items():
            if len(places) > 1 and self._may(verb, kind, None, next(iter(places.values()))):
                continue
            denied = [write for namespace, write in places.items() if not self._may(verb, kind, namespace, write, write.name)]
            for write in denied:
                place = f"in namespace {write.namespace}" if write.namespace else "at cluster scope"
                sentences.append(
                    f"Cluster {self.cluster} does not allow this user to {verb} {kind.plural} {place} (needed to {write}): "
                    f"grant the verb {verb} on {kind.plural}{'.' + kind.group if kind.group else ''} and run again."
                )
        return sentences

    def refuse_terminating(self, additions: t.Iterable[tuple[str | None, str]], *, read: bool = False) -> t.List[str]:
        """Which namespaces that are being deleted would be added to, one sentence each; nothing is asked about those that were listed and are not.

        Args:
            additions: the namespace of each addition, or None, and what is added, as messages name it.
            read: whether the namespaces were not listed before, so that each has to be read.
        """
        places: dict[str, list[str]] = {}
        for name, addition in additions:
            if name and (read or name in self._terminating):
                places.setdefault(name, []).append(addition)
        sentences = []
        for name, added in places.items():
            try:
                namespace = self.get(NAMESPACE, name)
            except ApiError as error:
                # Who may not read it learns from the write itself.
                if error.status != 403:
                    raise
                continue
            if namespace and is_terminating(namespace):
                sentences.append(refuse_terminating(namespace, added, self.cluster))
        return sentences

    def _note_terminating(self, namespace: Object) -> Object:
        if is_terminating(namespace):
            self._terminating.add(namespace["metadata"]["name"])
        return namespace

    def _may(self, verb: str, kind: Kind, namespace: str | None, write: Write, name: str = "") -> bool:
        """Whether RBAC lets this user do this, in one namespace or, without one, in all of them; write says what for."""
        attributes = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": namespace or "", "name": name}
        review = SELF_SUBJECT_ACCESS_REVIEW
        body = {"apiVersion": review.api_version, "kind": review.name, "spec": {"resourceAttributes": attributes}}
        answer = self._request("POST", review.path(), f"ask whether it may {write}", review, body=body)
        return bool(answer["status"].get("allowed"))

    # the server's own word

    def find_kind(self, api_version: str, name: str) -> Kind:
        """The Kind of objects that this collection does not know by itself, by asking the API server for its plural.

        Raises:
            NotServed: the API server does not know it.
        """
        unknown = Kind(api_version, name, name)
        path = f"/{'apis' if unknown.group else 'api'}/{api_version}"
        answer = self._request("GET", path, f"ask for the resources of {api_version}", unknown)
        for resource in answer.get("resources") or ():
            if resource["kind"] == name and "/" not in resource["name"]:
                return Kind(api_version, name, resource["name"], resource["namespaced"])
        raise NotServed(not_served(self.cluster, unknown), status=404, reason="NotFound")

    def probe(self, path: str, timeout: Timeout) -> tuple[int, str]:
        """What a path of the API server answers: status and text, whatever they are; status 0 when no answer comes."""
        try:
            response = self._transport.send("GET", path, timeout=timeout)
            return response.status, response.text()
        except TransportError as error:
            return 0, str(error)

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
        accept: str = "",
        absent_ok: bool = False,
        timeout: Timeout = DEFAULT_TIMEOUT,
        persist: bool = True,
    ) -> t.Any:
        """Send one request and decode its answer; sent again while the server is busy or the connection breaks, as far as that is harmless."""
        paused = 0.0
        for attempt in itertools.count(1):
            try:
                response = self._send(
                    method, path, action, kind, query=query, body=body, content_type=content_type, accept=accept, absent_ok=absent_ok, timeout=timeout
                )
                text = self._read(response, action)
                break
            except ApiError as error:
                pause = error.retry_after if error.retry_after is not None else 0.2 * 2**attempt
                if not persist or not worth_a_retry(method, error, attempt) or paused + pause > RETRY_SECONDS:
                    raise
                # A server that says "at once" is not asked at once for ever.
                paused += max(pause, 0.5)
                self._pause(pause)
        if response.status == 404:
            return None
        try:
            return decode(text)
        except ValueError as error:
            raise no_api_server(self.cluster, action, text) from error

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
        accept: str = "",
        absent_ok: bool = False,
        timeout: Timeout = DEFAULT_TIMEOUT,
    ) -> Response:
        for renewed in (False, True):
            try:
                response = self._transport.send(method, path, query=query, body=body, content_type=content_type, accept=accept, timeout=timeout)
            except TransportError as error:
                raise unreachable(self.cluster, action, str(error), self._transport.proxy) from error
            if response.status < 400:
                return response
            text = self._read(response, action)
            # A token that has run out in the midst of the task may have a successor by now.
            if response.status != 401 or renewed or not self._transport.renew():
                break
        refused = refusal(self.cluster, action, kind, response.status, response.headers, text)
        if absent_ok and response.status == 404 and not isinstance(refused, NotServed):
            return response
        raise refused

    def _read(self, response: Response, action: str) -> str:
        try:
            return response.text()
        except TransportError as error:
            raise unreachable(self.cluster, action, str(error), self._transport.proxy) from error


def _tally(outcomes: t.Sequence[t.Any], planned: int) -> list[str]:
    """What went wrong, each cause once, and what became of all writes."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, ApiError)]
    causes: dict[tuple[int, str], list[ApiError]] = {}
    for failure in failures:
        causes.setdefault((failure.status, failure.reason if failure.status == 0 else failure.server_message), []).append(failure)
    sentences = [alike[0].message + (f" (And the same for {len(alike) - 1} more.)" if len(alike) > 1 else "") for alike in causes.values()]
    if planned == 1:
        return sentences[:1]
    # A write whose answer did not come may have been made.
    lost = sum(failure.status == 0 for failure in failures)
    made = sum(not isinstance(outcome, ApiError) and outcome is not _NOT_BEGUN for outcome in outcomes)
    parts = [f"{made} of {planned} writes were completed"]
    parts += [f"the responses to {lost} were lost"] if lost else []
    parts.append(f"{planned - made - len(failures)} were not started")
    return [*sentences, f"{', '.join(parts)}; run again to continue from here."]


__all__ = ("ApiSession", "Object", "ObjectList")
