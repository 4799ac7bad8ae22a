"""Records what each task of a run gave its module and got from it, a line of JSON for each result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorded_tasks
type: aggregate
short_description: Records the arguments and results of tasks
description: For the tests of this project. It runs only if it is enabled.
options:
  path:
    description: The file to which one line of JSON is added for each task and host.
    type: path
    required: true
    env: [{name: RECORDED_TASKS}]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Adds one line for each result of a task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorded_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_failed(self, result: Any, **_options: Any) -> None:
        self._record(result)

    def _record(self, result: Any) -> None:
        given = result.result
        line = {
            "task": result.task.get_name(),
            "module": result.task.resolved_action or result.task.action,
            "arguments": given.get("invocation", {}).get("module_args", {}),
            "changed": bool(given.get("changed")),
            "result": given,
        }
        with Path(self.get_option("path")).open("a") as file:
            file.write(f"{json.dumps(line, default=str)}\n")
