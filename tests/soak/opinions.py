"""Second opinions: what kubectl says of the same objects."""

from __future__ import annotations

import os
import subprocess

from tests.soak.truth import Goal


class Kubectl:
    """Asks the twin's kubectl; it is on the PATH of the environment that is given."""

    def __init__(self, kubeconfig: str, path: str) -> None:
        self._environment = {**os.environ, "KUBECONFIG": kubeconfig, "PATH": path}

    def says_done(self, goal: Goal) -> bool | None:
        """Whether kubectl takes a target for ready; None for one that it cannot judge."""
        if goal.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            done = self._run("rollout", "status", f"{goal.kind.lower()}/{goal.name}", "-n", goal.namespace, "--watch=false")
            phrases = ("successfully rolled out", "roll out complete", "rolling update complete")
            return done.returncode == 0 and any(word in done.stdout for word in phrases)
        if goal.kind in ("waypoint", "Gateway"):
            wait = ("wait", "--for=condition=Programmed", "--timeout=0", "-n", goal.namespace)
            done = self._run(*wait, f"gateways.gateway.networking.k8s.io/{goal.name}")
            return done.returncode == 0
        return None

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["kubectl", *arguments], env=self._environment, check=False, capture_output=True, text=True, timeout=60)
