# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Selects certificates of ACM for hosts. Pure: from the responses of ACM to a choice, or to the reason why there is none."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

Answer = t.Mapping[str, t.Any]

ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
# What becomes of a request that was never validated (API reference of ACM, CertificateDetail.Status).
DEAD = ("FAILED", "VALIDATION_TIMED_OUT")
# A listener takes few certificates, so that a deeper search than this is for hosts that no listener could serve.
_MOST_STEPS = 20000
# How many certificates a message names.
_NAMED = 10


@dataclass(frozen=True)
class Certificate:
    """One certificate, as ACM's list or description has it.

    Attributes:
        arn: its name in AWS.
        domain_name: the name that it was requested for.
        names: all names it is good for, the domain name among them, in ACM's order.
        status: C(ISSUED), C(PENDING_VALIDATION), ...
        not_after: when it ends; None when ACM does not say, as before it is issued.
        not_before: when it starts, likewise.
        origin: C(AMAZON_ISSUED), C(IMPORTED) or C(PRIVATE).
        key_algorithm: such as C(RSA_2048), C(EC_prime256v1).
        in_use: whether a load balancer or another service has it.
        failure_reason: why it was not issued, as ACM's word.
    """

    arn: str
    domain_name: str
    names: tuple[str, ...]
    status: str
    not_after: datetime.datetime | None = None
    not_before: datetime.datetime | None = None
    origin: str = ""
    key_algorithm: str = ""
    in_use: bool = False
    failure_reason: str = ""

    def usable(self, now: datetime.datetime) -> bool:
        """Whether a listener could serve it at this time."""
        started = self.not_before is None or self.not_before <= now
        return self.status == ISSUED and started and (self.not_after is None or self.not_after > now)

    def covers(self, host: str) -> bool:
        """Whether it is good for this host."""
        return any(name_covers(name, host) for name in self.names)

    def names_exactly(self, host: str) -> bool:
        """Whether it has this very name, rather than a wildcard that covers it."""
        return canonical(host) in self.names


def canonical(name: str) -> str:
    """A domain name as it is compared: in lower case, without the dot at its end."""
    return name.strip().lower().rstrip(".")


def name_covers(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host.

    A wildcard stands for exactly one label at the left, and not for the domain itself (RFC 6125, section 6.4.3; ACM's user guide, wildcard names).
    A host may be a wildcard itself; only that very name covers it.
    """
    name, host = canonical(name), canonical(host)
    if name == host:
        return True
    label, dot, rest = host.partition(".")
    return name.startswith("*.") and bool(dot) and label not in ("", "*") and name[2:] == rest


def parse_certificate(answer: Answer) -> Certificate:
    """A certificate from an entry of ListCertificates or from DescribeCertificate's answer."""
    domain = canonical(answer.get("DomainName") or "")
    others = answer.get("SubjectAlternativeNames") or answer.get("SubjectAlternativeNameSummaries") or ()
    names = dict.fromkeys([*([domain] if domain else []), *(canonical(name) for name in others)])
    return Certificate(
        arn=answer["CertificateArn"],
        domain_name=domain,
        names=tuple(names),
        status=answer.get("Status") or "",
        not_after=answer.get("NotAfter"),
        not_before=answer.get("NotBefore"),
        origin=answer.get("Type") or "",
        key_algorithm=(answer.get("KeyAlgorithm") or "").replace("-", "_"),
        in_use=bool(answer.get("InUse") or answer.get("InUseBy")),
        failure_reason=answer.get("FailureReason") or "",
    )


def is_whole(summary: Answer) -> bool:
    """Whether an entry of ListCertificates has all that a choice needs; else it must be described.

    A list has the first hundred names only, and says so (CertificateSummary.HasAdditionalSubjectAlternativeNames).
    """
    return "Status" in summary and "SubjectAlternativeNameSummaries" in summary and not summary.get("HasAdditionalSubjectAlternativeNames")


@dataclass(frozen=True)
class Choice:
    """What was chosen, or why nothing was.

    Attributes:
        certificate: the one that was chosen; None when there is a problem.
        problem: C(none), C(several), or empty.
        candidates: what a message should name: of several the equally good ones, of none those that would be good but for their state.
    """

    certificate: Certificate | None = None
    problem: str = ""
    candidates: tuple[Certificate, ...] = ()


def choose(certificates: t.Iterable[Certificate], hosts: t.Sequence[str], now: datetime.datetime, *, key_algorithm: str = "", only: bool = False) -> Choice:
    """The certificate to serve these hosts with.

    The one with the most exact names wins, then the one that is valid for longest. Whether it is in use does not matter.

    Args:
        certificates: those that exist.
        hosts: what it must cover, all of it.
        now: the time by which it must be valid.
        key_algorithm: the one it must have; empty for any.
        only: whether a second one that would do is a problem, however much worse it is.
    """
    good = [certificate for certificate in certificates if all(certificate.covers(host) for host in hosts)]
    good = [certificate for certificate in good if not key_algorithm or certificate.key_algorithm == key_algorithm]
    usable = sorted((certificate for certificate in good if certificate.usable(now)), key=lambda one: _order(one, hosts))
    if not usable:
        return Choice(problem="none", candidates=tuple(sorted(good, key=lambda one: (one.status, one.arn))))
    equal = usable if only else [one for one in usable if _order(one, hosts)[:-1] == _order(usable[0], hosts)[:-1]]
    if len(equal) > 1:
        return Choice(problem="several", candidates=tuple(equal))
    return Choice(usable[0])


def cover(certificates: t.Iterable[Certificate], hosts: t.Sequence[str], now: datetime.datetime) -> tuple[list[Certificate], list[str]]:
    """The fewest certificates that together cover all hosts, and the hosts that none covers.

    The same certificates and hosts give the same answer, in whatever order they come: among equally few, those with more exact names are taken, then those
    that are valid for longer, then by ARN. The first is the one for the first host, as a listener's default certificate.
    """
    desired = list(dict.fromkeys(canonical(host) for host in hosts))
    usable = sorted((one for one in certificates if one.usable(now)), key=lambda one: _order(one, [host for host in desired if one.covers(host)]))
    covered = {one.arn: frozenset(host for host in desired if one.covers(host)) for one in usable}
    uncovered = [host for host in desired if not any(host in covered[one.arn] for one in usable)]
    reachable = frozenset(desired) - frozenset(uncovered)
    chosen = _fewest([one for one in usable if covered[one.arn]], covered, reachable)
    return sorted(chosen, key=lambda one: (min(desired.index(host) for host in covered[one.arn]), one.arn)), uncovered


def for_host(chosen: t.Sequence[Certificate], host: str) -> Certificate | None:
    """The one of these that serves a host: one with its very name before a wildcard, as load balancers choose by SNI."""
    able = [one for one in chosen if one.covers(host)]
    return min(able, key=lambda one: not one.names_exactly(host)) if able else None


def same_request(certificate: Certificate, names: t.Sequence[str], key_algorithm: str = "") -> bool:
    """Whether a certificate is what a request for these names has made, or would make."""
    desired = {canonical(name) for name in names}
    alike = certificate.domain_name == canonical(names[0]) and set(certificate.names) == desired and certificate.origin in ("", "AMAZON_ISSUED")
    return alike and (not key_algorithm or certificate.key_algorithm in ("", key_algorithm))


def format_certificates(certificates: t.Sequence[Certificate]) -> str:
    """Certificates in a message, each with ARN, names, status and expiry."""
    more = f"; and {len(certificates) - _NAMED} more" if len(certificates) > _NAMED else ""
    return "; ".join(map(_format, certificates[:_NAMED])) + more


def as_result(certificate: Certificate) -> dict[str, t.Any]:
    """A certificate as the modules return it."""
    return {
        "arn": certificate.arn,
        "domain_name": certificate.domain_name,
        "names": list(certificate.names),
        "status": certificate.status,
        "not_after": certificate.not_after.isoformat() if certificate.not_after else "",
        "type": certificate.origin,
        "key_algorithm": certificate.key_algorithm,
        "in_use": certificate.in_use,
        "failure_reason": certificate.failure_reason,
    }


def _format(certificate: Certificate) -> str:
    until = f", valid until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else ""
    why = f" ({certificate.failure_reason})" if certificate.failure_reason else ""
    return f"{certificate.arn} ({', '.join(certificate.names)}; {certificate.status}{why}{until})"


def _order(certificate: Certificate, hosts: t.Sequence[str]) -> tuple[int, float, str]:
    """The better, the smaller; the ARN decides only where an order is needed, not which is better."""
    exact = sum(certificate.names_exactly(host) for host in hosts)
    until = certificate.not_after.timestamp() if certificate.not_after else 0.0
    return -exact, -until, certificate.arn


def _fewest(usable: t.Sequence[Certificate], covered: t.Mapping[str, frozenset[str]], desired: frozenset[str]) -> list[Certificate]:
    """The smallest set that covers all that is desired: sets of one, of two, and so on, always for the host that fewest can cover."""
    # What another one covers as well, and better, is never needed.
    useful: list[Certificate] = []
    for one in usable:
        if not any(covered[one.arn] <= covered[other.arn] for other in useful):
            useful = [other for other in useful if not covered[other.arn] < covered[one.arn]] + [one]
    greedy = _greedy(useful, covered, desired)
    steps = [0]

    def search(left: frozenset[str], size: int) -> list[Certificate] | None:
        if not left:
            return []
        steps[0] += 1
        if size == 0 or steps[0] > _MOST_STEPS:
            return None
        rarest = min(sorted(left), key=lambda host: sum(host in covered[one.arn] for one in useful))
        for one in useful:
            if rarest in covered[one.arn]:
                rest = search(left - covered[one.arn], size - 1)
                if rest is not None:
                    return [one, *rest]
        return None

    for size in range(1, len(greedy)):
        found = search(desired, size)
        if found is not None:
            return found
    return greedy


def _greedy(usable: t.Sequence[Certificate], covered: t.Mapping[str, frozenset[str]], desired: frozenset[str]) -> list[Certificate]:
    """A set that covers all that is desired, each time by the certificate that covers most of what is left: an upper bound, seldom too large."""
    chosen: list[Certificate] = []
    left = desired
    while left:
        one = max(usable, key=lambda other: len(covered[other.arn] & left))
        chosen.append(one)
        left = left - covered[one.arn]
    return chosen


__all__ = (
    "DEAD",
    "ISSUED",
    "PENDING",
    "Certificate",
    "Choice",
    "as_result",
    "canonical",
    "choose",
    "cover",
    "for_host",
    "format_certificates",
    "is_whole",
    "name_covers",
    "parse_certificate",
    "same_request",
)
