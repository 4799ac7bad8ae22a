"""Do the unit tests notice when the pure rules of a noun are changed? python -m tests.mutation [NOUN ...]

mutmut changes one operator, text or argument at a time in a copy of the checkout, and runs the tests that reach it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from twin.paths import REPOSITORY
from twin.progress import say

_COPY = REPOSITORY / ".cache" / "mutation"
_PACKAGE = Path("src/ansible_collections/meshwright/ambient")
_NOUNS = ("_waypoint", "_enrollment")
# They read and write, and are tested on twins.
_SHELLS = ("state.py", "apply.py")
# The least share in percent that has to be noticed.
LEAST = 85


def main(nouns: list[str]) -> int:
    nouns = nouns or list(_NOUNS)
    unknown = [noun for noun in nouns if not (REPOSITORY / "plugins" / "module_utils" / noun).is_dir()]
    if unknown:
        say(f"There is no folder plugins/module_utils/{unknown[0]}: name folders there, such as {' '.join(_NOUNS)}.")
        return 2
    _copy_checkout()
    (_COPY / "setup.cfg").write_text(_configuration(nouns))
    for command in ("run", "results", "export-cicd-stats"):
        if code := subprocess.run([sys.executable, "-m", "mutmut", command], cwd=_COPY, check=False).returncode:
            return code
    return _report(json.loads((_COPY / "mutants" / "mutmut-cicd-stats.json").read_text()), nouns)


def _copy_checkout() -> None:
    """What git tracks (and what it would), with the plugins where Python finds them as a part of the collection."""
    shutil.rmtree(_COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = REPOSITORY / name
        if not source.is_file() or name.startswith("collections/"):
            continue
        for target in (_COPY / name, *([_COPY / _PACKAGE / name] if name.startswith("plugins/") else [])):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _configuration(nouns: list[str]) -> str:
    """The settings of mutmut, which takes the first part of a name below src as the module's."""
    files = [
        str(_PACKAGE / path.relative_to(REPOSITORY))
        for noun in nouns
        for path in sorted((REPOSITORY / "plugins" / "module_utils" / noun).glob("*.py"))
        if path.name not in (*_SHELLS, "__init__.py")
    ]
    tests = [*_tests_of(nouns)]
    copied = sorted(path.name for path in _COPY.iterdir() if path.name not in ("src", "tests"))
    lists = {"source_paths": ["src"], "only_mutate": files, "also_copy": copied, "pytest_add_cli_args_test_selection": tests}
    return "[mutmut]\n" + "".join(f"{key}=\n" + "".join(f"    {value}\n" for value in values) for key, values in lists.items())


def _tests_of(nouns: list[str]) -> list[str]:
    unit = REPOSITORY / "tests" / "unit" / "plugins"
    found = [path for noun in nouns for path in (unit / "module_utils" / noun, unit / "modules" / f"test_{noun.strip('_')}.py") if path.exists()]
    return [str(path.relative_to(REPOSITORY)) for path in found]


def _report(stats: dict[str, int], nouns: list[str]) -> int:
    noticed = stats["killed"] + stats.get("timeout", 0)
    share = 100 * noticed / stats["total"] if stats["total"] else 0
    say(f"{', '.join(nouns)}: the tests notice {noticed} of {stats['total']} changes ({share:.1f} %; at least {LEAST} %).")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
