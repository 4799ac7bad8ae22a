from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.commands import parse_play
from benchmarks.measure import PeerFailed


def printed(**result: Any) -> str:
    duration = {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T10:00:01.250000Z"}
    task = {"task": {"name": "ours", "duration": duration}, "hosts": {"localhost": result}}
    return json.dumps({"plays": [{"tasks": [task]}]})


def test_a_task_has_its_time_and_result() -> None:
    (task,) = parse_play(printed(changed=True), "", 0)
    assert task.name == "ours"
    assert task.seconds == pytest.approx(1.25)
    assert task.result["changed"] is True


def test_a_warning_before_the_result_is_no_harm() -> None:
    assert len(parse_play("[WARNING]: something\n" + printed(), "", 0)) == 1


def test_a_failed_task_reports_its_message() -> None:
    with pytest.raises(PeerFailed, match="task ours: no such namespace"):
        parse_play(printed(failed=True, msg="no such namespace"), "", 2)


def test_a_failed_item_of_a_loop_reports_its_message() -> None:
    with pytest.raises(PeerFailed, match="task ours: the third was refused"):
        parse_play(printed(failed=True, results=[{"failed": False}, {"failed": True, "msg": "the third was refused"}]), "", 2)


def test_a_process_that_printed_no_play_reports_what_it_said() -> None:
    with pytest.raises(PeerFailed, match="ended with 4: no inventory"):
        parse_play("", "no inventory", 4)
