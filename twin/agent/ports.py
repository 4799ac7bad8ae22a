"""Ports of pods whose process cannot be told at which address to listen: each is served at a free port of this machine.

Two pods of one twin may both serve port 9443, and so may those of two twins. A process that listens at its own address of the
loopback network never meets another; one that insists on all addresses would.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from itertools import chain
from typing import Any

from twin.errors import TwinError
from twin.facts import TwinFacts

# Below the ports that kwokctl and the kernel choose from. Each twin begins at its own place, and each of its pods, so that two
# which look for a port at the same time do not find the same.
_FIRST, _EACH, _LAST = 20_000, 180, 31_999
_FIRST_NETWORK = 64


class Ports:
    """Which port of this machine serves which port of a pod; used by the threads of all pods and by the egress proxy."""

    def __init__(self, facts: TwinFacts) -> None:
        self._facts = facts
        self._changing = threading.Lock()
        self._served: dict[tuple[str, int], int] = {}

    def claim(self, address: str, port: int, before: int | None = None) -> int:
        """The port of this machine that stands for a pod's port, from now on.

        Args:
            address: the pod's address; one that was another pod's before has its ports no more.
            port: the pod's port.
            before: the port that an earlier agent gave it and that its process, which still runs, listens at.

        Raises:
            TwinError: no port is free.
        """
        with self._changing:
            served = self._free(address) if before is None else before
            self._served[address, port] = served
            return served

    def release(self, address: str, claimed: Mapping[int, int]) -> None:
        """Forget the ports of a pod that has gone, unless another pod has got its address meanwhile."""
        with self._changing:
            for port, served in claimed.items():
                if self._served.get((address, port)) == served:
                    del self._served[address, port]

    def locate(self, address: str, port: int) -> tuple[str, int]:
        """Where a pod's port is served on this machine."""
        return self._facts.local_address(address), self._served.get((address, port), port)

    def _free(self, address: str) -> int:
        taken = set(self._served.values())
        first = _FIRST + (self._facts.pod_network - _FIRST_NETWORK) * _EACH + int(address.rpartition(".")[2]) % _EACH
        for port in chain(range(first, _LAST + 1), range(_FIRST, first)):
            if port not in taken and _is_free(port):
                return port
        raise TwinError(f"All ports from {_FIRST} to {_LAST} of this machine are taken: take a twin down first.")


class ContainerPorts:
    """Fills {port:NAME} and {port:NUMBER} in a process's arguments with the port that stands for a container's.

    Attributes:
        claimed: the ports that were filled in, by the container's port.

    Raises:
        TwinError: when it is formatted, the container has no port of that name, or none is free.
    """

    def __init__(self, ports: Ports, address: str, container: Mapping[str, Any], before: Mapping[int, int]) -> None:
        self._ports = ports
        self._address = address
        self._numbers = {str(item["name"]): int(item["containerPort"]) for item in container.get("ports") or () if "name" in item}
        self._before = before
        self.claimed: dict[int, int] = {}

    def __format__(self, wanted: str) -> str:
        number = int(wanted) if wanted.isdigit() else self._numbers.get(wanted)
        if number is None:
            raise TwinError(f"the container has no port called {wanted}")
        self.claimed[number] = self._ports.claim(self._address, number, self._before.get(number))
        return str(self.claimed[number])


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        # As a server would that is started again right after its end.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("", port))
        except OSError:
            return False
    return True
