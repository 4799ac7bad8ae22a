# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The resources of AWS that load balancers need, and the problems that were found. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    import datetime

    from .._acm.certificates import Certificate
    from .._load_balancer.owners import Tags
    from .._log_bucket.rules import Bucket

Answer = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Finding:
    """Something that keeps a load balancer from being created, or should be known before."""

    load_balancer: str
    what: str
    severity: str
    message: str

    def as_result(self) -> dict[str, str]:
        return {"load_balancer": self.load_balancer, "what": self.what, "severity": self.severity, "message": self.message}


@dataclass(frozen=True)
class Context:
    """What AWS has of what the load balancers need; keyed by what was asked for, None where there is none.

    Attributes:
        region: the region.
        subnets: all subnets of the VPCs, and those of other VPCs that are named, by id.
        public: the ids of subnets that lead to an internet gateway; None when this was not read.
        certificates: by ARN.
        policies: the types of load balancer that each TLS policy is for; none when AWS does not say.
        web_acls: whether each exists.
        shield: whether the account has a subscription; None when this was not read.
        buckets: by name.
        security_groups: the VPC of each, by id or name.
        addresses: elastic IP addresses by the ids of their allocations.
        named: the load balancers that have a desired name already, each with its tags, by name.
        owned: those that the same owner has already under another name, by title.
        now: the time by which certificates must be valid.
    """

    region: str
    now: datetime.datetime
    subnets: t.Mapping[str, Answer] = field(default_factory=dict)
    public: frozenset[str] | None = None
    certificates: t.Mapping[str, Certificate | None] = field(default_factory=dict)
    policies: t.Mapping[str, t.Sequence[str]] | None = None
    web_acls: t.Mapping[str, bool] = field(default_factory=dict)
    shield: bool | None = None
    buckets: t.Mapping[str, Bucket] = field(default_factory=dict)
    security_groups: t.Mapping[str, str] = field(default_factory=dict)
    addresses: t.Mapping[str, Answer] = field(default_factory=dict)
    named: t.Mapping[str, tuple[Answer, Tags]] = field(default_factory=dict)
    owned: t.Mapping[str, str] = field(default_factory=dict)


# What a rule finds: option, severity and message of each finding.
Findings = t.Iterator[t.Tuple[str, str, str]]


__all__ = ("Context", "Finding", "Findings")
