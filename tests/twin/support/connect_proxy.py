"""An HTTP proxy that knows one name which nobody else can resolve, and counts the connections that it opens."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# RFC 6761: no resolver has an address for it.
NAME = "api.twin.invalid"


class ConnectProxy:
    """A running proxy.

    Attributes:
        url: its address.
        opened: the programs that had a connection opened, as they named themselves; one entry for each connection.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[str] = []


@contextmanager
def connect_proxy(port: int) -> Iterator[ConnectProxy]:
    """A proxy that connects NAME with a port of this machine, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            if self.path != f"{NAME}:{port}":
                self.send_error(403)
                return
            proxy.opened.append(self.headers.get("User-Agent") or "unnamed")
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.send_response(200)
                self.end_headers()
                _relay(self.connection, server)
            self.close_connection = True

        def log_message(self, *_message: object) -> None:
            """Nothing is logged."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    proxy = ConnectProxy(f"http://127.0.0.1:{listener.server_address[1]}")
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()


def _relay(client: socket.socket, server: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    other = {client: server, server: client}
    while True:
        for ready in select.select(list(other), [], [])[0]:
            try:
                data = ready.recv(65536)
                if not data:
                    return
                other[ready].sendall(data)
            except OSError:
                return
