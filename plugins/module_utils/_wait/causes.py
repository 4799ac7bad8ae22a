# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Finds the causes of a verdict: the pods of a workload, their newest warnings, an istiod that does not run."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._errors import ApiError
from .._k8s.session import ApiSession, Object
from .._kinds import BY_NAME, DEPLOYMENT, EVENT, POD, Kind
from .._mesh.labels import GATEWAY_NAME, labels_of, matches
from .._mesh.revisions import istiod_name
from .._status.target import Target
from .._status.verdict import Verdict
from .._status.workloads import cause_in_pods
from .istiod import TIMEOUT, Problem, class_of, find_refused, find_wrong_refusal, read_istiods
from .object_cache import ObjectCache, scopes_of, trim

# Kinds whose status only istiod writes.
_WRITTEN_BY_ISTIOD = frozenset({"Gateway", "waypoint", "binding", "HTTPRoute", "GRPCRoute", "AuthorizationPolicy"})
_WORKLOADS = frozenset({"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
# How many warnings a message names.
_NEWEST = 2

Verdicts = t.Tuple[t.Tuple[Target, Verdict], ...]


def with_causes(session: ApiSession, verdicts: Verdicts, cache: ObjectCache) -> Verdicts:
    """The verdicts, with causes for those that are not Current; each kind is read once for all of them.

    Causes that cannot be read are left out: the wait's own verdict stands.
    """
    late = [(target, verdict) for target, verdict in verdicts if not verdict.current]
    laggards = [target for target, _verdict in late]
    evidence = _Evidence(session, laggards, cache)
    problem, refused, aside = None, {}, ""
    if any(target.kind in _WRITTEN_BY_ISTIOD for target in laggards):
        istiods = read_istiods(session, {class_of(target, cache) for target in laggards})
        problem, aside = istiods.problem, istiods.aside
        # An istiod that does not do its work is not refused anything.
        refused = {} if problem else find_refused(session, late, cache, istiods)
    refused.update({target: found for target, verdict in late if (found := find_wrong_refusal(session, target, verdict))})
    return tuple(
        (target, verdict if verdict.current else _with_cause(target, verdict, evidence, problem, refused.get(target), aside)) for target, verdict in verdicts
    )


def _with_cause(target: Target, verdict: Verdict, evidence: _Evidence, of_istiod: Problem | None, refused: Problem | None, aside: str) -> Verdict:
    cause, events = evidence.cause(target), evidence.events(target)
    if refused:
        cause = "; ".join(filter(None, (refused.text, cause)))
    causes = [cause, f"newest warnings: {'; '.join(events)}" if events else ""]
    remedy = (refused.remedy if refused else "") or verdict.remedy
    if target.kind in _WRITTEN_BY_ISTIOD and of_istiod:
        causes.append(f"istiod is the cause: {of_istiod.text}")
        remedy = of_istiod.remedy or remedy
    elif target.kind in _WRITTEN_BY_ISTIOD and aside:
        causes.append(aside)
    explanation = "; ".join(filter(None, causes))
    if not explanation:
        return verdict
    more = {"cause": cause, "events": events}
    details = {**(verdict.details or {}), **{name: value for name, value in more.items() if value}}
    return replace(verdict, message=f"{verdict.message} ({explanation})", remedy=remedy, details=details)


class _Evidence:
    """The pods and warnings in the namespaces of some targets; not an autoscaler's warnings, which are about metrics."""

    def __init__(self, session: ApiSession, targets: t.Sequence[Target], cache: ObjectCache) -> None:
        self._cache = cache
        self._workloads = {target: self._workloads_of(target) for target in targets}
        owners = [target.namespace for target, workloads in self._workloads.items() if workloads]
        pods = _read(session, POD, owners)
        self._pods_read = pods is not None
        self._pods = _by_namespace(pods or [])
        places = [target.namespace for target in targets if target.namespace]
        self._events = _by_namespace(_read(session, EVENT, places, field_selector="type=Warning") or [])

    def cause(self, target: Target) -> str:
        """What keeps the pods of the target's workloads from being ready; empty when nothing is found."""
        workloads = self._workloads[target]
        if not workloads or not self._pods_read:
            return ""
        own = self._own_pods(target, workloads)
        return cause_in_pods(own) or ("" if own else "it has no pod")

    def events(self, target: Target) -> list[str]:
        """The newest warnings about the target, its workloads and their pods."""
        workloads = self._workloads[target]
        names = {(item["kind"], item["metadata"]["name"]) for item in workloads}
        pods = {pod["metadata"]["name"] for pod in self._own_pods(target, workloads)}
        events = [event for event in self._events.get(target.namespace, ()) if _is_about(event["involvedObject"], target, names, pods)]
        events.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", reverse=True)
        return list(dict.fromkeys(f"{event.get('reason')}: {event.get('message')}" for event in events))[:_NEWEST]

    def _own_pods(self, target: Target, workloads: t.Sequence[Object]) -> list[Object]:
        pods = self._pods.get(target.namespace, ())
        return [pod for pod in pods if any(matches(item["spec"].get("selector") or {}, labels_of(pod)) for item in workloads)]

    def _workloads_of(self, target: Target) -> list[Object]:
        if target.kind in _WORKLOADS:
            found = self._cache.get(BY_NAME[target.kind], target.name, target.namespace)
            return [found] if found else []
        if target.kind not in ("Gateway", "waypoint", "control_plane"):
            return []
        deployments = self._cache.all(DEPLOYMENT, target.namespace)
        if target.kind == "control_plane":
            return [item for item in deployments if item["metadata"]["name"] == istiod_name(target.name)]
        return [item for item in deployments if labels_of(item).get(GATEWAY_NAME) == target.name]


def _is_about(involved: t.Mapping[str, t.Any], target: Target, workloads: t.Collection[tuple[str, str]], pods: t.Collection[str]) -> bool:
    kind, name = str(involved.get("kind", "")), str(involved.get("name", ""))
    if kind == "Pod":
        # An enrollment is about all pods of its namespace: the CNI plugin reports its refusals on them.
        return name in pods or target.kind == "enrollment" or (target.kind == "Pod" and name == target.name)
    # An exhausted quota is reported on the ReplicaSet of a Deployment.
    of_deployment = kind == "ReplicaSet" and (DEPLOYMENT.name, name.rpartition("-")[0]) in workloads
    return of_deployment or (kind, name) in workloads or (kind, name) == (target.kind, target.name)


def _read(session: ApiSession, kind: Kind, namespaces: t.Sequence[str], field_selector: str | None = None) -> list[Object] | None:
    """The objects of a kind in these namespaces; None when they cannot be read."""
    try:
        return [
            item
            for scope in scopes_of((kind, namespace) for namespace in namespaces)
            for item in session.list(scope.kind, scope.namespace, field_selector=field_selector, trim=trim, timeout=TIMEOUT, persist=False).items
        ]
    except ApiError:
        return None


def _by_namespace(items: t.Iterable[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for item in items:
        found.setdefault(item["metadata"].get("namespace", ""), []).append(item)
    return found


__all__ = ("with_causes",)
