"""A local AWS account: the emulator of its API under a supervisor, and the EKS clusters that were created in it."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from twin.errors import TwinError
from twin.kwok import lifecycle
from twin.kwok.lifecycle import Part
from twin.paths import AccountPaths, TwinPaths, state_directory
from twin.progress import say, step
from twin.supervisor import MainProgram, Supervisor, marked_processes
from twin.tools.build import ensure_tools
from twin.tools.needs import MAIN_JOB

REGION = "eu-central-1"
EMULATOR = "emulator"
READY_SECONDS = 60

# The example key of AWS' own documentation: no scanner takes it for a secret, and no account knows it.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105

# What an account on disk is like. 2: it serves its owner only.
LAYOUT = 2
# Below the ports that Linux lends to outgoing connections, so that a port is still free when a dead emulator is started again.
_PORTS = range(5601, 5700)


@dataclass(frozen=True)
class AccountSettings:
    """What was chosen when an account was made, and stays the same for its life.

    Attributes:
        port: where its AWS API is served on 127.0.0.1.
        layout: what the account on disk is like.
    """

    port: int
    layout: int = LAYOUT

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def up(name: str) -> None:
    """Bring an account up, repair it, or find that nothing is to be done.

    Its clusters are repaired too. What the emulator knows lives in its memory: when it was started anew, the account is
    empty, and clusters of before, which nobody can reach through AWS any more, are taken down.

    Raises:
        TwinError: what could not be done, and where the logs are.
    """
    paths = AccountPaths(name)
    # Its clusters need it later: nobody who waits for one to become ACTIVE would see what is built meanwhile.
    ensure_tools(MAIN_JOB, "An AWS account with what is installed on its clusters")
    with _locked():
        if paths.settings.exists():
            _repair(paths)
        else:
            _discard(paths)
            with step(f"starting the AWS account {name}", 1, 1):
                paths.make_home()
                _write_settings(paths, AccountSettings(_free_port()))
                supervisor_of(paths).start()
                _wait_until_served(paths)
    lost = orphans(name)
    if lost:
        say(f"The emulator of account {name} was started anew since, so the account is empty. Taking down clusters of before: {', '.join(lost)}.")
    for twin in lifecycle.clusters_of(name):
        if twin in lost:
            lifecycle.down(twin)
        else:
            lifecycle.repair(twin)


def down(name: str) -> None:
    """Stop an account, take down its clusters and remove every file of it; nothing to do is no error."""
    paths = AccountPaths(name)
    with _locked():
        if not paths.home.exists() and not marked_processes(paths) and not lifecycle.clusters_of(name):
            say(f"There is no AWS account {name}.")
            return
        # First what makes clusters, then the clusters, last the files: an interrupted down goes on when it is repeated.
        _stop(paths)
        for twin in lifecycle.clusters_of(name):
            lifecycle.down(twin)
        shutil.rmtree(paths.home, ignore_errors=True)
    say(f"The AWS account {name} is gone.")


def exists(name: str) -> bool:
    return AccountPaths(name).settings.exists()


def parts_of(name: str) -> list[Part]:
    """Every part of an account, running or not: its supervisor, its emulator, its clusters.

    Raises:
        TwinError: there is no such account.
    """
    paths, settings = AccountPaths(name), settings_of(name)
    supervisor = supervisor_of(paths)
    if not supervisor.answers():
        parts = [Part("supervisor", False, "its process has died"), Part(EMULATOR, False, "not supervised")]
    else:
        program = supervisor.program(EMULATOR)
        state, detail = (program.state, f"{program.state.lower()}, {program.detail}") if program else ("UNKNOWN", "not configured")
        stopped = state == "STOPPED"
        # Whether its process runs is one thing; only an answer shows that it serves.
        served = not stopped and serves(settings)
        parts = [
            Part("supervisor", True, f"pid {paths.supervisor_pid.read_text().strip()}"),
            Part(EMULATOR, served or stopped, detail if served or state != "RUNNING" else f"runs, but does not answer at {settings.endpoint}", stopped=stopped),
        ]
    lost = orphans(name) if serves(settings) else []
    return [*parts, *(_cluster_part(twin, aws.cluster, twin in lost) for twin, aws in sorted(lifecycle.clusters_of(name).items()))]


def settings_of(name: str) -> AccountSettings:
    """The settings of an account.

    Raises:
        TwinError: there is no such account.
    """
    try:
        # Another version of the twin may have written more.
        data = json.loads(AccountPaths(name).settings.read_text())
        return AccountSettings(data["port"], data.get("layout", 1))
    except FileNotFoundError as error:
        raise TwinError(f"There is no AWS account {name}: python -m twin --name {name} account up creates it.") from error


def orphans(name: str) -> list[str]:
    """The twins of an account whose clusters its emulator does not know, because it was started anew; by the twin's name."""
    # What is there is read before what is known: a cluster that is made meanwhile is known before it is there.
    clusters = lifecycle.clusters_of(name)
    known = _known_clusters(name) if clusters else set()
    return sorted(twin for twin, aws in clusters.items() if (aws.region, aws.cluster) not in known)


def credentials(name: str, region: str = REGION) -> dict[str, str]:
    """The environment in which AWS tools speak to an account; its keys open nothing else."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_DEFAULT_REGION": region,
        # Without it, a tool that finds its keys refused asks the metadata service of the machine, if that is an instance, for real ones.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": settings_of(name).endpoint,
        "AWS_REGION": region,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def client(name: str, service: str, region: str = REGION) -> Any:
    """A boto3 client of a service of an account, whatever the environment says."""
    import boto3

    session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region)
    return session.client(service, endpoint_url=settings_of(name).endpoint)


def regions(name: str) -> set[str]:
    """The regions in which an account has EKS clusters."""
    return {region for region, _cluster in _known_clusters(name)}


def supervisor_of(paths: AccountPaths) -> Supervisor:
    """The supervisor of an account."""
    arguments: tuple[str, ...] = ()
    if paths.settings.exists():
        port = str(settings_of(paths.name).port)
        arguments = ("--port", port, "--home", str(paths.home), "--request-log", str(paths.request_log), "--shield-subscribed")
    # With the keys of its owner, the emulator can verify whether a token was signed with them.
    main = MainProgram(EMULATOR, "twin.aws", arguments, (("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)))
    return Supervisor(paths, main, owner=f"AWS account {paths.name}", remedy=f"python -m twin --name {paths.name} account up")


def serves(settings: AccountSettings) -> bool:
    """Whether the AWS API of an account answers."""
    try:
        with urllib.request.urlopen(f"{settings.endpoint}/_twin/health", timeout=2) as answer:
            return bool(json.load(answer)["status"] == "serving")
    except (OSError, ValueError, KeyError):
        return False


def _repair(paths: AccountPaths) -> None:
    supervisor, settings = supervisor_of(paths), settings_of(paths.name)
    if settings.layout != LAYOUT:
        raise TwinError(
            f"The AWS account {paths.name} was made by another version, which serves every user of this machine: "
            f"take it down (python -m twin --name {paths.name} account down), and make it anew."
        )
    usable = supervisor.answers() and supervisor.has_python()
    if usable:
        program = supervisor.program(EMULATOR)
        if program is not None and program.state in ("RUNNING", "STARTING") and serves(settings):
            say(f"The AWS account {paths.name} is up.")
            return
    with step(f"starting the AWS account {paths.name}", 1, 1):
        if not usable:
            supervisor.stop()
            lifecycle.end_processes(marked_processes(paths))
            supervisor.start()
        elif (program := supervisor.program(EMULATOR)) is not None and program.state in ("STOPPED", "EXITED", "FATAL"):
            supervisor.set_running(EMULATOR, True)
        _wait_until_served(paths)


def _wait_until_served(paths: AccountPaths) -> None:
    settings, deadline, pause = settings_of(paths.name), time.monotonic() + READY_SECONDS, threading.Event()
    while not serves(settings):
        if time.monotonic() > deadline:
            raise TwinError(
                f"The AWS account {paths.name} has not answered at {settings.endpoint} within {READY_SECONDS} s: look into {paths.logs / EMULATOR}.log "
                "(another program may have taken the port)."
            )
        pause.wait(0.05)


def _cluster_part(twin: str, cluster: str, lost: bool) -> Part:
    name = f"cluster {cluster}"
    if lost:
        return Part(name, False, f"twin {twin} is left over from before the emulator was started anew")
    if not TwinPaths(twin).complete.exists():
        return Part(name, True, f"twin {twin} is being made")
    try:
        dead = [part.name for part in lifecycle.parts_of(twin) if not part.running]
    except TwinError as error:
        return Part(name, False, str(error))
    return Part(name, not dead, f"twin {twin}, {', '.join(dead)} died" if dead else f"twin {twin}")


def _known_clusters(name: str) -> set[tuple[str, str]]:
    """Region and name of the EKS clusters that the emulator knows."""
    settings = settings_of(name)
    try:
        with urllib.request.urlopen(f"{settings.endpoint}/_twin/clusters", timeout=10) as answer:
            return {(cluster["region"], cluster["name"]) for cluster in json.load(answer)}
    except (OSError, ValueError, KeyError) as error:
        raise TwinError(f"The AWS account {name} could not list its EKS clusters ({error}): look into {AccountPaths(name).logs}.") from error


def _stop(paths: AccountPaths) -> None:
    supervisor_of(paths).stop()
    lifecycle.end_processes(marked_processes(paths))


def _discard(paths: AccountPaths) -> None:
    """Remove what an interrupted up has left of an account."""
    _stop(paths)
    shutil.rmtree(paths.home, ignore_errors=True)


def _free_port() -> int:
    """A port that no account of this user has, and nothing listens at now."""
    taken = {settings_of(path.parent.name).port for path in state_directory().glob("accounts/*/account.json")}
    for port in _PORTS:
        if port in taken:
            continue
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise TwinError(f"All ports from {_PORTS.start} to {_PORTS.stop - 1} are taken: take an AWS account down first.")


def _write_settings(paths: AccountPaths, settings: AccountSettings) -> None:
    paths.settings.write_text(json.dumps(asdict(settings)))


@contextmanager
def _locked() -> Iterator[None]:
    """One account command of a user at a time. Never inside the lock of the twins, which an emulator takes while it makes a cluster."""
    with lifecycle.locked("accounts.lock"):
        yield
