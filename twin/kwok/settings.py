"""What is chosen when a twin is created and stays the same for its life."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

from twin.errors import TwinError
from twin.paths import TwinPaths, state_directory

# The second number of a twin's pod addresses; 10.64.0.0 to 10.127.255.255 leaves the ranges of home and office networks alone.
_POD_NETWORKS = range(64, 128)
# What a twin on disk is like. 2: etcd serves on a socket, and not at a port that is open to every user of the machine.
LAYOUT = 2
# Where the agent of a running twin shows that a network is taken, to the twins of other users too.
_FLAG_HOST, _FLAG_PORT = "255.254", 15999
# Where a network is shown as taken while its twin is being created.
_RESERVATION_HOST = "255.253"


@dataclass(frozen=True)
class AwsSettings:
    """What makes a twin an EKS cluster of a local AWS account.

    Attributes:
        account: the account's name.
        endpoint: the URL of its AWS API.
        cluster: the name of the EKS cluster.
        region: the AWS region that the cluster was created in.
        authentication_url: where the API server asks whose a bearer token is.
        oidc_issuer: who issues the tokens of ServiceAccounts; IAM trusts it for roles.
        service_cidr: the addresses that Services get.
    """

    account: str
    endpoint: str
    cluster: str
    region: str
    authentication_url: str
    oidc_issuer: str
    service_cidr: str


@dataclass(frozen=True)
class TwinSettings:
    """The settings of a twin.

    Attributes:
        pod_network: N in the pod addresses 10.N.x.y, which processes serve at the loopback addresses 127.N.x.y.
        aws: which EKS cluster the twin is, or None when it is none.
        layout: what the twin on disk is like.
    """

    pod_network: int
    aws: AwsSettings | None = None
    layout: int = LAYOUT

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


@contextmanager
def choose_settings(aws: AwsSettings | None = None) -> Iterator[TwinSettings]:
    """Settings for a new twin: a network that no twin of this user has, and no running one of anybody else.

    Until the block ends, by which time the twin's agent must show that the network is taken, nobody else is given it.

    Raises:
        TwinError: all networks are taken.
    """
    taken = {read_settings(TwinPaths(path.parent.name)).pod_network for path in state_directory().glob("twins/*/twin.json")}
    for number in _POD_NETWORKS:
        if number in taken:
            continue
        settings = TwinSettings(number, aws)
        try:
            reservation = _listen(settings, _RESERVATION_HOST)
        except TwinError:
            continue
        with reservation:
            try:
                raise_flag(settings).close()
            except TwinError:
                continue
            yield settings
            return
    raise TwinError("All pod networks of this machine's twins are taken: take a twin down first.")


def raise_flag(settings: TwinSettings) -> socket.socket:
    """Show that a network is taken, for as long as the returned socket is open.

    Raises:
        TwinError: another twin shows it already.
    """
    return _listen(settings, _FLAG_HOST)


def _listen(settings: TwinSettings, host: str) -> socket.socket:
    listener = socket.socket()
    # What was closed a moment ago may be opened again at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((f"127.{settings.pod_network}.{host}", _FLAG_PORT))
        listener.listen()
    except OSError as error:
        listener.close()
        raise TwinError(
            f"The pod network 10.{settings.pod_network}.0.0/16 is taken by another twin of this machine: make twin-down, then make twin-up."
        ) from error
    return listener


def read_settings(paths: TwinPaths) -> TwinSettings:
    """The settings of a twin; what another version of the twin has written beside them is left out."""
    data = json.loads(paths.settings.read_text())
    aws = data.get("aws")
    return TwinSettings(data["pod_network"], AwsSettings(**{each.name: aws[each.name] for each in fields(AwsSettings)}) if aws else None, data.get("layout", 1))


def write_settings(paths: TwinPaths, settings: TwinSettings) -> None:
    # Others read it at any time, and find all of it or nothing.
    draft = paths.settings.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(settings)))
    draft.replace(paths.settings)
