"""Every variable of every role has a run on a twin that would fail if it had no effect."""

from __future__ import annotations

import jmespath
import pytest

from tests.variables import all_variables, marked_variables, rows_of_evidence, set_variables


def test_every_variable_has_a_row_of_evidence_or_a_marked_test() -> None:
    lacking = sorted(all_variables() - set(rows_of_evidence()) - set(marked_variables()))
    assert not lacking, f"no run on a twin shows the effect of: {', '.join(lacking)}"


def test_evidence_and_marks_name_variables_that_exist() -> None:
    unknown = sorted((set(rows_of_evidence()) | set(marked_variables())) - all_variables())
    assert not unknown, f"no role has: {', '.join(unknown)}"


@pytest.mark.parametrize("otherwise", [False, True])
def test_the_run_that_evidence_is_about_sets_the_variable(otherwise: bool) -> None:
    rows = {variable for variable, row in rows_of_evidence().items() if row.otherwise == otherwise}
    unset = sorted(rows - set_variables(otherwise=otherwise))
    assert not unset, f"the effect of a default is no evidence for: {', '.join(unset)}"


@pytest.mark.parametrize("variable", sorted(rows_of_evidence()))
def test_a_row_of_evidence_has_a_path_that_can_be_read(variable: str) -> None:
    jmespath.compile(rows_of_evidence()[variable].path)
