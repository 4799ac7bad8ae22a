"""One call of an operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.aws.eks.region import Cluster, Region, Regions
from twin.aws.errors import InvalidParameter


@dataclass(frozen=True)
class Call:
    """What an operation gets: where, with which parameters (named as in the API), and by whom."""

    regions: Regions
    region: Region
    operation: str
    parameters: dict[str, Any]
    caller: str
    """The ARN of the IAM principal: a role's, not that of its session."""

    def need(self, name: str) -> Any:
        value = self.parameters.get(name)
        if value in (None, ""):
            raise InvalidParameter(f"{name} can't be null or empty")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    @property
    def cluster(self) -> Cluster:
        return self.region.cluster(str(self.parameters.get("clusterName") or self.parameters.get("name") or ""))

    @property
    def active_cluster(self) -> Cluster:
        cluster = self.cluster
        cluster.must_be_active()
        return cluster
