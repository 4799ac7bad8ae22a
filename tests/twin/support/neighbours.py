"""What other users of this machine, and other machines, find of a twin or an account."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import psutil

from twin.paths import SupervisedPaths
from twin.supervisor import marked_processes

# Sends what comes in to a port as it is, and shows what comes back; run as nobody if the tests run as root.
_ASK = """
import encodings.idna, os, socket, sys
# What is imported later may be where nobody may not read.
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as connection:
    connection.sendall(sys.stdin.buffer.read())
    try:
        while data := connection.recv(65536):
            sys.stdout.buffer.write(data)
    except OSError:
        pass
"""


@dataclass(frozen=True)
class Listener:
    """One socket at which somebody may knock."""

    program: str
    address: str
    port: int


def listeners_of(paths: SupervisedPaths) -> list[Listener]:
    """All TCP sockets that listen, and all UDP sockets, of a twin's or an account's processes."""
    found = []
    for process in marked_processes(paths):
        sockets = [each for each in process.net_connections(kind="inet") if each.status == psutil.CONN_LISTEN or each.type == socket.SOCK_DGRAM]
        found += [Listener(process.name(), each.laddr.ip, each.laddr.port) for each in sockets]
    return found


def reachable_from_elsewhere(listeners: list[Listener]) -> list[Listener]:
    """Those at an address that other machines reach."""
    return [each for each in listeners if not ip_address(each.address).is_loopback]


def open_sockets(paths: SupervisedPaths) -> list[str]:
    """The Unix sockets that other users can open: abstract ones, and those below directories that all may enter."""
    found = []
    for process in marked_processes(paths):
        for each in process.net_connections(kind="unix"):
            name = str(each.laddr)
            if name.startswith(("@", "\0")):
                found.append(name)
            elif name:
                place = Path(name) if name.startswith("/") else Path(process.cwd()) / name
                found += [name] if all(parent.stat().st_mode & 0o001 for parent in place.parents) else []
    return found


def ask_as_neighbour(port: int, request: bytes) -> bytes:
    """What the user nobody is answered, if root runs the tests; else what the same user is."""
    done = subprocess.run([sys.executable, "-S", "-c", _ASK, str(port)], input=request, capture_output=True, check=False, timeout=30, cwd="/")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
