# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads certificates from ACM, and from Route 53 the hosted zones and records that validate domains."""

from __future__ import annotations

import re
import typing as t

from .._aws.errors import AwsError
from .._aws.tags import tags_of
from .certificates import Certificate, canonical, is_whole, parse_certificate
from .plan import Context, needed_tags, needed_users
from .validation import Record, Zone

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession
    from .selection import Selection

KEY_ALGORITHMS = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
_ZONE_ID = re.compile(r"^(/hostedzone/)?(Z[A-Z0-9]{5,31})$")


def list_certificates(session: AwsSession) -> list[Certificate]:
    """All certificates of the region, whatever their status."""
    # Without the key types, ACM lists none but RSA keys of 1024 and 2048 bits (API reference of ACM, ListCertificates, Filters).
    listed = session.pages("acm", "list_certificates", "CertificateSummaryList", Includes={"keyTypes": list(KEY_ALGORITHMS)})
    return [parse_certificate(one) if is_whole(one) else describe_certificate(session, one["CertificateArn"])[0] for one in listed]


def describe_certificate(session: AwsSession, arn: str) -> tuple[Certificate, list[Record], list[str]]:
    """A certificate, the records that it asks for (sorted; none until ACM has named them), and the ARNs of what uses it."""
    answer = session.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
    asked = [one["ResourceRecord"] for one in answer.get("DomainValidationOptions") or () if one.get("ResourceRecord")]
    # The apex and its wildcard ask for the same record.
    records = sorted({Record(one["Name"], one["Type"], one["Value"]) for one in asked})
    return parse_certificate(answer), records, sorted(answer.get("InUseBy") or ())


def read_context(session: AwsSession, selections: t.Sequence[Selection], zones: t.Mapping[str, Zone | str]) -> Context:
    """What a plan needs to know besides the zones: current tags, and users."""
    users = {arn: describe_certificate(session, arn)[2] for arn in needed_users(selections)}
    tags = {arn: tags_of(session.call("acm", "list_tags_for_certificate", CertificateArn=arn).get("Tags")) for arn in needed_tags(selections)}
    return Context(zones, tags, users)


def read_zone(session: AwsSession, name: str) -> Zone | str:
    """The public hosted zone of this name or id; the sentence that says why when there is not exactly one.

    Raises:
        AwsError: it cannot be read.
    """
    by_id = _ZONE_ID.match(name)
    if by_id:
        try:
            return _parse_zone(session.call("route53", "get_hosted_zone", Id=by_id.group(2))["HostedZone"])
        except AwsError as error:
            if not error.absent:
                raise
            return f"Route 53 has no hosted zone {name}: correct hosted_zone."
    domain = canonical(name)
    listed = session.call("route53", "list_hosted_zones_by_name", DNSName=domain, MaxItems="100").get("HostedZones") or []
    same = [one for one in listed if canonical(one["Name"]) == domain]
    public = [_parse_zone(one) for one in same if not (one.get("Config") or {}).get("PrivateZone")]
    if len(public) == 1:
        return public[0]
    if public:
        ids = ", ".join(zone.id for zone in public)
        return f"Route 53 has {len(public)} public hosted zones called {domain} ({ids}): set the id of the one that the domain is delegated to."
    private = ", only a private one, which ACM cannot query" if same else ""
    return f"Route 53 has no public hosted zone called {domain}{private}: create it, or correct hosted_zone."


def missing_records(session: AwsSession, zone: Zone, records: t.Sequence[Record]) -> list[Record]:
    """Which of these records the zone does not have with this value."""
    missing = []
    for record in records:
        answer = session.call(
            "route53", "list_resource_record_sets", HostedZoneId=zone.id, StartRecordName=record.name, StartRecordType=record.type, MaxItems="1"
        )
        same = [one for one in answer.get("ResourceRecordSets") or () if canonical(one["Name"]) == canonical(record.name) and one["Type"] == record.type]
        values = [canonical(value["Value"]) for one in same for value in one.get("ResourceRecords") or ()]
        if canonical(record.value) not in values:
            missing.append(record)
    return missing


def _parse_zone(answer: t.Mapping[str, t.Any]) -> Zone:
    return Zone(answer["Id"].rpartition("/")[2], canonical(answer["Name"]))


__all__ = ("KEY_ALGORITHMS", "describe_certificate", "list_certificates", "missing_records", "read_context", "read_zone")
