# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Waits by watching: judges every target anew on each event, and stops the moment waiting is over."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ._cluster.kinds import BY_NAME, DEPLOYMENT, EVENT, POD, Kind
from ._cluster.session import ApiSession, Object
from ._cluster.watch import Changed, Event, Gone, Listed, Scope, Streams, Trouble
from ._errors import ApiError, NotServed, Unreachable
from ._mesh.labels import labels_of, matches
from ._status.targets import Target
from ._status.verdict import Verdict, condition
from ._status.workloads import cause_in_pods

# How long the first answer of an unreachable server is waited for: it may be restarting, but a wrong address never answers.
FIRST_ANSWER_SECONDS = 15.0
# A kind followed in more namespaces than this is followed in all of them with one stream.
MOST_SCOPES_PER_KIND = 1
# Whose warnings say why pods are not there; an autoscaler's speak of metrics.
_TELLING_KINDS = frozenset({"DaemonSet", "Deployment", "Pod", "StatefulSet"})


@dataclass
class Seen:
    """What has been read so far."""

    objects: dict[Scope, dict[tuple[str, str], Object]] = field(default_factory=dict)
    troubles: dict[Scope, ApiError] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Bring it up to date with one event."""
        if isinstance(event, Trouble):
            self.troubles[event.scope] = event.error
            if isinstance(event.error, NotServed):
                self.objects.pop(event.scope, None)
            return
        self.troubles.pop(event.scope, None)
        if isinstance(event, Listed):
            self.objects[event.scope] = {_key(item): item for item in event.objects}
        elif isinstance(event, Changed):
            self.objects[event.scope][_key(event.object)] = event.object
        elif isinstance(event, Gone):
            self.objects[event.scope].pop(_key(event.object), None)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        for scope, objects in self.objects.items():
            if scope.kind.name == kind and (namespace or "", name) in objects:
                return objects[(namespace or "", name)]
        return None

    def all(self, kind: str, namespace: str | None = None) -> list[Object]:
        found: list[Object] = []
        for scope, objects in self.objects.items():
            if scope.kind.name == kind:
                found += (item for (place, _name), item in sorted(objects.items()) if namespace is None or place == namespace)
        return found


@dataclass(frozen=True)
class Outcome:
    """How a wait ended: the verdict on each target, in their order, and how long it took in seconds."""

    verdicts: tuple[tuple[Target, Verdict], ...]
    elapsed: float

    @property
    def current(self) -> bool:
        return all(verdict.current for _target, verdict in self.verdicts)

    @property
    def laggards(self) -> list[tuple[Target, Verdict]]:
        return [(target, verdict) for target, verdict in self.verdicts if not verdict.current]


def wait_until_current(session: ApiSession, targets: t.Sequence[Target], *, timeout: float, clock: t.Callable[[], float]) -> Outcome:
    """Wait until all targets are Current, one has failed for good, or the time is up.

    Args:
        session: where to look.
        targets: what to wait for.
        timeout: seconds; 0 judges what is there now.
        clock: a monotonic clock in seconds.

    Raises:
        ApiError: the API server refuses to be read, or has not answered once.
    """
    started = clock()
    scopes = scopes_of(targets)
    seen = Seen()
    with Streams(session, scopes, trim=trim) as streams:
        while True:
            elapsed = clock() - started
            limit = timeout if _complete(seen, scopes) else max(timeout, FIRST_ANSWER_SECONDS)
            for event in streams.next_events(limit - elapsed):
                if isinstance(event, Trouble) and event.final:
                    raise event.error
                seen.take(event)
            elapsed = clock() - started
            _raise_if_never_answered(seen, elapsed)
            complete = _complete(seen, scopes)
            if not complete and elapsed < max(timeout, FIRST_ANSWER_SECONDS):
                continue
            verdicts = tuple((target, _judge(target, seen, scopes)) for target in targets)
            over = all(verdict.current for _target, verdict in verdicts) or any(verdict.final for _target, verdict in verdicts)
            if over or elapsed >= timeout:
                break
    outcome = Outcome(verdicts, clock() - started)
    return outcome if outcome.current else Outcome(_with_causes(session, outcome.verdicts, seen), outcome.elapsed)


def wait_until_gone(
    session: ApiSession, kind: Kind, keys: t.Collection[tuple[str, str]], *, timeout: float, clock: t.Callable[[], float]
) -> set[tuple[str, str]]:
    """Wait until none of these objects is there; returns those that still are when the time is up.

    Args:
        session: where to look.
        kind: the kind of the objects.
        keys: namespace and name of each.
        timeout: seconds.
        clock: a monotonic clock in seconds.
    """
    left = set(keys)
    if not left:
        return left
    deadline = clock() + timeout
    scope = Scope(kind)
    seen = Seen()
    with Streams(session, [scope], trim=trim) as streams:
        while left:
            events = streams.next_events(deadline - clock())
            for event in events:
                if isinstance(event, Trouble) and event.final:
                    raise event.error
                seen.take(event)
            if scope in seen.objects:
                left = {key for key in keys if key in seen.objects[scope]}
            elif isinstance(seen.troubles.get(scope), NotServed):
                return set()
            if clock() >= deadline:
                break
    return left


def scopes_of(targets: t.Iterable[Target]) -> list[Scope]:
    """The fewest streams that show all that the targets need: for each kind its one namespace, or all of them."""
    namespaces: dict[str, set[str | None]] = {}
    for target in targets:
        for kind, namespace in target.needs:
            namespaces.setdefault(kind, set()).add(namespace)
    scopes = []
    for kind, places in sorted(namespaces.items()):
        wanted = places if None not in places and len(places) <= MOST_SCOPES_PER_KIND else {None}
        scopes += [Scope(BY_NAME[kind], place) for place in wanted]
    return scopes


def trim(item: Object) -> Object:
    """An object without what no judge reads; pods are most of a cluster, and most of a pod is its template."""
    metadata = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    trimmed = {**item, "metadata": metadata}
    if item.get("kind") == "Pod":
        spec, status = item["spec"], item.get("status") or {}
        trimmed["spec"] = {name: spec[name] for name in ("hostNetwork", "nodeName") if name in spec}
        trimmed["status"] = {name: status[name] for name in ("phase", "podIP", "conditions", "containerStatuses", "initContainerStatuses") if name in status}
    return trimmed


def _complete(seen: Seen, scopes: t.Sequence[Scope]) -> bool:
    """Whether every scope has been read, or is known not to be served."""
    return all(scope in seen.objects or isinstance(seen.troubles.get(scope), NotServed) for scope in scopes)


def _raise_if_never_answered(seen: Seen, elapsed: float) -> None:
    if not seen.objects and elapsed >= FIRST_ANSWER_SECONDS:
        for error in seen.troubles.values():
            if isinstance(error, Unreachable):
                raise error


def _judge(target: Target, seen: Seen, scopes: t.Sequence[Scope]) -> Verdict:
    kinds = {kind for kind, _namespace in target.needs}
    for scope in (scope for scope in scopes if scope.kind.name in kinds and scope not in seen.objects):
        error = seen.troubles.get(scope)
        if isinstance(error, NotServed):
            message, _colon, remedy = error.message.partition(": ")
            return Verdict("NotFound", "KindNotServed", message, remedy[:1].upper() + remedy[1:])
        message = error.message if error else f"{scope.kind.plural} have not been read yet"
        return Verdict("Unknown", "Unreadable", message, "See that the API server answers, and allow more time.")
    return target.judge(seen)


def _with_causes(session: ApiSession, verdicts: t.Sequence[tuple[Target, Verdict]], seen: Seen) -> tuple[tuple[Target, Verdict], ...]:
    """Say what lies below what was seen: the pods of a workload, their newest events, an istiod that does not run.

    What cannot be read for this is left out: the wait's own verdict stands.
    """
    if any(isinstance(error, Unreachable) for error in seen.troubles.values()):
        # Asking a server that does not answer would only go on beyond the deadline.
        return tuple(verdicts)
    explained = []
    without_istiod = _dead_control_planes(session, verdicts)
    for target, verdict in verdicts:
        if not verdict.current:
            causes = [_cause_below(session, target, seen)]
            if target.kind in ("Gateway", "waypoint", "binding") and without_istiod:
                causes.append(f"istiod is the cause: {without_istiod}")
            told = "; ".join(filter(None, causes))
            if told:
                verdict = Verdict(verdict.status, verdict.reason, f"{verdict.message} ({told})", verdict.remedy, verdict.since, verdict.final, verdict.details)
        explained.append((target, verdict))
    return tuple(explained)


def _dead_control_planes(session: ApiSession, verdicts: t.Sequence[tuple[Target, Verdict]]) -> str:
    """Which istiods are not available, when somebody waits for what only istiod can bring."""
    if not any(target.kind in ("Gateway", "waypoint", "binding") and not verdict.current for target, verdict in verdicts):
        return ""
    try:
        istiods = session.list(DEPLOYMENT, label_selector="app=istiod").items
    except ApiError:
        return ""
    if not istiods:
        return "no istiod is installed"
    dead = [item for item in istiods if (condition(item, "Available") or {}).get("status") != "True"]
    names = ", ".join(f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in dead)
    return f"Deployment {names} has no available pod" if dead else ""


def _cause_below(session: ApiSession, target: Target, seen: Seen) -> str:
    workloads = _workloads_of(target, seen)
    if not workloads:
        return ""
    try:
        pods = session.list(POD, target.namespace).items
        own = [pod for pod in pods if any(matches(item["spec"]["selector"], labels_of(pod)) for item in workloads)]
        cause = cause_in_pods(own) or ("" if own else "it has no pod")
        events = _newest_events(session, target.namespace, [item["metadata"]["name"] for item in (*own, *workloads)])
    except ApiError:
        return ""
    return "; ".join(filter(None, (cause, events)))


def _workloads_of(target: Target, seen: Seen) -> list[Object]:
    if target.kind in ("Deployment", "DaemonSet", "StatefulSet"):
        found = seen.get(target.kind, target.name, target.namespace)
        return [found] if found else []
    deployments = seen.all("Deployment", target.namespace) if target.kind in ("Gateway", "waypoint", "control_plane") else []
    if target.kind == "control_plane":
        name = "istiod" if target.name in ("", "default") else f"istiod-{target.name}"
        return [item for item in deployments if item["metadata"]["name"] == name]
    return [item for item in deployments if labels_of(item).get("gateway.networking.k8s.io/gateway-name") == target.name]


def _newest_events(session: ApiSession, namespace: str, names: t.Collection[str]) -> str:
    """The two newest warnings about these objects."""
    events = session.list(EVENT, namespace, field_selector="type=Warning").items
    about = [event for event in events if event["involvedObject"].get("name") in names and event["involvedObject"].get("kind") in _TELLING_KINDS]
    about.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", reverse=True)
    told = dict.fromkeys(f"{event.get('reason')}: {event.get('message')}" for event in about)
    return f"newest warnings: {'; '.join(list(told)[:2])}" if told else ""


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


__all__ = ("Outcome", "scopes_of", "trim", "wait_until_current", "wait_until_gone")
