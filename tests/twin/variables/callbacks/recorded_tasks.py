"""Writes what each task of a run gave its module, a line of JSON for each result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: recorded_tasks
type: aggregate
short_description: Records the arguments of tasks
description: Appends the task, the host and the module's arguments to a file, for tests.
options:
  path:
    description: The file.
    type: path
    required: true
    env: [{name: RECORDED_TASKS}]
"""


class CallbackModule(CallbackBase):
    """A line for each result of a task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorded_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ARG002
        self._record(result)

    def _record(self, result: Any) -> None:
        given = result._result.get("invocation", {}).get("module_args", {})
        line = {"host": result._host.get_name(), "task": result._task.get_name(), "arguments": given}
        with Path(self.get_option("path")).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
