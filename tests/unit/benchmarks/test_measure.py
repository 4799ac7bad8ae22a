from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measure import Peer, PeerFailed, Row, distribution, measure, percentile, reason_of, rounded, turns

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1)


def silent(_line: str) -> None:
    pass


def fixed(name: str, value: float, **more: str | int) -> Peer:
    return Peer(name, lambda: {name: value}, **more)  # type: ignore[arg-type]


def test_every_peer_takes_part_in_every_round_and_begins_as_often() -> None:
    peers = [fixed(name, 1) for name in "abc"]
    order = [(number, peer.name) for number, peer in turns(peers, 6)]
    assert Counter(name for _number, name in order) == {"a": 6, "b": 6, "c": 6}
    first = [next(name for number, name in order if number == each) for each in range(1, 7)]
    assert first == ["a", "b", "c", "a", "b", "c"]


def test_a_peer_with_fewer_rounds_takes_part_in_the_first_ones() -> None:
    peers = [fixed("all", 1), fixed("two", 1, rounds=2)]
    assert [number for number, peer in turns(peers, 5) if peer.name == "two"] == [1, 2]


def test_the_median_of_all_rounds_is_the_figure() -> None:
    values = iter([3.0, 1.0, 2.0])
    row = measure(Row("r", "s", "title", [Peer("ours", lambda: {"ours": next(values), "empty_task": 0.5})]), 3, silent)
    assert row["median"] == {"ours": 2, "empty_task": 0.5}
    assert row["runs"] == {"ours": [3, 1, 2], "empty_task": [0.5, 0.5, 0.5]}


def test_before_each_turn_the_state_is_brought_back() -> None:
    calls: list[str] = []
    peers = [Peer(name, lambda name=name: calls.append(name) or {name: 1}) for name in "ab"]  # type: ignore[misc, func-returns-value]
    measure(Row("r", "s", "title", peers, prepare=lambda: calls.append("prepare"), reset=lambda: calls.append("reset")), 1, silent)
    assert calls == ["prepare", "reset", "a", "reset", "b"]


def test_a_peer_that_fails_is_recorded_with_its_reason_and_the_others_go_on() -> None:
    asked = 0

    def fail() -> dict[str, float]:
        nonlocal asked
        asked += 1
        raise PeerFailed("kubectl ended with 1: no such command")

    row = measure(Row("r", "s", "title", [Peer("kubectl", fail), fixed("ours", 2)]), 5, silent)
    assert row["median"] == {"ours": 2, "kubectl": None}
    assert row["failed"] == {"kubectl": "kubectl ended with 1: no such command"}
    assert len(row["runs"]["ours"]) == 5
    assert asked == 2, "a peer that has failed twice is not asked again"


def test_one_failure_among_good_rounds_leaves_the_figure_and_is_reported() -> None:
    outcomes = iter([1.0, None, 3.0])

    def sometimes() -> dict[str, float]:
        value = next(outcomes)
        if value is None:
            raise TimeoutError("after 600 s 3 objects are still there")
        return {"ours": value}

    row = measure(Row("r", "s", "title", [Peer("ours", sometimes)]), 3, silent)
    assert row["median"] == {"ours": 2}
    assert row["failed"] == {"ours": "TimeoutError: after 600 s 3 objects are still there"}


def test_a_row_that_cannot_be_prepared_is_recorded_and_cleaned() -> None:
    cleaned: list[bool] = []

    def prepare() -> None:
        raise OSError("the disk is full")

    row = measure(Row("r", "s", "title", [fixed("ours", 1)], prepare=prepare, clean=lambda: cleaned.append(True)), 1, silent)
    assert row["failed"] == {"all": "OSError: the disk is full"}
    assert row["median"] == {}
    assert cleaned == [True]


def test_who_cannot_do_it_has_no_figure() -> None:
    row = measure(Row("r", "s", "title", [fixed("ours", 1)], cannot={"istioctl": "no such command"}), 1, silent)
    assert row["median"] == {"ours": 1, "istioctl": None}
    assert row["cannot"] == {"istioctl": "no such command"}


@pytest.mark.parametrize(
    ("share", "value"), [pytest.param(0.5, 50, id="p50"), pytest.param(0.9, 90, id="p90"), pytest.param(0.99, 99, id="p99"), pytest.param(1.0, 100, id="max")]
)
def test_percentiles_of_one_to_hundred(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


@given(VALUES)
def test_percentiles_are_values_that_were_measured_and_never_fall(values: list[float]) -> None:
    seen = [percentile(values, share) for share in (0.0, 0.5, 0.9, 0.99, 1.0)]
    assert seen == sorted(seen)
    assert set(seen) <= set(values)
    assert seen[-1] == max(values)


@given(VALUES)
def test_a_distribution_reports_how_many_events_it_has(values: list[float]) -> None:
    assert distribution(values)["events"] == len(values)


@pytest.mark.parametrize(("value", "reported"), [(0.123456, 0.1235), (12.3456, 12.35), (2.0, 2), (1234.56, 1234.6), (-0.00012345, -0.0001234)])
def test_rounding_keeps_four_digits(value: float, reported: float) -> None:
    assert rounded(value) == reported


def test_a_reason_names_no_place_of_the_machine() -> None:
    reported = reason_of(PeerFailed(f"no file {Path.home()}/.kube/config"))
    assert reported == "no file .../.kube/config"
    assert reason_of(subprocess.TimeoutExpired([str(Path.home())], 60)) == "a process did not end within 60 s"
