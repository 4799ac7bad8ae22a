"""Waits for AWS: when they look, when they end, what they tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import AwsError
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.waiting import Look, wait_until
from tests.unit.aws_stub import Clock


def looks(*states: str | AwsError) -> Callable[[], Look]:
    left = list(states)

    def look() -> Look:
        state = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(state, AwsError):
            raise state
        return Look(state == "ACTIVE", state, state.lower())

    return look


def throttled() -> AwsError:
    return AwsError("throttled", code="ThrottlingException", operation="eks:DescribeCluster")


def test_it_ends_with_the_look_that_is_done() -> None:
    clock = Clock()
    seen = wait_until(looks("CREATING", "CREATING", "ACTIVE"), timeout=60, clock=clock, pause=clock.pause)
    assert seen == Look(True, "ACTIVE", "active")
    assert clock.pauses == pytest.approx([0.5, 0.8])


def test_pauses_grow_up_to_their_limit_and_the_last_look_is_at_the_deadline() -> None:
    clock = Clock()
    seen = wait_until(looks("CREATING"), timeout=20, every=3, clock=clock, pause=clock.pause)
    assert not seen.done
    assert max(clock.pauses) == 3
    assert clock.now == pytest.approx(20)


def test_a_timeout_of_nothing_looks_once() -> None:
    clock = Clock()
    assert wait_until(looks("CREATING"), timeout=0, clock=clock, pause=clock.pause).state == "CREATING"
    assert clock.pauses == []


def test_each_state_is_told_once() -> None:
    clock, told = Clock(), []
    wait_until(
        looks("PENDING", "CREATING", "CREATING", "ACTIVE"),
        timeout=60,
        tell=lambda at, state: told.append((round(at, 2), state)),
        clock=clock,
        pause=clock.pause,
    )
    assert told == [(0.0, "PENDING"), (0.5, "CREATING"), (2.58, "ACTIVE")]


def test_what_passes_by_itself_is_outlasted() -> None:
    clock = Clock()
    assert wait_until(looks(throttled(), "CREATING", throttled(), "ACTIVE"), timeout=60, clock=clock, pause=clock.pause).done


def test_what_does_not_pass_is_raised_at_the_deadline() -> None:
    clock = Clock()
    with pytest.raises(AwsError, match="throttled"):
        wait_until(looks(throttled()), timeout=10, clock=clock, pause=clock.pause)
    assert clock.now == pytest.approx(10)


def test_a_refusal_ends_the_wait_at_once() -> None:
    clock = Clock()
    denied = AwsError("denied", code="AccessDeniedException", operation="eks:DescribeCluster")
    with pytest.raises(AwsError, match="denied"):
        wait_until(looks("CREATING", denied), timeout=60, clock=clock, pause=clock.pause)
