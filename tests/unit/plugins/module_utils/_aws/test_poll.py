"""Polling AWS: when it polls, when it ends, what it reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import AwsError
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.poll import PollResult, wait_until
from tests.unit.aws_stub import Clock


def polls(*states: str | AwsError) -> Callable[[], PollResult]:
    left = list(states)

    def poll() -> PollResult:
        state = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(state, AwsError):
            raise state
        return PollResult(state == "ACTIVE", state, state.lower())

    return poll


def throttled() -> AwsError:
    return AwsError("throttled", code="ThrottlingException", operation="eks:DescribeCluster")


def test_it_ends_with_the_poll_that_is_done() -> None:
    clock = Clock()
    result = wait_until(polls("CREATING", "CREATING", "ACTIVE"), timeout=60, clock=clock, pause=clock.pause)
    assert result == PollResult(True, "ACTIVE", "active")
    assert clock.pauses == pytest.approx([0.5, 0.8])


def test_pauses_grow_up_to_their_limit_and_the_last_poll_is_at_the_deadline() -> None:
    clock = Clock()
    result = wait_until(polls("CREATING"), timeout=20, every=3, clock=clock, pause=clock.pause)
    assert not result.done
    assert max(clock.pauses) == 3
    assert clock.now == pytest.approx(20)


def test_a_timeout_of_zero_polls_once() -> None:
    clock = Clock()
    assert wait_until(polls("CREATING"), timeout=0, clock=clock, pause=clock.pause).state == "CREATING"
    assert clock.pauses == []


def test_each_state_is_reported_once() -> None:
    clock, reported = Clock(), []
    wait_until(
        polls("PENDING", "CREATING", "CREATING", "ACTIVE"),
        timeout=60,
        report=lambda at, state: reported.append((round(at, 2), state)),
        clock=clock,
        pause=clock.pause,
    )
    assert reported == [(0.0, "PENDING"), (0.5, "CREATING"), (2.58, "ACTIVE")]


def test_transient_errors_are_outlasted() -> None:
    clock = Clock()
    assert wait_until(polls(throttled(), "CREATING", throttled(), "ACTIVE"), timeout=60, clock=clock, pause=clock.pause).done


def test_a_lasting_transient_error_is_raised_at_the_deadline() -> None:
    clock = Clock()
    with pytest.raises(AwsError, match="throttled"):
        wait_until(polls(throttled()), timeout=10, clock=clock, pause=clock.pause)
    assert clock.now == pytest.approx(10)


def test_a_refusal_ends_the_wait_at_once() -> None:
    clock = Clock()
    denied = AwsError("denied", code="AccessDeniedException", operation="eks:DescribeCluster")
    with pytest.raises(AwsError, match="denied"):
        wait_until(polls("CREATING", denied), timeout=60, clock=clock, pause=clock.pause)
