"""Every command of the documentation runs in a test, or is listed with the reason, and names only what exists."""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from generate.declarations import role_variables
from tests.documented.commands import OTHER, SHELL, Command, all_commands
from tests.documented.shell import copy_checkout, run_step
from tests.documented.static import find_errors
from tests.documented.ways import ALONE, ELSEWHERE, IN_ACCOUNT, INCLUDED, NOT_RUN, ON_MESH, Step, commands_that_run
from tests.pages import Page, all_pages
from twin.paths import REPOSITORY

COMMANDS = all_commands()
_TEXTS = sorted({command.text for command in COMMANDS})


def test_every_block_is_of_a_known_language() -> None:
    """A block of the shell under another name would not be found."""
    pages = [shown for shown in all_pages() if shown.path.parent.name != "docsite"]
    unknown = [(shown.name, language) for shown in pages for language, _text in shown.blocks if language not in (SHELL, *OTHER)]
    assert unknown == []
    prompts = [shown.name for shown in pages for language, text in shown.blocks if language in OTHER and re.search(r"^\$ ", text, re.M)]
    assert prompts == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {command.text}")
def test_a_command_runs_or_is_listed_with_the_reason(command: Command) -> None:
    ways = [command.text in commands_that_run(), command.text in INCLUDED, command.text in ELSEWHERE, command.text in NOT_RUN]
    assert sum(ways) == 1, (
        f"{command.page} shows {command.text!r}, which {'stands in more than one list' if any(ways) else 'runs in no test'}: see tests/documented/ways.py"
    )


def test_lists_have_only_commands_of_the_documentation() -> None:
    unknown = (commands_that_run() | INCLUDED.keys() | ELSEWHERE.keys() | NOT_RUN.keys()) - set(_TEXTS)
    assert not unknown, f"tests/documented/ways.py has commands that no page shows: {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("text", INCLUDED)
def test_a_command_that_is_a_part_of_another_one_has_only_fewer_options(text: str) -> None:
    whole, part = INCLUDED[text].split(), text.split()
    assert INCLUDED[text] in commands_that_run()
    assert part == [word for word in whole if word in part], f"{text} is not a part of {INCLUDED[text]}"
    # Check mode does something else.
    assert "--check" not in set(whole) - set(part)


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_run_other_commands_exist(place: str) -> None:
    file, _, name = place.partition("::")
    functions = {node.name for node in ast.walk(ast.parse((REPOSITORY / file).read_text())) if isinstance(node, ast.FunctionDef)}
    assert name in functions, f"{file} has no {name}"


@pytest.mark.parametrize("text", _TEXTS)
def test_a_command_names_only_what_exists(text: str) -> None:
    pages = ", ".join(sorted({command.page for command in COMMANDS if command.text == text}))
    errors = list(find_errors(text))
    assert not errors, f"{pages} shows {text!r}: {'; '.join(errors)}"


# Programs whose commands stand in sentences, too.
_INLINE = re.compile(r"(make|ansible-playbook (\S+\.yml|meshwright\.\S+)|ansible-doc|python -m (twin|tests)|\.venv/bin/\S+)( [^<…]*)?")


def _inline(shown: Page) -> list[str]:
    return [word for word in shown.words_in_code if _INLINE.fullmatch(word)]


@pytest.mark.parametrize("shown", [shown for shown in all_pages() if _inline(shown)], ids=lambda shown: shown.name)
def test_a_command_in_a_sentence_names_only_what_exists(shown: Page) -> None:
    errors = [f"{word!r}: {error}" for word in _inline(shown) for error in find_errors(word)]
    assert not errors, f"{shown.name}: {'; '.join(errors)}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("make twin-upp", "there is no target twin-upp"),
        ("make demo TWINN=a", "the Makefile does not read TWINN"),
        ("TWIN=Docs make twin-up", "cannot be called 'Docs'"),
        ("TWINN=docs make twin-up", "nothing reads the variable TWINN"),
        ('eval "$(make -s twin-envs)"', "there is no target twin-envs"),
        ("make rehearse INVENTORY=inventories/production", "there is no inventory inventories/production"),
        ('make rehearse INVENTORY=inventories/prod ARGUMENTS="--tags istioo"', "site.yml has no tag istioo"),
        ("ansible-playbook sites.yml -i inventories/sandbox", "there is no playbook sites.yml"),
        ("ansible-playbook meshwright.ambient.verifi -i inventories/sandbox", "there is no playbook meshwright.ambient.verifi"),
        ("ansible-playbook site.yml -i inventories/sandboxes", "there is no inventory inventories/sandboxes"),
        ("ansible-playbook site.yml -i inventories/sandbox --chek", "unrecognized arguments: --chek"),
        ("ansible-playbook site.yml -i inventories/sandbox --limit prod", "inventories/sandbox has no host prod"),
        ("ansible-playbook site.yml -i inventories/sandbox -e mesh_detatch=true", "no role has the variable mesh_detatch"),
        ("ansible-doc meshwright.ambient.reedy", "there is no module meshwright.ambient.reedy"),
        ("ansible-doc -t role meshwright.ambient.meshes", "there is no role meshwright.ambient.meshes"),
        ("ansible localhost -m amazon.aws.caller", "there is no module amazon.aws.caller"),
        ("cd ~ && ansible-galaxy collection install .cache/build/meshwright-ambient-0.0.9.tar.gz", "make build writes no"),
        ("ansible-galaxy collection instal x", "invalid choice: 'instal'"),
        ("python -m twin proces stop istiod", "invalid choice: 'proces'"),
        ("python -m twin process halt istiod", "invalid choice: 'halt'"),
        ("python -m twins up", "there is no program twins"),
        (".venv/bin/python -m tests yamlint", "there is no stage yamlint"),
        (".venv/bin/python -m tests.soak --minute 5 --sed 7", "unrecognized arguments: --sed 7"),
        (".venv/bin/pytest tests/twin/fault", "there is no tests/twin/fault"),
        ("kubctl get nodes", "there is no program kubctl"),
    ],
)
def test_what_does_not_exist_is_found(line: str, problem: str) -> None:
    assert problem in "; ".join(find_errors(line))


def test_versions_in_commands_are_those_of_the_inventory() -> None:
    default = role_variables()["istio"]["istio_version"]["default"]
    shown = Counter(found for text in _TEXTS for found in re.findall(r"istio-release\S+ --version (\S+)", text))
    assert set(shown) == {default}
    charts = {found[1] for text in _TEXTS if (found := re.match(r"helm pull (\S+)", text))}
    assert charts == {"base", "istiod", "cni", "ztunnel"}
    assert yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"] in " ".join(_TEXTS)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("reader"))


@pytest.mark.parametrize("step", ALONE, ids=lambda step: step.commands[0])
def test_a_command_does_what_the_page_tells(checkout: Path, step: Step) -> None:
    run_step(step, checkout, os.environ, {})


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (Step(("echo changed=0", "echo changed=2", "echo changed=0"), unchanged=True), "the playbooks changed 0, 2, 0"),
        (Step(("echo changed=10",), unchanged=True), "the playbooks changed 10"),
        (Step(("echo done",), unchanged=True), "the playbooks changed nothing that is shown"),
        (Step(("echo done",), shows="ready"), "'ready' is not in the output"),
        (Step(("echo [1]", "echo [1,2]"), shows="1", ends="[]"), "does not end with '[]'"),
        (Step(("true",), ends="[]"), "does not end with '[]'"),
        (Step(("echo done",), code=2), "exit code 0"),
        (Step(("false", "echo done")), "exit code 1"),
    ],
    ids=["one-of-three-changes", "changes", "no-playbook", "shows-something-else", "ends-otherwise", "shows-nothing", "succeeds", "fails"],
)
def test_a_step_fails_if_the_page_is_not_right(checkout: Path, step: Step, problem: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(problem)):
        run_step(step, checkout, os.environ, {})


@pytest.mark.parametrize(
    "step",
    [Step(("echo changed=0", "echo changed=0"), unchanged=True), Step(("echo [1]", "echo []"), shows="1", ends="[]")],
    ids=["changes-nothing", "ends-empty"],
)
def test_a_step_passes_if_the_page_is_right(checkout: Path, step: Step) -> None:
    run_step(step, checkout, os.environ, {})


def test_a_step_is_skipped_if_the_machine_lacks_its_program(checkout: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="uses no-such-program"):
        run_step(Step(("no-such-program",), needs="no-such-program"), checkout, os.environ, {})


@pytest.mark.parametrize("step", [step for steps in (ALONE, ON_MESH, IN_ACCOUNT) for step in steps], ids=lambda step: step.commands[0])
def test_a_step_with_curl_needs_it(step: Step) -> None:
    assert (step.needs == "curl") == any("curl " in command for command in step.commands)
