"""The soak itself: rounds of changes and waits, a rest after each, and a judgement of everything that ready has reported."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.actions import act, populate, stand_still
from tests.soak.api import Api
from tests.soak.checker import DELIVERY, GRACE, Checker, Disagreement, Wait, check_final
from tests.soak.expected import expected
from tests.soak.journal import Journal, Moment, Version
from tests.soak.opinions import Kubectl
from tests.soak.recorder import Recorder
from tests.soak.truth import Goal, Truth, contradiction, truth_of
from tests.soak.waits import Broken, Plan, Waiter
from tests.soak.world import GOALS, World

# So long nothing may change before the cluster is taken to be at rest; the longest that a healthy object stays still on its way is its minReadySeconds.
REST = 1.3
REST_LIMIT = 25.0
REPORTED_IN_FULL = 3
MESH = (Goal("Deployment", "istio-system", "istiod"), Goal("DaemonSet", "istio-system", "istio-cni-node"), Goal("DaemonSet", "istio-system", "ztunnel"))
# Kubernetes' controllers end when they could not renew their lease for ten seconds.
LONGEST_STANDSTILL = 6.0
# What changes with these concerns every namespace.
AROUND = ("ztunnel", "istiod", "kube-controller-manager", "kwok-controller")


@dataclass(frozen=True)
class Settings:
    """How a soak is run.

    Attributes:
        kubeconfig: of the twin.
        ready_kubeconfig: through which ready looks; the same, or one with a faulty way to the server.
        path: where the twin's kubectl is.
        seed: of all random choices.
        seconds: how long rounds are begun.
        switches: what lets parts of the cluster stand still and go on.
        delivery: how long an event may be on its way to ready.
        grace: for how long an object must have been Current to have been noticed.
        module_every: in how many rounds one wait is made by the module as a process.
    """

    kubeconfig: Path
    ready_kubeconfig: Path
    path: str
    seed: int
    seconds: float
    switches: dict[str, Callable[[bool], None]] = field(default_factory=dict)
    delivery: float = DELIVERY
    grace: float = GRACE
    module_every: int = 3


@dataclass
class Summary:
    """What came out."""

    seed: int
    elapsed: float = 0.0
    rounds: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    versions: int = 0
    at_rest: int = 0
    second_opinions: int = 0
    blinks: int = 0
    unsettled: Counter[str] = field(default_factory=Counter)
    disagreements: int = 0
    sorts: Counter[str] = field(default_factory=Counter)
    reports: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}


class Soak:
    """One soak on one twin."""

    def __init__(self, settings: Settings, write_line: Callable[[str], None]) -> None:
        self._settings = settings
        self._write_line = write_line
        self._dice = random.Random(settings.seed)
        self._api = Api(settings.kubeconfig)
        self._journal = Journal()
        self._recorder = Recorder(self._api, self._journal)
        self._world = World(self._api, self._journal, random.Random(settings.seed + 1), settings.switches)
        self._waiter = Waiter(self._api, settings.ready_kubeconfig)
        faulty = settings.ready_kubeconfig != settings.kubeconfig
        self._checker = Checker(self._journal, settings.delivery, settings.grace, faulty=faulty)
        self._kubectl = Kubectl(str(settings.kubeconfig), settings.path)
        self._pool = ThreadPoolExecutor(max_workers=6)
        self._pace = threading.Event()
        self._numbers = 0
        self.summary = Summary(settings.seed)

    def run(self) -> Summary:
        """Run it to its end; the cluster is left as it was found, whatever happens."""
        started = time.monotonic()
        self._recorder.start()
        try:
            self._world.begin()
            populate(self._world)
            while time.monotonic() - started < self._settings.seconds:
                self._round()
                self.summary.elapsed = round(time.monotonic() - started, 1)
                self.summary.actions = self._world.counts
                self._write_line(self._progress())
        finally:
            try:
                self._world.clear()
                self._wait_for_mesh()
            finally:
                self._recorder.stop()
                self._pool.shutdown(wait=False, cancel_futures=True)
        self.summary.elapsed = round(time.monotonic() - started, 1)
        self.summary.blinks, self.summary.versions = self._checker.blinks, self._journal.count
        return self.summary

    def _wait_for_mesh(self) -> None:
        """What was broken of the mesh itself is whole again before the soak ends: others may use it next."""

        def whole() -> bool:
            moment = self._world.now()
            return all(truth_of(goal, moment).current for goal in MESH)

        if not self._journal.wait_for(whole, 60.0):
            moment = self._world.now()
            raise TimeoutError(f"The mesh did not become whole again: {[f'{goal}: {truth_of(goal, moment).why}' for goal in MESH]}.")

    # a round

    def _round(self) -> None:
        """A burst of changes, waits that begin in the midst of it, more changes, then rest and judgement."""
        self.summary.rounds += 1
        begun: list[Future[Wait | None]] = []
        begins = sorted(self._dice.randint(0, 8) for _wait in range(self._dice.randint(2, 4)))
        changes = self._dice.randint(6, 16)
        if self._dice.random() < 0.5:
            # What is written while controllers stand still is not observed by them: whoever believes an old status is wrong for long.
            stand_still(self._world, self._dice.choice(("kube-controller-manager", "kube-controller-manager", "kwok-controller")))
        go_on, begun_at = self._dice.randrange(changes), time.monotonic()
        for number in range(changes):
            while begins and begins[0] <= number:
                begins.pop(0)
                begun.append(self._begin_wait())
            if number == go_on or time.monotonic() - begun_at > LONGEST_STANDSTILL:
                self._world.repair("kube-controller-manager", "kwok-controller")
            act(self._world)
            if self._dice.random() < 0.6:
                begun.append(self._begin_check(self._world.changes[-1].place if self._world.changes else ""))
            # In bursts, and with time between them in which something becomes true.
            self._pace.wait(self._dice.choice((0.0, 0.0, 0.02, 0.1, 0.4, 1.2)))
        self._world.repair("kube-controller-manager", "kwok-controller")
        waits = [wait for future in begun if (wait := future.result()) is not None]
        quiet = self._journal.wait_until_quiet(REST, REST_LIMIT)
        self._settle()
        self._recorder.catch_up()
        last = self._made(Plan(self._next_number(), GOALS, 0.0), self._waiter.by_engine)
        self._recorder.catch_up()
        waits += [last] if last else []
        for wait in waits:
            self._judge(wait)
        if last and quiet:
            self._judge_at_rest(waits, last)
        self._journal.forget(self._api.revision())

    def _settle(self) -> None:
        """Give what should become Current time to do so; a controller that backs off after errors may need long, and is no fault of ready's."""

        def settled() -> bool:
            moment = self._world.now()
            return all(truth_of(goal, moment).current for goal in GOALS if expected(goal, moment, self._world))

        if not self._journal.wait_for(settled, 10.0):
            moment = self._world.now()
            late = [goal for goal in GOALS if expected(goal, moment, self._world) and not truth_of(goal, moment).current]
            self.summary.unsettled.update(f"{goal.kind}: {truth_of(goal, moment).why}" for goal in late)
        self._journal.wait_until_quiet(REST, REST_LIMIT)

    def _begin_wait(self) -> Future[Wait | None]:
        dice = self._dice
        goals = self._some_goals(dice.randint(1, 5))
        timeout = dice.choice((1.0, 2.0, 3.0, 6.0))
        # What is to hold must be given more time than that.
        stable_for = dice.choice((0.0, 1.5, 2.5)) if timeout >= 3.0 else 0.0
        plan = Plan(self._next_number(), goals, timeout, stable_for, dice.random() < 0.7)
        by_module = self._settings.module_every and dice.randrange(self._settings.module_every * 3) == 0
        return self._pool.submit(self._by_module if by_module else self._by_engine, plan)

    def _begin_check(self, place: str) -> Future[Wait | None]:
        """A judgement without waiting, of all that is near the last change: what it may have read is known exactly."""
        goals = tuple(goal for goal in GOALS if goal.namespace == place) or GOALS
        return self._pool.submit(self._by_engine, Plan(self._next_number(), goals, 0.0))

    def _some_goals(self, count: int) -> tuple[Goal, ...]:
        """Mostly those that may become Current, or else no wait would ever succeed."""
        moment = self._world.now()
        hopeful = [goal for goal in GOALS if truth_of(goal, moment).current or expected(goal, moment, self._world)]
        pool = hopeful if hopeful and self._dice.random() < 0.7 else GOALS
        return tuple(self._dice.sample(pool, min(count, len(pool))))

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _by_engine(self, plan: Plan) -> Wait | None:
        return self._made(plan, self._waiter.by_engine)

    def _by_module(self, plan: Plan) -> Wait | None:
        return self._made(plan, self._waiter.by_module)

    def _made(self, plan: Plan, way: Callable[[Plan], Wait]) -> Wait | None:
        try:
            return way(plan)
        except Broken as error:
            self.summary.waits["broken"] += 1
            self._report("broken wait", [f"wait {plan.number}, {len(plan.goals)} targets, timeout {plan.timeout:g}: {error}"], plan.goals)
            return None

    # judgement

    def _judge(self, wait: Wait) -> None:
        sort = "at once" if not wait.timeout else "success" if wait.current else "gave up"
        self.summary.waits[f"{wait.way}: {sort}"] += 1
        self.summary.waits["with stable_for"] += bool(wait.stable_for)
        self.summary.verdicts.update(f"{reported.goal.kind}: {reported.status}" for reported in wait.reported)
        for item in self._checker.check(wait):
            self._disagree(item)

    def _judge_at_rest(self, waits: Iterable[Wait], last: Wait) -> None:
        """Nothing moves: the last look must be exactly the truth, the truth must hold below the status too, and others must see the same."""
        moment = next(self._journal.moments(lambda _key: True, last.after, last.after))
        truths = {goal: truth_of(goal, moment) for goal in GOALS}
        for reported in last.reported:
            self.summary.at_rest += 1
            truth = truths[reported.goal]
            if (reported.status == "Current") != truth.current:
                shown = (f"at rest, at revision {last.after}: {truth.status}: {truth.why}",)
                self._disagree(Disagreement("at rest", reported.goal, last, f"{reported.status} ({reported.reason}): {reported.message}", shown))
            self._judge_truth(reported.goal, truth, moment, last)
        for wait in waits:
            places = {change.place for change in self._world.changes if change.when > wait.judged[0] - self._settings.delivery}
            for item in check_final(wait, truths, [*places, *(["soak-a", "soak-b", "soak-x"] if "istio-system" in places else [])]):
                self._disagree(item)
        for goal in self._dice.sample(GOALS, 4):
            self._ask_kubectl(goal, truths[goal], moment, last)

    def _judge_truth(self, goal: Goal, truth: Truth, moment: Moment, last: Wait) -> None:
        """The judge is judged too."""
        if not truth.current:
            return
        wrong = "" if "istiod" in self._world.cleanup and goal.kind == "binding" else contradiction(goal, moment)
        if not wrong and expected(goal, moment, self._world) is False:
            wrong = "it was broken on purpose"
        if wrong:
            self._disagree(Disagreement("Current by its status only", goal, last, "Current", (wrong,)))

    def _ask_kubectl(self, goal: Goal, truth: Truth, moment: Moment, last: Wait) -> None:
        answer = self._kubectl.says_done(goal)
        if answer is None:
            return
        self.summary.second_opinions += 1
        if truth.current and not answer and next(self._journal.moments(lambda _key: True, 2**62, 2**62)).objects == moment.objects:
            self._disagree(Disagreement("kubectl disagrees", goal, last, "Current", ("kubectl does not take it for ready",)))

    # telling

    def _disagree(self, item: Disagreement) -> None:
        lines = [f"{item.what}: {item.goal}", f"  {item.wait}", f"  ready reported {item.verdict}", *(f"  the journal shows {line}" for line in item.shown)]
        self._report(f"{item.what}: {item.goal.kind}: {item.verdict.partition(':')[0]}", lines, [item.goal], item.wait.after)

    def _report(self, sort: str, lines: list[str], goals: Iterable[Goal], until: int = 2**62) -> None:
        """Tell of a disagreement; of one sort in full only the first few, because what is at odds stays so for many waits."""
        self.summary.sorts[sort] += 1
        self.summary.disagreements += 1
        lines[0] = f"DISAGREEMENT (seed {self._settings.seed}, round {self.summary.rounds}): {lines[0]}"
        if self.summary.sorts[sort] > REPORTED_IN_FULL:
            return
        places = {goal.namespace for goal in goals}
        if len(places) == 1:
            place = next(iter(places))
            changes = [change for change in self._world.changes if change.place == place or change.what.startswith(AROUND)]
            recent = [f"    after revision {change.revision}: {change.what}" for change in changes if change.revision <= until]
            lines = [*lines, "  changes:", *recent[-12:]]
            versions = self._journal.history(lambda key: any(goal.reads(key) for goal in goals), until, 15)
            lines = [*lines, "  events:", *(f"    {_format_version(version)}" for version in versions)]
        self.summary.reports.append("\n".join(lines))
        self._write_line("\n".join(lines))

    def _progress(self) -> str:
        summary = self.summary
        return (
            f"{summary.elapsed:7.1f} s  round {summary.rounds}: {sum(summary.actions.values())} changes, {self._journal.count} versions, "
            f"{sum(summary.verdicts.values())} verdicts ({sum(n for name, n in summary.verdicts.items() if name.endswith(': Current'))} Current), "
            f"{summary.disagreements} disagreements"
        )


def _format_version(version: Version) -> str:
    kind, namespace, name = version.key
    item = version.object
    title = f"revision {version.revision}, {version.seen:.3f} s: {kind} {namespace + '/' if namespace else ''}{name}"
    if item is None:
        return f"{title} is gone"
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    details: dict[str, Any] = {
        "uid": metadata["uid"][:8],
        "generation": metadata.get("generation"),
        "deleted": metadata.get("deletionTimestamp"),
        "owners": [owner["uid"][:8] for owner in metadata.get("ownerReferences", ())],
        "labels": {key.rpartition("/")[2]: value for key, value in (metadata.get("labels") or {}).items() if "istio.io" in key},
        "marks": {key.rpartition("/")[2]: value for key, value in (metadata.get("annotations") or {}).items() if "istio.io" in key and kind == "Pod"},
        "replicas": spec.get("replicas"),
        "counts": {key: value for key, value in status.items() if isinstance(value, int) and key not in ("collisionCount",)},
        "revisions": [status[key][-10:] for key in ("currentRevision", "updateRevision") if key in status],
        "phase": status.get("phase"),
        "addresses": len(status.get("addresses", ())),
        "conditions": [
            f"{condition['type']}={condition['status']}@{condition.get('observedGeneration', '-')} {condition.get('reason', '')}"
            + (f" ({condition['message']})" if condition["type"] == "istio.io/WaypointBound" else "")
            for condition in status.get("conditions", ())
            if condition["type"] in ("Accepted", "Programmed", "Progressing", "Available", "Ready", "istio.io/WaypointBound")
        ],
    }
    return f"{title} {' '.join(f'{key}={value}' for key, value in details.items() if value not in (None, [], {}, 0) or (key == 'replicas' and value == 0))}"
