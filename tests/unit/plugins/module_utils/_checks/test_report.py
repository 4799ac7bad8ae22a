from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.finding import Finding, ObjectRef, Problem, Severity
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.report import count, finding_result, to_junit, to_lines, to_sarif

HOSTILE = ObjectRef("Service", "shop", "<b>&\x1b[31m\u202e")


def result(code: str, severity: Severity = "error", at: ObjectRef = HOSTILE, related: tuple[ObjectRef, ...] = ()) -> dict[str, Any]:
    return finding_result(Finding(code, severity, Problem(at, "is wrong, and <script>", "Mend it.", related)), "prod", {code: "bindings"})


def test_a_finding_has_the_form_that_is_documented() -> None:
    assert result("MW5101", at=ObjectRef("Namespace", "", "shop"), related=(ObjectRef("Service", "shop", "cart"),)) == {
        "code": "MW5101",
        "severity": "error",
        "cluster": "prod",
        "object": {"kind": "Namespace", "namespace": "", "name": "shop"},
        "related": [{"kind": "Service", "namespace": "shop", "name": "cart"}],
        "message": "is wrong, and <script>",
        "remedy": "Mend it.",
        "docs": "https://github.com/meshwright/meshwright.ambient/blob/main/docs/findings/bindings.md#mw5101",
    }


FINDINGS = [result("MW2", "info"), result("MW1"), result("MW3", "warning")]


def suites_of(findings: list[dict[str, Any]], *clusters: str) -> list[tuple[str | None, ...]]:
    root = ElementTree.fromstring(to_junit(findings, clusters))  # noqa: S314 - made a line above
    return [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root]


def test_junit_has_errors_and_warnings_as_failures_and_a_test_that_passed_for_a_cluster_without() -> None:
    assert suites_of(FINDINGS, "prod", "fine") == [("prod", "2", "2"), ("fine", "1", "0")]


def test_documents_hold_nothing_that_a_terminal_obeys() -> None:
    for text in (to_junit(FINDINGS, ["prod"]), json.dumps(to_sarif(FINDINGS), ensure_ascii=False)):
        assert not {"\x1b", "\u202e"} & set(text)


def test_sarif_names_each_rule_once_and_the_level_of_each_result() -> None:
    (run,) = to_sarif([*FINDINGS, result("MW1")])["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["MW1", "MW2", "MW3"]
    assert [one["level"] for one in run["results"]] == ["note", "error", "warning", "error"]


@pytest.mark.parametrize(("least", "codes"), [("error", ["MW1"]), ("warning", ["MW1", "MW2"]), ("info", ["MW1", "MW2", "MW3"])])
def test_lines_begin_with_the_most_serious(least: str, codes: list[str]) -> None:
    findings = [result("MW3", "info"), result("MW1"), result("MW2", "warning")]
    assert [line.split()[1] for line in to_lines(findings, least)] == codes


def test_a_line_names_five_of_many_objects() -> None:
    related = tuple(ObjectRef("Pod", "shop", f"p{number}") for number in range(7))
    (line,) = to_lines([result("MW1", at=ObjectRef("Namespace", "", "shop"), related=related)])
    affected = "Pod shop/p0, Pod shop/p1, Pod shop/p2, Pod shop/p3, Pod shop/p4 and 2 more"
    assert line == f"error MW1 Namespace shop: is wrong, and <script>. It affects {affected}. Mend it."


def test_a_line_is_one_whatever_the_objects_are_called() -> None:
    (line,) = to_lines([result("MW1", at=ObjectRef("Service", "shop", "a\x1b[31mb\n"))])
    assert line == "error MW1 Service shop/a\N{REPLACEMENT CHARACTER}[31mb: is wrong, and <script>. Mend it."


def test_findings_are_counted() -> None:
    assert count([result("MW1"), result("MW2", "info"), result("MW3", "info")]) == {"error": 1, "warning": 0, "info": 2}
