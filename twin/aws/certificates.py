"""Certificates of ACM: issued once their DNS records are there, not once time has passed; and listed as ACM lists them."""

from __future__ import annotations

import datetime
from typing import Any

from moto.acm import models, urls
from moto.acm.models import CertBundle, acm_backends
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.route53.models import route53_backends

from twin.aws.errors import Unknown
from twin.aws.phases import Lengths

# ListCertificates leaves out other keys unless they are asked for (API reference of ACM, Filters.keyTypes).
_LISTED_KEY_TYPES = ("RSA_1024", "RSA_2048")
_ONCE_ISSUED = ("IssuedAt", "NotAfter", "NotBefore", "Serial", "Issuer", "SignatureAlgorithm")
_SUMMARY = (
    "CertificateArn",
    "DomainName",
    "Status",
    "Type",
    "KeyAlgorithm",
    "KeyUsages",
    "ExtendedKeyUsages",
    "RenewalEligibility",
    "NotBefore",
    "NotAfter",
    "CreatedAt",
    "IssuedAt",
    "ImportedAt",
)


class Certificate(CertBundle):
    """moto's certificate, with the life of a real one."""

    lengths = Lengths()
    algorithm: str | None = None
    not_after: datetime.datetime | None = None

    def check(self) -> None:
        if self.expires <= utcnow():
            self.status = "EXPIRED"
        elif self.type == "AMAZON_ISSUED" and self.status == "PENDING_VALIDATION" and all(map(self._validated, self._domains)):
            self.status = "ISSUED"

    @property
    def expires(self) -> datetime.datetime:
        return self.not_after or self._not_valid_after(self._cert)

    @property
    def _domains(self) -> list[str]:
        return list(dict.fromkeys([str(self.common_name), *sorted(self.sans)]))

    def _validated(self, domain: str) -> bool:
        record = self._records()[domain]
        return _has_record(self.arn.split(":")[4], record["Name"], record["Value"])

    def _records(self) -> dict[str, dict[str, str]]:
        options = super().describe()["Certificate"].get("DomainValidationOptions", [])
        return {option["DomainName"]: option["ResourceRecord"] for option in options}

    def describe(self) -> dict[str, Any]:
        described: dict[str, Any] = super().describe()["Certificate"]
        described["SubjectAlternativeNames"] = self._domains
        described["NotAfter"] = self.expires.replace(tzinfo=datetime.UTC).timestamp()
        if self.algorithm:
            described["KeyAlgorithm"] = self.algorithm
        if self.type == "AMAZON_ISSUED":
            described["DomainValidationOptions"] = self._validation(described["DomainValidationOptions"])
        if self.status == "PENDING_VALIDATION":
            described = {name: value for name, value in described.items() if name not in _ONCE_ISSUED}
        return {"Certificate": described}

    def _validation(self, options: list[dict[str, Any]]) -> list[dict[str, Any]]:
        fresh = (utcnow() - self.created_at).total_seconds() < self.lengths.of("certificate")
        by_domain = {option["DomainName"]: option for option in options}
        described = []
        for domain in self._domains:
            option = dict(by_domain[domain])
            option["ValidationStatus"] = "SUCCESS" if self.status != "PENDING_VALIDATION" or self._validated(domain) else "PENDING_VALIDATION"
            if fresh and self.status == "PENDING_VALIDATION":
                del option["ResourceRecord"]
            described.append(option)
        return described

    def summary(self) -> dict[str, Any]:
        described = self.describe()["Certificate"]
        domains = described["SubjectAlternativeNames"]
        return {
            **{name: described[name] for name in _SUMMARY if name in described},
            "SubjectAlternativeNameSummaries": domains[:100],
            "HasAdditionalSubjectAlternativeNames": len(domains) > 100,
            "InUse": bool(self.in_use_by),
            "Exported": False,
        }


class CertificateResponse(AWSCertificateManagerResponse):
    """Requests and lists as ACM does."""

    def request_certificate(self) -> ActionResult:
        method = self._get_param("ValidationMethod")
        if method not in (None, "DNS"):
            raise ServiceException("ValidationException", f"The local AWS validates by DNS only, not by {method}.")
        result = super().request_certificate()
        arn: str = result.result["CertificateArn"]
        certificate = self.acm_backend._certificates[arn]
        if isinstance(certificate, Certificate):
            certificate.algorithm = self._get_param("KeyAlgorithm")
        return result

    def list_certificates(self) -> ActionResult:
        includes = self._get_param("Includes") or {}
        key_types = includes.get("keyTypes") or _LISTED_KEY_TYPES
        listed = self.acm_backend.list_certificates(self._get_param("CertificateStatuses") or [], {})
        summaries = [each.summary() for each in listed if isinstance(each, Certificate)]
        desired = [each for each in summaries if each["KeyAlgorithm"] in key_types]
        start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxItems") or 1000)
        answer: dict[str, Any] = {"CertificateSummaryList": desired[start : start + size]}
        if start + size < len(desired):
            answer["NextToken"] = str(start + size)
        return ActionResult(answer)


def extend(lengths: Lengths) -> None:
    """Put certificates that wait for their DNS records in the place of moto's own.

    As in life, the records to make are reported only a moment after the request (the phase `certificate`).
    """
    Certificate.lengths = lengths
    models.CertBundle = Certificate
    urls.url_paths["{0}/$"] = CertificateResponse.dispatch


def _has_record(account: str, name: str, value: str) -> bool:
    """Whether a public zone of the account answers this CNAME."""

    def bare(domain: str) -> str:
        return domain.rstrip(".").lower()

    return any(
        record.type == "CNAME" and bare(record.name) == bare(name) and bare(value) in [bare(each) for each in record.records]
        for zone in list(route53_backends[account]["aws"].zones.values())
        if not zone.private_zone
        for record in list(zone.rrsets)
    )


def set_expiry(arn: str, not_after: datetime.datetime) -> str:
    """Let a certificate end at this time, and return its status then: for tests, as ACM imports none that has expired.

    Raises:
        Unknown: there is no such certificate.
    """
    parts = arn.split(":", 5)
    certificate: Any = acm_backends[parts[4]][parts[3]]._certificates.get(arn) if len(parts) == 6 else None
    if certificate is None:
        raise Unknown(f"There is no certificate {arn}.")
    certificate.not_after = not_after.astimezone(datetime.UTC).replace(tzinfo=None)
    if certificate.status == "EXPIRED":
        certificate.status = "ISSUED"
    certificate.check()
    return str(certificate.status)
