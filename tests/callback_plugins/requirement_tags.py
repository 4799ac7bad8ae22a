"""Records how tasks with tags of the form requirement_H1 ended: a tag in a file shows nothing, a task that has passed does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: requirement_tags
type: notification
short_description: Records how tasks that show requirements ended
description: For the tests of this project. Without a file it records nothing.
options:
  record:
    description: The file to which one line of JSON is added for each tag of each task and host.
    type: path
    env: [{name: MESHWRIGHT_REQUIREMENT_RECORD}]
    ini: [{section: callback_requirement_tags, key: record}]
"""

_PREFIX = "requirement_"


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Adds one line for each tag."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "requirement_tags"

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, passed=True)

    # Ignored or not: what has failed has shown nothing.
    def v2_runner_on_failed(self, result: Any, **_options: Any) -> None:
        self._record(result, passed=False)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(result, passed=False)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, passed=False)

    def _record(self, result: Any, *, passed: bool) -> None:
        record = self.get_option("record")
        task = result.task
        lines = [{"requirement": tag.removeprefix(_PREFIX), "task": task.get_name(), "passed": passed} for tag in task.tags if tag.startswith(_PREFIX)]
        if record and lines:
            with Path(record).open("a") as file:
                file.writelines(f"{json.dumps(line)}\n" for line in lines)
