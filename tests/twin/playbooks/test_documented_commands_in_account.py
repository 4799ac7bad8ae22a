"""The commands of the documentation that need an AWS account, as a reader types them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documented.shell import copy_checkout, run_step
from tests.documented.ways import IN_ACCOUNT, Step
from tests.stages.twins import environment_for
from tests.twin.support.rehearsed import Rehearsed
from twin.aws import account


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def without_faults(prod: Rehearsed) -> Iterator[None]:
    """No fault is left for other tests if a step fails before it has deleted its own."""
    yield
    prod.control("faults", method="DELETE")


@pytest.mark.usefixtures("without_faults")
@pytest.mark.parametrize("step", IN_ACCOUNT, ids=lambda step: step.commands[0])
def test_a_command_does_in_an_account_what_the_page_tells(prod: Rehearsed, checkout: Path, step: Step) -> None:
    replaced = {"export TWIN=prod": f"export TWIN={prod.name}", "http://127.0.0.1:5555": account.settings_of(prod.name).endpoint}
    run_step(step, checkout, environment_for(prod.name), replaced)
