from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from ansible_collections.meshwright.ambient.plugins.module_utils._k8s import transport as transport_module
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import RENEWAL_SECONDS, Response, Transport, TransportError

SERVER = "https://api.example.org"


class _Raw:
    """What urllib3 answers, in pieces that the test cuts."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.status, self.headers = 200, {}
        self._chunks = chunks
        self.connection = None
        self.closed = False

    def stream(self, _size: int, decode_content: bool) -> Iterator[bytes]:
        assert decode_content
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    @property
    def data(self) -> bytes:
        return b"".join(self.stream(0, True))

    def close(self) -> None:
        self.closed = True


def _response(*chunks: bytes | Exception) -> Response:
    return Response(cast("urllib3.BaseHTTPResponse", _Raw(*chunks)))


class _Client:
    """The part of a kubernetes ApiClient that a transport uses."""

    def __init__(self, answer: _Raw | Exception | None = None) -> None:
        self.configuration = SimpleNamespace(host=SERVER, proxy=None)
        self.default_headers = {"User-Agent": "test", "Impersonate-User": "ci"}
        self.rest_client = SimpleNamespace(pool_manager=self)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._answer = answer or _Raw()

    def update_params_for_auth(self, headers: dict[str, str], _queries: list[object], _settings: list[str]) -> None:
        headers["authorization"] = "Bearer token"

    def request(self, method: str, url: str, **options: Any) -> _Raw:
        self.asked.append((method, url, options))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _transport(client: _Client, renew: Callable[[], bool] = lambda: False) -> Transport:
    return Transport(client, renew)


# sending


def test_a_request_without_a_body() -> None:
    client = _Client()
    _transport(client).send("GET", "/api/v1/pods", query=[("labelSelector", "a=b,c in (d)"), ("limit", "5")], timeout=(1.0, 2.0))
    ((method, url, options),) = client.asked
    assert (method, url) == ("GET", f"{SERVER}/api/v1/pods?labelSelector=a%3Db%2Cc+in+%28d%29&limit=5")
    assert options["headers"] == {"Accept": "application/json", "User-Agent": "test", "Impersonate-User": "ci", "authorization": "Bearer token"}
    assert (options["body"], options["preload_content"], options["retries"]) == (None, False, False)
    assert (options["timeout"].connect_timeout, options["timeout"].read_timeout) == (1.0, 2.0)


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "€"])
def test_a_token_that_cannot_be_sent_is_not_quoted(character: str) -> None:
    client = _Client()
    client.default_headers["authorization"] = f"Bearer planted-token{character}"
    client.update_params_for_auth = lambda *_arguments: None  # type: ignore[method-assign]
    with pytest.raises(TransportError, match="its token has a line break") as caught:
        _transport(client).send("GET", "/")
    assert "planted" not in str(caught.value)
    assert not client.asked


def test_a_request_with_a_body() -> None:
    client = _Client()
    _transport(client).send("PATCH", "/api/v1/namespaces/shop", body={"metadata": {"name": "é"}}, content_type="application/merge-patch+json", accept="text/x")
    ((_method, url, options),) = client.asked
    assert url == f"{SERVER}/api/v1/namespaces/shop"
    assert json.loads(options["body"]) == {"metadata": {"name": "é"}}
    assert (options["headers"]["Content-Type"], options["headers"]["Accept"]) == ("application/merge-patch+json", "text/x")


POOL = urllib3.HTTPSConnectionPool("api.example.org")
REFUSED = NewConnectionError(cast("Any", SimpleNamespace(host="api.example.org")), "[Errno 111] Connection refused")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(ConnectionRefusedError(111, "Connection refused"), "Connection refused", id="refused"),
        pytest.param(MaxRetryError(POOL, "/", ConnectionResetError(104, "Connection reset by peer")), "Connection reset by peer", id="wrapped"),
        pytest.param(ReadTimeoutError(POOL, "/", "Read timed out. (read timeout=5)"), "Read timed out. (read timeout=5)", id="time-out"),
        pytest.param(ProtocolError("Connection broken: IncompleteRead(10 bytes read)"), "Connection broken: IncompleteRead(10 bytes read)", id="cut"),
        pytest.param(OSError(), "OSError", id="without-words"),
    ],
)
def test_no_answer_is_reported_in_plain_words(error: Exception, message: str) -> None:
    with pytest.raises(TransportError) as caught:
        _transport(_Client(error)).send("GET", "/")
    assert str(caught.value) == message
    with pytest.raises(TransportError) as caught:
        _response(b"half", error).text()
    assert str(caught.value) == message


def test_words_of_a_refused_connection_name_no_python_object() -> None:
    with pytest.raises(TransportError, match="Connection refused") as caught:
        _transport(_Client(MaxRetryError(POOL, "/", REFUSED))).send("GET", "/")
    assert "object at" not in str(caught.value)


# reading


def test_text_that_is_no_text() -> None:
    assert _response(b"a\xff").text() == "a\ufffd", "an answer that cannot be read as text is shown as far as it can"


LINES = st.lists(st.binary(min_size=1, max_size=30).map(lambda line: line.replace(b"\n", b"-")), max_size=12)


@given(lines=LINES, cuts=st.lists(st.integers(0, 400), max_size=12), ended=st.booleans())
def test_lines_are_the_same_however_they_arrive(lines: list[bytes], cuts: list[int], ended: bool) -> None:
    """The network cuts where it likes: in a line, at its end, or several lines in one piece."""
    whole = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(places)]
    assert list(_response(*chunks).lines()) == lines


def test_half_a_line_of_a_cut_connection_is_not_a_line() -> None:
    lines = _response(b"one\ntw", ConnectionResetError(104, "Connection reset by peer")).lines()
    assert next(lines) == b"one"
    with pytest.raises(TransportError, match="Connection reset by peer"):
        next(lines)


def test_empty_lines_are_left_out() -> None:
    assert list(_response(b"\none\n\n\ntwo\n\n").lines()) == [b"one", b"two"]


@pytest.mark.parametrize("error", [ValueError("I/O operation on closed file"), AttributeError("'NoneType' object has no attribute 'read'")])
def test_a_reader_whose_connection_was_ended_by_another_thread(error: Exception) -> None:
    with pytest.raises(TransportError):
        list(_response(error).lines())


def test_a_response_without_a_connection_can_be_interrupted() -> None:
    response = _response(b"one\n")
    response.interrupt()
    response.allow_silence(1.0)
    assert list(response.lines()) == [b"one"], "what has come already is lost"
    response.close()


# credentials


class _Renewals:
    """Counts how often credentials were fetched, and says whether they were others."""

    def __init__(self, answers: Sequence[bool]) -> None:
        self._answers = iter(answers)
        self.number = 0

    def __call__(self) -> bool:
        self.number += 1
        return next(self._answers)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr(transport_module, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    return moment


def test_credentials_are_fetched_once_for_all_that_were_refused_together(now: list[float]) -> None:
    del now
    renewals = _Renewals([True])
    transport = _transport(_Client(), renewals)
    together = threading.Barrier(8)

    def renew(_number: int) -> bool:
        together.wait(10)
        return transport.renew()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(renew, range(8))) == [True] * 8
    assert renewals.number == 1


def test_credentials_that_run_out_later_are_fetched_again(now: list[float]) -> None:
    renewals = _Renewals([True, True])
    transport = _transport(_Client(), renewals)
    assert transport.renew()
    now[0] += RENEWAL_SECONDS - 0.1
    assert transport.renew()
    assert renewals.number == 1
    now[0] += 0.2
    assert transport.renew()
    assert renewals.number == 2


def test_credentials_that_are_the_same_are_looked_for_again_next_time(now: list[float]) -> None:
    del now
    renewals = _Renewals([False, True])
    transport = _transport(_Client(), renewals)
    assert not transport.renew()
    assert transport.renew(), "the new token came a moment later"
