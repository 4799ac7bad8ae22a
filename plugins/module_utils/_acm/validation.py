# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""How a domain is validated: the DNS records that ACM requires, their hosted zone, and what to do if validation fails. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .certificates import Certificate, canonical, format_certificates

# ACM's user guide, "Certificate request fails", by CertificateDetail.FailureReason.
_REMEDIES = {
    "CAA_ERROR": "let the CAA records of the domain name a certificate authority of Amazon (amazon.com)",
    "DOMAIN_NOT_ALLOWED": "ask AWS Support: the domain was reported as unsafe",
    "INVALID_PUBLIC_DOMAIN": "correct the domain, whose top level is not public",
    "ADDITIONAL_VERIFICATION_REQUIRED": "ask AWS Support to verify the domain",
    "NO_AVAILABLE_CONTACTS": "use validation_method DNS",
    "DOMAIN_VALIDATION_DENIED": "use validation_method DNS",
}


@dataclass(frozen=True, order=True)
class Record:
    """A DNS record that ACM asks for, and looks up again at each renewal."""

    name: str
    type: str
    value: str

    def as_result(self) -> dict[str, str]:
        return {"name": self.name, "type": self.type, "value": self.value}


@dataclass(frozen=True)
class Zone:
    """A public hosted zone of Route 53."""

    id: str
    name: str

    def holds(self, name: str) -> bool:
        """Whether a name of a certificate is in this zone."""
        return f".{canonical(name)}".endswith(f".{self.name}")


def has_all_records(names: t.Iterable[str], records: t.Iterable[Record]) -> bool:
    """Whether ACM has named a record for each name; a domain and its wildcard share one."""
    domains = {canonical(record.name).partition(".")[2] for record in records}
    return all((name[2:] if name.startswith("*.") else name) in domains for name in names)


def how_to_validate(method: str, records: t.Sequence[Record], zone: Zone | None) -> str:
    """What is left to do until ACM issues a certificate, as a sentence."""
    if method == "EMAIL":
        return "Answer the mail that ACM has sent to the owners of the domain."
    listed = "; ".join(f"{record.name} {record.type} {record.value}" for record in records).rstrip(".") or "(ACM has not named them yet)"
    if zone:
        return f"Its records are in the hosted zone {zone.name} ({zone.id}): check that the domain is delegated to it. They are {listed}."
    return f"Create these DNS records, or set hosted_zone: {listed}."


def remedy_for(certificate: Certificate) -> str:
    """What to do about a certificate that was not issued; empty when nothing is known."""
    if certificate.status == "VALIDATION_TIMED_OUT":
        return "The domain was not validated within 72 hours: check that its DNS records are served in public."
    remedy = _REMEDIES.get(certificate.failure_reason)
    return f"To fix it, {remedy}." if remedy else ""


def format_failure(certificate: Certificate, region: str) -> str:
    """That a certificate was not issued, why, and what to do."""
    return f"The certificate {format_certificates([certificate])} was not issued in {region}. {remedy_for(certificate)}".rstrip()


__all__ = ("Record", "Zone", "format_failure", "has_all_records", "how_to_validate", "remedy_for")
