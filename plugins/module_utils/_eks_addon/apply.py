# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the changes of add-ons, and waits until EKS has carried them out."""

from __future__ import annotations

import time
import typing as t
from functools import partial

from .._aws.eks_writes import apply_tags, write_all
from .._aws.poll import PollResult, wait_until
from .._errors import MeshError
from .health import BUSY, Health, check_health
from .state import describe_addon

if t.TYPE_CHECKING:
    from .._aws.eks_writes import Write
    from .._aws.session import AwsSession
    from .normalize import Addon
    from .plan import AddonChange

# The longest pause between two polls, in seconds: an add-on takes half a minute at least.
_EVERY = 10.0


def apply_changes(session: AwsSession, cluster: str, changes: t.Sequence[AddonChange], wait: AddonWait, *, preserve: bool) -> None:
    """Send all changes, deletions first.

    Args:
        session: the session with AWS.
        cluster: the name of the cluster.
        changes: what is to be sent.
        wait: waits for the records of failed creations, which are deleted before the add-ons are created again.
        preserve: whether the software of deleted add-ons stays.

    Raises:
        MeshError: with all refusals of EKS, and the add-ons that were written.
    """
    recreated = [change.name for change in changes if change.action == "recreated"]
    # The software stays: what kept EKS from taking it over may be what runs there.
    write_all([(_title(cluster, name), partial(session.call, "eks", "delete_addon", clusterName=cluster, addonName=name, preserve=True)) for name in recreated])
    wait.wait_until_deleted(recreated)
    ordered = sorted(changes, key=lambda change: change.action != "deleted")
    write_all([write for change in ordered for write in _writes(session, cluster, change, preserve=preserve)])


def _writes(session: AwsSession, cluster: str, change: AddonChange, *, preserve: bool) -> t.Iterator[Write]:
    title = _title(cluster, change.name)
    call = partial(session.call, "eks", clusterName=cluster)
    if change.action == "deleted":
        yield title, partial(call, "delete_addon", addonName=change.name, **({"preserve": True} if preserve else {}))
    elif change.action in ("created", "recreated"):
        yield title, partial(call, "create_addon", **change.request)
    elif change.request:
        yield title, partial(call, "update_addon", **change.request)
    if change.tags.any and change.current is not None:
        yield title, partial(apply_tags, session, change.current.arn, change.tags)


def _title(cluster: str, name: str) -> str:
    return f"Add-on {name} of cluster {cluster}"


class AddonWait:
    """Waits for add-ons within one deadline; an add-on whose wait is over is not polled again.

    Args:
        session: the session with AWS.
        cluster: the name of the cluster.
        timeout: seconds for all waits together.
        allow_degraded: whether an add-on without nodes is good enough.
        waiting: wait_until with its clock and pause.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        session: AwsSession,
        cluster: str,
        *,
        timeout: float,
        allow_degraded: bool,
        waiting: t.Callable[..., PollResult] = wait_until,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._cluster = cluster
        self._timeout = timeout
        self._deadline = clock() + timeout
        self._allow_degraded = allow_degraded
        self._waiting = waiting
        self._clock = clock

    def wait_until_idle(self, names: t.Iterable[str]) -> None:
        """Wait until EKS is busy with none of these add-ons.

        Raises:
            MeshError: it still is when the time is up.
        """
        self._wait(names, lambda _name, addon: Health(done=addon is None or addon.status not in BUSY))

    def wait_until_deleted(self, names: t.Iterable[str]) -> None:
        """Wait until none of these add-ons exists.

        Raises:
            MeshError: one still does when the time is up, or EKS cannot delete it.
        """

        def check(_name: str, addon: Addon | None) -> Health:
            if addon is not None and addon.status == "DELETE_FAILED":
                return Health(done=True, failure=check_health(addon, self._cluster, allow_degraded=False).failure)
            return Health(done=addon is None)

        self._wait(names, check)

    def wait_until_healthy(self, known: t.Mapping[str, Addon | None], current: dict[str, Addon]) -> list[str]:
        """Wait until all of these add-ons are healthy, and return what was tolerated, one sentence each.

        Args:
            known: each add-on as it has just been read; None for one that has to be read.
            current: receives the last state of each.

        Raises:
            MeshError: some are not, or not within the time.
        """
        tolerated: dict[str, str] = {}

        def check(name: str, addon: Addon | None) -> Health:
            if addon is None:
                return Health(done=True, failure=f"Add-on {name} of cluster {self._cluster} was deleted during the wait: run again.")
            current[name] = addon
            health = check_health(addon, self._cluster, allow_degraded=self._allow_degraded)
            if health.tolerated:
                tolerated[name] = health.tolerated
            return health

        self._wait(known, check, known)
        return [tolerated[name] for name in known if name in tolerated]

    def _wait(self, names: t.Iterable[str], check: t.Callable[[str, Addon | None], Health], known: t.Mapping[str, Addon | None] | None = None) -> None:
        failures: dict[str, str] = {}
        late: dict[str, str] = {}

        def done(name: str, addon: Addon | None) -> bool:
            health = check(name, addon)
            late[name] = f"Add-on {name} of cluster {self._cluster} is still {addon.status if addon else 'missing'}"
            failures[name] = health.failure
            return health.done

        # An add-on that has just been read, and whose wait is over, is not read again.
        first = {name: (known or {}).get(name) for name in names}
        pending = [name for name, addon in first.items() if addon is None or not done(name, addon)]

        def poll() -> PollResult:
            pending[:] = [name for name in pending if not done(name, describe_addon(self._session, self._cluster, name))]
            return PollResult(done=not pending, state=", ".join(late[name] for name in pending))

        if pending:
            self._waiting(poll, timeout=max(self._deadline - self._clock(), 0.0), every=_EVERY)
        errors = []
        for name in first:
            if failures[name]:
                errors.append(failures[name] + (f" It has been so for the whole wait of {self._timeout:g} s." if name in pending else ""))
            elif name in pending:
                errors.append(f"{late[name]} after {self._timeout:g} s: raise wait_timeout, or check its health issues in the EKS console.")
        if errors:
            raise MeshError(errors)


def wait_for_changes(changes: t.Sequence[AddonChange], desired: t.Collection[str], wait: AddonWait, current: dict[str, Addon]) -> list[str]:
    """Wait until deleted add-ons are gone and all others healthy, and return what was tolerated, one sentence each.

    Args:
        changes: what was sent.
        desired: the names of the add-ons that are to exist.
        wait: the wait, with its deadline.
        current: receives the last state of each; deleted ones are taken out.

    Raises:
        MeshError: add-ons are unhealthy, late, or have another version than EKS has accepted.
    """
    leaving = [change.name for change in changes if change.name not in desired and change.current is not None]
    # Tags alone change nothing about its health.
    known = {change.name: None if change.request else change.current for change in changes if change.name in desired}
    try:
        tolerated = wait.wait_until_healthy(known, current)
    finally:
        for name in leaving:
            current.pop(name, None)
    wait.wait_until_deleted(leaving)
    unchanged = [
        f"Add-on {change.name} still has version {current[change.name].version}, although EKS has accepted the update to {change.request['addonVersion']}: "
        "check its update history in the EKS console, and run again."
        for change in changes
        if change.request and current[change.name].version != change.request["addonVersion"]
    ]
    if unchanged:
        raise MeshError(unchanged)
    return tolerated


__all__ = ("AddonWait", "apply_changes", "wait_for_changes")
