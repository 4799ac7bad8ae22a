"""The collection as users install it: nothing in the tarball that does not belong, and its documentation reads."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from twin.paths import REPOSITORY

_BIN = Path(sys.executable).parent
_BELONGS = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "schemas",
}


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("build")
    command = [str(_BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(directory), str(REPOSITORY)]
    subprocess.run(command, check=True, capture_output=True, cwd=directory)
    return next(directory.glob("meshwright-ambient-*.tar.gz"))


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("collections")
    command = [str(_BIN / "ansible-galaxy"), "collection", "install", str(tarball), "--collections-path", str(directory), "--no-deps", "--offline"]
    subprocess.run(command, check=True, capture_output=True, cwd=directory, env=_environment(directory))
    return directory


def test_the_tarball_has_only_what_belongs(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} == _BELONGS
    strangers = [name for name in names if name.endswith((".pyc", ".log")) or "__pycache__" in name or "/." in f"/{name}"]
    assert strangers == []
    assert tarball.stat().st_size < 1_000_000


@pytest.mark.parametrize("module", ["enrollment", "waypoint", "ready", "gateway_api", "validate_inventory"])
def test_the_documentation_reads_from_the_installed_collection(installed: Path, module: str) -> None:
    command = [str(_BIN / "ansible-doc"), f"meshwright.ambient.{module}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=installed, env=_environment(installed))
    assert done.returncode == 0, done.stderr
    for part in ("OPTIONS", "EXAMPLES", "RETURN VALUES"):
        assert part in done.stdout
    assert str(installed) in done.stdout, "this is not the installed collection"


def test_the_installed_playbook_is_found_by_its_full_name(installed: Path) -> None:
    command = [str(_BIN / "ansible-playbook"), "meshwright.ambient.site", "-i", "localhost,", "--syntax-check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=installed, env=_environment(installed))
    assert done.returncode == 0, done.stderr


def _environment(directory: Path) -> dict[str, str]:
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(directory), "ANSIBLE_CONFIG": str(directory / "none.cfg"), "COLUMNS": "160"}
