"""Processes kept alive by supervisord: a twin's agent with one program for each real process, or an account's emulator."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from twin.errors import TwinError
from twin.paths import MARK, REPOSITORY, SupervisedPaths

AGENT = "agent"

_NO_SUCH_NAME = 10
_ALREADY_STARTED = 60
_NOT_RUNNING = 70


@dataclass(frozen=True)
class ProgramState:
    """What supervisord says of one program.

    Attributes:
        name: the program.
        state: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or UNKNOWN.
        pid: its process, or 0.
        started: when it was last started, in seconds since the epoch.
        detail: one line about it (pid and uptime, or how it ended).
    """

    name: str
    state: str
    pid: int
    started: int
    detail: str


@dataclass(frozen=True)
class MainProgram:
    """What runs for as long as supervisord does.

    Attributes:
        name: what status and logs call it.
        module: the Python module that is run.
        arguments: its arguments.
        environment: variables that it needs beside those of the caller.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    def lines(self) -> list[str]:
        """Its command and environment as supervisord reads them."""
        command = " ".join([f"'{sys.executable}'", "-m", self.module, *(f"'{argument}'" for argument in self.arguments)])
        variables = ",".join(f'{name}="{value}"' for name, value in self.environment)
        return [f"command={_escaped(command)}", *([f"environment={_escaped(variables)}"] if variables else [])]


class Supervisor:
    """Starts one supervisord and speaks with it.

    Args:
        paths: the twin, or the account, whose supervisord it is.
        main: what it always runs; a twin's agent unless another program is given.
        owner: how messages name it; C(twin NAME) unless given.
        remedy: the command that repairs it.
    """

    def __init__(self, paths: SupervisedPaths, main: MainProgram | None = None, *, owner: str = "", remedy: str = "make twin-up") -> None:
        self._paths = paths
        self._main = main or MainProgram(AGENT, "twin.agent", (paths.name,))
        self._owner = owner or f"twin {paths.name}"
        self._remedy = remedy
        # Programs are added and removed by the threads of many pods; a configuration is read by one at a time.
        self._changing = threading.Lock()

    def start(self) -> None:
        """Start supervisord with its main program."""
        self._paths.processes.mkdir(exist_ok=True)
        # The agent adds the programs of all pods again; what an earlier one has left may name the Python of a checkout that was removed since.
        for left in self._paths.processes.glob("*.conf"):
            left.unlink()
        self._paths.logs.mkdir(exist_ok=True)
        self._paths.supervisor_config.write_text(self._configuration())
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(self._paths.supervisor_config)]
        environment = {**os.environ, MARK: str(self._paths.home), "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise TwinError(f"supervisord could not be started: {(done.stderr or done.stdout).strip()[-500:]}")

    def stop(self) -> None:
        """Stop supervisord and all that it runs; returns when they have ended."""
        try:
            pid = int(self._paths.supervisor_pid.read_text())
            process = psutil.Process(pid)
            if process.environ().get(MARK) != str(self._paths.home):
                return
            process.terminate()
            process.wait(timeout=30)
        except (OSError, ValueError, psutil.Error):
            return

    def answers(self) -> bool:
        """Whether supervisord runs and serves its socket."""
        try:
            with self._rpc() as rpc:
                return bool(rpc.getState()["statename"] == "RUNNING")
        except TwinError:
            return False

    def has_python(self) -> bool:
        """Whether the Python that supervisord runs with still exists: its checkout may have been removed, and then it starts no program any more."""
        try:
            return Path(psutil.Process(int(self._paths.supervisor_pid.read_text())).cmdline()[0]).exists()
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def programs(self) -> list[ProgramState]:
        """All programs, by name.

        Raises:
            TwinError: supervisord does not answer.
        """
        with self._rpc() as rpc:
            return [_program_state(info) for info in sorted(rpc.getAllProcessInfo(), key=lambda info: str(info["name"]))]

    def program(self, name: str) -> ProgramState | None:
        """One program, or None when supervisord has none of this name."""
        with self._rpc() as rpc:
            try:
                return _program_state(rpc.getProcessInfo(name))
            except xmlrpc.client.Fault as fault:
                if fault.faultCode == _NO_SUCH_NAME:
                    return None
                raise TwinError(f"supervisord refused to report on {name}: {fault.faultString}.") from fault

    def add(self, name: str, command: list[str], directory: Path) -> None:
        """Run a program from now on, with its configuration and log kept for as long as it is not removed."""
        quoted = " ".join(f"'{part}'" for part in command)
        lines = [f"[program:{name}]", f"command={_escaped(quoted)}", *self._keeping(name, directory)]
        with self._changing:
            (self._paths.processes / f"{name}.conf").write_text("\n".join(lines) + "\n")
            self._reload()

    def remove(self, name: str) -> None:
        """Stop a program and forget it."""
        with self._changing:
            (self._paths.processes / f"{name}.conf").unlink(missing_ok=True)
            self._reload()

    def wait_until_running(self, name: str, seconds: float) -> None:
        """Wait until a program has started and stayed up for its first second.

        Raises:
            TwinError: it has not within the given seconds; what it wrote is in its log.
        """
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while True:
            program = self.program(name) if self.answers() else None
            if program is not None and program.state == "RUNNING":
                return
            if time.monotonic() > deadline:
                detail = program.detail if program else "the supervisor does not answer"
                raise TwinError(f"{name} of {self._owner} has not started within {seconds:.0f} s ({detail}): look into {self._paths.logs / name}.log.")
            pause.wait(0.05)

    def set_running(self, name: str, running: bool) -> None:
        """Start or stop one program by hand; a stopped one stays stopped until it is started."""
        with self._rpc() as rpc:
            try:
                if running:
                    rpc.startProcess(name, True)
                else:
                    rpc.stopProcess(name, True)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode == _NO_SUCH_NAME:
                    known = ", ".join(state.name for state in self.programs())
                    raise TwinError(f"{_capital(self._owner)} has no process {name}: it has {known}.") from fault
                if fault.faultCode not in (_ALREADY_STARTED, _NOT_RUNNING):
                    raise TwinError(f"supervisord could not {'start' if running else 'stop'} {name}: {fault.faultString}.") from fault

    def _reload(self) -> None:
        """Let supervisord add and remove programs so that they are those of the configuration."""
        with self._rpc() as rpc:
            ((added, changed, removed),) = rpc.reloadConfig()
            for name in (*removed, *changed):
                rpc.stopProcessGroup(name, True)
                rpc.removeProcessGroup(name)
            for name in (*changed, *added):
                rpc.addProcessGroup(name)

    @contextmanager
    def _rpc(self) -> Iterator[Any]:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._paths.supervisor_socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            yield proxy.supervisor
        except xmlrpc.client.Fault as fault:
            raise TwinError(f"The supervisor of {self._owner} refused: {fault.faultString}.") from fault
        except (OSError, HTTPException, xmlrpc.client.ProtocolError) as error:
            raise TwinError(f"The supervisor of {self._owner} does not answer ({error}): run {self._remedy}.") from error
        finally:
            transport.close()

    def _configuration(self) -> str:
        home, logs = _escaped(self._paths.home), _escaped(self._paths.logs)
        lines = [
            "[supervisord]",
            f"pidfile={home}/{self._paths.supervisor_pid.name}",
            f"logfile={logs}/supervisor.log",
            "logfile_maxbytes=5MB",
            "logfile_backups=1",
            f"childlogdir={logs}",
            # Without this, supervisord warns each root that it is one.
            *(["user=root"] if os.geteuid() == 0 else []),
            "[unix_http_server]",
            f"file={home}/{self._paths.supervisor_socket.name}",
            "chmod=0700",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
            f"[program:{self._main.name}]",
            *self._main.lines(),
            *self._keeping(self._main.name, REPOSITORY),
            "[include]",
            f"files={home}/{self._paths.processes.name}/*.conf",
        ]
        return "\n".join(lines) + "\n"

    def _keeping(self, name: str, directory: Path) -> list[str]:
        """How every program is kept alive and logged."""
        return [
            f"directory={_escaped(directory)}",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000000",
            "stopwaitsecs=10",
            "redirect_stderr=true",
            f"stdout_logfile={_escaped(self._paths.logs / name)}.log",
            "stdout_logfile_maxbytes=20MB",
            "stdout_logfile_backups=1",
        ]


def _program_state(info: dict[str, Any]) -> ProgramState:
    return ProgramState(info["name"], info["statename"], info["pid"], info["start"], info["description"] or info["spawnerr"])


def _escaped(text: object) -> str:
    """Text in supervisord's configuration, where a percent sign begins a reference."""
    return str(text).replace("%", "%%")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def marked_processes(paths: SupervisedPaths) -> list[psutil.Process]:
    """All processes that carry the mark of this twin, or account, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(paths.home):
                found.append(process)
        except psutil.Error:
            continue
    return found
