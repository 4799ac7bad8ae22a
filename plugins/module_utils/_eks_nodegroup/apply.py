# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the changes of node groups at the same time, and waits until EKS has carried them out."""

from __future__ import annotations

import typing as t

from .._aws.eks_writes import apply_tags
from .._aws.poll import PollResult, wait_until
from .._errors import MeshError
from .normalize import format_health, normalize_nodegroup
from .state import describe_nodegroup

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .normalize import Description
    from .plan import NodegroupChange

_BUSY = ("CREATING", "UPDATING", "DELETING")


class NodegroupWriter:
    """The writes to the node groups of one cluster, and their waits.

    Args:
        session: the session with AWS.
        cluster: the name of the cluster.
        changes: the changes of all its node groups.
        timeout: how long to wait, in seconds.
    """

    def __init__(self, session: AwsSession, cluster: str, changes: t.Sequence[NodegroupChange], *, timeout: float) -> None:
        self._session = session
        self._cluster = cluster
        self._changes = changes
        self._timeout = timeout
        self._updates: dict[str, str] = {}
        self.current: dict[str, Description | None] = {change.name: change.current for change in changes}

    def apply(self, *, wait: bool) -> None:
        """Send all changes; the attribute C(current) then has the last description of each node group, None for one that is gone.

        Raises:
            MeshError: a node group has failed, or the time is up.
        """
        # What an earlier run has started must have ended before it can be changed.
        updated = [change for change in self._changes if change.config or change.version]
        self._wait_until_idle([change for change in updated if self._status(change) != "ACTIVE"])
        for change in self._changes:
            self._start(change)
        pending = [change for change in self._changes if change.changed or not change.present or self._status(change) in _BUSY]
        if not wait:
            for change in pending:
                self.current[change.name] = describe_nodegroup(self._session, self._cluster, change.name)
            return
        self._wait_until_idle(pending)
        # A change of version waits for the change of settings.
        late = [change for change in updated if change.config and change.version]
        for change in late:
            self._update(change, "update_nodegroup_version", change.version)
        self._wait_until_idle(late)

    def result(self, change: NodegroupChange) -> dict[str, t.Any]:
        """The result for one node group."""
        return {"name": change.name, "changed": change.changed, "action": change.action, **normalize_nodegroup(self.current[change.name] or {})}

    def _start(self, change: NodegroupChange) -> None:
        if change.action == "created":
            self._call("create_nodegroup", change, change.creation)
        elif change.action == "deleted":
            self._call("delete_nodegroup", change, {})
        elif change.changed and change.current is not None:
            apply_tags(self._session, change.current["nodegroupArn"], change.tags)
            if change.config:
                self._update(change, "update_nodegroup_config", change.config)
            elif change.version:
                self._update(change, "update_nodegroup_version", change.version)

    def _update(self, change: NodegroupChange, operation: str, params: t.Mapping[str, t.Any]) -> None:
        self._updates[change.name] = self._call(operation, change, params)["update"]["id"]

    def _call(self, operation: str, change: NodegroupChange, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return self._session.call("eks", operation, clusterName=self._cluster, nodegroupName=change.name, **params)

    def _wait_until_idle(self, changes: t.Sequence[NodegroupChange]) -> None:
        """Wait until EKS is busy with none of these node groups.

        Raises:
            MeshError: one has failed, or the time is up; with the reasons of EKS.
        """
        pending = list(changes)
        failures: list[str] = []

        def poll() -> PollResult:
            for change in list(pending):
                result = self._poll(change)
                if result.done:
                    pending.remove(change)
                    failures.extend([result.state] if result.state else [])
            return PollResult(done=not pending, state=", ".join(change.name for change in pending))

        if not pending:
            return
        wait_until(poll, timeout=self._timeout)
        failures += [
            f"{self._title(change)} is still {self._status(change) or 'unknown'} after {self._timeout:g} s{self._health(change)}: "
            "raise wait_timeout, or run again to keep waiting."
            for change in pending
        ]
        if failures:
            raise MeshError(" ".join(failures), changed=True, nodegroups=[self.result(change) for change in changes])

    def _poll(self, change: NodegroupChange) -> PollResult:
        """Whether EKS is done with a node group; a state that is not empty says why it has failed."""
        self.current[change.name] = describe_nodegroup(self._session, self._cluster, change.name)
        status, title, health = self._status(change), self._title(change), self._health(change)
        if not change.present:
            if status == "DELETE_FAILED":
                return PollResult(done=True, state=f"{title} could not be deleted{health}.")
            return PollResult(done=not status, state="")
        if status in ("", "CREATE_FAILED", "DELETING"):
            return PollResult(done=True, state=f"{title} is {status or 'gone'}{health}: set it to state absent, then run again.")
        if status in _BUSY:
            return PollResult(done=False, state="")
        if change.name in self._updates:
            identifier = self._updates[change.name]
            update = self._session.call("eks", "describe_update", name=self._cluster, nodegroupName=change.name, updateId=identifier)["update"]
            if update["status"] == "InProgress":
                return PollResult(done=False, state="")
            del self._updates[change.name]
            if update["status"] != "Successful":
                reasons = "; ".join(f"{error.get('errorCode')}: {error.get('errorMessage')}" for error in update.get("errors") or [])
                failed = f"The update of node group {change.name} of cluster {self._cluster} is {update['status']}"
                return PollResult(done=True, state=f"{failed} ({reasons or 'EKS gives no reason'}).")
        if status == "DEGRADED" and change.changed:
            return PollResult(done=True, state=f"{title} is DEGRADED{health}.")
        return PollResult(done=True, state="")

    def _status(self, change: NodegroupChange) -> str:
        return str((self.current[change.name] or {}).get("status") or "")

    def _health(self, change: NodegroupChange) -> str:
        return format_health(self.current[change.name] or {})

    def _title(self, change: NodegroupChange) -> str:
        return f"Node group {change.name} of cluster {self._cluster}"


__all__ = ("NodegroupWriter",)
