"""Which pods are stood for by real processes: read from twin/processes, one file for each program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twin.errors import TwinError
from twin.paths import REPOSITORY

_DIRECTORY = REPOSITORY / "twin" / "processes"


@dataclass(frozen=True)
class RealProcess:
    """A program that runs for each pod of a certain kind.

    Attributes:
        name: what status and logs call it.
        pods: the one label that distinguishes these pods from all others; KWOK leaves pods that carry it alone.
        container: the container whose arguments, environment, volumes and probe are the process's.
        program: the program's name in the tool catalogue.
        arguments: added behind the container's own; {address}, {namespace}, {root} and {kubeconfig} are filled in.
        environment: added to the container's own, with the same fillings.
    """

    name: str
    pods: tuple[str, str]
    container: str
    program: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def stands_for(self, pod: dict[str, Any]) -> bool:
        """Whether this pod is one of those."""
        label, value = self.pods
        labelled = (pod["metadata"].get("labels") or {}).get(label) == value
        return labelled and any(container["name"] == self.container for container in (pod.get("spec") or {}).get("containers") or ())


def load_real_processes(directory: Path = _DIRECTORY) -> list[RealProcess]:
    """All of them, by name.

    Raises:
        TwinError: a file does not say what is needed.
    """
    found = []
    for path in sorted(directory.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        try:
            (label,) = data["pods"].items()
            found.append(
                RealProcess(
                    name=data["name"],
                    pods=label,
                    container=data["container"],
                    program=data["program"],
                    arguments=tuple(data.get("arguments") or ()),
                    environment=tuple((data.get("environment") or {}).items()),
                )
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TwinError(f"{path} does not describe a real process ({error}): it needs name, pods (one label), container and program.") from error
    return found
