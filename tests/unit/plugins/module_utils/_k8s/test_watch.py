from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import NotServed, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s import watch as watch_module
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Changed, Event, Gone, Listed, Scope, Streams, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import GATEWAY, POD
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.object_cache import ObjectCache
from tests.unit.fake_api import Answer, FakeApi, Reply, Request, WatchAnswer, listed, refusal

PODS = Scope(POD, "shop")
PATIENCE = 10.0


def _pod(name: str, version: str = "1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "resourceVersion": version, **metadata}}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 0.001)
    monkeypatch.setattr(watch_module, "NOT_SERVED_PAUSE", 0.001)


def _collect(streams: Streams, number: int) -> list[Event]:
    """The first events; a stream that gives fewer fails the test in the end."""
    events: list[Event] = []
    while len(events) < number:
        more = streams.next_events(PATIENCE)
        assert more, f"only {events} came"
        events += more
    return events


def _serve(lists: Sequence[Reply], watches: Sequence[Reply]) -> Callable[[Request], Reply]:
    """Answers lists and watches each in their order; after the last watch, one that stays open."""
    left = {"list": iter(lists), "watch": itertools.chain(watches, (WatchAnswer() for _ in itertools.count()))}
    return lambda request: next(left["watch" if "watch" in request.query else "list"])


def _watches(api: FakeApi) -> list[Request]:
    return [request for request in api.requests if "watch" in request.query]


def test_a_list_and_then_what_changes() -> None:
    watch = WatchAnswer(("ADDED", _pod("b", "11")), ("MODIFIED", _pod("a", "12")), ("DELETED", _pod("b", "13")))
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10")], [watch]))
    with Streams(api.session, [PODS]) as streams:
        events = _collect(streams, 4)
    assert events == [Listed(PODS, [_pod("a")]), Changed(PODS, _pod("b", "11")), Changed(PODS, _pod("a", "12")), Gone(PODS, _pod("b", "13"))]
    (request,) = _watches(api)[:1]
    assert str(request) == "GET /api/v1/namespaces/shop/pods"
    assert request.query == {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "10", "timeoutSeconds": "240"}


def test_leaving_ends_the_open_watches() -> None:
    watch = WatchAnswer()
    api = FakeApi(respond=_serve([listed(version="10")], [watch]))
    with Streams(api.session, [PODS]) as streams:
        _collect(streams, 1)
        watch.send(("ADDED", _pod("a", "11")))
        _collect(streams, 1)
    assert watch.interrupted


def test_objects_are_trimmed_before_they_are_kept() -> None:
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10")], [WatchAnswer(("ADDED", _pod("b", "11")), ("DELETED", _pod("b", "12")))]))
    with Streams(api.session, [PODS], trim=lambda item: {"name": item["metadata"]["name"]}) as streams:
        events = _collect(streams, 3)
    assert events == [Listed(PODS, [{"name": "a"}]), Changed(PODS, {"name": "b"}), Gone(PODS, {"name": "b"})]


BOOKMARK = ("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "20"}})
LAST = ("ADDED", _pod("last", "99"))


def _cut(*events: tuple[str, dict[str, Any]] | bytes) -> WatchAnswer:
    watch = WatchAnswer(*events)
    watch.cut()
    return watch


@pytest.mark.parametrize(
    ("broken", "version"),
    [
        pytest.param(WatchAnswer(ended=True), "10", id="ended-by-the-server"),
        pytest.param(WatchAnswer(("ADDED", _pod("a", "11")), ended=True), "11", id="ended-after-an-event"),
        pytest.param(WatchAnswer(BOOKMARK, ended=True), "20", id="ended-after-a-bookmark"),
        pytest.param(_cut(("ADDED", _pod("a", "11"))), "11", id="cut"),
        pytest.param(WatchAnswer(("ADDED", _pod("a", "11")), b'{"type": "ADDED", "obj'), "11", id="a-line-cut-in-two"),
    ],
)
def test_a_broken_watch_goes_on_from_the_last_version_seen(broken: WatchAnswer, version: str) -> None:
    api = FakeApi(respond=_serve([listed(version="10")], [broken, WatchAnswer(LAST)]))
    events: list[Event] = []
    with Streams(api.session, [PODS]) as streams:
        while not events or events[-1] != Changed(PODS, LAST[1]):
            events += _collect(streams, 1)
    assert _watches(api)[1].query["resourceVersion"] == version
    assert sum(isinstance(event, Listed) for event in events) == 1
    assert broken.closed


@pytest.mark.parametrize(
    "expired",
    [
        pytest.param(WatchAnswer(("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})), id="in-the-watch"),
        pytest.param(refusal(410, "Expired", "too old resource version"), id="when-opening"),
    ],
)
def test_an_expired_version_is_listed_anew(expired: Answer) -> None:
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10"), listed(_pod("b"), version="30")], [expired]))
    with Streams(api.session, [PODS]) as streams:
        events = _collect(streams, 2)
    assert events == [Listed(PODS, [_pod("a")]), Listed(PODS, [_pod("b")])]


def test_a_kind_that_comes_to_be_served() -> None:
    scope = Scope(GATEWAY)
    missing = Answer(404, "404 page not found\n")
    api = FakeApi(respond=_serve([missing, missing, listed(version="10")], []))
    with Streams(api.session, [scope]) as streams:
        first, second, third = _collect(streams, 3)
    for event in (first, second):
        assert isinstance(event, Trouble)
        assert isinstance(event.error, NotServed)
        assert not event.final
    assert third == Listed(scope, [])


def test_a_kind_that_is_no_longer_served_is_listed_anew() -> None:
    missing = Answer(404, "404 page not found\n")
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10"), listed(version="20")], [missing]))
    with Streams(api.session, [PODS]) as streams:
        events = _collect(streams, 3)
    assert [type(event) for event in events] == [Listed, Trouble, Listed]


def test_an_unreachable_server_is_reported_and_asked_again() -> None:
    api = FakeApi(respond=_serve([TransportError("Connection refused"), listed(version="10")], []))
    with Streams(api.session, [PODS]) as streams:
        trouble, then = _collect(streams, 2)
    assert isinstance(trouble, Trouble)
    assert isinstance(trouble.error, Unreachable)
    assert not trouble.final
    assert then == Listed(PODS, [])


def test_a_long_outage_is_outlived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 0.0)
    outage = [TransportError("Connection refused")] * 1100
    streams = Streams(FakeApi(respond=_serve([*outage, listed(version="10")], [])).session, [PODS])
    with streams:
        while not any(isinstance(event, Listed) for event in streams.next_events(0.1)):
            assert all(thread.is_alive() for thread in streams._threads), "the stream has ended silently"


@pytest.mark.parametrize(("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden")])
def test_what_is_forbidden_is_asked_only_once(code: int, reason: str) -> None:
    api = FakeApi(respond=_serve([refusal(code, reason, "no")], []))
    streams = Streams(api.session, [PODS])
    with streams:
        (trouble,) = _collect(streams, 1)
        for thread in streams._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert isinstance(trouble, Trouble)
    assert trouble.final
    assert len(api.requests) == 1


def test_each_scope_has_a_stream_of_its_own() -> None:
    scopes = [Scope(POD, "shop"), Scope(POD, "store")]

    def respond(request: Request) -> Reply:
        return WatchAnswer() if "watch" in request.query else listed(version="10")

    with Streams(FakeApi(respond=respond).session, scopes) as streams:
        events = _collect(streams, 2)
    assert {event.scope for event in events} == set(scopes)


def test_no_events_are_an_empty_list() -> None:
    streams = Streams(FakeApi().session, [])
    assert streams.next_events(0) == []
    assert streams.next_events(-1) == []


# trouble and its end

MISSING = Answer(404, "404 page not found\n")
REFUSED = TransportError("Connection refused")


def _types(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_watch_that_is_open_again_after_trouble_is_reported() -> None:
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10")], [_cut(("ADDED", _pod("b", "11"))), REFUSED, REFUSED, WatchAnswer(LAST)]))
    with Streams(api.session, [PODS]) as streams:
        events = _collect(streams, 6)
    assert _types(events) == ["Listed", "Changed", "Trouble", "Trouble", "Resumed", "Changed"], (
        "once it goes on, the trouble is over, even when nothing changes"
    )
    assert [request.query["resourceVersion"] for request in _watches(api)[:4]] == ["10", "11", "11", "11"]


def test_without_trouble_nothing_is_resumed() -> None:
    api = FakeApi(respond=_serve([listed(version="10")], [WatchAnswer(ended=True), _cut(), WatchAnswer(LAST)]))
    with Streams(api.session, [PODS]) as streams:
        assert _types(_collect(streams, 2)) == ["Listed", "Changed"]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the streams have paused; no pause lasts."""
    taken: list[float] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            taken.append(timeout or 0.0)
            return self.is_set()

    monkeypatch.setattr(watch_module, "threading", SimpleNamespace(Event=Stopping, Thread=threading.Thread))
    return taken


def test_a_busy_server_is_reported_and_asked_again_when_it_says(pauses: list[float]) -> None:
    busy = refusal(429, "TooManyRequests", "come later", {"Retry-After": "7"})
    api = FakeApi(respond=_serve([busy, listed(version="10")], [busy, WatchAnswer(LAST)]))
    with Streams(api.session, [PODS]) as streams:
        events = _collect(streams, 5)
    assert _types(events) == ["Trouble", "Listed", "Trouble", "Resumed", "Changed"]
    for event in (events[0], events[2]):
        assert isinstance(event, Trouble)
        assert "come later" in event.error.message
        assert not event.final
    assert [pause for pause in pauses if pause > 1] == [7.0, 7.0]
    assert api.pauses == [], "the session itself must not wait: leaving the streams could not end that"


def test_pauses_grow_up_to_a_limit(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LONGEST_BACKOFF", 5.0)
    monkeypatch.setattr(watch_module, "random", SimpleNamespace(uniform=lambda low, _high: low))
    api = FakeApi(respond=_serve([REFUSED] * 9 + [listed(version="10")], [WatchAnswer(LAST)]))
    with Streams(api.session, [PODS]) as streams:
        _collect(streams, 11)
    assert pauses[:9] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5, 2.5, 2.5])


def test_leaving_ends_a_pause() -> None:
    api = FakeApi(respond=_serve([refusal(503, "ServiceUnavailable", "starting", {"Retry-After": "3600"})], []))
    streams = Streams(api.session, [PODS])
    with streams:
        _collect(streams, 1)
    for thread in streams._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the stream sleeps on after the streams were left"


def test_leaving_while_a_watch_is_being_opened_ends_the_stream() -> None:
    opening, left = threading.Event(), threading.Event()

    def respond(request: Request) -> Reply:
        if "watch" not in request.query:
            return listed(version="10")
        opening.set()
        left.wait(PATIENCE)
        return watch

    watch = WatchAnswer()
    streams = Streams(FakeApi(respond=respond).session, [PODS])
    with streams:
        assert opening.wait(PATIENCE)
    left.set()
    (thread,) = streams._threads
    thread.join(1.0)
    ended = not thread.is_alive()
    watch.end()
    assert ended, "the stream reads on from a watch that was opened after the streams had been left"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"[]", id="no-object"),
        pytest.param(b'{"kind": "Status"}', id="no-event"),
        pytest.param(b'{"type": "ADDED", "object": {}}', id="no-object-in-it"),
        pytest.param(b"<html>502 Bad Gateway</html>", id="no-json"),
    ],
)
def test_a_line_that_is_no_event_does_not_end_the_stream(line: bytes, pauses: list[float]) -> None:
    """A proxy between may put in words of its own."""
    del pauses
    api = FakeApi(respond=_serve([listed(version="10"), listed(version="10")], [WatchAnswer(line), WatchAnswer(LAST), WatchAnswer(LAST)]))
    streams = Streams(api.session, [PODS])
    with streams:
        reported = _collect(streams, 1)
        while Changed(PODS, LAST[1]) not in reported:
            assert streams._threads[0].is_alive(), "the stream has ended silently"
            reported += streams.next_events(0.1)


# what was heard, and listing anew


class _Played(WatchAnswer):
    """A watch whose lines a test makes when they are read; it is open until its reader ends it."""

    def __init__(self, play: Callable[[], Iterator[tuple[str, dict[str, Any]]]], *, ended: bool = False) -> None:
        super().__init__()
        self._play, self._ended = play, ended

    def lines(self) -> Iterator[bytes]:
        for event in self._play():
            yield json.dumps({"type": event[0], "object": event[1]}).encode()
        if not self._ended:
            yield from super().lines()


def test_heard_moves_with_each_word_of_the_server() -> None:
    now = [0.0]
    heard: list[tuple[str, float]] = []

    def play() -> Iterator[tuple[str, dict[str, Any]]]:
        heard.append(("open", streams.heard(PODS)))
        now[0] = 3.0
        yield BOOKMARK
        heard.append(("bookmark", streams.heard(PODS)))
        now[0] = 4.0
        yield LAST
        heard.append(("event", streams.heard(PODS)))

    def respond(request: Request) -> Reply:
        if "watch" in request.query:
            heard.append(("list", streams.heard(PODS)))
            now[0] = 2.0
            return _Played(play)
        now[0] = 1.0
        return listed(version="10")

    streams = Streams(FakeApi(respond=respond).session, [PODS], clock=lambda: now[0])
    assert streams.heard(PODS) == 0.0
    with streams:
        assert _types(_collect(streams, 2)) == ["Listed", "Changed"], "a bookmark is no event"
        now[0] = 9.0
        streams._streams[PODS].interrupt()
    streams._threads[0].join(PATIENCE)
    assert heard[:4] == [("list", 1.0), ("open", 1.0), ("bookmark", 3.0), ("event", 4.0)], "an open watch has said nothing yet"


def test_trouble_is_not_taken_for_news() -> None:
    now = [0.0]
    left = iter([listed(version="10"), WatchAnswer(ended=True), REFUSED])

    def respond(_request: Request) -> Reply:
        now[0] += 1.0
        return next(left, REFUSED)

    streams = Streams(FakeApi(respond=respond).session, [PODS], clock=lambda: now[0])
    with streams:
        _collect(streams, 3)
        assert streams.heard(PODS) == 1.0, "who cannot be reached has said nothing"


def test_renew_lists_anew_while_a_watch_is_open() -> None:
    api = FakeApi(respond=_serve([listed(_pod("a"), version="10"), listed(_pod("b"), version="30")], [WatchAnswer(("ADDED", _pod("c", "11")))]))
    with Streams(api.session, [PODS]) as streams:
        _collect(streams, 2)
        streams.renew(PODS)
        (event,) = _collect(streams, 1)
        assert event == Listed(PODS, [_pod("b")])
        # The new watch is asked for by the stream itself; leaving ends it.
    assert _watches(api)[0].query["resourceVersion"] == "10"


def test_renew_lists_anew_after_a_pause() -> None:
    lists = iter([listed(_pod("a"), version="10"), listed(_pod("b"), version="30")])
    watches = iter([WatchAnswer(ended=True), REFUSED])
    api: FakeApi

    def respond(request: Request) -> Reply:
        if "watch" not in request.query:
            return next(lists)
        reply = next(watches, None)
        if reply is REFUSED:
            streams.renew(PODS)
        return reply or WatchAnswer()

    api = FakeApi(respond=respond)
    streams = Streams(api.session, [PODS])
    with streams:
        events = _collect(streams, 3)
    assert _types(events) == ["Listed", "Trouble", "Listed"], "the watch must not go on from where it was: the caller has asked for a list"
    assert events[2] == Listed(PODS, [_pod("b")])


def test_renew_while_the_watch_is_being_opened_lists_anew() -> None:
    """The watch may be silent for a minute: who asks for news in the moment before it is open must not be forgotten."""
    lists = iter([listed(_pod("a"), version="10"), listed(_pod("b"), version="30")])
    renewed = threading.Event()

    def respond(request: Request) -> Reply:
        if "watch" not in request.query:
            return next(lists)
        if not renewed.is_set():
            renewed.set()
            streams.renew(PODS)
        return WatchAnswer()

    streams = Streams(FakeApi(respond=respond).session, [PODS])
    with streams:
        _collect(streams, 1)
        assert renewed.wait(PATIENCE)
        events = streams.next_events(1.0)
    assert events == [Listed(PODS, [_pod("b")])], "nothing was listed anew"


def test_renew_while_the_list_is_read_is_answered_by_a_list() -> None:
    """The list that is under way may have been made before."""
    lists = iter([listed(_pod("a"), version="10"), listed(_pod("b"), version="30")])
    first = iter([True])

    def respond(request: Request) -> Reply:
        if "watch" in request.query:
            return WatchAnswer()
        if next(first, False):
            streams.renew(PODS)
        return next(lists)

    streams = Streams(FakeApi(respond=respond).session, [PODS])
    with streams:
        events = _collect(streams, 1)
        while Listed(PODS, [_pod("b")]) not in events:
            more = streams.next_events(1.0)
            assert more, "nothing was listed anew"
            events += more


def test_renew_of_one_scope_leaves_the_others() -> None:
    other = Scope(POD, "store")
    lists: list[str] = []

    def respond(request: Request) -> Reply:
        if "watch" in request.query:
            return WatchAnswer(("ADDED", _pod("x", "11")))
        lists.append(request.path)
        return listed(version="10")

    with Streams(FakeApi(respond=respond).session, [PODS, other]) as streams:
        _collect(streams, 4)
        streams.renew(PODS)
        _collect(streams, 2)
    assert sorted(lists) == [POD.path("shop"), POD.path("shop"), POD.path("store")]


# nothing is lost, nothing is doubled


MOST_REQUESTS = 200


class _ModelServer:
    """An API server that keeps objects and their history, and does what a plan says while a client reads: change, break, forget.

    The one stream that reads from it plays the plan, so that a plan always goes the same way.
    """

    def __init__(self, plan: Sequence[tuple[str, str]]) -> None:
        self._plan = list(plan)
        self._history: list[tuple[int, str, dict[str, Any]]] = []
        self._horizon = 0
        self.version = 10
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests = self.lists = 0

    def respond(self, request: Request) -> Reply:
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            return refusal(403, "Forbidden", "the follower asks without end")
        if self._plan and self._plan[0][0] in ("refuse", "busy", "oops"):
            how, _name = self._plan.pop(0)
            return {"refuse": REFUSED, "busy": refusal(429, "TooManyRequests", "busy", {"Retry-After": "0"}), "oops": Answer(500, "oops")}[how]
        if "watch" not in request.query:
            self.lists += 1
            return listed(*self.objects.values(), version=str(self.version))
        since = int(request.query["resourceVersion"])
        return _ModelWatch(self, since) if since >= self._horizon else refusal(410, "Expired", "too old resource version")

    def play(self, since: int) -> Iterator[bytes | TransportError | None]:
        """What a watch answers: the history since a version, then what the plan brings. None ends it."""
        sent = since
        while True:
            for version, kind, item in [entry for entry in self._history if entry[0] > sent]:
                line = json.dumps({"type": kind, "object": item}).encode()
                if self._plan and self._plan[0][0] == "half":
                    self._plan.pop(0)
                    yield line[: len(line) // 2]
                    yield TransportError("Connection reset by peer")
                yield line
                sent = version
            if not self._plan:
                return
            deed, name = self._plan.pop(0)
            if deed.endswith(("set", "delete")):
                self._change(deed.rpartition("-")[2], name)
            if deed == "forget":
                self._horizon = self.version
            if deed == "bookmark":
                sent = self.version
                yield json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(sent)}}}).encode()
            elif deed in ("error", "gone"):
                yield json.dumps({"type": "ERROR", "object": {"code": 500 if deed == "error" else 410}}).encode()
            elif deed in ("forget", "missed-set", "missed-delete", "cut"):
                yield TransportError("Connection reset by peer")
            elif deed == "end":
                yield None

    def _change(self, deed: str, name: str) -> None:
        self.version += 1
        item = _pod(name, str(self.version))
        if deed == "set":
            kind = "MODIFIED" if name in self.objects else "ADDED"
            self.objects[name] = item
        elif self.objects.pop(name, None) is None:
            return
        else:
            kind = "DELETED"
        self._history.append((self.version, kind, item))


class _ModelWatch(WatchAnswer):
    def __init__(self, server: _ModelServer, since: int) -> None:
        super().__init__()
        self._server, self._since = server, since

    def lines(self) -> Iterator[bytes]:
        for line in self._server.play(self._since):
            if line is None:
                return
            if isinstance(line, TransportError):
                raise line
            yield line
        # All has been played: the reader learns it by an object of its own, and then keeps the watch open.
        yield json.dumps({"type": "ADDED", "object": _pod("the end", str(self._server.version + 1))}).encode()
        yield from super().lines()


_NAMES = st.sampled_from(["a", "b", "c"])
_DEEDS = st.one_of(
    st.tuples(st.sampled_from(["set", "delete", "missed-set", "missed-delete"]), _NAMES),
    st.tuples(st.sampled_from(["bookmark", "cut", "half", "end", "error", "gone", "forget", "refuse", "busy", "oops"]), st.just("")),
)


@settings(max_examples=150)
@given(plan=st.lists(_DEEDS, max_size=25))
def test_a_follower_sees_what_the_server_has_whatever_breaks(plan: list[tuple[str, str]]) -> None:
    server = _ModelServer(plan)
    seen = ObjectCache()
    reported: list[tuple[str, str]] = []
    # Nothing here waits: a pause would only make the test slow.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch_module, "_BETWEEN_WATCHES", 0.0)
        patch.setattr(watch_module, "LONGEST_BACKOFF", 0.0)
        with Streams(FakeApi(respond=server.respond).session, [PODS]) as streams:
            while not seen.get(POD, "the end", "shop"):
                events = streams.next_events(PATIENCE)
                assert events, f"the stream has stopped after {reported}"
                for event in events:
                    assert not (isinstance(event, Trouble) and event.final), event.error.message
                    seen.apply_event(event)
                    if isinstance(event, Listed):
                        reported.clear()
                    elif isinstance(event, Changed | Gone):
                        reported.append((type(event).__name__, event.object["metadata"]["resourceVersion"]))
    known = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in seen.all(POD) if item["metadata"]["name"] != "the end"}
    assert known == {name: item["metadata"]["resourceVersion"] for name, item in server.objects.items()}, "what the follower knows is not what is there"
    assert len(set(reported)) == len(reported), f"since its last list the follower got the same twice: {reported}"
    versions = [int(version) for _kind, version in reported]
    assert versions == sorted(versions), f"the follower got changes in another order than they happened in: {reported}"
    losses = sum(deed in ("gone", "forget", "error") for deed, _name in plan)
    assert server.lists <= 1 + losses, f"{server.lists} lists, where only {losses} losses called for one"
