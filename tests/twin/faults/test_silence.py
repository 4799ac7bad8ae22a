"""A connection that stays open and says nothing: no verdict rests on what was heard of long ago, and the deadline holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.twin.faults.scene import OpenScene, sentence

# Longer than a verdict may rest on what was heard before.
_TIMEOUT = 12
_STABLE_FOR = 9


@pytest.fixture(scope="module")
def outcomes(open_scene: OpenScene) -> Iterator[dict[str, dict[str, Any]]]:
    """The results of four waits, which take their time side by side."""
    with ExitStack() as stack:
        running = {}
        for fault in ("silence", "half_open"):
            for becomes_ready in (True, False):
                name = f"{fault.replace('_', '-')}-{'repaired' if becomes_ready else 'broken'}"
                scene = stack.enter_context(open_scene(name))
                scene.deploy("app", ready=not becomes_ready)
                waiting = scene.wait_ready("app", timeout=_TIMEOUT, **({} if becomes_ready else {"stable_for": _STABLE_FOR}))
                getattr(scene.proxy, fault)()
                scene.set_ready("app", becomes_ready)
                running[name] = waiting
        yield {name: waiting.finish() for name, waiting in running.items()}


def _verdict(result: dict[str, Any]) -> tuple[str, str]:
    (target,) = result["targets"]
    return target["status"], target["reason"]


def test_what_became_ready_in_silence_is_not_called_unready(outcomes: dict[str, dict[str, Any]]) -> None:
    result = outcomes["silence-repaired"]
    message = sentence(result)
    assert _verdict(result) == ("Unknown", "Unreadable"), message
    assert "available" not in message, f"it tells as known what it cannot know:\n{message}"


def test_what_broke_in_silence_is_not_called_ready(outcomes: dict[str, dict[str, Any]]) -> None:
    result = outcomes["silence-broken"]
    message = sentence(result)
    assert _verdict(result) == ("Unknown", "Unreadable"), message


def test_what_became_ready_behind_a_half_open_connection_is_found(outcomes: dict[str, dict[str, Any]]) -> None:
    result = outcomes["half-open-repaired"]
    assert not result.get("failed"), result["msg"]
    assert _verdict(result) == ("Current", "")


def test_what_broke_behind_a_half_open_connection_is_found(outcomes: dict[str, dict[str, Any]]) -> None:
    result = outcomes["half-open-broken"]
    message = sentence(result)
    assert _verdict(result) == ("InProgress", "LessAvailable"), message
