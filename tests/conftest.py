"""Keeps which requirements passed tests have shown."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.results import write_results


class RequirementRecorder:
    """Counts an id only for tests that ran and passed, in setup, call and teardown."""

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._passed: set[str] = set()
        self._ids: dict[str, list[str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._ids[item.nodeid] = [str(identifier) for marker in item.iter_markers("requirement") for identifier in marker.args]
        if report.failed or report.skipped:
            self._failed.add(item.nodeid)
        elif call.when == "call":
            self._passed.add(item.nodeid)
        return report

    def pytest_sessionfinish(self) -> None:
        stage = os.environ.get("MESHWRIGHT_STAGE")
        if not stage:
            return
        shown: dict[str, list[str]] = {}
        for node in sorted(self._passed - self._failed):
            for identifier in self._ids[node]:
                shown.setdefault(identifier, []).append(node)
        write_results(stage, shown)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RequirementRecorder())
