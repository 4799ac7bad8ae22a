"""Lets parts of a twin stand still and go on, so that what they write goes stale for longer than a moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from twin.errors import TwinError
from twin.kwok.control_plane import ControlPlane
from twin.paths import TwinPaths
from twin.supervisor import Supervisor
from twin.tools.build import locate_tools


def switches_of(name: str) -> dict[str, Callable[[bool], None]]:
    """What stops and starts istiod, Kubernetes' controllers, and KWOK, which makes pods ready."""

    def istiod(running: bool) -> None:
        supervisor = Supervisor(TwinPaths(name))
        for program in supervisor.programs():
            if program.name.startswith("istiod"):
                supervisor.set_running(program.name, running)

    def component(which: str) -> Callable[[bool], None]:
        def switch(running: bool) -> None:
            pid = ControlPlane(TwinPaths(name), locate_tools()).components()[which]
            if pid is None:
                raise TwinError(f"{which} of twin {name} has died, so that nothing would change any more: look into {TwinPaths(name).logs}.")
            os.kill(pid, signal.SIGCONT if running else signal.SIGSTOP)

        return switch

    return {"istiod": istiod, **{which: component(which) for which in ("kube-controller-manager", "kwok-controller")}}
