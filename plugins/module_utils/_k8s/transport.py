# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""HTTP to an API server: one function to send a request, and one error if there is no response. The only file that uses urllib3."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
import typing as t

from .._text import without_userinfo

if t.TYPE_CHECKING:
    import urllib3
    from kubernetes.client import ApiClient

# Within this time of a renewal, a refusal is taken to speak of the credentials before it.
RENEWAL_SECONDS = 5.0

# What http.client sends as the value of a header: Latin-1 without line breaks.
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# (connect, read) in seconds. A read time-out of None leaves a stream open.
Timeout = t.Tuple[float, t.Optional[float]]


class TransportError(Exception):
    """No answer came; the message is that of the layer below, without Python's class names."""


class Response:
    """An answer: status, headers, and a body that is read whole or line by line."""

    def __init__(self, raw: urllib3.BaseHTTPResponse) -> None:
        self._raw = raw
        self.status: int = raw.status
        self.headers: t.Mapping[str, str] = raw.headers

    def text(self) -> str:
        """The whole body. Raises TransportError when the connection breaks."""
        with _as_transport_error():
            data: bytes = self._raw.data
            return data.decode("utf-8", "replace")

    def lines(self) -> t.Iterator[bytes]:
        """The body's lines as they arrive; ends when the server ends it. Raises TransportError when the connection breaks."""
        buffered = b""
        with _as_transport_error():
            for chunk in self._raw.stream(64 * 1024, decode_content=True):
                buffered += chunk
                *complete, buffered = buffered.split(b"\n")
                yield from (line for line in complete if line)
        if buffered:
            yield buffered

    def allow_silence(self, seconds: float) -> None:
        """How long the next bytes may keep the reader waiting before the connection counts as broken."""
        sock = getattr(self._raw.connection, "sock", None)
        if sock is not None:
            sock.settimeout(seconds)

    def close(self) -> None:
        """Drop the connection; for the thread that reads from it."""
        self._raw.close()

    def interrupt(self) -> None:
        """End the connection under a thread that reads from it, which wakes up and sees the end."""
        # close() would wait for the reader: both hold the same lock of the buffered stream.
        sock = getattr(self._raw.connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Transport:
    """Sends requests with the authentication of a kubernetes ApiClient, whose pool of connections it shares.

    Args:
        client: knows the server, its CA and the credentials. It renews tokens whose expiry it knows each time the headers are asked for.
        renew: fetches the credentials anew after the server has refused them, and says whether they are others now; its ApiError says that
            there are none any more.
    """

    def __init__(self, client: ApiClient, renew: t.Callable[[], bool] = lambda: False) -> None:
        self._client = client
        self._renew = renew
        self._renewing = threading.Lock()
        self._renewed: float | None = None
        self.server: str = client.configuration.host
        self.proxy = without_userinfo(client.configuration.proxy or "")

    def renew(self) -> bool:
        """Fetch the credentials anew; whether there are others now than those that were refused."""
        with self._renewing:
            # Several threads are refused at once when a token runs out; the first one fetches, the others find it done.
            if self._renewed is not None and time.monotonic() - self._renewed < RENEWAL_SECONDS:
                return True
            if self._renew():
                self._renewed = time.monotonic()
                return True
            return False

    def send(
        self,
        method: str,
        path: str,
        *,
        query: t.Sequence[tuple[str, str]] = (),
        body: t.Any = None,
        content_type: str = "application/json",
        accept: str = "",
        timeout: Timeout = (10.0, 60.0),
    ) -> Response:
        """Send one request; any status is an answer. Raises TransportError when none comes."""
        from urllib.parse import urlencode

        import urllib3

        headers: dict[str, str] = {"Accept": accept or "application/json", **self._client.default_headers}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        # The error of the layer below would quote the header.
        if any(not _SENDABLE.fullmatch(str(value)) for value in headers.values()):
            raise TransportError("its token has a line break or another character that cannot be sent")
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body, separators=(",", ":")).encode()
        url = self.server + path + ("?" + urlencode(query) if query else "")
        with _as_transport_error():
            raw = self._client.rest_client.pool_manager.request(
                method,
                url,
                body=data,
                headers=headers,
                preload_content=False,
                retries=False,
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
            )
        return Response(raw)


@contextlib.contextmanager
def _as_transport_error() -> t.Iterator[None]:
    """Turns what urllib3 and the socket raise into a TransportError."""
    import urllib3

    try:
        yield
    # http.client raises ValueError and AttributeError in a reader whose response another thread has ended.
    except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
        raise TransportError(_plain_message(error)) from error


def _plain_message(error: BaseException) -> str:
    """The innermost cause, which names what happened ("Connection refused"), not the wrappers around it."""
    cause = error
    while True:
        inner = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if not isinstance(inner, BaseException) or inner is cause:
            break
        cause = inner
    if isinstance(cause, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(cause, ssl.SSLEOFError):
        return "the connection was closed"
    message = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    # urllib3 puts the connection object's repr before the message: "HTTPSConnection(...): Read timed out."; OpenSSL its own names around them.
    plain = re.sub(r"^\[[^]]*\] |_ssl\.c:\d+: | ?\(_ssl\.c:\d+\)", "", message.rsplit("): ", 1)[-1])
    return plain.strip() or type(cause).__name__


__all__ = ("Response", "Timeout", "Transport", "TransportError")
