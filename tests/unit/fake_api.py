"""An API server for tests: answers requests from a table, without a network and without a clock."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.session import ApiSession
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import Transport, TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import BY_NAME
from tests.unit.objects import Object, derived

SERVER = "https://api.example.org"


class Answer:
    """One answer, as transport.Response is: status, headers, and a body read whole or line by line."""

    def __init__(self, status: int = 200, body: Any = "", headers: Mapping[str, str] | None = None, *, broken: str = "") -> None:
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self._text = body if isinstance(body, str) else json.dumps(body)
        self._broken = broken

    def text(self) -> str:
        if self._broken:
            raise TransportError(self._broken)
        return self._text


class WatchAnswer(Answer):
    """The answer to a watch: its lines come when the test sends them, and it ends when the test or the reader ends it."""

    def __init__(self, *events: tuple[str, Mapping[str, Any]] | bytes, ended: bool = False) -> None:
        super().__init__()
        self._lines: queue.SimpleQueue[bytes | TransportError | None] = queue.SimpleQueue()
        self.closed = False
        self.interrupted = False
        for event in events:
            self.send(event)
        if ended:
            self.end()

    def send(self, event: tuple[str, Mapping[str, Any]] | bytes) -> None:
        self._lines.put(event if isinstance(event, bytes) else json.dumps({"type": event[0], "object": event[1]}).encode())

    def end(self) -> None:
        self._lines.put(None)

    def cut(self, text: str = "Connection reset by peer") -> None:
        self._lines.put(TransportError(text))

    def lines(self) -> Iterator[bytes]:
        while True:
            line = self._lines.get()
            if isinstance(line, TransportError):
                raise line
            if line is None:
                return
            yield line

    def allow_silence(self, seconds: float) -> None:
        self.silence_allowed = seconds

    def close(self) -> None:
        self.closed = True

    def interrupt(self) -> None:
        self.interrupted = True
        self.end()


class Request:
    """What was sent."""

    def __init__(self, method: str, path: str, query: Sequence[tuple[str, str]], body: Any, content_type: str, accept: str = "") -> None:
        self.method, self.path, self.query, self.body, self.content_type = method, path, dict(query), body, content_type
        self.accept = accept

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def dry_run(self) -> bool:
        """Whether the API server only judges it. The options of a delete are those of its body."""
        return "dryRun" in (self.body if self.method == "DELETE" else self.query)


Reply = Answer | TransportError


class FakeTransport:
    """Gives the next of the answers, or what a function answers to each request."""

    def __init__(self, answers: Sequence[Reply] | Callable[[Request], Reply]) -> None:
        self.server = SERVER
        self.proxy = ""
        self.requests: list[Request] = []
        # What happens when the credentials are fetched anew; by default there are no others.
        self.renew: Callable[[], bool] = lambda: False
        if callable(answers):
            self._next = answers
        else:
            left = iter(answers)
            self._next = lambda _request: next(left)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        content_type: str = "",
        accept: str = "",
        timeout: object = None,
    ) -> Answer:
        del timeout
        request = Request(method, path, query, body, content_type, accept)
        self.requests.append(request)
        reply = self._next(request)
        if isinstance(reply, TransportError):
            raise reply
        return reply


class FakeApi:
    """A session with a fake transport, and the pauses that it took."""

    def __init__(self, *answers: Reply, respond: Callable[[Request], Reply] | None = None, name: str = "prod") -> None:
        self.pauses: list[float] = []
        self.transport = FakeTransport(respond or answers)
        self.session = ApiSession(cast("Transport", self.transport), name=name, pause=self.pauses.append)

    @property
    def requests(self) -> list[Request]:
        return self.transport.requests


def status_of(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    """The Status object by which an API server refuses."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code, "details": details}


def refusal(code: int, reason: str, message: str, headers: Mapping[str, str] | None = None, **details: Any) -> Answer:
    return Answer(code, status_of(code, reason, message, **details), headers)


def listed(*items: Mapping[str, Any], version: str = "100", page_token: str = "") -> Answer:
    """A list's answer; its items come without kind and apiVersion, as an API server sends them."""
    bare = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
    metadata = {"resourceVersion": version} | ({"continue": page_token} if page_token else {})
    return Answer(200, {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": bare})


class Cluster:
    """Serves some objects by kind; a test may put another answer in a kind's place, and send events into its watch.

    A request for anything else is answered by C(other).
    """

    def __init__(self, *objects: Object, **answers: Reply | Callable[[], Reply]) -> None:
        self._objects = [derived(item, {"metadata": {"resourceVersion": "1"}}) for item in objects]
        self._answers = answers
        self.watches: dict[str, WatchAnswer] = {kind: WatchAnswer() for kind in BY_NAME}
        self.other: Callable[[Request], Reply] = lambda request: refusal(404, "NotFound", f"nobody serves {request.path}")
        self.api = FakeApi(respond=self._respond)

    def _respond(self, request: Request) -> Reply:
        kind = next((kind for kind in BY_NAME.values() if kind.path(_namespace_in(request.path)) == request.path), None)
        if kind is None:
            return self.other(request)
        if "watch" in request.query:
            return self.watches[kind.name]
        answer = self._answers.get(kind.name)
        if answer is not None:
            return answer() if callable(answer) else answer
        labels = dict(part.split("=") for part in request.query.get("labelSelector", "").split(",") if part)
        place = _namespace_in(request.path)
        return listed(
            *(
                item
                for item in self._objects
                if item["kind"] == kind.name
                and place in (None, item["metadata"].get("namespace"))
                and labels.items() <= item["metadata"].get("labels", {}).items()
            )
        )

    def send(self, kind: str, event: str, item: Object) -> None:
        self.watches[kind].send((event, derived(item, {"metadata": {"resourceVersion": "2"}})))


def _namespace_in(path: str) -> str | None:
    parts = path.split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None
