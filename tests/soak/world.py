"""The part of the cluster that the soak changes: its namespaces, what may be in them, and every change that was made."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak import objects
from tests.soak.api import BY_KIND, NAMESPACE, POD, Api, Object, Refused
from tests.soak.journal import Journal, Key, Moment
from tests.soak.truth import Goal

LASTING = ("soak-a", "soak-b")
# This one comes and goes as a whole.
PASSING = "soak-x"
NAMESPACES = (*LASTING, PASSING)
WORKLOADS = {"Deployment": ("d1", "d2", "d3"), "StatefulSet": ("s1", "s2"), "DaemonSet": ("a1",)}
WAYPOINTS = ("w1", "w2")
SERVICES = ("v1", "v2", "v3")
PODS = ("p1", "p2")

MERGE_PATCH = "application/merge-patch+json"


def goals_in(place: str) -> list[Goal]:
    """Every target of a namespace that waits may be for."""
    return [
        *(Goal(kind, place, name) for kind, names in WORKLOADS.items() for name in names),
        *(Goal("waypoint", place, name) for name in WAYPOINTS),
        Goal("Gateway", place, WAYPOINTS[0]),
        Goal("binding", place),
        Goal("binding", place, waypoint=f"{place}/{WAYPOINTS[0]}"),
        *(Goal("binding", place, name) for name in SERVICES),
        Goal("binding", place, SERVICES[0], f"{place}/{WAYPOINTS[0]}"),
        Goal("enrollment", place),
    ]


GOALS = tuple(goal for place in NAMESPACES for goal in goals_in(place))


@dataclass(frozen=True)
class Change:
    """One change that the soak made."""

    when: float
    revision: int
    place: str
    what: str


@dataclass
class World:
    """Writes changes and remembers them.

    Attributes:
        api: where to write.
        journal: where to look.
        dice: decides everything; its seed is the soak's.
        switches: what lets a part of the cluster go on (True) or stand still (False), by the part's name.
        cleanup: what must be done so that the mesh is left as it was found, by what is broken now.
    """

    api: Api
    journal: Journal
    dice: random.Random
    switches: dict[str, Callable[[bool], None]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    cleanup: dict[str, Callable[[], None]] = field(default_factory=dict)
    change_number: int = 0

    # reading

    def now(self) -> Moment:
        """All objects as they are in the journal."""
        return next(self.journal.moments(lambda _key: True, 2**62, 2**62))

    def find(self, kind: str, place: str, name: str) -> Object | None:
        """One object; None too for one that is on its way out."""
        version = self.journal.latest((kind, place, name))
        item = version.object if version else None
        return None if item is None or "deletionTimestamp" in item["metadata"] else item

    def pods(self, place: str) -> list[Object]:
        return [pod for pod in self.now().all("Pod", place) if "deletionTimestamp" not in pod["metadata"]]

    # writing

    def create(self, item: Object) -> None:
        resource, place, name = BY_KIND[item["kind"]], item["metadata"].get("namespace", ""), item["metadata"]["name"]
        self._write((item["kind"], place, name), "POST", resource.path(place), item)

    def patch(self, kind: str, place: str, name: str, body: Object, subresource: str = "") -> None:
        self._write((kind, place, name), "PATCH", BY_KIND[kind].path(place, name) + (f"/{subresource}" if subresource else ""), body)

    def delete(self, kind: str, place: str, name: str, propagation: str = "Background") -> None:
        self._write((kind, place, name), "DELETE", BY_KIND[kind].path(place, name), {"propagationPolicy": propagation})

    def note(self, sort: str, place: str, what: str) -> None:
        """Remember a change that has just been made."""
        self.counts[sort] += 1
        version = max(self.journal.revision_at(time.monotonic()), 0)
        self.changes.append(Change(time.monotonic(), version, place, f"{sort} {what}"))

    def next_change(self) -> int:
        self.change_number += 1
        return self.change_number

    def _write(self, key: Key, method: str, path: str, body: Object) -> None:
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        answer = self.api.send(method, path, body, kind)
        revision = int(answer.get("metadata", {}).get("resourceVersion") or 0)
        # The journal must know of it before the next change is chosen.
        self.journal.wait_for(lambda: (found := self.journal.latest(key)) is not None and found.revision >= revision, 1.0 if key[0] in _IN_JOURNAL else 0.0)

    # beginning and end

    def begin(self) -> None:
        """Make the namespaces, after those of a soak that was cut short have gone."""
        self.clear()
        for place in NAMESPACES:
            self.create(objects.namespace(place))

    def repair(self, *names: str) -> None:
        """Mend what lies around and has been broken: these things, as far as they are."""
        for name in names:
            if name in self.cleanup:
                self.cleanup.pop(name)()

    def clear(self) -> None:
        """Take all away that the soak has made, and repair what it has broken."""
        troubles: list[Exception] = []
        for name in list(self.cleanup):
            try:
                self.repair(name)
            except Exception as error:  # the rest must be repaired all the same
                troubles.append(error)
        pause = threading.Event()
        deadline = time.monotonic() + 120
        while True:
            left = [item for item in self.api.list(NAMESPACE)[0] if item["metadata"].get("labels", {}).get("soak/own") == "true"]
            if not left:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"The namespaces {[item['metadata']['name'] for item in left]} did not go away.")
            for item in left:
                self._let_go(item["metadata"]["name"])
            pause.wait(0.5)
        if troubles:
            raise troubles[0]

    def _let_go(self, place: str) -> None:
        for resource in BY_KIND.values():
            if resource.namespaced:
                for item in self.api.list(resource, place)[0]:
                    if any(name.startswith("soak/") for name in item["metadata"].get("finalizers", ())):
                        self._try("PATCH", resource.path(place, item["metadata"]["name"]), {"metadata": {"finalizers": None}})
        self._try("DELETE", NAMESPACE.path(name=place), None)

    def _try(self, method: str, path: str, body: Object | None) -> None:
        try:
            self.api.send(method, path, body, MERGE_PATCH if method == "PATCH" else "application/json")
        except Refused as error:
            if error.status not in (404, 409):
                raise


_IN_JOURNAL = {"Namespace", "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet", "Gateway"}


def set_ready(world: World, pod: Object, *, ready: bool) -> None:
    """Let a simulated pod lose or gain its readiness, as a probe would."""
    conditions = [
        {**condition, "status": "True" if ready else "False", "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        if condition["type"] in ("Ready", "ContainersReady")
        else condition
        for condition in pod["status"].get("conditions", ())
    ]
    containers = [{**status, "ready": ready} for status in pod["status"].get("containerStatuses", ())]
    body = {"status": {"conditions": conditions, "containerStatuses": containers}}
    world.patch(POD.kind, pod["metadata"]["namespace"], pod["metadata"]["name"], body, "status")
