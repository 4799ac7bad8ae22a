"""Targets and their health."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

from twin.aws.load_balancing.moto_changes import DURATIONS, wrap


def extend() -> None:
    """A target is initial first, then healthy when it answers; one that does not exist never does. moto has all healthy at once."""

    def make(register: Callable[..., None]) -> Callable[..., None]:
        def register_targets(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
            before = dict(self.targets)
            register(self, targets)
            for target in targets:
                kept = self.targets[target["Id"]]
                kept["Since"] = before.get(target["Id"], {}).get("Since", time.monotonic())
                kept["AvailabilityZone"] = target.get("AvailabilityZone")

        return register_targets

    def examine(original: Callable[..., FakeHealthStatus]) -> Callable[..., FakeHealthStatus]:
        def health_for(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> FakeHealthStatus:
            status = original(self, target, ec2_backend)
            known = self.targets.get(target["Id"])
            if known is not None and status.status == "healthy":
                status.status, status.reason, status.description = _health(self, known, ec2_backend)
                status.availability_zone = known.get("AvailabilityZone")
            return status

        return health_for

    def described(self: FakeHealthStatus) -> dict[str, Any]:
        zone = getattr(self, "availability_zone", None)
        return {"Id": self.instance_id, "Port": self.port, **({"AvailabilityZone": zone} if zone else {})}

    FakeHealthStatus.target = property(described)
    wrap(FakeTargetGroup, "register", make)
    wrap(FakeTargetGroup, "health_for", examine)


def _health(group: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> tuple[str, str | None, str | None]:
    if not group.load_balancer_arns:
        return "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
    if time.monotonic() - target["Since"] < DURATIONS.first_health_check:
        return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
    if group.target_type == "ip" and not _is_assigned(target["Id"], ec2_backend):
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "healthy", None, None


def _is_assigned(address: str, ec2_backend: Any) -> bool:
    """Whether a network interface has the address, which is where the addresses of running pods appear."""
    return any(address == each.get("PrivateIpAddress") for eni in ec2_backend.enis.values() for each in eni.private_ip_addresses)
