"""The life of a twin: start, status, repair, and removal without a trace."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import yaml

from twin.errors import TwinError
from twin.kwok.control_plane import ControlPlane
from twin.kwok.real_processes import load_real_processes
from twin.kwok.settings import LAYOUT, AwsSettings, TwinSettings, choose_settings, read_settings, write_settings
from twin.paths import CONFIG, TwinPaths, state_directory
from twin.progress import say, step
from twin.supervisor import AGENT, Supervisor, marked_processes
from twin.tools.build import Toolbox, ensure_tools, locate_tools
from twin.tools.needs import CONTROL_PLANE, MAIN_JOB

NODES = 3
READY_SECONDS = 60

_NODE = CONFIG / "node.yaml"


@dataclass(frozen=True)
class Part:
    """One running part of a twin, as status shows it."""

    name: str
    running: bool
    detail: str
    stopped: bool = False

    @property
    def state(self) -> str:
        """One word for status: up, off (stopped by hand) or DEAD."""
        return "off" if self.stopped else "up" if self.running else "DEAD"


def up(name: str, nodes: int = NODES) -> None:
    """Start a twin, repair it, or find that nothing is to be done.

    A twin that is an EKS cluster stays one: its nodes come from node groups, so none are added.

    Raises:
        TwinError: what could not be done, and where the logs are.
    """
    paths = TwinPaths(name)
    toolbox = ensure_tools(MAIN_JOB, "A twin with what is installed on it")
    with locked():
        aws = _aws_settings(paths)
        _ensure(paths, toolbox, aws, 0 if aws else nodes)


def up_eks(name: str, aws: AwsSettings) -> None:
    """Bring a twin up that is an EKS cluster; one of the same name that is another cluster, or none, is replaced.

    Raises:
        TwinError: what could not be done, and where the logs are.
    """
    paths = TwinPaths(name)
    toolbox = ensure_tools(CONTROL_PLANE, "An EKS cluster")
    with locked():
        if _aws_settings(paths) != aws or read_settings(paths).layout != LAYOUT:
            _discard(paths, ControlPlane(paths, toolbox))
        _ensure(paths, toolbox, aws, 0)


def repair(name: str) -> None:
    """Start what has died of a twin; one that is not there, or not whole yet, is left alone.

    Raises:
        TwinError: it could not be repaired, and where the logs are.
    """
    paths = TwinPaths(name)
    with locked():
        if paths.complete.exists():
            _ensure(paths, locate_tools(), _aws_settings(paths), 0)


def _ensure(paths: TwinPaths, toolbox: Toolbox, aws: AwsSettings | None, nodes: int) -> None:
    """Create a twin, or repair the existing one."""
    cluster, supervisor = ControlPlane(paths, toolbox), Supervisor(paths)
    if paths.complete.exists() and cluster.exists():
        _refuse_older(paths)
        dead = [part for part in parts_of(paths.name) if not part.running]
        if dead:
            _repair(cluster, supervisor, paths, dead)
        else:
            say(f"Twin {paths.name} is up.")
        return
    _discard(paths, cluster)
    with choose_settings(aws) as settings:
        _create(paths, cluster, supervisor, settings, nodes)


def _create(paths: TwinPaths, cluster: ControlPlane, supervisor: Supervisor, settings: TwinSettings, nodes: int) -> None:
    steps = 3 if nodes else 2
    with step(f"creating the cluster of twin {paths.name}", 1, steps):
        paths.make_home()
        write_settings(paths, settings)
        cluster.create(settings, load_real_processes())
    with step("starting the agent", 2, steps):
        supervisor.start()
        if not nodes:
            supervisor.wait_until_running(AGENT, READY_SECONDS)
    if nodes:
        with step(f"adding {nodes} nodes", 3, steps):
            _add_nodes(paths, nodes)
            supervisor.wait_until_running(AGENT, READY_SECONDS)
    paths.complete.touch()


def _refuse_older(paths: TwinPaths) -> None:
    """A twin from before etcd was closed to other users cannot be repaired."""
    if read_settings(paths).layout != LAYOUT:
        raise TwinError(
            f"Twin {paths.name} was made by another version, in which every user of this machine may read and change its etcd: "
            f"take it down, and make it anew (TWIN={paths.name} make twin-down twin-up)."
        )


def _aws_settings(paths: TwinPaths) -> AwsSettings | None:
    """Which EKS cluster a twin is; None for a twin that is none, or is not there."""
    try:
        return read_settings(paths).aws
    except FileNotFoundError:
        return None


def down(name: str) -> None:
    """Stop a twin and remove every file of it; nothing to do is no error."""
    paths = TwinPaths(name)
    with locked():
        if not paths.home.exists() and not marked_processes(paths):
            say(f"There is no twin {name}.")
            return
        _discard(paths, ControlPlane(paths, locate_tools()))
    say(f"Twin {name} is gone.")


def parts_of(name: str) -> list[Part]:
    """Every part of a twin, running or not.

    Raises:
        TwinError: there is no such twin.
    """
    paths = TwinPaths(name)
    if not paths.settings.exists():
        raise TwinError(f"There is no twin {name}: make twin-up creates it.")
    cluster, supervisor = ControlPlane(paths, locate_tools()), Supervisor(paths)
    parts = [Part(component, pid is not None, f"pid {pid}" if pid else "its process has died") for component, pid in cluster.components().items()]
    if all(part.running for part in parts) and not cluster.serves():
        parts.append(Part("API", False, "the API server runs but does not say that it is ready"))
    if not supervisor.answers():
        return [*parts, Part("supervisor", False, "its process has died"), Part(AGENT, False, "not supervised")]
    if not supervisor.has_python():
        return [*parts, Part("supervisor", False, "the checkout that it was started from has been removed"), Part(AGENT, False, "of the same checkout")]
    parts.append(Part("supervisor", True, f"pid {paths.supervisor_pid.read_text().strip()}"))
    # A program that somebody stopped by hand is no fault; one that ended by itself is.
    for program in supervisor.programs():
        running = program.state in ("RUNNING", "STARTING", "STOPPED")
        parts.append(Part(program.name, running, f"{program.state.lower()}, {program.detail}", stopped=program.state == "STOPPED"))
    return parts


def names() -> list[str]:
    """The twins of this user."""
    return sorted(path.parent.name for path in state_directory().glob("twins/*/twin.json"))


def clusters_of(account: str) -> dict[str, AwsSettings]:
    """The twins that are EKS clusters of an account, by the twin's name."""
    found = {name: _aws_settings(TwinPaths(name)) for name in names()}
    return {name: aws for name, aws in found.items() if aws and aws.account == account}


def _repair(cluster: ControlPlane, supervisor: Supervisor, paths: TwinPaths, dead: list[Part]) -> None:
    """Start what has died; the rest keeps running."""
    say(f"Twin {paths.name} is not whole: {', '.join(part.name for part in dead)}.")
    deadline = time.monotonic() + READY_SECONDS
    pause = threading.Event()
    with step("starting what has died", 1, 1):
        # One that has died may take others with it a moment later: a controller without its API server ends by itself.
        while dead and time.monotonic() < deadline:
            cluster.start()
            if not (supervisor.answers() and supervisor.has_python()):
                supervisor.stop()
                end_processes([process for process in marked_processes(paths) if process.pid not in set(cluster.components().values())])
                supervisor.start()
            supervisor.wait_until_running(AGENT, READY_SECONDS)
            for program in supervisor.programs():
                if program.state in ("FATAL", "EXITED", "BACKOFF"):
                    supervisor.set_running(program.name, True)
            dead = [part for part in parts_of(paths.name) if not part.running]
            pause.wait(0.1 if dead else 0.0)
    if dead:
        details = "; ".join(f"{part.name}: {part.detail}" for part in dead)
        raise TwinError(f"Twin {paths.name} could not be repaired ({details}): look into {paths.logs}, or make twin-down and make twin-up.")


def _discard(paths: TwinPaths, cluster: ControlPlane) -> None:
    """Stop and remove all there is of a twin, also one that was only half made."""
    Supervisor(paths).stop()
    if cluster.exists():
        cluster.delete()
    end_processes(marked_processes(paths))
    shutil.rmtree(paths.home, ignore_errors=True)


def end_processes(processes: list[psutil.Process]) -> None:
    """End processes, by force where they do not obey within 10 seconds."""
    for process in processes:
        if process.pid != os.getpid():
            process.terminate()
    _gone, alive = psutil.wait_procs(processes, timeout=10)
    for process in alive:
        process.kill()


def _add_nodes(paths: TwinPaths, count: int) -> None:
    """Create the nodes and wait, by watching, until all of them are Ready."""
    from twin.collection import NODE, MeshError, Write
    from twin.kwok.session import open_session, wait_for

    session = open_session(paths)
    template = yaml.safe_load(_NODE.read_text())
    writes = []
    for number in range(1, count + 1):
        metadata = {**template["metadata"], "name": f"node-{number}"}
        zone = "abc"[(number - 1) % 3]
        metadata["labels"] = {**metadata["labels"], "kubernetes.io/hostname": metadata["name"], "topology.kubernetes.io/zone": f"local-{zone}"}
        writes.append(Write("apply", NODE, metadata["name"], body={**template, "metadata": metadata}))
    try:
        session.write_all(writes)
    except MeshError as error:
        raise TwinError(f"The nodes of twin {paths.name} could not be made; logs are in {paths.logs}:\n{error}") from error
    wait_for(session, NODE, lambda found: sum(map(is_ready, found)) == count, READY_SECONDS, f"{count} nodes of twin {paths.name} to be Ready")


def is_ready(node: dict[str, Any]) -> bool:
    """Whether a Node object says that its node is Ready."""
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in node.get("status", {}).get("conditions", ()))


@contextmanager
def locked(what: str = "lock") -> Iterator[None]:
    """One twin command of a user at a time: two would take the same network, or start a component twice.

    Args:
        what: the file that is locked. Accounts have one of their own, because an account makes twins while it is looked after.
    """
    state_directory().mkdir(parents=True, exist_ok=True)
    handle = os.open(state_directory() / what, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
