"""ansible-test, from a checkout anywhere: it wants the collection at .../ansible_collections/meshwright/ambient, with its dependencies beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import yaml

from tests.results import add_shown, record_configuration, shown_by_tasks, write_results
from tests.stages.local_aws import local_aws
from tests.stages.twins import fresh_twin
from twin.paths import REPOSITORY, cache_directory
from twin.progress import say

# Outside the checkout, whose .gitignore would hide the copy from ansible-test; one for each checkout.
_ROOT = cache_directory() / "ansible-test" / hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:10] / "ansible_collections"
COLLECTION = _ROOT / "meshwright" / "ambient"
_TARGETS = REPOSITORY / "tests" / "integration" / "targets"
# ansible-test asks for this file by its own version's name, and downloads it where it can.
_GET_PIP = Path(".ansible") / "test" / "cache" / "get_pip_24_2.py"
_GET_PIP_STAND_IN = Path(__file__).resolve().parent / "get_pip.py"
# Where the collections live that this one needs.
_NAMESPACES = ("amazon", "community", "kubernetes")


def sanity() -> int:
    """All sanity tests, with no ignore file."""
    copy_collection()
    if list((COLLECTION / "tests" / "sanity").glob("ignore*")):
        say("There is a sanity ignore file; the collection has none.")
        return 1
    return _ansible_test("sanity", "--color", "no")


def integration() -> int:
    """All integration targets, on a twin and a local AWS; what tagged tasks have shown counts when their target passes."""
    copy_collection()
    targets = sorted(path.name for path in _TARGETS.iterdir() if (path / "tasks").is_dir())
    failed = []
    shown: dict[str, list[str]] = {}
    with fresh_twin("test-integration") as environment, local_aws(_ROOT.parent / "local-aws.log") as aws:
        mesh = subprocess.run(["ansible-playbook", "site.yml", "-i", "inventories/sandbox"], cwd=REPOSITORY, env=environment, check=False)
        if mesh.returncode:
            return mesh.returncode
        _write_configuration(environment, aws)
        for target in targets:
            with tempfile.TemporaryDirectory() as directory:
                record = Path(directory) / "tasks.jsonl"
                (COLLECTION / "tests" / "integration" / "integration.cfg").write_text(record_configuration(record))
                if _ansible_test("integration", "--color", "no", target):
                    failed.append(target)
                else:
                    add_shown(shown, shown_by_tasks(record, f"tests/integration/targets/{target}"))
    write_results("integration", shown)
    say(f"integration targets: {len(targets) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


def copy_collection() -> None:
    """Copy what git tracks (and what it would), because ansible-test looks at everything below its directory."""
    shutil.rmtree(COLLECTION, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = REPOSITORY / name
        # The twin and the tests of it are a project of their own beside the collection; sanity judges what is shipped.
        if name.startswith(("collections/", "generate/", "twin/", "tests/")) and not name.startswith("tests/integration/"):
            continue
        if source.is_file():
            (COLLECTION / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, COLLECTION / name)
    for namespace in _NAMESPACES:
        packages = find_spec(f"ansible_collections.{namespace}")
        if packages is None or not packages.submodule_search_locations:
            raise RuntimeError(f"The collections of {namespace} are not installed: make setup.")
        link = _ROOT / namespace
        link.unlink(missing_ok=True)
        link.symlink_to(next(iter(packages.submodule_search_locations)))


def _write_configuration(environment: dict[str, str], aws: dict[str, str]) -> None:
    """ansible-test clears the environment of its targets; this file reaches them: targets of AWS set environment: "{{ aws_environment }}"."""
    variables = {"twin_kubeconfig": environment["KUBECONFIG"], "twin_environment": {name: environment[name] for name in environment if name.startswith("TWIN")}}
    variables["twin_environment"]["PATH"] = environment["PATH"]
    variables["aws_environment"] = aws
    (COLLECTION / "tests" / "integration" / "integration_config.yml").write_text(yaml.safe_dump(variables))


def _ansible_test(command: str, *arguments: str) -> int:
    # A home of its own: what ansible-test downloads and installs is kept with the project's cache, not in the user's home.
    home = cache_directory() / "ansible-test"
    get_pip = home / _GET_PIP
    if not get_pip.exists():
        get_pip.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_GET_PIP_STAND_IN, get_pip)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8"}
    program = shutil.which("ansible-test", path=path) or "ansible-test"
    return subprocess.run([program, command, "--python", version, *arguments], cwd=COLLECTION, env=environment, check=False).returncode
