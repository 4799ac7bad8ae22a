from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._cluster import watch as watch_module
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.kinds import GATEWAY, POD
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.watch import Changed, Event, Gone, Listed, Scope, Streams, Trouble
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import NotServed, Unreachable
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
        pytest.param(WatchAnswer(("ERROR", {"kind": "Status", "code": 500, "message": "oops"})), "10", id="an-error-of-the-server"),
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
        pytest.param(WatchAnswer(("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})), id="told-in-the-watch"),
        pytest.param(refusal(410, "Expired", "too old resource version"), id="told-when-opening"),
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


def test_an_unreachable_server_is_told_and_asked_again() -> None:
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
            assert all(thread.is_alive() for thread in streams._threads), "the stream has ended without a word"


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
