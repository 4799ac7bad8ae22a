# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The order in which the module acm_certificate works: plan all, refuse all at once, request, prove, wait, tell."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from .._diff import diff_of
from .._edge.certificates import (
    DEAD,
    ISSUED,
    PENDING,
    Certificate,
    as_result,
    canonical,
    choose,
    cover,
    for_host,
    same_request,
    told,
)
from .._errors import MeshError
from .._text import format_clauses, format_count
from .certificate_requests import Acm, Record, Route53, Zone
from .errors import AwsError
from .poll import PollResult, wait_until

if t.TYPE_CHECKING:
    from .session import AwsSession

Result = t.Dict[str, t.Any]
Item = t.Mapping[str, t.Any]

# How many candidates a message names.
_NAMED = 10
# Between a request and the moment when ACM says which records it wants, some seconds pass (API reference of ACM, RequestCertificate).
_RECORDS_SECONDS = 60.0
# ACM's user guide, "Certificate request fails", by CertificateDetail.FailureReason.
_REMEDIES = {
    "CAA_ERROR": "let the CAA records of the domain name an authority of Amazon (amazon.com)",
    "DOMAIN_NOT_ALLOWED": "the domain was reported as unsafe: ask AWS Support",
    "INVALID_PUBLIC_DOMAIN": "correct the domain, whose top level is not public",
    "ADDITIONAL_VERIFICATION_REQUIRED": "ask AWS Support to verify the domain",
    "NO_AVAILABLE_CONTACTS": "use validation_method DNS",
    "DOMAIN_VALIDATION_DENIED": "use validation_method DNS",
}


@dataclass
class Plan:
    """What becomes of one item of the option.

    Attributes:
        item: the item.
        action: C(found), C(requested), C(pending), C(tagged), C(deleted), C(absent).
        certificate: the one that was found or requested; None when there is none (yet).
        problem: a sentence that ends the task before anything is written.
        candidates: the certificates that the problem names.
        zone: where to prove it; None when that is not this module's work.
        records: what ACM asks for.
        changed: whether something is written, or in check mode would be.
        fresh: whether this run has requested it.
    """

    item: Item
    action: str = "found"
    certificate: Certificate | None = None
    problem: str = ""
    candidates: tuple[Certificate, ...] = ()
    zone: Zone | None = None
    records: list[Record] = field(default_factory=list)
    changed: bool = False
    fresh: bool = False

    @property
    def names(self) -> list[str]:
        """The names wished for, the domain first."""
        names = [self.item["domain"] or "", *(self.item["subject_alternative_names"] or ())]
        return list(dict.fromkeys(canonical(name) for name in names if name))

    @property
    def title(self) -> str:
        return f"certificate {self.item['arn'] or ''}{' for ' if self.item['arn'] and self.names else ''}{', '.join(self.names)}"

    @property
    def waits(self) -> bool:
        """Whether it is not issued yet, but is to be."""
        return self.item["state"] == "present" and self.certificate is not None and self.certificate.status == PENDING


def declare(
    session: AwsSession,
    params: t.Mapping[str, t.Any],
    now: datetime.datetime,
    *,
    write: bool,
    warn: t.Callable[[str], None],
    clock: t.Callable[[], float],
    pause: t.Callable[[float], None],
) -> Result:
    """Make what the module's params say true, and return its result.

    Args:
        session: where.
        params: the module's.
        now: the time by which certificates must be valid.
        write: whether to write; else it is only told what would be.
        warn: tells the user what is odd, but no failure.
        clock: a monotonic clock in seconds.
        pause: waits for so many seconds.

    Raises:
        MeshError: what is wished for cannot be, or was not issued.
        AwsError: AWS refuses.
    """
    if not params["certificates"] and not params["hosts"]:
        raise MeshError("There is no certificate to look for: give certificates or hosts, or skip the task.")
    acm, route53 = Acm(session), Route53(session)
    have = acm.certificates()
    plans = [_plan(item, have, now, params["select"], session.region) for item in params["certificates"]]
    for plan in plans:
        _add_zone(plan, route53)
    _refuse(plans)
    for plan in plans:
        _delete_or_tag(plan, acm, write)
        _request(plan, plans, acm, have, write, warn)
    if write:
        _prove([plan for plan in plans if plan.waits], acm, route53, clock, pause)
        if params["wait"]:
            _wait([plan for plan in plans if plan.waits], acm, params["wait_timeout"], session.region, clock, pause)
    for plan in plans:
        if plan.waits and not params["wait"]:
            warn(f"The {plan.title} is not issued yet. {_how_to_prove(plan)}")
    result = _result(plans)
    issued = {one.arn: one for one in [*have, *(plan.certificate for plan in plans if plan.certificate and plan.action != "deleted")]}
    for plan in plans:
        if plan.action == "deleted" and plan.certificate:
            issued.pop(plan.certificate.arn, None)
    return {**result, **_cover(params["hosts"], list(issued.values()), plans, now, session.region)}


# planning


def _plan(item: Item, have: t.Sequence[Certificate], now: datetime.datetime, select: str, region: str) -> Plan:
    plan = Plan(item)
    if item["state"] == "absent":
        return _plan_absent(plan, have)
    if item["arn"]:
        return _plan_by_arn(plan, have, now, region)
    choice = choose(have, plan.names, now, key_algorithm=item["key_algorithm"] or "", only=select == "only")
    if choice.certificate:
        plan.certificate = choice.certificate
        return plan
    if choice.problem == "several":
        why = "the only one" if select == "only" else "better than the others"
        plan.problem = (
            f"{len(choice.candidates)} issued certificates in {region} cover {', '.join(plan.names)}, and none is {why}: "
            f"give the arn of one, or delete the others. They are {_list(choice.candidates)}."
        )
        plan.candidates = choice.candidates
        return plan
    pending = [one for one in have if one.status == PENDING and same_request(one, plan.names, item["key_algorithm"] or "")]
    if item["state"] == "present":
        plan.action = "pending" if pending else "requested"
        plan.certificate = pending[0] if pending else None
        return plan
    return _none_found(plan, choice.candidates, have, region)


def _none_found(plan: Plan, would_do: t.Sequence[Certificate], have: t.Sequence[Certificate], region: str) -> Plan:
    """The problem that no certificate will do, with those that nearly would."""
    wanted = ", ".join(plan.names)
    partly = [one for one in have if any(one.covers(name) or _near(one, name) for name in plan.names)]
    plan.candidates = tuple(would_do) or tuple(partly)
    algorithm = f" with a key {plan.item['key_algorithm']}" if plan.item["key_algorithm"] else ""
    if would_do:
        said = f"Those that would cover it are not issued, or not valid: {_list(would_do)}"
    elif partly:
        said = f"Those of this domain cover other names or have another key: {_list(partly)}"
    else:
        said = f"ACM has {format_count(len(have), 'certificate')} there, none of this domain" if have else "ACM has no certificate there"
    plan.problem = f"No issued certificate in {region} covers {wanted}{algorithm}: request one with state present, or import one into this region. {said}."
    return plan


def _near(certificate: Certificate, name: str) -> bool:
    """Whether a certificate is of the same domain, so that a message should name it."""
    domain = name[2:] if name.startswith("*.") else name.partition(".")[2]
    return any(other in (domain, name) or other.endswith(f".{domain}") for other in certificate.names if "." in domain)


def _plan_by_arn(plan: Plan, have: t.Sequence[Certificate], now: datetime.datetime, region: str) -> Plan:
    found = next((one for one in have if one.arn == plan.item["arn"]), None)
    if found is None:
        plan.problem = f"There is no certificate {plan.item['arn']} in {region}: correct the ARN or the region, which must be the load balancer's."
        return plan
    uncovered = [name for name in plan.names if not found.covers(name)]
    if uncovered:
        plan.problem = f"The certificate {told(found)} does not cover {', '.join(uncovered)}: give the arn of one that does, or leave arn out."
    elif not found.usable(now) and not (plan.item["state"] == "present" and found.status == PENDING):
        plan.problem = f"The certificate {told(found)} cannot be used: it must be issued and valid. {_remedy(found)}".rstrip()
    else:
        plan.certificate, plan.action = found, "pending" if found.status == PENDING else "found"
        return plan
    plan.candidates = (found,)
    return plan


def _plan_absent(plan: Plan, have: t.Sequence[Certificate]) -> Plan:
    if plan.item["arn"]:
        alike = [one for one in have if one.arn == plan.item["arn"]]
    else:
        alike = [one for one in have if same_request(one, plan.names, plan.item["key_algorithm"] or "")]
    plan.action = "deleted" if alike else "absent"
    if len(alike) > 1:
        plan.problem = f"{len(alike)} certificates are for {', '.join(plan.names)}: give the arn of the one to delete. They are {_list(alike)}."
        plan.candidates = tuple(alike)
    plan.certificate = alike[0] if len(alike) == 1 else None
    return plan


def _add_zone(plan: Plan, route53: Route53) -> None:
    """The zone that will prove it, seen before anything is requested."""
    if plan.problem or plan.action not in ("requested", "pending") or not plan.item["hosted_zone"] or plan.item["validation_method"] != "DNS":
        return
    try:
        plan.zone = route53.zone(plan.item["hosted_zone"])
    except AwsError as error:
        if not error.absent:
            raise
        plan.problem = f"Route 53 has no hosted zone {plan.item['hosted_zone']}: correct hosted_zone."
        return
    except MeshError as error:
        plan.problem = error.message
        return
    outside = [name for name in plan.names if not plan.zone.holds(name)]
    if outside:
        plan.problem = f"The hosted zone {plan.zone.name} does not hold {', '.join(outside)}: give the zone of the domain, or leave hosted_zone out."


def _refuse(plans: t.Sequence[Plan]) -> None:
    bad = [plan for plan in plans if plan.problem]
    if bad:
        candidates = {one.arn: as_result(one) for plan in bad for one in plan.candidates}
        raise MeshError("\n".join(plan.problem for plan in bad), candidates=list(candidates.values()))


# doing


def _delete_or_tag(plan: Plan, acm: Acm, write: bool) -> None:
    certificate, item = plan.certificate, plan.item
    if certificate is None:
        return
    if plan.action == "deleted":
        if certificate.in_use:
            users = acm.describe(certificate.arn)[2]
            raise MeshError(f"The certificate {told(certificate)} is in use by {', '.join(users) or 'another service'}: take it away from there first.")
        plan.changed = True
        if write:
            acm.delete(certificate.arn)
    elif item["state"] == "present" and item["tags"] is not None and same_request(certificate, plan.names):
        plan.changed = acm.set_tags(certificate.arn, item["tags"], purge=item["purge_tags"], write=write)
        plan.action = "tagged" if plan.changed and plan.action == "found" else plan.action


def _request(plan: Plan, plans: t.Sequence[Plan], acm: Acm, have: t.Sequence[Certificate], write: bool, warn: t.Callable[[str], None]) -> None:
    if plan.action != "requested":
        return
    dead = [one for one in have if one.status in DEAD and same_request(one, plan.names)]
    if dead:
        warn(f"An earlier request for {', '.join(plan.names)} came to nothing, and is made anew: {_list(dead)}. {' '.join(map(_remedy, dead[:1]))}".rstrip())
    plan.changed = True
    twin = next((other for other in plans if other is not plan and other.fresh and other.names == plan.names), None)
    if twin:
        # The same wish twice in one task is one certificate.
        plan.certificate, plan.fresh, plan.changed = twin.certificate, True, False
        return
    plan.fresh = True
    if write:
        item = plan.item
        arn = acm.request(plan.names, validation_method=item["validation_method"], key_algorithm=item["key_algorithm"] or "", tags=item["tags"])
        plan.certificate = Certificate(arn, plan.names[0], tuple(plan.names), PENDING, origin="AMAZON_ISSUED", key_algorithm=item["key_algorithm"] or "")


def _prove(plans: t.Sequence[Plan], acm: Acm, route53: Route53, clock: t.Callable[[], float], pause: t.Callable[[float], None]) -> None:
    """Read which records ACM wants, and write those that a zone lacks."""
    for plan in plans:
        if plan.item["validation_method"] != "DNS":
            continue
        arn = plan.certificate.arn if plan.certificate else ""

        def look(plan: Plan = plan, arn: str = arn) -> PollResult:
            plan.certificate, plan.records, _users = acm.describe(arn)
            names = {canonical(record.name).partition(".")[2] for record in plan.records}
            whole = all((name[2:] if name.startswith("*.") else name) in names for name in plan.names)
            return PollResult(whole or plan.certificate.status != PENDING, "")

        wait_until(look, timeout=_RECORDS_SECONDS, every=5.0, clock=clock, pause=pause)
        if plan.zone and plan.waits:
            lacking = route53.lacking(plan.zone, plan.records)
            if lacking:
                route53.write(plan.zone, lacking)
                plan.changed = True


def _wait(plans: t.Sequence[Plan], acm: Acm, timeout: float, region: str, clock: t.Callable[[], float], pause: t.Callable[[float], None]) -> None:
    """Wait until all are issued.

    Raises:
        MeshError: one was not, or cannot be before somebody has proved the domain, whom nobody has told yet.
    """
    for plan in plans:
        if plan.fresh and plan.zone is None:
            raise MeshError(f"The {plan.title} was requested in {region}. {_how_to_prove(plan)} Then run again.", **_result(plans))

    def look() -> PollResult:
        for plan in plans:
            if plan.waits and plan.certificate:
                plan.certificate, records, _users = acm.describe(plan.certificate.arn)
                plan.records = records or plan.records
        over = not any(plan.waits for plan in plans) or any(_dead(plan) for plan in plans)
        return PollResult(over, "")

    if plans:
        wait_until(look, timeout=timeout, every=10.0, clock=clock, pause=pause)
    late = [plan for plan in plans if plan.certificate and plan.certificate.status != ISSUED]
    lines = [
        f"The certificate {told(plan.certificate)} was not issued in {region}. {_remedy(plan.certificate)}".rstrip()
        if _dead(plan) and plan.certificate
        else f"The {plan.title} is still not issued in {region} after {timeout:g} s. {_how_to_prove(plan)}"
        for plan in late
    ]
    if lines:
        raise MeshError("\n".join(lines), **_result(plans))


def _dead(plan: Plan) -> bool:
    return plan.certificate is not None and plan.certificate.status not in (PENDING, ISSUED)


# telling


def _how_to_prove(plan: Plan) -> str:
    if plan.item["validation_method"] == "EMAIL":
        return "Answer the mail that ACM has sent to the owners of the domain."
    records = "; ".join(f"{record.name} {record.type} {record.value}" for record in plan.records).rstrip(".") or "(ACM does not tell them yet)"
    if plan.zone:
        return f"Its records are in the hosted zone {plan.zone.name} ({plan.zone.id}): see that the domain is delegated to it. They are {records}."
    return f"Make these DNS records, or give hosted_zone: {records}."


def _remedy(certificate: Certificate) -> str:
    if certificate.status == "VALIDATION_TIMED_OUT":
        return "The domain was not proved within 72 hours: see that its DNS records are served in public."
    remedy = _REMEDIES.get(certificate.failure_reason)
    return f"To mend it, {remedy}." if remedy else ""


def _list(certificates: t.Sequence[Certificate]) -> str:
    return format_clauses(map(told, certificates), _NAMED)


def _result(plans: t.Sequence[Plan]) -> Result:
    entries = [_entry(plan) for plan in plans]
    arns = list(dict.fromkeys(entry["arn"] for entry in entries if entry["arn"]))
    diff = [diff_of(plan.title, *_before_and_after(plan)) for plan in plans if plan.changed]
    return {"changed": any(plan.changed for plan in plans), "certificates": entries, "arns": arns, "diff": diff}


def _entry(plan: Plan) -> dict[str, t.Any]:
    gone = plan.action in ("deleted", "absent")
    planned = Certificate("", plan.names[0] if plan.names else "", tuple(plan.names), "")
    entry = as_result(plan.certificate if plan.certificate and not gone else planned)
    records = [record.told() for record in plan.records] if plan.waits else []
    # What an interrupted run has requested is this request as well.
    action = "requested" if plan.action == "pending" else plan.action
    return {"domain": plan.names[0] if plan.names else "", "action": action, **entry, "validation_records": records}


def _before_and_after(plan: Plan) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    names = {"names": ", ".join(plan.certificate.names if plan.certificate else plan.names)}
    if plan.action == "deleted":
        return {**names, "arn": plan.certificate.arn if plan.certificate else ""}, {}
    if plan.action == "requested":
        return {}, {**names, "tags": plan.item["tags"] or {}}
    if plan.action == "tagged":
        return names, {**names, "tags": plan.item["tags"]}
    return names, {**names, "records": ", ".join(record.name for record in plan.records)}


def _cover(hosts: t.Sequence[str], have: t.Sequence[Certificate], plans: t.Sequence[Plan], now: datetime.datetime, region: str) -> Result:
    """The fewest certificates for the hosts.

    Raises:
        MeshError: a host is covered by none, and by none that is about to be requested either.
    """
    chosen, uncovered = cover(have, hosts, now)
    planned = [Certificate("", plan.names[0], tuple(plan.names), PENDING) for plan in plans if plan.action in ("requested", "pending") and plan.names]
    missing = [host for host in uncovered if not any(one.covers(host) for one in planned)]
    if missing:
        near = [one for one in have if any(one.covers(host) or _near(one, host) for host in missing)]
        said = f" Those of these domains are {_list(near)}." if near else ""
        raise MeshError(
            f"No issued certificate in {region} covers {', '.join(missing)}: request one with certificates and state present, import one, "
            f"or take the host away.{said}",
            candidates=[as_result(one) for one in near],
        )
    served = {canonical(host): for_host(chosen, host) for host in hosts}
    return {"host_arns": [one.arn for one in chosen], "by_host": {host: one.arn for host, one in served.items() if one}}


__all__ = ("Plan", "declare")
