"""Where the twin keeps things: what is built once per user, and what one twin leaves on disk while it lives."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from twin.errors import TwinError

REPOSITORY = Path(__file__).resolve().parent.parent

# What is written into files of a twin, and which pods real processes stand for.
CONFIG = REPOSITORY / "twin" / "config"
# Every process of a twin or an account carries this variable, so that none is lost sight of when its parent is killed.
MARK = "MESHWRIGHT_TWIN"

DEFAULT_NAME = "sandbox"
LONGEST_NAME = 32

# Linux allows 107 bytes for the path of a Unix socket.
_LONGEST_SOCKET_PATH = 107


def cache_directory() -> Path:
    """What is built once and shared by all twins of this user: $XDG_CACHE_HOME/meshwright."""
    return _base("XDG_CACHE_HOME", ".cache") / "meshwright"


def state_directory() -> Path:
    """What running twins need: $XDG_STATE_HOME/meshwright."""
    return _base("XDG_STATE_HOME", ".local/state") / "meshwright"


def _base(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / fallback


class SupervisedPaths(ABC):
    """The files of what a supervisor keeps alive; all of them lie below one directory, which is removed with it."""

    name: str

    @property
    @abstractmethod
    def home(self) -> Path:
        """The directory."""

    @property
    @abstractmethod
    def logs(self) -> Path:
        """Where all logs are."""

    def make_home(self) -> None:
        """Make the directory, which nobody but its owner may enter: its sockets are as private as it is."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(mode=0o700)

    @property
    def supervisor_config(self) -> Path:
        return self.home / "supervisord.conf"

    @property
    def supervisor_socket(self) -> Path:
        return self.home / "supervisor.sock"

    @property
    def supervisor_pid(self) -> Path:
        return self.home / "supervisord.pid"

    @property
    def processes(self) -> Path:
        """One file for each program that is added while the supervisor runs: pods that a real process stands for have one each."""
        return self.home / "processes"

    def _check(self, what: str) -> None:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", self.name):
            raise TwinError(f"{what} cannot be called {self.name!r}: use up to {LONGEST_NAME} lower-case letters, digits and dashes.")
        if len(os.fsencode(self.supervisor_socket)) > _LONGEST_SOCKET_PATH:
            raise TwinError(f"The path {self.supervisor_socket} is too long for a socket: set XDG_STATE_HOME to a shorter directory.")


@dataclass(frozen=True)
class TwinPaths(SupervisedPaths):
    """The files of one twin."""

    name: str

    def __post_init__(self) -> None:
        self._check("A twin")

    @property
    def home(self) -> Path:
        return state_directory() / "twins" / self.name

    @property
    def settings(self) -> Path:
        """What was chosen at creation: the network's number, and which EKS cluster it is."""
        return self.home / "twin.json"

    @property
    def complete(self) -> Path:
        """Is there once the twin has been made whole; without it, a twin is one whose making was interrupted."""
        return self.home / "complete"

    @property
    def kwok_workdir(self) -> Path:
        return self.home / "kwok"

    @property
    def cluster(self) -> Path:
        """The directory of kwokctl's cluster."""
        return self.kwok_workdir / "clusters" / self.name

    @property
    def logs(self) -> Path:
        """All logs of the twin: kwokctl writes the components' here, the supervisor the rest."""
        return self.cluster / "logs"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def certificate_authority(self) -> Path:
        """The certificate that the API server's own is signed with."""
        return self.cluster / "pki" / "ca.crt"

    @property
    def kwokctl_config(self) -> Path:
        return self.home / "kwokctl.yaml"

    @property
    def etcd_socket(self) -> Path:
        """Where etcd serves, to whoever may enter the directory."""
        return self.home / "etcd.sock"

    @property
    def egress_config(self) -> Path:
        return self.home / "egress.yaml"

    @property
    def egress_socket(self) -> Path:
        """Where the agent serves the API server's way into the pod network."""
        return self.home / "egress.sock"

    @property
    def authentication_config(self) -> Path:
        """The kubeconfig by which the API server of an EKS cluster asks whose a bearer token is."""
        return self.home / "authentication.yaml"


@dataclass(frozen=True)
class AccountPaths(SupervisedPaths):
    """The files of one local AWS account."""

    name: str

    def __post_init__(self) -> None:
        self._check("An account")

    @property
    def home(self) -> Path:
        return state_directory() / "accounts" / self.name

    @property
    def settings(self) -> Path:
        """What was chosen at creation: the port of the AWS API."""
        return self.home / "account.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def request_log(self) -> Path:
        """One line of JSON for each request to the AWS API."""
        return self.logs / "requests.jsonl"

    @property
    def overlay(self) -> Path:
        """The extra variables of a rehearsal."""
        return self.home / "overlay.yml"
