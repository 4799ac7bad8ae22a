# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What the module C(eks_addon) asks of EKS, sends to it, and waits for; apart from its options, so that both can be held in the head."""

from __future__ import annotations

import time
import typing as t
from functools import partial

from .._eks.addon_plan import BUSY, Addon, AddonChange, AddonWish, Health, judge, parse_addon
from .._eks.addon_versions import Offer, choose_version, needs_offer, parse_offer
from .._errors import MeshError
from .eks_objects import Write, describe_cluster, list_of_cluster, refuse, set_tags
from .errors import AwsError
from .poll import PollResult, wait_until

if t.TYPE_CHECKING:
    from .session import AwsSession

# The longest pause between two looks, in seconds: an add-on takes half a minute at least.
_EVERY = 10.0


class AddonReader:
    """What is there of a cluster's add-ons, each asked for once.

    Args:
        session: where to ask.
        cluster: its name.
        required: whether it is an error that there is no such cluster; in check mode, an earlier task may be about to make it.
    """

    def __init__(self, session: AwsSession, cluster: str, *, required: bool) -> None:
        self._session = session
        self._cluster = cluster
        names = list_of_cluster(session, "list_addons", "addons", cluster, required=required)
        self.cluster_exists = names is not None
        self.names = frozenset(names or ())

    def describe(self, wishes: t.Iterable[AddonWish], others: t.Iterable[str] = ()) -> dict[str, Addon]:
        """Those of the wished add-ons, and of others by name, that are there."""
        asking = {wish.name: wish.present and wish.pod_identities is not None for wish in wishes}
        asking.update((name, False) for name in sorted(others) if name not in asking)
        found = {name: self.describe_one(name, pod_identities=asking[name]) for name in asking if name in self.names}
        return {name: addon for name, addon in found.items() if addon is not None}

    def describe_one(self, name: str, *, pod_identities: bool = False) -> Addon | None:
        """One add-on as it is now; None when it is not there."""
        try:
            described = self._session.call("eks", "describe_addon", clusterName=self._cluster, addonName=name)["addon"]
        except AwsError as error:
            if error.absent:
                return None
            raise
        return parse_addon(described, self._roles(described.get("podIdentityAssociations") or ()) if pod_identities else None)

    def versions(self, wishes: t.Iterable[AddonWish], present: t.Mapping[str, Addon]) -> dict[str, str]:
        """The version that each add-on should have. EKS is asked for its offer only where a version is neither left nor named exactly and there.

        Raises:
            MeshError: versions that EKS does not offer, one sentence each.
        """
        chosen: dict[str, str] = {}
        refusals = []
        kubernetes = ""
        for wish in wishes:
            if not wish.present:
                continue
            current = present[wish.name].version if wish.name in present else None
            if not self.cluster_exists:
                # Which version it will be is known when the cluster is.
                chosen[wish.name] = wish.version or "default"
                continue
            offer = Offer(wish.name, kubernetes)
            if needs_offer(wish.version, current):
                kubernetes = kubernetes or str(describe_cluster(self._session, self._cluster)["version"])
                offer = self._offer(wish.name, kubernetes)
            try:
                chosen[wish.name] = choose_version(wish.version, current, offer)
            except MeshError as error:
                refusals.append(error.message)
                continue
            if current is None and chosen[wish.name] in offer.needs_configuration and not wish.configuration:
                refusals.append(f"Add-on {wish.name} {chosen[wish.name]} cannot be installed without configuration: set configuration_values.")
        refuse(refusals, self._cluster)
        return chosen

    def _offer(self, name: str, kubernetes: str) -> Offer:
        try:
            addons = self._session.pages("eks", "describe_addon_versions", "addons", addonName=name, kubernetesVersion=kubernetes)
        except AwsError as error:
            # EKS does not know the name.
            if error.absent or (error.code == "InvalidParameterException" and name in error.server_message):
                return Offer(name, kubernetes)
            raise
        return parse_offer(name, kubernetes, addons)

    def _roles(self, arns: t.Iterable[str]) -> dict[str, str]:
        """The role of each service account that an add-on owns an association of; EKS tells only the ARNs of the associations."""
        found = {}
        for arn in sorted(arns):
            described = self._session.call("eks", "describe_pod_identity_association", clusterName=self._cluster, associationId=arn.rpartition("/")[2])
            association = described["association"]
            found[str(association["serviceAccount"])] = str(association["roleArn"])
        return found


def send(session: AwsSession, cluster: str, change: AddonChange, *, preserve: bool) -> list[Write]:
    """What sends one change, in order."""
    what = f"Add-on {change.name} of cluster {cluster}"
    call = partial(session.call, "eks", clusterName=cluster)
    writes: list[Write] = []
    if change.action == "deleted":
        writes.append((what, partial(call, "delete_addon", addonName=change.name, **({"preserve": True} if preserve else {}))))
    elif change.action in ("created", "recreated"):
        writes.append((what, partial(call, "create_addon", **change.request)))
    elif change.request:
        writes.append((what, partial(call, "update_addon", **change.request)))
    if change.tags.any and change.current is not None:
        writes.append((what, partial(set_tags, session, change.current.arn, change.tags)))
    return writes


def remove_failed(session: AwsSession, cluster: str, change: AddonChange) -> Write:
    """What takes the record of a failed creation away.

    Its software stays: what kept EKS from taking it over may be what runs there.
    """
    remove = partial(session.call, "eks", "delete_addon", clusterName=cluster, addonName=change.name, preserve=True)
    return (f"Add-on {change.name} of cluster {cluster}", remove)


class AddonWait:
    """Waits for add-ons within one deadline; each that is over is not looked at again.

    Args:
        reader: where to look.
        cluster: its name.
        timeout: seconds for all waits of this object together.
        allow_degraded: whether an add-on without nodes is good enough.
        waiting: what waits: wait_until with its clock and pause.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        reader: AddonReader,
        cluster: str,
        *,
        timeout: float,
        allow_degraded: bool,
        waiting: t.Callable[..., PollResult] = wait_until,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._cluster = cluster
        self._timeout = timeout
        self._deadline = clock() + timeout
        self._allow_degraded = allow_degraded
        self._waiting = waiting
        self._clock = clock

    def until_idle(self, names: t.Iterable[str]) -> None:
        """Wait until EKS is busy with none of these add-ons.

        Raises:
            MeshError: it still is when the time is up.
        """
        self._until(names, lambda _name, addon: Health(done=addon is None or addon.status not in BUSY))

    def until_gone(self, names: t.Iterable[str]) -> None:
        """Wait until none of these add-ons is there.

        Raises:
            MeshError: one still is when the time is up, or EKS cannot delete it.
        """

        def look(_name: str, addon: Addon | None) -> Health:
            if addon is not None and addon.status == "DELETE_FAILED":
                told = judge(addon, self._cluster, allow_degraded=False)
                return Health(done=True, failed=told.failed)
            return Health(done=addon is None)

        self._until(names, look)

    def until_healthy(self, known: t.Mapping[str, Addon | None], seen: dict[str, Addon]) -> list[str]:
        """Wait until all of these add-ons are as they should be, and return what was tolerated, one sentence each.

        Args:
            known: what was just seen of each; None for one that has to be looked at.
            seen: is told what was seen last of each.

        Raises:
            MeshError: some are not, or not within the time.
        """
        tolerated: dict[str, str] = {}

        def look(name: str, addon: Addon | None) -> Health:
            if addon is None:
                return Health(done=True, failed=f"Add-on {name} of cluster {self._cluster} has gone while it was waited for: run again.")
            seen[name] = addon
            health = judge(addon, self._cluster, allow_degraded=self._allow_degraded)
            if health.tolerated:
                tolerated[name] = health.tolerated
            return health

        self._until(known, look, known)
        return [tolerated[name] for name in known if name in tolerated]

    def _until(self, names: t.Iterable[str], judged: t.Callable[[str, Addon | None], Health], known: t.Mapping[str, Addon | None] | None = None) -> None:
        failed: dict[str, str] = {}
        late: dict[str, str] = {}

        def over(name: str, addon: Addon | None) -> bool:
            health = judged(name, addon)
            late[name] = f"Add-on {name} of cluster {self._cluster} is still {addon.status if addon else 'not there'}"
            failed[name] = health.failed
            return health.done

        # What was seen a moment ago, and is over, needs no other look.
        first = {name: (known or {}).get(name) for name in names}
        pending = [name for name, addon in first.items() if addon is None or not over(name, addon)]

        def look() -> PollResult:
            pending[:] = [name for name in pending if not over(name, self._reader.describe_one(name))]
            return PollResult(done=not pending, state=", ".join(late[name] for name in pending))

        if pending:
            self._waiting(look, timeout=max(self._deadline - self._clock(), 0.0), every=_EVERY)
        told = []
        for name in first:
            if failed[name]:
                told.append(failed[name] + (f" It has been so for all of the {self._timeout:g} s of waiting." if name in pending else ""))
            elif name in pending:
                told.append(f"{late[name]} after {self._timeout:g} s: raise wait_timeout, or look at its health issues in the console of EKS.")
        if told:
            raise MeshError("\n".join(told))


__all__ = ("AddonReader", "AddonWait", "remove_failed", "send")
