"""Keeps which requirements passed tests have shown, and of which variables they have seen the effect."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.results import write_results
from tests.variables import write_proved

_TEST = "test"
# Each mark whose arguments are kept, and where to.
_KEPT = {"requirement": write_results, "variable": write_proved}


class MarkRecorder:
    """Counts the arguments of a mark only for tests that ran and passed, in setup, call and teardown.

    The reports bring them, because the tests themselves may run in other processes than this one.

    Args:
        mark: its name.
        write: is given the stage, and for each argument the tests that carry it.
    """

    def __init__(self, mark: str, write: Callable[[str, dict[str, list[str]]], None]) -> None:
        self._mark, self._write = mark, write
        self._failed: set[str] = set()
        self._passed: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        names = [str(value) for kind, value in report.user_properties if kind == _TEST]
        identifiers = {str(value) for kind, value in report.user_properties if kind == self._mark}
        if report.failed or report.skipped:
            self._failed.update(names)
        elif report.when == "call":
            self._passed.update((name, identifiers) for name in names)

    def pytest_sessionfinish(self) -> None:
        stage = os.environ.get("MESHWRIGHT_STAGE")
        if not stage:
            return
        shown: dict[str, list[str]] = {}
        for name in sorted(self._passed.keys() - self._failed):
            for identifier in self._passed[name]:
                shown.setdefault(identifier, []).append(name)
        self._write(stage, shown)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.user_properties.append((_TEST, item.nodeid))
    item.user_properties.extend((mark, str(identifier)) for mark in _KEPT for marker in item.iter_markers(mark) for identifier in marker.args)


def pytest_configure(config: pytest.Config) -> None:
    # The process that gives out the tests hears of all of them.
    if not hasattr(config, "workerinput"):
        for mark, write in _KEPT.items():
            config.pluginmanager.register(MarkRecorder(mark, write))
