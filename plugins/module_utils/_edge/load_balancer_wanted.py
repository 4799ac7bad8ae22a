# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""A load balancer as it is wished for, what AWS has of that, and what is found wrong. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    import datetime

    from .._acm.certificates import Certificate
    from .load_balancers import Answer, Tags
    from .log_buckets import Bucket


@dataclass(frozen=True)
class Finding:
    """Something that keeps a load balancer from being made, or should be known before."""

    load_balancer: str
    what: str
    severity: str
    message: str

    def told(self) -> dict[str, str]:
        return {"load_balancer": self.load_balancer, "what": self.what, "severity": self.severity, "message": self.message}


@dataclass(frozen=True)
class Wanted:
    """A load balancer as it is wished for; what is empty is not asked for.

    Attributes:
        title: how messages name it.
        name: the name that it should get.
        type: C(alb) or C(nlb).
        scheme: C(internal) or C(internet-facing).
        vpc_id: its VPC; empty when it is not known.
        cluster: the cluster that it is for.
        ingress, ingress_group, service: what it is for, as its controller will tag it.
        subnets: ids or names; empty when the controller finds them by tags.
        hosts: the hosts that its certificates must cover.
        certificate_arns, ssl_policy, waf_acl_arn, shield, security_groups, tags: as they will be asked for.
        eip_allocations: the ids of its elastic IP addresses.
        log_bucket, log_prefix: where it should log to.
    """

    title: str
    name: str = ""
    type: str = "alb"
    scheme: str = "internal"
    vpc_id: str = ""
    cluster: str = ""
    ingress: str = ""
    ingress_group: str = ""
    service: str = ""
    subnets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    certificate_arns: tuple[str, ...] = ()
    ssl_policy: str = ""
    waf_acl_arn: str = ""
    shield: bool = False
    security_groups: tuple[str, ...] = ()
    eip_allocations: tuple[str, ...] = ()
    log_bucket: str = ""
    log_prefix: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        return self.ingress or self.ingress_group or self.service


@dataclass(frozen=True)
class Facts:
    """What AWS has of that which is wished for; keyed by what was asked for, None where there is none.

    Attributes:
        region: where it was looked.
        subnets: all subnets of the VPCs, and those of other VPCs that are named, by id.
        public: the ids of subnets that lead to an internet gateway; None when it was not asked.
        certificates: by ARN.
        policies: the types of load balancer that each TLS policy is for; of none when AWS does not say.
        web_acls: whether each exists.
        shield: whether the account has a subscription; None when it was not asked.
        buckets: by name.
        security_groups: the VPC of each, by id or name.
        addresses: elastic IP addresses by the ids of their allocations.
        named: those load balancers that have a wished name already, each with its tags, by name.
        owned: those that a wish's owner has already under another name, by title.
        now: the time by which certificates are judged.
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


# What a rule says: option, severity and message of each finding.
Said = t.Iterator[t.Tuple[str, str, str]]


__all__ = ("Facts", "Finding", "Said", "Wanted")
