"""Which run proves that a variable of a role has an effect: python -m tests.variables lists them with the tests of the last run.

The proofs are rows of evidence about one large inventory, and tests on the twin that carry the mark variable.
"""

from __future__ import annotations

import ast
import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from generate.declarations import role_variables
from tests.options import walk_options
from tests.results import RESULTS
from twin.commands.rehearsal import REPLACED
from twin.paths import REPOSITORY

_TWIN_TESTS = REPOSITORY / "tests" / "twin"
_FOLDER = _TWIN_TESTS / "variables"
_EVIDENCE = _FOLDER / "evidence"
# The large inventory, what can be named only after its first run, and what excludes some of its values.
COMPLETE, PLACED, OTHERWISE = _FOLDER / "inventories" / "complete", _FOLDER / "placed.yml", _FOLDER / "otherwise.yml"
_PROVED = RESULTS / "variables"


@dataclass(frozen=True)
class Evidence:
    """Where the effect of a variable is seen.

    Attributes:
        of: what is looked at, as tests/twin/variables/state.py names it.
        path: a JMESPath.
        value: what is found there, which the default would not bring about.
        otherwise: whether the run with what excludes values of the large inventory brings it about.
    """

    of: str
    path: str
    value: Any
    otherwise: bool


@functools.cache
def rows_of_evidence() -> dict[str, Evidence]:
    """The row of each variable, in files by role.

    Raises:
        ValueError: a variable has two rows.
    """
    rows: dict[str, Evidence] = {}
    for file in sorted(_EVIDENCE.glob("*.yml")):
        for of, variables in yaml.safe_load(file.read_text()).items():
            for variable, (path, value) in variables.items():
                if variable in rows:
                    raise ValueError(f"{variable} has a second row of evidence in {file.name}.")
                rows[variable] = Evidence(of, path, value, file.stem == "otherwise")
    return rows


def all_variables() -> set[str]:
    """Every variable of every role and every key of every item, such as eks_node_groups[].labels."""
    return {path for variables in role_variables().values() for path, _option in walk_options(variables, of_items="[]")}


def set_variables(*, otherwise: bool) -> set[str]:
    """The variables, and keys of items, that the run sets about which rows of evidence are."""
    files = [OTHERWISE] if otherwise else [*COMPLETE.rglob("*.yml"), PLACED]
    given = [yaml.safe_load(file.read_text()) for file in files]
    found = {path for each in given for name, value in each.items() for path in _given_paths(name, value)}
    return found | (set() if otherwise else set(REPLACED))


def _given_paths(place: str, value: Any) -> Iterator[str]:
    yield place
    items = value if isinstance(value, list) else [value]
    separator = "[]." if isinstance(value, list) else "."
    for item in items:
        for key, below in item.items() if isinstance(item, dict) else ():
            yield from _given_paths(f"{place}{separator}{key}", below)


def marked_variables() -> dict[str, list[str]]:
    """The variables in marks of the tests on the twin, and the files of these tests."""
    marked: dict[str, list[str]] = {}
    for file in sorted(_TWIN_TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.variable":
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        marked.setdefault(str(argument.value), []).append(file.name)
    return marked


def write_proved(stage: str, proved: dict[str, list[str]]) -> None:
    """Keep of which variables the tests of a stage have seen the effect.

    Args:
        stage: its name.
        proved: for each variable, the tests that passed.
    """
    if proved:
        _PROVED.mkdir(parents=True, exist_ok=True)
        (_PROVED / f"{stage}.json").write_text(json.dumps(proved, indent=1, sort_keys=True))


def read_proved() -> dict[str, list[str]]:
    """For each variable, the tests that saw its effect in the last run."""
    together: dict[str, list[str]] = {}
    for path in sorted(_PROVED.glob("*.json")):
        for variable, tests in json.loads(path.read_text()).items():
            together.setdefault(variable, []).extend(tests)
    return together


def main() -> int:
    """Print each variable with the tests that saw its effect in the last make test; 1 if any has none."""
    proved, variables = read_proved(), sorted(all_variables())
    if not proved:
        print("No test on the twin has been run: make test shows which variables have an effect.")
        return 1
    table = Table("Variable", "Its effect was seen by")
    for variable in variables:
        table.add_row(variable, "\n".join(sorted(set(proved.get(variable, ())))) or "-")
    console = Console(highlight=False)
    console.print(table)
    seen = sum(variable in proved for variable in variables)
    console.print(f"{seen} of {len(variables)} variables, {100 * seen // len(variables)} %")
    return 0 if seen == len(variables) else 1


if __name__ == "__main__":
    sys.exit(main())
