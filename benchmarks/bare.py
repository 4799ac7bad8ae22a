"""The limit: what an API server and a client that does nothing but send bytes can do. Only Python's own HTTP and TLS."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import queue
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

USER_AGENT = "benchmark"
MERGE_PATCH = "application/merge-patch+json"

Object = dict[str, Any]
# Namespace and name.
Key = tuple[str, str]


class Refused(Exception):
    """The API server did not do what was asked; the message has its words."""


@dataclass(frozen=True)
class Request:
    """One request; an answer of one of the accepted statuses is as good as success."""

    method: str
    path: str
    body: Object | None = None
    content_type: str = "application/json"
    accepted: tuple[int, ...] = ()


class BareClient:
    """Sends requests over a few connections that stay open.

    Args:
        kubeconfig: the file whose current context is used; client certificates and tokens are understood.
        connections: how many requests are under way at once.
    """

    def __init__(self, kubeconfig: Path, connections: int = 4) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster, user = _named(config["clusters"], context["cluster"])["cluster"], _named(config["users"], context["user"])["user"]
        self.connections = connections
        self._server = urlsplit(cluster["server"])
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if user.get("token"):
            self._headers["Authorization"] = f"Bearer {user['token']}"
        self._tls = _tls(cluster, user)

    def connect(self) -> http.client.HTTPConnection:
        host, port = self._server.hostname or "", self._server.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=120)
        return http.client.HTTPSConnection(host, port, context=self._tls, timeout=120)

    def send_all(self, requests: Sequence[Request], connections: int = 0) -> list[Object]:
        """Send independent requests as fast as they can be sent; the answers come in their order.

        Raises:
            Refused: at least one was refused; the message has the first refusal.
        """
        turn = itertools.count()
        answers: list[Object] = [{} for _request in requests]
        refusals: list[Exception] = []

        def work() -> None:
            connection = self.connect()
            try:
                while not refusals and (number := next(turn)) < len(requests):
                    answers[number] = self._exchange(connection, requests[number])
            except (Refused, OSError, http.client.HTTPException) as error:
                refusals.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _number in range(min(connections or self.connections, len(requests)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if refusals:
            raise Refused(str(refusals[0])) from refusals[0]
        return answers

    def get(self, path: str) -> Object:
        """One GET. Raises Refused."""
        return self.send_all([Request("GET", path)])[0]

    def _exchange(self, connection: http.client.HTTPConnection, request: Request) -> Object:
        headers = {**self._headers, "Content-Type": request.content_type} if request.body is not None else self._headers
        body = None if request.body is None else json.dumps(request.body, separators=(",", ":")).encode()
        connection.request(request.method, request.path, body=body, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status >= 400 and response.status not in request.accepted:
            raise Refused(f"{request.method} {request.path}: {response.status} {answer[:500].decode('utf-8', 'replace')}")
        return dict(json.loads(answer))

    @contextmanager
    def follow(self, *paths: str) -> Iterator[Followed]:
        """List and watch collections; each path may have a query. The block reads what has come."""
        followed = Followed()
        threads = [threading.Thread(target=followed.follow, args=(self, path, self._headers), daemon=True) for path in paths]
        for thread in threads:
            thread.start()
        try:
            yield followed
        finally:
            followed.stop()
            for thread in threads:
                thread.join(timeout=5)


class Followed:
    """The objects of some collections, brought up to date by their watches."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[Key, Object]] = {}
        self._events: queue.SimpleQueue[tuple[str, dict[Key, Object] | None, Key, Object | None]] = queue.SimpleQueue()
        self._sockets: list[socket.socket] = []
        self._stopping = threading.Event()

    def follow(self, client: BareClient, path: str, headers: dict[str, str]) -> None:
        """Read one collection until stopped, in a thread of its own."""
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while not self._stopping.is_set():
                connection = client.connect()
                connection.request("GET", path, headers=headers)
                listed = json.loads(connection.getresponse().read())
                self._events.put((path, {_key(item): item for item in listed["items"]}, ("", ""), None))
                version = listed["metadata"]["resourceVersion"]
                connection.request("GET", f"{path}{'&' if '?' in path else '?'}watch=1&resourceVersion={version}&timeoutSeconds=600", headers=headers)
                if connection.sock is not None:
                    self._sockets.append(connection.sock)
                for line in connection.getresponse():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    gone = event["type"] == "DELETED"
                    self._events.put((path, None, _key(event["object"]), None if gone else event["object"]))

    def wait(self, paths: Sequence[str], keys: Iterable[Key], true_of: Callable[[Key], bool], seconds: float) -> None:
        """Wait until something has been true of each key; a key is looked at again only when one of its objects changes.

        Raises:
            TimeoutError: it was not true of all in the given seconds.
        """
        expected, left, ready = set(keys), set(keys), False
        limit = _Limit(seconds)
        while left or not ready:
            path, listing, key, item = self._next(limit, f"{len(left)} of {len(expected)} objects are not as they should be")
            if listing is not None:
                self.objects[path] = listing
                ready = all(each in self.objects for each in paths)
                left = {each for each in expected if not true_of(each)} if ready else left
                continue
            self._put(path, key, item)
            if ready and key in expected and true_of(key):
                left.discard(key)

    def wait_until(self, paths: Sequence[str], true_of: Callable[[dict[str, dict[Key, Object]]], bool], seconds: float) -> None:
        """Wait until something is true of all objects. Raises TimeoutError."""
        limit = _Limit(seconds)
        while not (all(path in self.objects for path in paths) and true_of(self.objects)):
            path, listing, key, item = self._next(limit, f"{sum(map(len, self.objects.values()))} objects are not as they should be")
            if listing is not None:
                self.objects[path] = listing
            else:
                self._put(path, key, item)

    def wait_until_gone(self, paths: Sequence[str], of: Callable[[Key], bool], seconds: float) -> None:
        """Wait until the collections have no object that is meant. Raises TimeoutError."""
        limit = _Limit(seconds)
        left: dict[str, set[Key]] = {}
        while len(left) < len(paths) or any(left.values()):
            path, listing, key, item = self._next(limit, f"{sum(map(len, left.values()))} objects are still there")
            if listing is not None:
                left[path] = set(filter(of, listing))
            elif item is None:
                left[path].discard(key)
            elif of(key):
                left[path].add(key)

    def stop(self) -> None:
        self._stopping.set()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _put(self, path: str, key: Key, item: Object | None) -> None:
        if item is None:
            self.objects[path].pop(key, None)
        else:
            self.objects[path][key] = item

    def _next(self, limit: _Limit, what: str) -> tuple[str, dict[Key, Object] | None, Key, Object | None]:
        try:
            return self._events.get(timeout=limit.left())
        except queue.Empty:
            raise TimeoutError(f"after {limit.seconds:.0f} s {what}") from None


class _Limit:
    """How much of a time is left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        return max(self._end - monotonic(), 0.0)


def label_patch(path: str, labels: dict[str, str | None]) -> Request:
    """A merge patch of an object's labels."""
    return Request("PATCH", path, {"metadata": {"labels": labels}}, MERGE_PATCH)


def selected(path: str, selector: str) -> str:
    """A collection's path with a label selector."""
    return f"{path}?labelSelector={quote(selector)}"


def _named(items: list[Object], name: str) -> Object:
    return next(item for item in items if item["name"] == name)


def _tls(cluster: Object, user: Object) -> ssl.SSLContext | None:
    """TLS as the kubeconfig says; None for a server without it."""
    if not cluster["server"].startswith("https:"):
        return None
    authority = _pem(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    if certificate and key:
        # Python reads a client's certificate from a file only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(section: Object, name: str) -> bytes:
    if section.get(f"{name}-data"):
        return base64.b64decode(section[f"{name}-data"])
    return Path(section[name]).read_bytes() if section.get(name) else b""


def _key(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
