from __future__ import annotations

from typing import Any

import pytest

from benchmarks.report import BEGIN, END, between_markers, markdown, notes, table

ROW: dict[str, Any] = {
    "name": "enroll-300",
    "unit": "s",
    "title": "300 namespaces enrolled",
    "median": {"ours": 1.0, "kubectl": 0.5, "k8s_loop": 1450.0, "limit": 0.34, "istioctl": None, "empty_task": 0.4},
    "runs": {},
    "extrapolated": {"k8s_loop": "from 20 items"},
    "cannot": {"istioctl": "it has no such command"},
    "failed": {"k8s_list": "it ended with 2"},
    "requests": {"list namespaces": 1, "patch namespaces": 300},
}
RESULTS = {
    "machine": {"cores": 2, "cpu": "A processor", "memory_gib": 24, "versions": {"Python": "3.11.7"}, "date": "2026-01-01"},
    "rounds": 5,
    "seconds": 1500,
    "rows": [ROW],
}


def test_a_row_of_the_table_has_figures_and_ratios_against_ours() -> None:
    assert table([ROW]).splitlines()[-1] == "| 300 namespaces enrolled | **1 s** | 0.34 s (0.34x) | 0.5 s (0.5x) | - | - | ~1,450 s (1,450x) |"


def test_without_a_figure_of_ours_there_are_no_ratios() -> None:
    row = {**ROW, "median": {"ours": None, "kubectl": 0.5}}
    assert table([row]).splitlines()[-1] == "| 300 namespaces enrolled | - | - | 0.5 s | - | - | - |"


def test_notes_report_what_the_table_cannot() -> None:
    reported = notes([ROW])
    for message in ("from 20 items", "kubernetes.core, one list failed: it ended with 2", "istioctl: it has no such command", "0.4 s", "300 patch namespaces"):
        assert message in reported


def test_a_page_says_machine_rounds_and_figures_to_reach() -> None:
    page = markdown(RESULTS)
    assert page.startswith("2 cores (A processor), 24 GiB; Python 3.11.7. 2026-01-01, 5 rounds, 25 minutes.")
    assert "| 300 namespaces: at least 100x faster than kubernetes.core.k8s in a loop | 1450x | met |" in page
    assert "not measured" in page


def test_only_what_is_between_the_markers_is_replaced() -> None:
    page = f"# Title\n\n{BEGIN}\nold\n{END}\nend\n"
    once = between_markers(page, "new")
    assert once == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\nend\n"
    assert between_markers(once, "new") == once


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        between_markers("# Title\n", "new")
