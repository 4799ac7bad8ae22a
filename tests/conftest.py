"""Keeps which requirements passed tests have shown."""

from __future__ import annotations

import os

import pytest

from tests.results import write_results

_REQUIREMENT = "requirement"
_TEST = "test"


class RequirementRecorder:
    """Counts an id only for tests that ran and passed, in setup, call and teardown.

    The reports bring the ids, because the tests themselves may run in other processes than this one.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._passed: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        names = [str(value) for kind, value in report.user_properties if kind == _TEST]
        identifiers = {str(value) for kind, value in report.user_properties if kind == _REQUIREMENT}
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
        write_results(stage, shown)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.user_properties.append((_TEST, item.nodeid))
    item.user_properties.extend((_REQUIREMENT, str(identifier)) for marker in item.iter_markers("requirement") for identifier in marker.args)


def pytest_configure(config: pytest.Config) -> None:
    # The process that gives out the tests hears of all of them.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RequirementRecorder())
