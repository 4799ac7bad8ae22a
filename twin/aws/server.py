"""The server: moto's dispatcher, with the request log and faults in front of it and the control paths beside it."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

# moto reads its settings when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer

from twin.aws import certificates, ec2_tags, identity_providers, load_balancing, shield
from twin.aws.cluster_provider import ClusterProvider, RecordsOnly
from twin.aws.control import PREFIX, Control
from twin.aws.eks.api import serve_eks
from twin.aws.eks.region import Regions
from twin.aws.faults import Faults
from twin.aws.neighbours import is_own
from twin.aws.requests import Recorder, RequestLog
from twin.errors import TwinError

_HOST = "127.0.0.1"
_REFUSAL_SECONDS = 5.0
_REFUSAL = b"""HTTP/1.0 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis AWS account belongs to another user of this machine.\n"""


class Application:
    """WSGI: control paths are answered here, all else by moto."""

    def __init__(self, provider: ClusterProvider, region: str, request_log: Path | None) -> None:
        self.regions = Regions(provider)
        serve_eks(self.regions)
        certificates.extend(self.regions.lengths)
        for each in (ec2_tags, identity_providers, load_balancing, shield):
            each.extend()
        self.faults = Faults()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.log = RequestLog(request_log)
        self._recorder = Recorder(self._moto, self.log, self.faults)
        self._control = Control(self.regions, self.faults, self.log, region)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        application = self._control if environ.get("PATH_INFO", "").startswith(PREFIX) else self._recorder
        return application(environ, start_response)


def provider_of(home: Path | None) -> ClusterProvider:
    """What makes the EKS clusters of an account with this directory; without one they are records only."""
    if home is None:
        return RecordsOnly()
    provider: ClusterProvider = importlib.import_module("twin.aws.twin_provider").TwinClusters(home)
    return provider


def serve(port: int, provider: ClusterProvider, *, request_log: Path | None = None, region: str, shield_subscribed: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        port: where, at the loopback address; 0 is a free one.
        provider: what makes the EKS clusters.
        request_log: a file to which each request is added.
        region: what the health answer returns.
        shield_subscribed: whether the account begins with a subscription to Shield Advanced.

    Raises:
        TwinError: the port is taken.
    """
    try:
        listening = socket.create_server((_HOST, port), backlog=128)
    except OSError as error:
        raise TwinError(f"The local AWS cannot listen on {_HOST}:{port}: {error.strerror}. Choose another port.") from None
    application = Application(provider, region, request_log)
    shield.subscribe(shield_subscribed)
    server = _PrivateServer(_HOST, port, application, _QuietHandler, fd=listening.fileno())
    application.regions.webhook_base = f"http://{_HOST}:{server.port}"
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    print(application.regions.webhook_base, flush=True)
    server.serve_forever()


class _PrivateServer(ThreadedWSGIServer):
    """Serves who runs it, and no other user of the machine: keys and signatures are not checked, and tokens of it open its clusters."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        if is_own(client_address[:2], request.getsockname()[:2]):
            super().finish_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.settimeout(_REFUSAL_SECONDS)
            # What is not read when a connection is closed takes the answer with it.
            request.recv(65536)
            request.sendall(_REFUSAL)


class _QuietHandler(MotoRequestHandler):
    """The request log records requests; the terminal need not show them."""

    # Buffered, an answer goes out in one piece. When its body follows its head by a moment, clients of AWS' SDK for Go give the connection up in 1 of
    # 1,000 requests on a busy machine (use of closed network connection), and send the request again: what it has created is there already then.
    wbufsize = -1

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...
