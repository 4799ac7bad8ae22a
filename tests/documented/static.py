"""What a command names, looked up without running it: programs and their options, playbooks, inventories, targets, tags, variables, modules and files."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import yaml
from ansible.cli.adhoc import AdHocCLI
from ansible.cli.doc import DocCLI
from ansible.cli.galaxy import GalaxyCLI
from ansible.cli.playbook import PlaybookCLI

from generate.declarations import role_variables
from tests.__main__ import STAGES
from tests.soak.__main__ import parser as soak_parser
from tests.unit.module_arguments import documented
from twin.__main__ import parser as twin_parser
from twin.errors import TwinError
from twin.paths import REPOSITORY, TwinPaths

# These inventories are made by the reader, on the page that names them.
READERS = {"inventories/mine", "inventories/there", "inventory.yml"}
_PREFIX = "meshwright.ambient."
# Programs of others, and of the shell, whose options only a run can try.
_OTHERS = {".", "cd", "command", "cp", "curl", "eval", "export", "helm", "istioctl", "kubectl", "mktemp", "mv", "terraform", "unset"}
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.S)
_INNER = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")


def find_errors(line: str) -> Iterator[str]:
    """One sentence for each thing in a line of the shell that does not exist."""
    for inner in _INNER.findall(line):
        yield from find_errors(inner)
    # What another command gives is not known.
    outer = _INNER.sub("given", line)
    for words in _split(outer):
        while words and (found := _ASSIGNMENT.fullmatch(words[0])):
            yield from _find_variable_errors(found[1], found[2])
            words = words[1:]
        if words:
            yield from _find_command_errors(words)


def _split(line: str) -> Iterator[list[str]]:
    """The words of each command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("&;|"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _find_command_errors(words: list[str]) -> Iterator[str]:
    program, *arguments = words
    name = program.removeprefix(".venv/bin/")
    if name == "python" and arguments[:1] == ["-m"]:
        check = _PYTHON.get(arguments[1])
        yield from [f"there is no program {arguments[1]}"] if check is None else check(arguments[2:])
    elif name in _CHECKS:
        yield from _CHECKS[name](arguments)
    elif name in ("export", "unset"):
        for argument in arguments:
            found = _ASSIGNMENT.fullmatch(argument)
            yield from _find_variable_errors(found[1] if found else argument, found[2] if found else "")
    elif name not in _OTHERS and name != "python":
        yield f"there is no program {program}"


def _find_variable_errors(name: str, value: str) -> Iterator[str]:
    known = {"TWIN", "MESHWRIGHT_PROD_ACCOUNT", "checkout"}
    if name not in known and not name.startswith("AWS_"):
        yield f"nothing reads the variable {name} of the environment"
    if name == "TWIN" and value:
        yield from _find_name_errors(value)


def _find_name_errors(name: str) -> Iterator[str]:
    try:
        _ = TwinPaths(name).home
    except TwinError as error:
        yield str(error)


def _find_make_errors(arguments: list[str]) -> Iterator[str]:
    makefile = (REPOSITORY / "Makefile").read_text()
    for argument in arguments:
        if found := _ASSIGNMENT.fullmatch(argument):
            if not re.search(rf"\$\((?:or \$\(|addprefix [^$]*\$\()?{found[1]}\b", makefile):
                yield f"the Makefile does not read {found[1]}"
            if found[1] == "INVENTORY":
                yield from _find_inventory_errors(found[2])
            if found[1] == "ARGUMENTS":
                yield from _find_playbook_errors(["site.yml", *shlex.split(found[2])])
        elif not argument.startswith("-") and not re.search(rf"^{re.escape(argument)}:", makefile, re.M):
            yield f"there is no target {argument}"
    yield from _find_dry_run_errors(tuple(arguments))


@cache
def _find_dry_run_errors(arguments: tuple[str, ...]) -> list[str]:
    # Otherwise make looks for a Python each time.
    command = ["make", "--dry-run", "PYTHON=python3", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    return [done.stderr.strip()] if done.returncode else []


def _find_playbook_errors(arguments: list[str]) -> Iterator[str]:
    try:
        given = _parsed(PlaybookCLI, arguments)
    except ValueError as error:
        yield str(error)
        return
    yield from (f"there is no playbook {name}" for name in given.args if not _is_playbook(name))
    yield from (error for inventory in given.inventory or () for error in _find_inventory_errors(inventory))
    for option in (*(given.tags or ()), *(given.skip_tags or ())):
        yield from (f"site.yml has no tag {tag}" for tag in option.split(",") if tag not in _tags())
    yield from _find_extra_errors(given.extra_vars or ())
    if given.subset and given.inventory:
        yield from _find_host_errors(given.subset, given.inventory)


def _find_extra_errors(extra: Any) -> Iterator[str]:
    known = {name for variables in role_variables().values() for name in variables}
    for text in extra:
        if not text.startswith("@"):
            names = yaml.safe_load(text) if text.startswith("{") else [word.partition("=")[0] for word in shlex.split(text)]
            yield from (f"no role has the variable {name}" for name in names if name not in known and not name.startswith("ansible_"))


def _find_host_errors(limit: str, inventories: list[str]) -> Iterator[str]:
    for inventory in inventories:
        hosts = REPOSITORY / inventory / "hosts.yml"
        if hosts.exists() and limit not in yaml.safe_load(hosts.read_text())["clusters"]["hosts"]:
            yield f"{inventory} has no host {limit}"


def _find_inventory_errors(name: str) -> Iterator[str]:
    own = name.removeprefix("$checkout/").strip("\"'")
    if own not in READERS and not (REPOSITORY / own).is_dir():
        yield f"there is no inventory {name}"


def _find_doc_errors(arguments: list[str]) -> Iterator[str]:
    given = _parsed(DocCLI, arguments)
    place = {"module": "plugins/modules/{}.py", "role": "roles/{}", "lookup": "plugins/lookup/{}.py", "filter": "plugins/filter/{}.yml"}[given.type]
    for name in given.args:
        if not (REPOSITORY / place.format(name.removeprefix(_PREFIX))).exists():
            yield f"there is no {given.type} {name}"


def _find_adhoc_errors(arguments: list[str]) -> Iterator[str]:
    given = _parsed(AdHocCLI, arguments)
    if given.module_name not in documented(frozenset({given.module_name})):
        yield f"there is no module {given.module_name}"
    yield from _find_extra_errors(given.extra_vars or ())


def _find_galaxy_errors(arguments: list[str]) -> Iterator[str]:
    try:
        given = _parsed(GalaxyCLI, arguments)
    except ValueError as error:
        yield str(error)
        return
    galaxy = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())
    tarball = f"{galaxy['namespace']}-{galaxy['name']}-{galaxy['version']}.tar.gz"
    yield from (f"make build writes no {name}" for name in given.args if name.endswith(".tar.gz") and not name.endswith(f"/.cache/build/{tarball}"))


def _find_pytest_errors(arguments: list[str]) -> Iterator[str]:
    yield from (f"there is no {name}" for name in arguments if not name.startswith("-") and not (REPOSITORY / name).exists())


def _find_stage_errors(arguments: list[str]) -> Iterator[str]:
    yield from (f"there is no stage {name}" for name in arguments if name not in {stage.name for stage in STAGES})


def _find_twin_errors(arguments: list[str]) -> Iterator[str]:
    try:
        given = _quietly(lambda: twin_parser().parse_args(arguments))
    except ValueError as error:
        yield str(error)
        return
    yield from _find_name_errors(given.name)
    if "inventory" in given:
        yield from _find_inventory_errors(given.inventory)
        yield from _find_playbook_errors(["site.yml", *given.arguments])


def _find_soak_errors(arguments: list[str]) -> Iterator[str]:
    try:
        _quietly(lambda: soak_parser().parse_args(arguments))
    except ValueError as error:
        yield str(error)


def _parsed(cli: Any, arguments: list[str]) -> argparse.Namespace:
    """The arguments of one of Ansible's programs.

    Raises:
        ValueError: it would not take them.
    """
    program = cli(["ansible", *arguments])
    _quietly(program.init_parser)
    given: argparse.Namespace = _quietly(lambda: program.parser.parse_args(program.args[1:]))
    return given


def _quietly(parse: Callable[[], Any]) -> Any:
    """What a parser of arguments gives.

    Raises:
        ValueError: it would end the program, with its own words.
    """
    words = io.StringIO()
    try:
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
            return parse()
    except SystemExit as error:
        raise ValueError(words.getvalue().strip()) from error


def _is_playbook(name: str) -> bool:
    if name.startswith(_PREFIX):
        return (REPOSITORY / "playbooks" / f"{name.removeprefix(_PREFIX)}.yml").exists()
    return (REPOSITORY / name).exists()


@cache
def _tags() -> frozenset[str]:
    return frozenset(re.findall(r"tags: \[(\w+)\]", (REPOSITORY / "playbooks" / "site.yml").read_text()))


_CHECKS: dict[str, Callable[[list[str]], Iterator[str]]] = {
    "ansible": _find_adhoc_errors,
    "ansible-doc": _find_doc_errors,
    "ansible-galaxy": _find_galaxy_errors,
    "ansible-playbook": _find_playbook_errors,
    "make": _find_make_errors,
    "pytest": _find_pytest_errors,
}
_PYTHON: dict[str, Callable[[list[str]], Iterator[str]]] = {"tests": _find_stage_errors, "tests.soak": _find_soak_errors, "twin": _find_twin_errors}
