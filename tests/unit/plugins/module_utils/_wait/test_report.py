from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.report import format_failure, format_progress, format_result, open_report
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.wait import Outcome, Report

WAYPOINT = Target("waypoint", "waypoint", "shop")
ISTIOD = Target("Deployment", "istiod", "istio-system")
CLUSTER_WIDE = Target("CustomResourceDefinition", "gateways.gateway.networking.k8s.io")
CURRENT = Verdict("Current", message="1 of 1 pods are available")
LESS = Verdict("InProgress", "LessAvailable", "0 of 1 pods are available", "Look at its pods.", "2026-11-20T23:14:49Z")
FAILED = Verdict("Failed", "UnsupportedAddress", "only names are supported.", "Take the address out.", final=True)
PATIENCE = 10.0

# the end


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        pytest.param(
            Outcome(((ISTIOD, CURRENT), (WAYPOINT, LESS)), 61.4),
            "1 of 2 targets are not ready on cluster prod after 61 s.\n"
            "- waypoint shop/waypoint: InProgress (LessAvailable, since 2026-11-20T23:14:49Z): 0 of 1 pods are available. Look at its pods.",
            id="one-of-two",
        ),
        pytest.param(
            Outcome(((WAYPOINT, FAILED), (CLUSTER_WIDE, Verdict("NotFound", "NotFound", "it does not exist"))), 0.2),
            "2 of 2 targets are not ready on cluster prod after 0 s.\n"
            "- waypoint shop/waypoint: Failed (UnsupportedAddress): only names are supported. Take the address out. It will not become ready by waiting.\n"
            "- CustomResourceDefinition gateways.gateway.networking.k8s.io: NotFound (NotFound): it does not exist.",
            id="all-without-hope-without-remedy",
        ),
        pytest.param(
            Outcome(((WAYPOINT, CURRENT),), 20.0, held=4.25),
            "All targets are ready on cluster prod, but have been so only for 4.2 s instead of 30 s: "
            "increase the timeout, or find out why they become ready and unready again.",
            id="not-held-long-enough",
        ),
        pytest.param(
            Outcome(((WAYPOINT, LESS),), 20.0, held=4.25),
            "1 of 1 targets are not ready on cluster prod after 20 s.\n"
            "- waypoint shop/waypoint: InProgress (LessAvailable, since 2026-11-20T23:14:49Z): 0 of 1 pods are available. Look at its pods.",
            id="a-laggard-says-more-than-the-time",
        ),
    ],
)
def test_failure_message(outcome: Outcome, message: str) -> None:
    assert format_failure(outcome, "prod", 30) == message


def test_what_is_probably_not_meant_is_a_warning_of_the_module() -> None:
    warned = Verdict("Current", message="1 ServiceEntries are bound", warning="no traffic is sent to the waypoint for banks.")
    result = format_result(Outcome(((WAYPOINT, warned), (ISTIOD, CURRENT)), 0.1))
    assert result["warnings"] == ["waypoint shop/waypoint: no traffic is sent to the waypoint for banks."]
    assert "warnings" not in format_result(Outcome(((ISTIOD, CURRENT),), 0.1))


def test_a_result_has_every_target_in_their_order() -> None:
    address = Verdict("Current", message="programmed", details={"address": "10.0.0.82"})
    found = format_result(Outcome(((WAYPOINT, address), (CLUSTER_WIDE, FAILED), (WAYPOINT, LESS)), 1.23456))
    assert found["elapsed"] == 1.235
    assert [(one["kind"], one["status"]) for one in found["targets"]] == [
        ("waypoint", "Current"),
        ("CustomResourceDefinition", "Failed"),
        ("waypoint", "InProgress"),
    ]
    assert found["targets"][0] == {
        "kind": "waypoint",
        "name": "waypoint",
        "namespace": "shop",
        "status": "Current",
        "reason": "",
        "message": "programmed",
        "remedy": "",
        "since": "",
        "details": {"address": "10.0.0.82"},
    }
    assert (found["targets"][1]["namespace"], found["targets"][1]["details"]) == ("", {})
    assert (found["targets"][2]["since"], found["targets"][2]["remedy"]) == (LESS.since, LESS.remedy)


# while it lasts


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        pytest.param([(WAYPOINT, CURRENT)], "12.3 s, 4 of 5 ready: waypoint shop/waypoint is Current", id="good-news"),
        pytest.param(
            [(WAYPOINT, LESS)], "12.3 s, 4 of 5 ready: waypoint shop/waypoint is InProgress (LessAvailable): 0 of 1 pods are available", id="what-is-missing"
        ),
        pytest.param(
            [(ISTIOD, CURRENT), (WAYPOINT, FAILED)],
            "12.3 s, 4 of 5 ready: waypoint shop/waypoint is Failed (UnsupportedAddress): only names are supported.; Deployment istio-system/istiod is Current",
            id="what-is-missing-comes-first",
        ),
        pytest.param(
            [(WAYPOINT, Verdict("InProgress", "Odd", "first line\nsecond line"))],
            "12.3 s, 4 of 5 ready: waypoint shop/waypoint is InProgress (Odd): first line second line",
            id="one-line-whatever-the-message",
        ),
    ],
)
def test_progress_line(changed: list[tuple[Target, Verdict]], line: str) -> None:
    assert format_progress(12.34, changed, 4, 5) == line


@pytest.mark.parametrize(("number", "named", "more"), [(3, 3, ""), (4, 3, "; and 1 more"), (300, 3, "; and 297 more")])
def test_a_line_of_progress_stays_short(number: int, named: int, more: str) -> None:
    line = format_progress(1.0, [(Target("Deployment", f"d{index}", "a"), CURRENT) for index in range(number)], number, number)
    assert line.count("is Current") == named
    assert line.endswith(f"is Current{more}")


def _report(path: Path | str | None, lines: int = 1, message: str = "") -> None:
    with open_report(str(path) if path else None) as report:
        assert report
        for _ in range(lines):
            report(1.0, [(WAYPOINT, Verdict("InProgress", "Odd", message))], 0, 1)


LINE = "1.0 s, 0 of 1 ready: waypoint shop/waypoint is InProgress (Odd):\n"


def test_progress_goes_to_the_end_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.write_text("before\n")
    with open_report(str(path)) as report:
        assert report
        report(1.0, [(WAYPOINT, Verdict("InProgress", "Odd"))], 0, 1)
        assert path.read_text() == f"before\n{LINE}", "a line is there as soon as it is reported"


def test_progress_may_be_reported_in_any_script(tmp_path: Path) -> None:
    _report(tmp_path / "progress", message="준비되지 않음")
    assert "준비되지 않음" in (tmp_path / "progress").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [pytest.param(None, id="none"), pytest.param("", id="empty"), pytest.param("missing/progress", id="no-such-directory")])
def test_where_nothing_can_be_reported_the_wait_goes_on(path: str | None, tmp_path: Path) -> None:
    with open_report(str(tmp_path / path) if path else path) as report:
        assert report is None


def _within(seconds: float, do: Callable[[], object], rescue: Callable[[], object]) -> bool:
    """Whether something ends in time; if not, the rescue lets it end."""
    worker = threading.Thread(target=do, daemon=True)
    worker.start()
    worker.join(seconds)
    ended = not worker.is_alive()
    if not ended:
        rescue()
        worker.join(PATIENCE)
    return ended


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_progress_goes_to_who_reads_a_pipe(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        _report(pipe)
        assert os.read(reader, 1000).decode() == LINE
    finally:
        os.close(reader)


def test_a_pipe_that_nobody_has_opened_does_not_hold_the_wait_up(pipe: Path) -> None:
    def use() -> None:
        with open_report(str(pipe)) as report:
            if report:
                report(1.0, [], 0, 1)

    assert _within(1.0, use, lambda: os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)), "the wait hangs in opening the pipe"


def test_a_pipe_that_nobody_empties_does_not_hold_the_wait_up(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    stop = threading.Event()

    def empty() -> None:
        stop.set()
        with contextlib.suppress(BlockingIOError):
            while os.read(reader, 1 << 20):
                pass

    def use() -> None:
        with open_report(str(pipe)) as report:
            assert report
            for _ in range(100):
                if stop.is_set():
                    return
                report(1.0, [(WAYPOINT, Verdict("InProgress", "Odd", "x" * 4000))], 0, 1)

    try:
        assert _within(1.0, use, empty), "the wait hangs in telling its progress"
    finally:
        os.close(reader)


def test_a_reader_that_has_gone_does_not_end_the_wait(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open_report(str(pipe)) as report:
        assert report
        os.close(reader)
        for _ in range(3):
            report(1.0, [(WAYPOINT, CURRENT)], 1, 1)


def test_what_fails_in_the_wait_is_not_swallowed(tmp_path: Path) -> None:
    def fail(report: Report | None) -> None:
        assert report
        raise OSError("the wait itself has failed")

    with pytest.raises(OSError, match="the wait itself has failed"), open_report(str(tmp_path / "progress")) as report:
        fail(report)
