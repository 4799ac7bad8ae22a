"""What a run ran on: nothing that names a machine or a place on it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from twin.paths import REPOSITORY


def describe_machine(environment: Mapping[str, str]) -> dict[str, Any]:
    """Cores, processor, memory, load, and the versions of all that took part."""
    kubectl = json.loads(_output_of(["kubectl", "version", "--output=json"], environment))
    return {
        "cores": os.cpu_count(),
        "cpu": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(psutil.getloadavg()[0], 1),
        "versions": {
            "Python": platform.python_version(),
            "ansible-core": version("ansible-core"),
            "kubernetes.core": _collection("kubernetes.core", environment),
            "kubernetes (Python)": version("kubernetes"),
            "kubectl": kubectl["clientVersion"]["gitVersion"].removeprefix("v"),
            "Kubernetes": kubectl["serverVersion"]["gitVersion"].removeprefix("v"),
            "Istio": environment["TWIN_ISTIO_VERSION"],
        },
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _collection(name: str, environment: Mapping[str, str]) -> str:
    """The version that a playbook of the checkout would use: the first that is found."""
    found = json.loads(_output_of(["ansible-galaxy", "collection", "list", name, "--format", "json"], environment) or "{}")
    return next((str(place[name]["version"]) for place in found.values() if name in place), "unknown")


def _output_of(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, env=dict(environment), check=False, capture_output=True, text=True)
    return done.stdout
