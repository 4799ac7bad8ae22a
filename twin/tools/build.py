"""Builds what is missing from the cache, and says where everything is."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from twin.errors import TwinError
from twin.paths import REPOSITORY
from twin.progress import step
from twin.tools.catalogue import FILES, PROGRAMS, Files, Program
from twin.tools.store import fill, is_whole, place_of
from twin.tools.toolchain import environment, find_go


@dataclass(frozen=True)
class Toolbox:
    """Where the programs and files of the twin are."""

    programs: dict[str, Path]
    files: dict[str, Path]

    def path_entries(self, *names: str) -> list[str]:
        """Directories to put on PATH so that these programs are found by name."""
        return [str(self.programs[name].parent) for name in names]


def ensure_tools() -> Toolbox:
    """Everything the twin needs, built first where it is missing. With a full cache this only looks at files."""
    parts: tuple[Program | Files, ...] = (*PROGRAMS, *FILES)
    missing = [part for part in parts if not is_whole(place_of(part))]
    go: Path | None = None
    for number, part in enumerate(missing, 1):
        go = go or find_go()
        verb = "building" if isinstance(part, Program) else "fetching"
        with step(f"{verb} {part.name} {part.version}", number, len(missing)) as remarks:
            _make(part, go)
            remarks.append(f"{_size(place_of(part)) / 1e6:.0f} MB")
    return locate_tools()


def locate_tools() -> Toolbox:
    """Where everything is, whether or not it has been built."""
    return Toolbox(
        programs={program.name: place_of(program) / program.name for program in PROGRAMS},
        files={files.name: place_of(files) for files in FILES},
    )


def _make(part: Program | Files, go: Path) -> None:
    if isinstance(part, Program):
        fill(place_of(part), lambda directory: _build(part, go, directory))
    else:
        fill(place_of(part), lambda directory: _fetch(part, go, directory))


def _build(program: Program, go: Path, directory: Path) -> None:
    """Build a program and let it tell its version before it is kept."""
    binary = directory / program.name
    flags = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in program.stamps)])
    _run([str(go), "build", "-ldflags", flags, "-o", str(binary), program.package], f"build {program.name}", REPOSITORY / "twin" / "go" / program.family)
    _run([str(binary), *program.version_arguments], f"start {program.name}", directory)


def _fetch(files: Files, go: Path, directory: Path) -> None:
    """Copy files out of a Go module whose checksum is known, and package its charts."""
    where = REPOSITORY / "twin" / "go" / files.family if files.family else directory
    told = json.loads(_run([str(go), "mod", "download", "-json", files.module], f"download {files.module}", where))
    if files.checksum and told["Sum"] != files.checksum:
        raise TwinError(f"The module {files.module} has the checksum {told['Sum']}, not {files.checksum}: it is not what was pinned, so it is not used.")
    module = Path(told["Dir"])
    for source, target in files.copies:
        (directory / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (module / source).is_dir() else shutil.copy
        copy(module / source, directory / target)
    # The module cache is read-only; copies are not, so that the cache can be deleted like any other.
    for path in (directory, *directory.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    helm = place_of(next(program for program in PROGRAMS if program.name == "helm")) / "helm"
    for name, source in files.charts:
        packaging = [str(helm), "package", str(module / source)]
        # A released chart knows its version; in a development tree there is a placeholder.
        if yaml.safe_load((module / source / "Chart.yaml").read_text()).get("version") != files.version:
            packaging += ["--version", files.version, "--app-version", files.version]
        _run([*packaging, "--destination", str(directory / "charts")], f"package the chart {name}", directory)
        if not (directory / "charts" / f"{name}-{files.version}.tgz").exists():
            raise TwinError(f"The chart at {source} of {files.module} is not called {name}: correct twin/tools/catalogue.py.")


def _run(command: list[str], action: str, directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, env=environment(), check=False, capture_output=True, text=True)
    if done.returncode:
        raise TwinError(f"Could not {action} (exit code {done.returncode}):\n{(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
