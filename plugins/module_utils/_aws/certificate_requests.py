# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What the module acm_certificate reads and writes: certificates in ACM, and the records in Route 53 that prove whose the domain is."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._edge.certificates import Certificate, canonical, is_whole, read_certificate
from .._errors import MeshError
from .tags import compare_tags, tag_list, tags_of

if t.TYPE_CHECKING:
    from .session import AwsSession

Answer = t.Mapping[str, t.Any]

KEY_ALGORITHMS = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
_ZONE_ID = re.compile(r"^(/hostedzone/)?(Z[A-Z0-9]{5,31})$")
# How long resolvers may keep a record, in seconds, which is looked up anew for each renewal.
_TIME_TO_LIVE = 300


@dataclass(frozen=True, order=True)
class Record:
    """A DNS record that ACM asks for, and looks for again at each renewal."""

    name: str
    type: str
    value: str

    def told(self) -> dict[str, str]:
        return {"name": self.name, "type": self.type, "value": self.value}


@dataclass(frozen=True)
class Zone:
    """A public hosted zone of Route 53."""

    id: str
    name: str

    def holds(self, name: str) -> bool:
        """Whether a name of a certificate is in this zone."""
        bare = canonical(name)
        return f".{bare}".endswith(f".{self.name}")


class Acm:
    """The certificates of a region."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def certificates(self) -> list[Certificate]:
        """All of them, of whatever state."""
        # Without the key types, ACM lists none but RSA keys of 1024 and 2048 bits (API reference of ACM, ListCertificates, Filters).
        listed = self._session.pages("acm", "list_certificates", "CertificateSummaryList", Includes={"keyTypes": list(KEY_ALGORITHMS)})
        return [read_certificate(one) if is_whole(one) else self.describe(one["CertificateArn"])[0] for one in listed]

    def describe(self, arn: str) -> tuple[Certificate, list[Record], list[str]]:
        """A certificate, the records that it asks for (sorted; none until ACM has made them up), and the ARNs of what uses it."""
        said = self._session.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        asked = [one["ResourceRecord"] for one in said.get("DomainValidationOptions") or () if one.get("ResourceRecord")]
        # The apex and its wildcard ask for the same record.
        records = sorted({Record(one["Name"], one["Type"], one["Value"]) for one in asked})
        return read_certificate(said), records, sorted(said.get("InUseBy") or ())

    def request(self, names: t.Sequence[str], *, validation_method: str, key_algorithm: str, tags: t.Mapping[str, t.Any] | None) -> str:
        """Ask for a certificate for these names, the first of which is its domain name; returns its ARN."""
        params: dict[str, t.Any] = {"DomainName": names[0], "ValidationMethod": validation_method}
        if len(names) > 1:
            params["SubjectAlternativeNames"] = list(names[1:])
        if key_algorithm:
            params["KeyAlgorithm"] = key_algorithm
        if tags:
            params["Tags"] = tag_list(tags)
        return str(self._session.call("acm", "request_certificate", **params)["CertificateArn"])

    def delete(self, arn: str) -> None:
        self._session.call("acm", "delete_certificate", CertificateArn=arn)

    def set_tags(self, arn: str, wanted: t.Mapping[str, t.Any], *, purge: bool, write: bool) -> bool:
        """Whether the tags are others than wanted; they are set when write is true."""
        present = tags_of(self._session.call("acm", "list_tags_for_certificate", CertificateArn=arn).get("Tags"))
        changes = compare_tags(present, wanted, purge=purge)
        if write and changes.remove:
            self._session.call("acm", "remove_tags_from_certificate", CertificateArn=arn, Tags=[{"Key": key} for key in changes.remove])
        if write and changes.set:
            self._session.call("acm", "add_tags_to_certificate", CertificateArn=arn, Tags=tag_list(changes.set))
        return changes.any


class Route53:
    """The hosted zones that prove domains."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._zones: dict[str, Zone] = {}

    def zone(self, called: str) -> Zone:
        """The public hosted zone of this name or id.

        Raises:
            MeshError: there is none, or several have the name.
            AwsError: it cannot be read.
        """
        if called not in self._zones:
            self._zones[called] = self._find(called)
        return self._zones[called]

    def _find(self, called: str) -> Zone:
        by_id = _ZONE_ID.match(called)
        if by_id:
            said = self._session.call("route53", "get_hosted_zone", Id=by_id.group(2))["HostedZone"]
            return _zone(said)
        name = canonical(called)
        listed = self._session.call("route53", "list_hosted_zones_by_name", DNSName=name, MaxItems="100").get("HostedZones") or []
        same = [one for one in listed if canonical(one["Name"]) == name]
        public = [_zone(one) for one in same if not (one.get("Config") or {}).get("PrivateZone")]
        if len(public) > 1:
            ids = ", ".join(zone.id for zone in public)
            raise MeshError(f"Route 53 has {len(public)} public hosted zones called {name} ({ids}): give the id of the one that the domain is delegated to.")
        if not public:
            private = " but a private one, which ACM cannot look into" if same else ""
            raise MeshError(f"Route 53 has no public hosted zone called {name}{private}: create it, or correct hosted_zone.")
        return public[0]

    def lacking(self, zone: Zone, records: t.Sequence[Record]) -> list[Record]:
        """Which of these records the zone does not have with this value."""
        lacking = []
        for record in records:
            answer = self._session.call(
                "route53", "list_resource_record_sets", HostedZoneId=zone.id, StartRecordName=record.name, StartRecordType=record.type, MaxItems="1"
            )
            there = [one for one in answer.get("ResourceRecordSets") or () if canonical(one["Name"]) == canonical(record.name) and one["Type"] == record.type]
            values = [canonical(value["Value"]) for one in there for value in one.get("ResourceRecords") or ()]
            if canonical(record.value) not in values:
                lacking.append(record)
        return lacking

    def write(self, zone: Zone, records: t.Sequence[Record]) -> None:
        """Set these records, all of them or none."""
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {"Name": record.name, "Type": record.type, "TTL": _TIME_TO_LIVE, "ResourceRecords": [{"Value": record.value}]},
            }
            for record in records
        ]
        batch = {"Comment": "Validation of certificates by ACM", "Changes": changes}
        self._session.call("route53", "change_resource_record_sets", HostedZoneId=zone.id, ChangeBatch=batch)


def _zone(said: Answer) -> Zone:
    return Zone(said["Id"].rpartition("/")[2], canonical(said["Name"]))


__all__ = ("KEY_ALGORITHMS", "Acm", "Record", "Route53", "Zone")
