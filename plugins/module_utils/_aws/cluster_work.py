# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Changing an EKS cluster: one update after the other, each waited for and its end judged."""

from __future__ import annotations

import typing as t

from .._eks.cluster_view import health_issues, issues_in_a_line
from .._errors import MeshError
from .cluster_reading import describe_cluster
from .errors import AwsError
from .poll import PollResult, wait_until

if t.TYPE_CHECKING:
    from .._eks.cluster_plan import Update
    from .._eks.cluster_view import Described
    from .session import AwsSession
    from .tags import TagChanges

# What EKS is at by itself, so that it takes no update.
_ON_THE_WAY = ("CREATING", "PENDING", "UPDATING")


class ClusterWork:
    """What is done to one cluster.

    Args:
        session: the way to EKS.
        name: the cluster's.
        timeout: for how long each change is waited for, in seconds.
        wait: whether it is.
    """

    def __init__(self, session: AwsSession, name: str, *, timeout: float, wait: bool = True) -> None:
        self._session = session
        self._name = name
        self._timeout = timeout
        self._wait = wait
        self.title = f"EKS cluster {name} in {session.region}"

    # states

    def settled(self) -> Described:
        """The cluster once EKS is at nothing with it.

        Raises:
            MeshError: it has failed, is gone, or is still on the way when the time is up.
        """
        return self.sound(self.settled_or_failed())

    def settled_or_failed(self) -> Described:
        """As settled(), but a cluster that has failed is returned: it can still be deleted."""
        seen = wait_until(self._look, timeout=self._timeout)
        if not seen.done:
            raise MeshError(f"{self.title} is still {seen.state} after {self._timeout:g} s: raise wait_timeout, or run again, which waits on.")
        if seen.value is None:
            raise MeshError(f"{self.title} was deleted meanwhile: see who does that, and run again.")
        described: Described = seen.value
        return described

    def sound(self, described: Described) -> Described:
        """The same cluster; raises MeshError when it can no longer be changed."""
        if described.get("status") == "FAILED":
            issues = issues_in_a_line(health_issues(described))
            raise MeshError(f"{self.title} has FAILED ({issues or 'EKS tells no reason'}): delete it (state absent), mend what is named, and make it anew.")
        if described.get("status") == "DELETING":
            raise MeshError(f"{self.title} is being deleted: run again when it is gone, or set wait to true.")
        return described

    def gone(self) -> None:
        """Wait until there is no such cluster.

        Raises:
            MeshError: there still is when the time is up, or its deletion has failed.
        """

        def look() -> PollResult:
            described = describe_cluster(self._session, self._name)
            status = str(described.get("status")) if described else "gone"
            return PollResult(described is None or status == "FAILED", status, described)

        seen = wait_until(look, timeout=self._timeout)
        if not seen.done:
            raise MeshError(f"{self.title} is still {seen.state} after {self._timeout:g} s: raise wait_timeout, or run again, which waits on.")
        if seen.value is not None:
            issues = issues_in_a_line(health_issues(seen.value))
            raise MeshError(f"{self.title} could not be deleted ({issues or 'EKS tells no reason'}): mend what is named, and run again.")

    def _look(self) -> PollResult:
        described = describe_cluster(self._session, self._name)
        status = str(described.get("status")) if described else "gone"
        return PollResult(status not in _ON_THE_WAY, status, described)

    # writes

    def create(self, parameters: t.Mapping[str, t.Any]) -> Described:
        """Make the cluster."""
        made: dict[str, t.Any] = self._session.call("eks", "create_cluster", **parameters)["cluster"]
        return self.settled() if self._wait else made

    def delete(self) -> None:
        """Delete the cluster."""
        self._session.call("eks", "delete_cluster", name=self._name)
        if self._wait:
            self.gone()

    def tag(self, arn: str, changes: TagChanges) -> None:
        """Set tags and take them away."""
        if changes.set:
            self._session.call("eks", "tag_resource", resourceArn=arn, tags=changes.set)
        if changes.remove:
            self._session.call("eks", "untag_resource", resourceArn=arn, tagKeys=changes.remove)

    def update(self, update: Update) -> dict[str, t.Any]:
        """Begin an update, and wait for its end; what it was, and how it ended.

        Raises:
            MeshError: EKS refuses it, it fails, or it has not ended when the time is up.
        """
        parameters = {"clusterName" if update.operation == "associate_encryption_config" else "name": self._name, **update.params}
        begun = self._begin(update, parameters)
        told = {"title": update.title, "id": str(begun.get("id") or ""), "type": str(begun.get("type") or ""), "status": str(begun.get("status") or "")}
        if not self._wait:
            return told
        if told["id"]:
            told["status"] = self._ended(update, told["id"])
        # The cluster itself follows its update by some seconds.
        self.settled()
        return told

    def _begin(self, update: Update, parameters: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
        """EKS' word on the begun update; while another one is under way, EKS takes none, and this waits."""

        def look() -> PollResult:
            try:
                return PollResult(True, "begun", self._session.call("eks", update.operation, **parameters).get("update") or {})
            except AwsError as error:
                if error.code != "ResourceInUseException" or not self._wait:
                    raise
                return PollResult(False, error.server_message)

        seen = wait_until(look, timeout=self._timeout)
        if not seen.done:
            raise MeshError(f"{self.title} did not take the update {update.title} within {self._timeout:g} s ({seen.state}): run again when that is over.")
        begun: t.Mapping[str, t.Any] = seen.value
        return begun

    def _ended(self, update: Update, identifier: str) -> str:
        def look() -> PollResult:
            told = self._session.call("eks", "describe_update", name=self._name, updateId=identifier)["update"]
            return PollResult(told.get("status") != "InProgress", str(told.get("status")), told)

        seen = wait_until(look, timeout=self._timeout)
        if not seen.done:
            raise MeshError(
                f"{self.title}: the update {update.title} ({identifier}) is still {seen.state} after {self._timeout:g} s: raise wait_timeout, or run again."
            )
        if seen.state != "Successful":
            raise MeshError(f"{self.title}: the update {update.title} ({identifier}) ended as {seen.state} ({_errors(seen.value)}): mend this, and run again.")
        return seen.state

    # hindrances

    def refuse_unready(self, version: str, warn: t.Callable[[str], None]) -> None:
        """Raise MeshError for what EKS' upgrade insights say stands in the way of a version: nodes that are too old, add-ons, APIs that go."""
        wanted = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version], "statuses": ["ERROR"]}
        try:
            insights = self._session.pages("eks", "list_insights", "insights", clusterName=self._name, filter=wanted)
        except AwsError as error:
            if error.transient:
                raise
            # They are advice: who may upgrade may do it without having been allowed to read them.
            warn(f"{self.title}: whether anything stands in the way of version {version} could not be read. {error.message}")
            return
        # Those who serve no filter answer with all.
        found = [item for item in insights if (item.get("insightStatus") or {}).get("status") == "ERROR"]
        if found:
            words = "; ".join(f"{item.get('name')}: {(item.get('insightStatus') or {}).get('reason') or item.get('description')}" for item in found)
            raise MeshError(f"{self.title} is not ready for version {version} ({words}): mend this first, or set force_upgrade to true.")

    def refuse_inhabited(self) -> None:
        """Raise MeshError when node groups are left: EKS deletes no cluster that has them."""
        groups = sorted(self._session.pages("eks", "list_nodegroups", "nodegroups", clusterName=self._name))
        if groups:
            raise MeshError(f"{self.title} still has the node groups {', '.join(groups)}: delete these first, because EKS deletes no cluster that has any.")


def _errors(update: t.Mapping[str, t.Any]) -> str:
    told = []
    for error in update.get("errors") or []:
        resources = f" [{', '.join(error['resourceIds'])}]" if error.get("resourceIds") else ""
        told.append(f"{error.get('errorCode') or 'Unknown'}: {error.get('errorMessage') or 'no message'}{resources}")
    reason = (update.get("cancellation") or {}).get("reason")
    return "; ".join([*told, *([str(reason)] if reason else [])]) or "EKS tells no reason"


__all__ = ("ClusterWork",)
