# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.
"""Writes changes in an order in which no object refers to one that does not exist, and no load balancer is left behind."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace

from .._errors import MeshError
from .._k8s.apply import confirm_changes
from .._k8s.writes import Write
from .._kinds import EVENT, GATEWAY, INGRESS, NAMESPACE, SERVICE, Kind
from .._mesh.labels import annotations_of
from .._status.load_balancers import ControllerExpectation, about, judge_events, versions_of
from .._text import format_names
from .._wait.deletion import wait_until_none_left
from .annotation_values import ALB_ATTRIBUTES, NLB_ATTRIBUTES, is_protected, unprotect
from .plan import protecting_attributes
from .spec import service_name
from .state import KINDS, place_of

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .._mesh.labels import Object
    from .._wait.object_cache import ObjectCache
    from .plan import Change, Place


@dataclass
class Writes:
    """Writes, in the order in which they are sent.

    Attributes:
        namespaces: create namespaces of gateways.
        labels: let routes of namespaces attach.
        applied: apply objects, by step.
        unprotected: take the deletion protection off load balancers that are to be deleted.
        deleted: delete objects, by step.
    """

    namespaces: list[Write] = field(default_factory=list)
    labels: list[Write] = field(default_factory=list)
    applied: dict[int, list[Write]] = field(default_factory=dict)
    unprotected: list[Write] = field(default_factory=list)
    deleted: dict[int, list[Write]] = field(default_factory=dict)

    @property
    def all(self) -> list[Write]:
        grouped = [write for steps in (self.applied, self.deleted) for step in steps.values() for write in step]
        return [*self.namespaces, *self.labels, *self.unprotected, *grouped]


def plan_writes(
    changes: t.Sequence[Change],
    *,
    force: bool,
    services: t.Mapping[Place, Object] | None = None,
    namespaces: t.Sequence[str] = (),
    labels: t.Mapping[str, t.Mapping[str, str]] | None = None,
) -> Writes:
    """The writes for these changes.

    Args:
        changes: the plan.
        force: take over fields that another field manager owns.
        services: the current Services, by which deletion protection of Network Load Balancers is known.
        namespaces: the namespaces to create.
        labels: the labels to set on namespaces.
    """
    writes = Writes()
    for name in namespaces:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        writes.namespaces.append(Write("apply", NAMESPACE, name, body=body, creates=True))
    for name, missing in sorted((labels or {}).items()):
        writes.labels.append(Write("patch", NAMESPACE, name, body={"metadata": {"labels": dict(missing)}}))
    for change in changes:
        kind, namespace, name = change.desired.key
        if change.action in ("created", "changed"):
            writes.applied.setdefault(change.desired.order, []).append(_apply(change, force=force))
        elif change.action == "deleted":
            writes.deleted.setdefault(change.desired.order, []).append(Write("delete", KINDS[kind], name, namespace))
            attributes = protecting_attributes(change, services or {})
            if attributes:
                writes.unprotected.append(_unprotect(KINDS[kind], name, namespace, attributes))
    return writes


def confirm(session: ApiSession, changes: t.Sequence[Change], *, force: bool) -> list[Change]:
    """The changes; what the API server would leave as it is, is unchanged."""
    existing = [change for change in changes if change.action == "changed"]
    confirmed = iter(confirm_changes(session, [(_apply(change, force=force), change.current) for change in existing]))
    return [change if change.action != "changed" or next(confirmed) else replace(change, action="unchanged") for change in changes]


def apply_writes(session: ApiSession, writes: Writes, timeout: float) -> dict[Place, int]:
    """Send the writes; before what a load balancer needs is deleted, wait until the load balancer is gone.

    Returns:
        The resource versions that Ingresses got by the writes.
    """
    deadline = time.monotonic() + timeout
    answers = session.write_all(writes.namespaces, writes.labels, *(step for _order, step in sorted(writes.applied.items())))
    written = {place_of(answer): _version(answer) for answer in answers if answer and answer.get("kind") == INGRESS.name}
    if writes.unprotected:
        _take_protection_off(session, writes.unprotected, deadline)
    for _order, step in sorted(writes.deleted.items(), reverse=True):
        session.write_all(step)
        # The controller keeps an Ingress until its load balancer is gone, and that of a gateway by its Service.
        keys = [(write.kind, write.namespace or "", write.name) for write in step if write.kind == INGRESS]
        keys += [(SERVICE, write.namespace or "", service_name(write.name)) for write in step if write.kind == GATEWAY]
        left = _wait_until_deleted(session, keys, deadline - time.monotonic())
        if left:
            raise MeshError(
                f"{format_names(left)} on cluster {session.cluster} still {'exists' if len(left) == 1 else 'exist'} after {timeout:.0f} s: "
                "check that the AWS Load Balancer Controller runs, read its events, and run again."
            )
    return written


def _wait_until_deleted(session: ApiSession, keys: t.Sequence[tuple[Kind, str, str]], timeout: float) -> list[str]:
    """Wait until none of these objects exists; returns those that still do when the time is up."""

    def left(current: ObjectCache) -> list[str]:
        return sorted(f"{kind.name} {namespace}/{name}" for kind, namespace, name in keys if current.get(kind, name, namespace))

    places = [(kind, namespace) for kind, namespace, _name in keys]
    return wait_until_none_left(session, places, left, timeout=max(timeout, 0.0), clock=time.monotonic)


def _apply(change: Change, *, force: bool) -> Write:
    kind, namespace, name = change.desired.key
    return Write("apply", KINDS[kind], name, namespace, change.desired.manifest, force=force, creates=change.current is None)


def _version(item: t.Mapping[str, t.Any]) -> int:
    version = str(item["metadata"].get("resourceVersion") or "")
    return int(version) if version.isdigit() else 0


def _unprotect(kind: Kind, name: str, namespace: str, attributes: str) -> Write:
    """The write that takes deletion protection off where it was set."""
    if kind == INGRESS:
        return Write("patch", kind, name, namespace, {"metadata": {"annotations": {ALB_ATTRIBUTES: unprotect(attributes)}}})
    return Write("patch", kind, name, namespace, {"spec": {"infrastructure": {"annotations": {NLB_ATTRIBUTES: unprotect(attributes)}}}})


def _take_protection_off(session: ApiSession, writes: t.Sequence[Write], deadline: float) -> None:
    """Unprotect, and wait until this has arrived where the controller reads it; it takes the protection off in AWS itself when it deletes.

    Source: aws-load-balancer-controller pkg/ingress/model_builder.go, pkg/service/model_builder.go (getDeletionProtectionViaAnnotation) and
    pkg/deploy/elbv2/load_balancer_synthesizer.go (disableDeletionProtection).
    """
    namespaces = {write.namespace for write in writes}
    namespace = namespaces.pop() if len(namespaces) == 1 else None
    known = versions_of(session.list(EVENT, namespace, metadata_only=True).items)
    session.write_all(writes)

    def still_protected(current: ObjectCache) -> list[str]:
        waiting = []
        for write in writes:
            place = write.namespace or ""
            kind, name = (INGRESS, write.name) if write.kind == INGRESS else (SERVICE, service_name(write.name))
            item = current.get(kind, name, place)
            if item is None:
                continue
            verdict = judge_events(about(current.all(EVENT, place), kind.name, [name]), ControllerExpectation(known))
            if verdict and verdict.final:
                raise MeshError(f"{kind.name} {place}/{name} on cluster {session.cluster} was not deleted: {verdict.message}. {verdict.remedy}")
            if is_protected(annotations_of(item).get(ALB_ATTRIBUTES if kind == INGRESS else NLB_ATTRIBUTES, "")):
                waiting.append(f"{kind.name} {place}/{name}")
        return waiting

    followed = [(kind, write.namespace) for write in writes for kind in (INGRESS if write.kind == INGRESS else SERVICE, EVENT)]
    left = wait_until_none_left(session, followed, still_protected, timeout=max(deadline - time.monotonic(), 0.0), clock=time.monotonic)
    if left:
        raise MeshError(
            f"The deletion protection of {format_names(left)} on cluster {session.cluster} was not disabled in time, so nothing was deleted: "
            "check that istiod runs, which copies it to the Service of a gateway, and run again."
        )


__all__ = ("Writes", "apply_writes", "confirm", "plan_writes")
