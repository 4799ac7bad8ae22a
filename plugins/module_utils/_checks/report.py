# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Findings as modules return them, and as the formats that other programs read: SARIF for code scanning, JUnit for CI."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from .._text import format_names, message_line
from .finding import SEVERITIES, Finding

Result = t.Mapping[str, t.Any]

_DOCS = "https://github.com/meshwright/meshwright.ambient/blob/main/docs/findings"
# How many of the affected objects a line names.
_MOST_NAMED = 5
_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def finding_result(finding: Finding, cluster: str, pages: t.Mapping[str, str]) -> dict[str, t.Any]:
    """A finding as a dictionary.

    Args:
        finding: the finding.
        cluster: the name of its cluster.
        pages: the page of the documentation for each code.
    """
    problem = finding.problem
    return {
        "code": finding.code,
        "severity": finding.severity,
        "cluster": cluster,
        "object": problem.object.as_result(),
        "related": [ref.as_result() for ref in problem.related],
        "message": message_line(problem.message),
        "remedy": message_line(problem.remedy),
        "docs": docs_of(finding.code, pages),
    }


def docs_of(code: str, pages: t.Mapping[str, str]) -> str:
    """The URL of the section about a code."""
    return f"{_DOCS}/{pages.get(code, 'README')}.md#{code.lower()}"


def count(findings: t.Iterable[Result]) -> dict[str, int]:
    """How many findings there are of each severity."""
    numbers: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        numbers[finding["severity"]] += 1
    return numbers


def _name_of(ref: t.Mapping[str, str]) -> str:
    """An object of a result, as messages name it."""
    place = "/".join(part for part in (ref["namespace"], ref["name"]) if part)
    return f"{ref['kind']} {place}" if place else ref["kind"]


def to_sarif(findings: t.Sequence[Result]) -> dict[str, t.Any]:
    """Findings of any number of clusters in the Static Analysis Results Interchange Format, 2.1.0."""
    codes = sorted({finding["code"] for finding in findings})
    docs = {finding["code"]: finding["docs"] for finding in findings}
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "meshwright.ambient",
                        "informationUri": "https://github.com/meshwright/meshwright.ambient",
                        "rules": [{"id": code, "helpUri": docs[code]} for code in codes],
                    }
                },
                "results": [_sarif_result(finding) for finding in findings],
            }
        ],
    }


def _sarif_result(finding: Result) -> dict[str, t.Any]:
    name = f"{finding['cluster']}/{_name_of(finding['object'])}"
    return {
        "ruleId": finding["code"],
        "level": _SARIF_LEVELS[finding["severity"]],
        "message": {"text": f"{_name_of(finding['object'])}: {finding['message']}. {finding['remedy']}"},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}],
    }


def to_junit(findings: t.Sequence[Result], clusters: t.Sequence[str]) -> str:
    """Findings as JUnit's XML: one suite for each cluster, one failure for each error or warning; a cluster without any has one test that passed.

    Args:
        findings: the findings.
        clusters: all clusters that were checked.
    """
    root = ElementTree.Element("testsuites", name="meshwright.ambient")
    for cluster in clusters:
        shown = [finding for finding in findings if finding["cluster"] == cluster and finding["severity"] != "info"]
        suite = ElementTree.SubElement(root, "testsuite", name=cluster, tests=str(max(len(shown), 1)), failures=str(len(shown)))
        for finding in shown:
            case = ElementTree.SubElement(suite, "testcase", classname=f"{cluster}.{finding['code']}", name=_name_of(finding["object"]))
            failure = ElementTree.SubElement(case, "failure", type=finding["severity"], message=finding["message"])
            failure.text = f"{finding['message']}. {finding['remedy']}\n{finding['docs']}"
        if not shown:
            ElementTree.SubElement(suite, "testcase", classname=cluster, name="no finding above information")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def to_lines(findings: t.Sequence[Result], least: str = "warning") -> list[str]:
    """One line for each finding that is at least this serious, the most serious first, each with its severity and code."""
    shown = SEVERITIES[: SEVERITIES.index(t.cast("t.Any", least)) + 1]
    return [_line(finding) for severity in shown for finding in findings if finding["severity"] == severity]


def _line(finding: Result) -> str:
    affects = f" It affects {format_names(map(_name_of, finding['related']), _MOST_NAMED)}." if finding["related"] else ""
    sentence = f"{_name_of(finding['object'])}: {finding['message'].rstrip('.')}.{affects} {finding['remedy']}"
    return message_line(f"{finding['severity']} {finding['code']} {sentence}")


__all__ = ("count", "docs_of", "finding_result", "to_junit", "to_lines", "to_sarif")
