"""Builds what is missing from the cache, and says where everything is."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from twin.errors import TwinError
from twin.paths import REPOSITORY, cache_directory
from twin.progress import say, step
from twin.tools.catalogue import FILES, PROGRAMS, Files, Program
from twin.tools.store import fill, is_whole, place_of
from twin.tools.toolchain import environment, find_go

# Scripts with the names of programs that no command needs by itself.
_BUILT_WHEN_CALLED = REPOSITORY / "twin" / "tools" / "bin"


@dataclass(frozen=True)
class Toolbox:
    """Where the programs and files of the twin are."""

    programs: dict[str, Path]
    files: dict[str, Path]

    def path_entries(self, *names: str) -> list[str]:
        """Directories to put on PATH so that these programs are found by name; one that is not built yet is built when it is first called."""
        return [str(self.programs[name].parent if self.programs[name].exists() else _BUILT_WHEN_CALLED) for name in names]


def ensure_tools(names: Iterable[str], purpose: str) -> Toolbox:
    """Build what is missing of these parts. With a full cache this only looks at files.

    Args:
        names: programs and files of the catalogue.
        purpose: who needs them, for the line that shows what is built.
    """
    desired = set(names)
    if any(files.name in desired and files.charts for files in FILES):
        # Charts are packaged by it.
        desired.add("helm")
    parts: tuple[Program | Files, ...] = (*PROGRAMS, *FILES)
    missing = [part for part in parts if part.name in desired and not is_whole(place_of(part))]
    if missing:
        say(f"{purpose} needs what has not been built yet: {', '.join(part.name for part in missing)}. It is built once, and kept in {cache_directory()}.")
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
    """Build a program, and let it print its version before it is kept."""
    binary, family = directory / program.name, REPOSITORY / "twin" / "go" / program.family
    flags = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in program.stamps)])
    with _patched(program, go, family) as options:
        _run([str(go), "build", *options, "-ldflags", flags, "-o", str(binary), program.package], f"build {program.name}", family)
    _run([str(binary), *program.version_arguments], f"start {program.name}", directory)


@contextmanager
def _patched(program: Program, go: Path, family: Path) -> Iterator[list[str]]:
    """Options with which a program is built from a changed copy of its module, which go.sum has vouched for before; none without patches.

    Go's own option -overlay does not take files of the module cache.
    """
    if not program.patches:
        yield []
        return
    _run([str(go), "mod", "download", program.package], f"download {program.package}", family)
    module = Path(_run([str(go), "list", "-m", "-f", "{{.Dir}}", program.package], f"find {program.package}", family).strip())
    with tempfile.TemporaryDirectory(prefix="meshwright-build-") as workspace:
        source = Path(workspace) / "source"
        shutil.copytree(module, source, copy_function=shutil.copyfile)
        for path in (source, *source.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        for patch in program.patches:
            text = (source / patch.file).read_text()
            if text.count(patch.old) != 1:
                raise TwinError(f"The file {patch.file} of {program.package} is not as the patch expects it: correct twin/tools/catalogue.py.")
            (source / patch.file).write_text(text.replace(patch.old, patch.new))
        for pin in ("go.mod", "go.sum"):
            shutil.copyfile(family / pin, Path(workspace) / pin)
        pins = str(Path(workspace) / "go.mod")
        _run([str(go), "mod", "edit", f"-replace={program.package}={source}", pins], f"replace {program.package}", family)
        yield ["-modfile", pins]


def _fetch(files: Files, go: Path, directory: Path) -> None:
    """Copy files out of a Go module whose checksum is known, and package its charts."""
    where = REPOSITORY / "twin" / "go" / files.family if files.family else directory
    downloaded = json.loads(_run([str(go), "mod", "download", "-json", files.module], f"download {files.module}", where))
    if files.checksum and downloaded["Sum"] != files.checksum:
        raise TwinError(f"The module {files.module} has the checksum {downloaded['Sum']}, not {files.checksum}: it is not what was pinned, so it is not used.")
    module = Path(downloaded["Dir"])
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
