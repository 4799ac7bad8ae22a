# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""What the module ingress writes, in the order in which nothing is ever named that is not there, and no load balancer is left behind."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._errors import MeshError
from .._k8s.writes import Write
from .._kinds import EVENT, GATEWAY, INGRESS, NAMESPACE, SERVICE, Kind
from .._mesh.labels import annotations_of
from .._status.load_balancers import ControllerExpectation, about, judge_events, versions_of
from .._text import format_names
from .._wait.deletion import wait_until_none_left
from . import nlb as network
from .alb import PREFIX as ALB_PREFIX
from .gateway import service_name
from .plan import guarded
from .state import KINDS

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .._mesh.labels import Object
    from .._wait.object_cache import ObjectCache
    from .plan import Change, Place


@dataclass
class Steps:
    """The writes, in the order in which they are made.

    Attributes:
        namespaces: namespaces that gateways need.
        labels: labels that let namespaces' routes attach.
        applied: the objects, in steps.
        unguarded: load balancers that are to go lose their protection.
        deleted: the objects that go, in steps.
    """

    namespaces: list[Write] = field(default_factory=list)
    labels: list[Write] = field(default_factory=list)
    applied: dict[int, list[Write]] = field(default_factory=dict)
    unguarded: list[Write] = field(default_factory=list)
    deleted: dict[int, list[Write]] = field(default_factory=dict)

    @property
    def all(self) -> list[Write]:
        grouped = [write for steps in (self.applied, self.deleted) for writes in steps.values() for write in writes]
        return [*self.namespaces, *self.labels, *self.unguarded, *grouped]


def plan_steps(
    changes: t.Sequence[Change],
    new_namespaces: t.Sequence[str],
    labels: t.Mapping[str, t.Mapping[str, str]],
    services: t.Mapping[Place, Object],
    *,
    force: bool,
) -> Steps:
    """The writes that the changes ask for."""
    steps = Steps()
    for name in new_namespaces:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        steps.namespaces.append(Write("apply", NAMESPACE, name, body=body, creates=True))
    for name, missing in sorted(labels.items()):
        steps.labels.append(Write("patch", NAMESPACE, name, body={"metadata": {"labels": dict(missing)}}))
    for change in changes:
        kind, namespace, name = change.wanted.key
        if change.action in ("created", "changed"):
            write = Write("apply", KINDS[kind], name, namespace, change.wanted.manifest, force=force, creates=change.seen is None)
            steps.applied.setdefault(change.wanted.order, []).append(write)
        elif change.action == "deleted":
            steps.deleted.setdefault(change.wanted.order, []).append(Write("delete", KINDS[kind], name, namespace))
            attributes = guarded(change, services)
            if attributes:
                steps.unguarded.append(_unguard(KINDS[kind], name, namespace, attributes))
    return steps


def make_changes(session: ApiSession, steps: Steps, timeout: float) -> dict[Place, int]:
    """Send the writes; before what a load balancer needs is deleted, wait until it is gone. Returns the Ingresses' resource versions as they were written."""
    deadline = time.monotonic() + timeout
    answers = session.write_all(steps.namespaces, steps.labels, *(writes for _order, writes in sorted(steps.applied.items())))
    written = {_place(answer): _version(answer) for answer in answers if answer and answer.get("kind") == INGRESS.name}
    if steps.unguarded:
        _take_guard_off(session, steps.unguarded, deadline)
    for _order, writes in sorted(steps.deleted.items(), reverse=True):
        session.write_all(writes)
        # The controller holds an Ingress until its load balancer is gone, and a load balancer of a gateway by its Service.
        gone = [(write.kind, write.namespace or "", write.name) for write in writes if write.kind == INGRESS]
        gone += [(SERVICE, write.namespace or "", service_name(write.name)) for write in writes if write.kind == GATEWAY]
        left = wait_until_all_gone(session, gone, deadline - time.monotonic())
        if left:
            raise MeshError(
                f"{format_names(left)} on cluster {session.cluster} {'is' if len(left) == 1 else 'are'} still there after {timeout:.0f} s: "
                "see that the AWS Load Balancer Controller runs and what its events say, and run again."
            )
    return written


def wait_until_all_gone(session: ApiSession, keys: t.Sequence[tuple[Kind, str, str]], timeout: float) -> list[str]:
    """Wait until none of these is there; returns those that are when the time is up."""

    def left(seen: ObjectCache) -> list[str]:
        return sorted(f"{kind.name} {namespace}/{name}" for kind, namespace, name in keys if seen.get(kind, name, namespace))

    places = [(kind, namespace) for kind, namespace, _name in keys]
    return wait_until_none_left(session, places, left, timeout=max(timeout, 0.0), clock=time.monotonic)


def _place(item: Object) -> Place:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _version(item: Object) -> int:
    version = str(item["metadata"].get("resourceVersion") or "")
    return int(version) if version.isdigit() else 0


def _unguard(kind: Kind, name: str, namespace: str, attributes: str) -> Write:
    """The write that says in the place where it was said that a load balancer may be deleted."""
    unprotected = network.unprotect(attributes)
    if kind == INGRESS:
        return Write("patch", kind, name, namespace, {"metadata": {"annotations": {f"{ALB_PREFIX}load-balancer-attributes": unprotected}}})
    return Write("patch", kind, name, namespace, {"spec": {"infrastructure": {"annotations": {network.ATTRIBUTES: unprotected}}}})


def _take_guard_off(session: ApiSession, writes: t.Sequence[Write], deadline: float) -> None:
    """Unprotect, and wait until it is said where the controller looks; it takes the guard off in AWS itself when it deletes.

    Source: aws-load-balancer-controller pkg/ingress/model_builder.go, pkg/service/model_builder.go (getDeletionProtectionViaAnnotation) and
    pkg/deploy/elbv2/load_balancer_synthesizer.go (disableDeletionProtection).
    """
    places = {write.namespace for write in writes}
    place = places.pop() if len(places) == 1 else None
    known = versions_of(session.list(EVENT, place, metadata_only=True).items)
    session.write_all(writes)

    def still(seen: ObjectCache) -> list[str]:
        waiting = []
        for write in writes:
            namespace = write.namespace or ""
            kind, name = (INGRESS, write.name) if write.kind == INGRESS else (SERVICE, service_name(write.name))
            item = seen.get(kind, name, namespace)
            if item is None:
                continue
            key = f"{ALB_PREFIX}load-balancer-attributes" if kind == INGRESS else network.ATTRIBUTES
            said = judge_events(about(seen.all(EVENT, namespace), kind.name, [name]), ControllerExpectation(known))
            if said and said.final:
                raise MeshError(f"{kind.name} {namespace}/{name} on cluster {session.cluster} was not deleted: {said.message}. {said.remedy}")
            if network.protected(annotations_of(item).get(key, "")):
                waiting.append(f"{kind.name} {namespace}/{name}")
        return waiting

    followed = [(kind, write.namespace) for write in writes for kind in (INGRESS if write.kind == INGRESS else SERVICE, EVENT)]
    left = wait_until_none_left(session, followed, still, timeout=max(deadline - time.monotonic(), 0.0), clock=time.monotonic)
    if left:
        raise MeshError(
            f"The deletion protection was not taken off {format_names(left)} on cluster {session.cluster} in time, so nothing was deleted: "
            "see that istiod runs, which copies it to the Service of a gateway, and run again."
        )


__all__ = ("Steps", "make_changes", "plan_steps", "wait_until_all_gone")
