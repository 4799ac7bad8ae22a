"""What is chosen when a twin is created and stays the same for its life."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from twin.errors import TwinError
from twin.paths import TwinPaths, state_directory

# The second number of a twin's pod addresses; 10.64.0.0 to 10.127.255.255 leaves the ranges of home and office networks alone.
_POD_NETWORKS = range(64, 128)


@dataclass(frozen=True)
class TwinFacts:
    """The facts.

    Attributes:
        pod_network: N in the pod addresses 10.N.x.y, which processes serve at the loopback addresses 127.N.x.y.
    """

    pod_network: int

    @property
    def simulated_pods(self) -> str:
        """The addresses that KWOK gives to the pods it simulates."""
        return f"10.{self.pod_network}.0.0/17"

    def real_pod(self, number: int) -> str:
        """The address of the number-th pod that a real process stands for, counted from 1."""
        if not 1 <= number < 128 * 256 - 1:
            raise TwinError(f"This twin has no pod address number {number}: delete pods of real processes first.")
        return f"10.{self.pod_network}.{128 + number // 256}.{number % 256}"

    def local_address(self, pod_address: str) -> str:
        """Where a process listens that stands for the pod with this address."""
        return "127." + pod_address.removeprefix("10.") if pod_address.startswith(f"10.{self.pod_network}.") else pod_address


def choose_facts() -> TwinFacts:
    """Facts for a new twin that no other twin of this user has."""
    taken = {read_facts(TwinPaths(path.parent.name)).pod_network for path in state_directory().glob("twins/*/twin.json")}
    free = [number for number in _POD_NETWORKS if number not in taken]
    if not free:
        raise TwinError("All pod networks of this user's twins are taken: take a twin down first.")
    return TwinFacts(pod_network=free[0])


def read_facts(paths: TwinPaths) -> TwinFacts:
    return TwinFacts(**json.loads(paths.facts.read_text()))


def write_facts(paths: TwinPaths, facts: TwinFacts) -> None:
    paths.facts.write_text(json.dumps(asdict(facts)))
