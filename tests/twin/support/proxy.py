"""A fault-injecting proxy (Toxiproxy) between a module and a twin's API server. TLS passes through it untouched."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import yaml

from twin.tools.build import ensure_tools

START_SECONDS = 20
# Far longer than any test: what is held back for so long never comes.
FOREVER_MS = 3_600_000

# The programs are on this machine, whatever proxies its environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ProxyServer:
    """One toxiproxy-server on free ports of 127.0.0.1; its proxies end with it.

    Args:
        log: the file that it writes to.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._api = ""

    def __enter__(self) -> ProxyServer:
        program = ensure_tools(["toxiproxy-server"], "A test of faults").programs["toxiproxy-server"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([str(program), "-host", "127.0.0.1", "-port", "0"], stdout=log, stderr=log)
        try:
            self._api = f"http://127.0.0.1:{self._port()}"
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._end()

    def open(self, name: str, upstream: str, *, resets: bool = False) -> Proxy:
        """A new proxy to an address, such as 127.0.0.1:32740; resets says whether what it closes is reset, instead of ended in an orderly way."""
        return Proxy(self, name, upstream, resets=resets)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request to the server's own API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._api + path, data=data, method=method, headers={"Content-Type": "application/json"})
        with _OPENER.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _port(self) -> int:
        """The port that the kernel has given to it: nobody else can have taken it in the meantime."""
        process = psutil.Process(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
        raise AssertionError(f"toxiproxy-server did not start: {self._log.read_text()}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Proxy:
    """One way to the API server, made of two proxies in a row.

    Faults are made in the front one. The back one is there so that the server's side of a connection can end while the client's stays open.
    """

    def __init__(self, server: ProxyServer, name: str, upstream: str, *, resets: bool) -> None:
        self._server = server
        self._front, self._back = f"{name}-front", f"{name}-back"
        back = self._create(self._back, upstream)
        self.address = self._create(self._front, back)
        if resets:
            # A connection is closed with a reset only if this toxic was there when it was opened; with toxicity 0 it does nothing else.
            self._add("reset", "reset_peer", 0.0, timeout=0)

    def kubeconfig(self, source: Path, target: Path, user: dict[str, Any] | None = None) -> Path:
        """Write a kubeconfig that goes through this proxy, with another user if one is given."""
        config = yaml.safe_load(source.read_text())
        # 127.0.0.1 is in the API server's certificate, so that nothing else changes.
        config["clusters"][0]["cluster"]["server"] = f"https://{self.address}"
        if user:
            config["users"][0]["user"] = user
        target.write_text(yaml.safe_dump(config))
        return target

    def slow(self, kind: str, **attributes: int) -> None:
        """Add a toxic that only slows what the server sends: latency, bandwidth or slicer."""
        self._add(kind, kind, 1.0, **attributes)

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._enable(self._front, False)

    def restore(self) -> None:
        """Accept connections again after cut()."""
        self._enable(self._front, True)

    def close_connections(self) -> None:
        """Close every connection; new ones are accepted at once."""
        self._enable(self._back, False)
        self._enable(self._back, True)

    def limit(self, count: int) -> None:
        """Close each connection after the server has sent this many more bytes, wherever in a line that is."""
        self._add("limit", "limit_data", 1.0, bytes=count)

    def unlimit(self) -> None:
        self._remove("limit")

    def reset_at_next_data(self) -> None:
        """Swallow what the server sends next on each connection, and reset it; for a proxy that was opened with resets."""
        self._change("reset", 1.0, timeout=0)

    def stop_resetting(self) -> None:
        self._change("reset", 0.0, timeout=0)

    def hold(self) -> None:
        """Hold back all that the server sends, on old connections and on new ones."""
        self._add("hold", "latency", 1.0, latency=FOREVER_MS)

    def release(self) -> None:
        """Let flow what hold() held back, in order."""
        self._change("hold", 1.0, latency=0)

    def silence(self) -> None:
        """Swallow all that the server sends. Old connections stay open, new ones are accepted, and nothing ever arrives."""
        self._add("silence", "timeout", 1.0, timeout=0)

    def end_silence(self) -> None:
        """Close the silent connections; new ones work."""
        self._remove("silence")

    def half_open(self) -> None:
        """End the server's side of every connection without notifying the client, as a firewall does that has forgotten them; new ones work."""
        self._add("half-open", "slow_close", 1.0, delay=FOREVER_MS)
        self.close_connections()

    def delete(self) -> None:
        for name in (self._front, self._back):
            self._server.ask("DELETE", f"/proxies/{name}")

    def _create(self, name: str, upstream: str) -> str:
        made = self._server.ask("POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": True})
        return str(made["listen"])

    def _enable(self, name: str, enabled: bool) -> None:
        self._server.ask("POST", f"/proxies/{name}", {"enabled": enabled})

    def _add(self, name: str, kind: str, toxicity: float, **attributes: int) -> None:
        toxic = {"name": name, "type": kind, "stream": "downstream", "toxicity": toxicity, "attributes": attributes}
        self._server.ask("POST", f"/proxies/{self._front}/toxics", toxic)

    def _change(self, name: str, toxicity: float, **attributes: int) -> None:
        self._server.ask("POST", f"/proxies/{self._front}/toxics/{name}", {"toxicity": toxicity, "attributes": attributes})

    def _remove(self, name: str) -> None:
        self._server.ask("DELETE", f"/proxies/{self._front}/toxics/{name}")
