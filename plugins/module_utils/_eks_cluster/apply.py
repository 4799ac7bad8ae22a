# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Creates, updates and deletes an EKS cluster: one update after the other, each waited for."""

from __future__ import annotations

import typing as t

from .._aws.eks_writes import apply_tags
from .._aws.errors import AwsError
from .._aws.poll import PollResult, wait_until
from .._errors import MeshError
from .normalize import format_issues, health_issues
from .refusals import find_upgrade_refusals
from .state import describe_cluster

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .normalize import Description
    from .plan import ClusterPlan, Update

# States that pass by themselves, and in which EKS takes no update.
_BUSY = ("CREATING", "PENDING", "UPDATING")


class ClusterWriter:
    """The writes to one cluster, and their waits.

    Args:
        session: the session with AWS.
        name: the name of the cluster.
        timeout: how long each change is waited for, in seconds.
        wait: whether changes are waited for.
        force_upgrade: whether upgrades are made in spite of EKS' upgrade insights.
        warn: receives warnings.
    """

    def __init__(self, session: AwsSession, name: str, *, timeout: float, wait: bool, force_upgrade: bool, warn: t.Callable[[str], None]) -> None:
        self._session = session
        self._name = name
        self._timeout = timeout
        self._wait = wait
        self._force = force_upgrade
        self._warn = warn
        self.title = f"EKS cluster {name} in {session.region}"

    def wait_until_active(self) -> Description:
        """The cluster once EKS is no longer busy with it.

        Raises:
            MeshError: it has failed, is gone, or EKS is still busy when the time is up.
        """
        return self.check_usable(self.wait_until_idle())

    def wait_until_idle(self) -> Description:
        """As wait_until_active(), but a cluster that has failed is returned: it can still be deleted."""
        result = self._poll(lambda description: description is None or description.get("status") not in _BUSY)
        if result is None:
            raise MeshError(f"{self.title} was deleted during the wait: find out who deletes it, and run again.")
        return result

    def check_usable(self, description: Description) -> Description:
        """The same cluster.

        Raises:
            MeshError: it can no longer be changed.
        """
        if description.get("status") == "FAILED":
            raise MeshError(f"{self.title} has FAILED ({_reasons(description)}): delete it (state absent), fix the cause, and create it again.")
        if description.get("status") == "DELETING":
            raise MeshError(f"{self.title} is being deleted: run again when it is gone, or set wait to true.")
        return description

    def wait_until_deleted(self) -> None:
        """Wait until there is no such cluster.

        Raises:
            MeshError: there still is when the time is up, or its deletion has failed.
        """
        result = self._poll(lambda description: description is None or description.get("status") == "FAILED")
        if result is not None:
            raise MeshError(f"{self.title} could not be deleted ({_reasons(result)}): fix the cause, and run again.")

    def _poll(self, done: t.Callable[[Description | None], bool]) -> Description | None:
        def poll() -> PollResult:
            description = describe_cluster(self._session, self._name)
            return PollResult(done(description), str(description.get("status")) if description else "gone", description)

        result = wait_until(poll, timeout=self._timeout)
        if not result.done:
            raise MeshError(f"{self.title} is still {result.state} after {self._timeout:g} s: raise wait_timeout, or run again to keep waiting.")
        description: Description | None = result.value
        return description

    def create(self, parameters: t.Mapping[str, t.Any]) -> Description:
        """Create the cluster."""
        created: dict[str, t.Any] = self._session.call("eks", "create_cluster", **parameters)["cluster"]
        return self.wait_until_active() if self._wait else created

    def delete(self) -> None:
        """Delete the cluster."""
        self._session.call("eks", "delete_cluster", name=self._name)
        if self._wait:
            self.wait_until_deleted()

    def apply(self, arn: str, plan: ClusterPlan) -> list[dict[str, t.Any]]:
        """Set the tags and make the updates, one after the other; returns the updates, each with its id, type and final status.

        Raises:
            MeshError: EKS refuses an update, or one fails; it carries the updates before it.
        """
        apply_tags(self._session, arn, plan.tags)
        done: list[dict[str, t.Any]] = []
        for update in plan.updates:
            try:
                if update.version and update.version != plan.first_version:
                    self.refuse_unready(update.version)
                done.append(self.update(update.forced() if self._force else update))
            except MeshError as error:
                error.details.setdefault("updates", done)
                raise
            left = [later.title for later in plan.updates[len(done) :]]
            if left and not self._wait:
                self._warn(f"{self.title}: EKS accepts one update at a time, so these are left for another run: {'; '.join(left)}.")
                break
        return done

    def update(self, update: Update) -> dict[str, t.Any]:
        """Start an update and wait for its end; returns its title, id, type and status.

        Raises:
            MeshError: EKS refuses it, it fails, or it has not ended when the time is up.
        """
        parameters = {"clusterName" if update.operation == "associate_encryption_config" else "name": self._name, **update.params}
        started = self._start(update, parameters)
        report = {"title": update.title, **{key: str(started.get(key) or "") for key in ("id", "type", "status")}}
        if not self._wait:
            return report
        if report["id"]:
            report["status"] = self._wait_for_update(update, report["id"])
        # The cluster itself follows its update by some seconds.
        self.wait_until_active()
        return report

    def _start(self, update: Update, parameters: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
        """The update as EKS describes it; while another update runs, EKS takes none, and this waits."""

        def poll() -> PollResult:
            try:
                return PollResult(True, "started", self._session.call("eks", update.operation, **parameters).get("update") or {})
            except AwsError as error:
                if error.code != "ResourceInUseException" or not self._wait:
                    raise
                return PollResult(False, error.server_message)

        result = wait_until(poll, timeout=self._timeout)
        if not result.done:
            raise MeshError(f"{self.title} did not accept the update {update.title} within {self._timeout:g} s ({result.state}): run again when that is over.")
        started: t.Mapping[str, t.Any] = result.value
        return started

    def _wait_for_update(self, update: Update, identifier: str) -> str:
        def poll() -> PollResult:
            current = self._session.call("eks", "describe_update", name=self._name, updateId=identifier)["update"]
            return PollResult(current.get("status") != "InProgress", str(current.get("status")), current)

        result = wait_until(poll, timeout=self._timeout)
        title = f"{self.title}: the update {update.title} ({identifier})"
        if not result.done:
            raise MeshError(f"{title} is still {result.state} after {self._timeout:g} s: raise wait_timeout, or run again.")
        if result.state != "Successful":
            raise MeshError(f"{title} ended as {result.state} ({_errors(result.value)}): fix this, and run again.")
        return result.state

    def refuse_unready(self, version: str) -> None:
        """Refuse an upgrade to a version that EKS' upgrade insights call an error, unless upgrades are forced.

        Raises:
            MeshError: the cluster is not ready for the version.
        """
        if self._force or not version:
            return
        errors = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version], "statuses": ["ERROR"]}
        try:
            insights = self._session.pages("eks", "list_insights", "insights", clusterName=self._name, filter=errors)
        except AwsError as error:
            if error.transient:
                raise
            # Insights are advice: an identity may be allowed to upgrade and not to read them.
            self._warn(f"{self.title}: the upgrade insights for version {version} could not be read. {error.message}")
            return
        if refusal := find_upgrade_refusals(version, insights):
            raise MeshError(f"{self.title} {refusal}")


def _reasons(description: Description) -> str:
    return format_issues(health_issues(description)) or "EKS gives no reason"


def _errors(update: t.Mapping[str, t.Any]) -> str:
    errors = []
    for error in update.get("errors") or []:
        resources = f" [{', '.join(error['resourceIds'])}]" if error.get("resourceIds") else ""
        errors.append(f"{error.get('errorCode') or 'Unknown'}: {error.get('errorMessage') or 'no message'}{resources}")
    reason = (update.get("cancellation") or {}).get("reason")
    return "; ".join([*errors, *([str(reason)] if reason else [])]) or "EKS gives no reason"


__all__ = ("ClusterWriter",)
