# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What has become of each planned certificate, and the module's result. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._diff import diff_of
from .._errors import MeshError
from .certificates import ISSUED, PENDING, Certificate, as_result, canonical, cover, for_host, format_certificates
from .selection import is_near
from .validation import format_failure, how_to_validate

if t.TYPE_CHECKING:
    import datetime

    from .plan import Plan
    from .validation import Record

Result = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Outcome:
    """What has become of a plan, or in check mode would.

    Attributes:
        plan: what was planned.
        certificate: the certificate as it was read last; None when there is none (yet).
        changed: whether something is written, or in check mode would be.
        records: the DNS records that ACM asks for.
    """

    plan: Plan
    certificate: Certificate | None
    changed: bool
    records: tuple[Record, ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether it is to be issued, but is not yet."""
        return self.plan.spec.state == "present" and self.certificate is not None and self.certificate.status == PENDING

    @property
    def is_dead(self) -> bool:
        """Whether it will never be issued."""
        return self.plan.spec.state == "present" and self.certificate is not None and self.certificate.status not in (PENDING, ISSUED)

    @property
    def how_to_validate(self) -> str:
        return how_to_validate(self.plan.spec.validation_method, self.records, self.plan.zone)


def certificates_result(outcomes: t.Sequence[Outcome]) -> Result:
    """The module's result, but for its hosts."""
    entries = [_entry(outcome) for outcome in outcomes]
    arns = list(dict.fromkeys(entry["arn"] for entry in entries if entry["arn"]))
    diff = [diff_of(outcome.plan.spec.title, *_before_and_after(outcome)) for outcome in outcomes if outcome.changed]
    return {"changed": any(outcome.changed for outcome in outcomes), "certificates": entries, "arns": arns, "diff": diff}


def hosts_result(hosts: t.Sequence[str], certificates: t.Sequence[Certificate], outcomes: t.Sequence[Outcome], now: datetime.datetime, region: str) -> Result:
    """The fewest certificates for the hosts.

    Args:
        hosts: the hosts to cover.
        certificates: all that existed before.
        outcomes: what has become of the planned ones.
        now: the time by which they must be valid.
        region: where they are.

    Raises:
        MeshError: a host is covered by none, and by none that is about to be requested either.
    """
    existing = {one.arn: one for one in [*certificates, *(outcome.certificate for outcome in outcomes if outcome.certificate)]}
    for outcome in outcomes:
        if outcome.plan.action == "deleted" and outcome.certificate:
            existing.pop(outcome.certificate.arn, None)
    chosen, uncovered = cover(existing.values(), hosts, now)
    coming = [_planned(outcome) for outcome in outcomes if outcome.plan.action in ("requested", "pending")]
    missing = [host for host in uncovered if not any(one.covers(host) for one in coming)]
    if missing:
        near = [one for one in existing.values() if any(is_near(one, host) for host in missing)]
        those = f" Those of these domains are {format_certificates(near)}." if near else ""
        raise MeshError(
            f"No issued certificate in {region} covers {', '.join(missing)}: request one with certificates and state present, import one, "
            f"or remove the host.{those}",
            candidates=[as_result(one) for one in near],
        )
    served = {canonical(host): for_host(chosen, host) for host in hosts}
    return {"host_arns": [one.arn for one in chosen], "by_host": {host: one.arn for host, one in served.items() if one}}


def not_issued(outcomes: t.Sequence[Outcome], region: str, timeout: float) -> str:
    """One line for each certificate that is not issued when the wait is over; empty when all are."""
    return "\n".join(
        format_failure(outcome.certificate, region)
        if outcome.is_dead and outcome.certificate
        else f"The {outcome.plan.spec.title} is still not issued in {region} after {timeout:g} s. {outcome.how_to_validate}"
        for outcome in outcomes
        if outcome.is_dead or outcome.is_pending
    )


def _planned(outcome: Outcome) -> Certificate:
    names = outcome.plan.spec.names
    return Certificate("", names[0] if names else "", names, "")


def _entry(outcome: Outcome) -> dict[str, t.Any]:
    plan = outcome.plan
    exists = outcome.certificate and plan.action not in ("deleted", "absent")
    entry = as_result(outcome.certificate if outcome.certificate and exists else _planned(outcome))
    records = [record.as_result() for record in outcome.records] if outcome.is_pending else []
    # What an interrupted run has requested is this request as well.
    action = "requested" if plan.action == "pending" else plan.action
    return {"domain": plan.spec.names[0] if plan.spec.names else "", "action": action, **entry, "validation_records": records}


def _before_and_after(outcome: Outcome) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    plan, certificate = outcome.plan, outcome.certificate
    names = {"names": ", ".join(certificate.names if certificate else plan.spec.names)}
    if plan.action == "deleted":
        return {**names, "arn": certificate.arn if certificate else ""}, {}
    if plan.action == "requested":
        return {}, {**names, "tags": plan.spec.tags or {}}
    if plan.action == "tagged":
        return names, {**names, "tags": plan.spec.tags}
    return names, {**names, "records": ", ".join(record.name for record in outcome.records)}


__all__ = ("Outcome", "Result", "certificates_result", "hosts_result", "not_issued")
