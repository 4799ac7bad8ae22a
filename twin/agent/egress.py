"""The way into the pod network: an HTTP CONNECT proxy for the API server.

A pod's address 10.N.x.y is a loopback address 127.N.x.y of this machine, on which its real process listens. No route, no
privilege and no network namespace is needed, and several twins never meet. Only the API server calls pods (webhooks).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

from twin.kwok.settings import TwinSettings

_log = logging.getLogger("egress")
_LONGEST_REQUEST = 64 * 1024


def serve_egress(settings: TwinSettings, socket: Path) -> threading.Thread:
    """Serve the proxy on a Unix socket, in a thread of its own, for as long as the agent runs."""
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, socket)), name="egress", daemon=True)
    thread.start()
    return thread


async def _serve(settings: TwinSettings, socket: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connect(settings, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            _log.info("a connection ended: %s", error)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(handle, socket, limit=_LONGEST_REQUEST)
    async with server:
        await server.serve_forever()


async def _connect(settings: TwinSettings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _version = request.split("\r\n", 1)[0].split(" ")
    if method != "CONNECT":
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    host, _colon, port = target.rpartition(":")
    try:
        remote_reader, remote_writer = await asyncio.open_connection(settings.local_address(host), int(port))
    except OSError as error:
        # As a node's kernel would: nothing listens at this pod's port.
        _log.info("%s: %s", target, error)
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()
    try:
        await asyncio.gather(_copy(reader, remote_writer), _copy(remote_reader, writer))
    finally:
        remote_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(64 * 1024):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
