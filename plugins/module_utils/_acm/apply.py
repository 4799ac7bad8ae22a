# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Writes the plan of the module acm_certificate: requests, tags and deletes certificates, has domains validated, and waits until ACM issues."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._aws.poll import PollResult, wait_until
from .._aws.tags import tag_list
from .._errors import MeshError
from .certificates import PENDING, Certificate
from .result import Outcome, certificates_result, not_issued
from .state import describe_certificate, missing_records
from .validation import has_all_records

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .plan import Plan
    from .validation import Record, Zone

Clock = t.Callable[[], float]
Pause = t.Callable[[float], None]

# Between a request and the moment when ACM names the records, some seconds pass (API reference of ACM, RequestCertificate).
_RECORDS_SECONDS = 60.0
# How long resolvers may keep a record, in seconds, which is looked up anew for each renewal.
_TIME_TO_LIVE = 300


def apply_plans(session: AwsSession, plans: t.Sequence[Plan], clock: Clock, pause: Pause) -> list[Outcome]:
    """Request, tag and delete in the order of the plans, and then write the records that validate what is pending."""
    outcomes: list[Outcome] = []
    for plan in plans:
        certificate = outcomes[plan.same_as].certificate if plan.same_as is not None else _apply(session, plan)
        outcomes.append(Outcome(plan, certificate, plan.changed))
    return [_validate(session, outcome, clock, pause) for outcome in outcomes]


def wait_until_issued(session: AwsSession, outcomes: t.Sequence[Outcome], timeout: float, clock: Clock, pause: Pause) -> list[Outcome]:
    """Wait until all are issued.

    Raises:
        MeshError: one was not, or cannot be before somebody has validated the domain, whom nobody has asked yet.
    """
    for outcome in outcomes:
        if outcome.is_pending and outcome.plan.action == "requested" and outcome.plan.zone is None:
            message = f"The {outcome.plan.spec.title} was requested in {session.region}. {outcome.how_to_validate} Then run again."
            raise MeshError(message, **certificates_result(outcomes))
    current = list(outcomes)

    def poll() -> PollResult:
        current[:] = [_refresh(session, outcome) for outcome in current]
        return PollResult(not any(outcome.is_pending for outcome in current) or any(outcome.is_dead for outcome in current), "")

    if any(outcome.is_pending for outcome in current):
        wait_until(poll, timeout=timeout, every=10.0, clock=clock, pause=pause)
    failure = not_issued(current, session.region, timeout)
    if failure:
        raise MeshError(failure, **certificates_result(current))
    return current


def _apply(session: AwsSession, plan: Plan) -> Certificate | None:
    """Write one plan; returns the certificate that there was, or that was requested."""
    if plan.action == "requested":
        return _request(session, plan)
    arn = plan.certificate.arn if plan.certificate else ""
    if plan.action == "deleted":
        session.call("acm", "delete_certificate", CertificateArn=arn)
    if plan.tag_changes.remove:
        session.call("acm", "remove_tags_from_certificate", CertificateArn=arn, Tags=[{"Key": key} for key in plan.tag_changes.remove])
    if plan.tag_changes.set:
        session.call("acm", "add_tags_to_certificate", CertificateArn=arn, Tags=tag_list(plan.tag_changes.set))
    return plan.certificate


def _request(session: AwsSession, plan: Plan) -> Certificate:
    spec = plan.spec
    params: dict[str, t.Any] = {"DomainName": spec.names[0], "ValidationMethod": spec.validation_method}
    if len(spec.names) > 1:
        params["SubjectAlternativeNames"] = list(spec.names[1:])
    if spec.key_algorithm:
        params["KeyAlgorithm"] = spec.key_algorithm
    if spec.tags:
        params["Tags"] = tag_list(spec.tags)
    arn = str(session.call("acm", "request_certificate", **params)["CertificateArn"])
    return Certificate(arn, spec.names[0], spec.names, PENDING, origin="AMAZON_ISSUED", key_algorithm=spec.key_algorithm)


def _validate(session: AwsSession, outcome: Outcome, clock: Clock, pause: Pause) -> Outcome:
    """Wait until ACM has named its records, and write those that the zone lacks."""
    plan = outcome.plan
    if not outcome.is_pending or plan.spec.validation_method != "DNS":
        return outcome

    def poll() -> PollResult:
        current = _refresh(session, outcome)
        return PollResult(has_all_records(plan.spec.names, current.records) or not current.is_pending, "", current)

    current: Outcome = wait_until(poll, timeout=_RECORDS_SECONDS, every=5.0, clock=clock, pause=pause).value
    missing = missing_records(session, plan.zone, current.records) if plan.zone and current.is_pending else []
    if plan.zone and missing:
        _write_records(session, plan.zone, missing)
    return replace(current, changed=outcome.changed or bool(missing))


def _refresh(session: AwsSession, outcome: Outcome) -> Outcome:
    """The outcome with what ACM says now of a certificate that is not issued yet."""
    if not outcome.is_pending or outcome.certificate is None:
        return outcome
    certificate, records, _users = describe_certificate(session, outcome.certificate.arn)
    return replace(outcome, certificate=certificate, records=tuple(records) or outcome.records)


def _write_records(session: AwsSession, zone: Zone, records: t.Sequence[Record]) -> None:
    """Set these records, all of them or none."""
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {"Name": record.name, "Type": record.type, "TTL": _TIME_TO_LIVE, "ResourceRecords": [{"Value": record.value}]},
        }
        for record in records
    ]
    batch = {"Comment": "Validation of certificates by ACM", "Changes": changes}
    session.call("route53", "change_resource_record_sets", HostedZoneId=zone.id, ChangeBatch=batch)


__all__ = ("apply_plans", "wait_until_issued")
