"""What EKS keeps for one account in one region."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from twin.aws.cluster_provider import ClusterKey, ClusterProvider, RecordsOnly
from twin.aws.errors import InvalidParameter, InvalidRequest, NotFound, Unknown
from twin.aws.phases import Lengths, Transitions


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Entry:
    """One access entry with the policies that are associated with it."""

    record: dict[str, Any]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class NodeGroup:
    """One managed node group and the instances it has now."""

    record: dict[str, Any]
    instance_ids: list[str] = field(default_factory=list)


@dataclass
class Update:
    """One update, and what it concerns besides its cluster."""

    record: dict[str, Any]
    node_group: str | None = None
    addon: str | None = None
    failure: str | None = None
    """Why it will fail, if someone has decided so."""


@dataclass
class Cluster:
    """One cluster with all that belongs to it; `record` is what DescribeCluster answers."""

    record: dict[str, Any]
    creator: str
    security_group: str
    node_groups: dict[str, NodeGroup] = field(default_factory=dict)
    addons: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    associations: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)
    creator_let_in: bool = False
    worker: ThreadPoolExecutor | None = None

    @property
    def name(self) -> str:
        return str(self.record["name"])

    def node_group(self, name: str) -> NodeGroup:
        if name not in self.node_groups:
            raise NotFound(f"No node group found for name: {name}.", clusterName=self.name, nodegroupName=name)
        return self.node_groups[name]

    def addon(self, name: str) -> dict[str, Any]:
        if name not in self.addons:
            raise NotFound(f"No addon: {name} found in cluster: {self.name}", clusterName=self.name, addonName=name)
        return self.addons[name]

    def entry(self, principal: str) -> Entry:
        if principal not in self.entries:
            raise NotFound(f"The specified principalArn could not be found. You must specify an existing principalArn: {principal}")
        return self.entries[principal]

    def association(self, identity: str) -> dict[str, Any]:
        if identity not in self.associations:
            raise NotFound(f"No association found for id: {identity} in cluster: {self.name}")
        return self.associations[identity]

    def must_be_active(self) -> None:
        if self.record["status"] != "ACTIVE":
            raise InvalidRequest(f"Cluster '{self.name}' is not in ACTIVE status", clusterName=self.name)


class Region:
    """One account's EKS in one region. Callers hold `lock` while they read or change it."""

    def __init__(self, account: str, name: str, provider: ClusterProvider, lengths: Lengths) -> None:
        self.account = account
        self.name = name
        self.provider = provider
        self.clusters: dict[str, Cluster] = {}
        self.transitions = Transitions(lengths)
        self.lock = threading.RLock()

    def cluster(self, name: str) -> Cluster:
        if name not in self.clusters:
            raise NotFound(f"No cluster found for name: {name}.", clusterName=name)
        return self.clusters[name]

    def key(self, cluster: Cluster) -> ClusterKey:
        """How the provider knows a cluster."""
        return ClusterKey(self.name, cluster.name)

    def arn(self, kind: str, *rest: str) -> str:
        return f"arn:aws:eks:{self.name}:{self.account}:{kind}/{'/'.join(rest)}"

    def submit(self, cluster: Cluster, job: Callable[[], Any]) -> Future[Any]:
        """Have the provider do something, after all that it still does for the same cluster."""
        if self.provider.inline:
            done: Future[Any] = Future()
            try:
                done.set_result(job())
            except Exception as error:
                done.set_exception(error)
            return done
        if cluster.worker is None:
            cluster.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"cluster-{cluster.name}")
        return cluster.worker.submit(job)

    def begin_update(
        self,
        cluster: Cluster,
        kind: str,
        parameters: dict[str, Any],
        apply: Callable[[], None],
        *,
        future: Future[Any] | None = None,
        node_group: str | None = None,
        addon: str | None = None,
        failed: Callable[[str], None],
    ) -> dict[str, Any]:
        """Note an update as InProgress; once it is due, `apply` makes it true and it becomes Successful, or `failed` gets the reason."""
        record = {
            "id": str(uuid.uuid4()),
            "status": "InProgress",
            "type": kind,
            "params": [{"type": name, "value": value} for name, value in parameters.items()],
            "createdAt": now(),
            "errors": [],
        }
        update = Update(record, node_group, addon)
        cluster.updates[str(record["id"])] = update

        def finish(error: BaseException | None) -> None:
            reason = update.failure or (None if error is None else str(error))
            if reason is None:
                record["status"] = "Successful"
                apply()
            else:
                record["status"] = "Failed"
                record["errors"] = [{"errorCode": "Unknown", "errorMessage": reason, "resourceIds": []}]
                failed(reason)

        self.transitions.begin("update", finish, future)
        return record


class Regions:
    """All regions of all accounts."""

    def __init__(self, provider: ClusterProvider | None = None) -> None:
        self.provider = provider or RecordsOnly()
        self.lengths = Lengths()
        self.webhook_base = ""
        self._regions: dict[tuple[str, str], Region] = {}
        self._lock = threading.Lock()

    def region(self, account: str, name: str) -> Region:
        with self._lock:
            key = (account, name)
            if key not in self._regions:
                self._regions[key] = Region(account, name, self.provider, self.lengths)
            return self._regions[key]

    def all(self) -> list[Region]:
        with self._lock:
            return list(self._regions.values())

    def find(self, cluster: str, region: str | None = None) -> tuple[Region, Cluster]:
        """The cluster of this name, whatever its account; in this region, or in the only one that has it.

        Raises:
            Unknown: there is none, or more than one.
        """
        found = [(each, each.clusters[cluster]) for each in self.all() if cluster in each.clusters and region in (None, each.name)]
        if len(found) != 1:
            places = ", ".join(each.name for each, _ in found)
            raise Unknown(f"Clusters called {cluster} are in {places}: name the region with ?region=." if found else f"There is no cluster {cluster}.")
        return found[0]


def page(items: Iterable[Any], parameters: dict[str, Any], key: str) -> dict[str, Any]:
    """One page of a list, as all lists of EKS are read: maxResults (100 at most) and nextToken."""
    listed = list(items)
    try:
        start = int(parameters.get("nextToken") or 0)
    except ValueError:
        raise InvalidParameter(f"The nextToken {parameters['nextToken']!r} is not valid.") from None
    end = start + int(parameters.get("maxResults") or 100)
    answer: dict[str, Any] = {key: listed[start:end]}
    if end < len(listed):
        answer["nextToken"] = str(end)
    return answer
