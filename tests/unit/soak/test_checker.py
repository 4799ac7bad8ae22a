"""The soak's judge catches wrong verdicts: each is planted here, in a journal whose every version is given, and beside it the right one that passes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak.checker import Checker, Disagreement, Reported, Wait, check_final
from tests.soak.journal import Journal
from tests.soak.truth import CURRENT, Goal, Truth
from tests.unit.objects import derived, recorded

DEPLOYMENT = Goal("Deployment", "istio-system", "istiod")
READY = recorded("deployment/istiod_available")
GENERATION = READY["metadata"]["generation"]
CHANGED = derived(READY, {"metadata": {"generation": GENERATION + 1}})
READY_AGAIN = derived(CHANGED, {"status": {"observedGeneration": GENERATION + 1}})

# Current from revision 10, second 0; changed and not observed from 20, second 10; Current again from 30, second 20; gone from 40, second 30.
STORY = ((10, 0.0, READY), (20, 10.0, CHANGED), (30, 20.0, READY_AGAIN), (40, 30.0, None))


def checker_of(*story: tuple[int, float, Any], goal: Goal = DEPLOYMENT, **options: Any) -> Checker:
    journal = Journal(clock=lambda: 0.0)
    for revision, seen, item in story:
        journal.take((goal.kind, goal.namespace, goal.name), revision, item, seen)
    return Checker(journal, **options)


def wait_of(status: str, moment: float, before: int, after: int, **options: Any) -> Wait:
    """A wait that has judged at one moment."""
    reported = (Reported(DEPLOYMENT, status, final=options.pop("final", False)),)
    given = {"timeout": 60.0, "elapsed": 1.0, "current": status == "Current", **options}
    return Wait(number=1, way="engine", reported=reported, judged=(moment, moment), before=before, after=after, **given)


def whats(found: list[Disagreement]) -> list[str]:
    return [item.what for item in found]


def test_a_planted_false_current_is_caught() -> None:
    # Called when the change was there already: its old status must not be believed, however soon after the change.
    assert whats(checker_of(*STORY).check(wait_of("Current", 10.01, before=20, after=20, timeout=0.0))) == ["false Current"]


def test_current_is_right_when_the_change_came_meanwhile() -> None:
    assert checker_of(*STORY).check(wait_of("Current", 10.01, before=15, after=20, timeout=0.0)) == []


@pytest.mark.parametrize(("moment", "caught"), [(10.3, []), (11.0, ["false Current"]), (19.9, ["false Current"])])
def test_a_long_wait_may_be_late_by_the_delivery_of_an_event_and_no_more(moment: float, caught: list[str]) -> None:
    assert whats(checker_of(*STORY).check(wait_of("Current", moment, before=10, after=29, elapsed=2.0))) == caught


def test_a_planted_missed_current_is_caught() -> None:
    assert whats(checker_of(*STORY).check(wait_of("InProgress", 24.0, before=5, after=35))) == ["missed Current"]


def test_a_look_must_see_what_was_so_all_the_time() -> None:
    # It has judged in the very moment in which the object became Current; it had been so before the look was called.
    assert whats(checker_of(*STORY).check(wait_of("InProgress", 20.0, before=30, after=31, timeout=0.0))) == ["missed Current"]
    assert checker_of(*STORY).check(wait_of("InProgress", 20.0, before=29, after=31, timeout=0.0)) == []


def test_what_has_only_just_become_current_may_be_missed() -> None:
    assert checker_of(*STORY).check(wait_of("InProgress", 21.0, before=5, after=35)) == []


@pytest.mark.parametrize(
    ("status", "moment", "caught"), [("NotFound", 25.0, ["missed Current"]), ("NotFound", 15.0, ["false NotFound"]), ("NotFound", 35.0, [])]
)
def test_what_is_there_is_not_called_missing(status: str, moment: float, caught: list[str]) -> None:
    after = 39 if moment < 30 else 41
    assert whats(checker_of(*STORY).check(wait_of(status, moment, before=5, after=after))) == caught


def test_no_verdict_is_a_disagreement_unless_something_was_in_the_way() -> None:
    wait = wait_of("Unknown", 15.0, before=20, after=25)
    assert whats(checker_of(*STORY).check(wait)) == ["no verdict"]
    assert checker_of(*STORY, faulty=True).check(wait) == []


def test_a_planted_success_across_a_break_is_caught() -> None:
    wait = wait_of("Current", 23.0, before=5, after=35, stable_for=5.0, elapsed=20.0)
    assert whats(checker_of(*STORY).check(wait)) == ["not stable"]
    assert checker_of(*STORY).check(wait_of("Current", 23.0, before=5, after=35, stable_for=2.0, elapsed=20.0)) == []


def test_a_break_shorter_than_a_blink_is_counted_and_forgiven() -> None:
    blinking = ((10, 0.0, READY), (20, 10.0, CHANGED), (30, 10.05, READY_AGAIN))
    checker = checker_of(*blinking)
    assert checker.check(wait_of("Current", 12.0, before=5, after=35, stable_for=4.0, elapsed=4.5)) == []
    assert checker.blinks == 1


def test_a_planted_late_success_is_caught() -> None:
    assert whats(checker_of(*STORY).check(wait_of("Current", 29.0, before=5, after=35, elapsed=20.0))) == ["seen too late"]
    assert checker_of(*STORY).check(wait_of("Current", 21.0, before=5, after=35, elapsed=20.0)) == []


def test_a_wait_that_never_saw_it_hold_is_caught_when_it_held() -> None:
    assert whats(checker_of(*STORY).check(wait_of("Current", 29.0, before=5, after=35, elapsed=20.0, stable_for=2.0, current=False))) == ["seen too late"]


def test_a_planted_false_final_verdict_is_caught_unless_somebody_has_helped() -> None:
    wait = wait_of("Failed", 15.0, before=20, after=25, final=True)
    assert whats(check_final(wait, {DEPLOYMENT: CURRENT}, touched=[])) == ["false final verdict"]
    assert check_final(wait, {DEPLOYMENT: CURRENT}, touched=["istio-system"]) == []
    assert check_final(wait, {DEPLOYMENT: Truth("Waiting")}, touched=[]) == []


def test_a_disagreement_shows_the_verdict_and_what_was_true_when() -> None:
    (found,) = checker_of(*STORY).check(wait_of("Current", 15.0, before=20, after=25))
    assert found.verdict == "Current: "
    assert found.shown == (f"revision 20, -5.000 s: Waiting: generation {GENERATION + 1} is not observed",)
