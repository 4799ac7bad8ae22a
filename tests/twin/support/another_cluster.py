"""A cluster that a job must not touch: an API server that refuses everything, and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

TOKEN = "token-of-another-cluster"


class AnotherCluster:
    """An API server that refuses everything, and remembers what it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[str] = []

    @property
    def credential(self) -> dict[str, str]:
        """The environment that AWX's Kubernetes credential gives a job (without a CA it switches verification off), and Helm's own words."""
        return {
            "K8S_AUTH_HOST": self.address,
            "K8S_AUTH_API_KEY": TOKEN,
            "K8S_AUTH_VERIFY_SSL": "False",
            "HELM_KUBEAPISERVER": self.address,
            "HELM_KUBETOKEN": TOKEN,
        }


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[AnotherCluster]:
    """It speaks TLS when there is a file with certificate and key."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            another.requests.append(f"{self.command} {self.path}")
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
            self.send_response(404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket, scheme = context.wrap_socket(server.socket, server_side=True), "https"
    another = AnotherCluster(f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield another
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig_of(another: AnotherCluster, path: Path) -> str:
    """What a job's user may have lying about: a kubeconfig of the other cluster, named by the environment."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "another", "cluster": {"server": another.address, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "another", "user": {"token": TOKEN}}],
        "contexts": [{"name": "another", "context": {"cluster": "another", "user": "another"}}],
        "current-context": "another",
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)
