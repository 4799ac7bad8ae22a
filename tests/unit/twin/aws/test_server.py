from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from twin.aws import server

_URL = "http://127.0.0.1:{}/"


@pytest.mark.parametrize("own", [True, False])
def test_an_account_serves_its_owner_only(monkeypatch: pytest.MonkeyPatch, own: bool) -> None:
    served = []

    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        served.append("request")
        start_response("200 OK", [("Content-Length", "0")])
        return []

    monkeypatch.setattr(server, "is_own", lambda *_ends: own)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        http = server._PrivateServer("127.0.0.1", 0, application, server._QuietHandler, fd=listening.fileno())
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            if own:
                assert opener.open(_URL.format(http.port), timeout=5).status == 200
            else:
                with pytest.raises(urllib.error.HTTPError, match="403"):
                    opener.open(_URL.format(http.port), data=b"x", timeout=5)
        finally:
            http.shutdown()
            thread.join()
    assert served == (["request"] if own else [])
