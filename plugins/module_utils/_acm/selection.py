# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Selects the certificate of ACM that each item of the option describes, and its action. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .certificates import PENDING, choose, format_certificates, same_request
from .validation import remedy_for

if t.TYPE_CHECKING:
    import datetime

    from .certificates import Certificate
    from .spec import CertificateSpec

Certificates = t.Sequence["Certificate"]


@dataclass(frozen=True)
class Selection:
    """What an item means.

    Attributes:
        spec: the item.
        action: C(found), C(requested), C(pending), C(deleted) or C(absent).
        certificate: the one that exists; None when there is none (yet).
        refusal: the sentence that ends the task before anything is written; empty when all is well.
        candidates: the certificates that the refusal names.
    """

    spec: CertificateSpec
    action: str = "found"
    certificate: Certificate | None = None
    refusal: str = ""
    candidates: tuple[Certificate, ...] = ()


def select(spec: CertificateSpec, certificates: Certificates, now: datetime.datetime, *, only: bool, region: str) -> Selection:
    """What an item means among all certificates of the region; only makes a second match a refusal, however much worse it is."""
    if spec.state == "absent":
        return _select_to_delete(spec, certificates)
    if spec.arn:
        return _select_by_arn(spec, certificates, now, region)
    choice = choose(certificates, spec.names, now, key_algorithm=spec.key_algorithm, only=only)
    if choice.certificate:
        return Selection(spec, certificate=choice.certificate)
    if choice.problem == "several":
        why = "the only one" if only else "better than the others"
        refusal = (
            f"{len(choice.candidates)} issued certificates in {region} cover {', '.join(spec.names)}, and none is {why}: "
            f"set the arn of one, or delete the others. They are {format_certificates(choice.candidates)}."
        )
        return Selection(spec, refusal=refusal, candidates=choice.candidates)
    if spec.state == "present":
        pending = [one for one in certificates if one.status == PENDING and same_request(one, spec.names, spec.key_algorithm)]
        return Selection(spec, "pending" if pending else "requested", pending[0] if pending else None)
    return _none_found(spec, choice.candidates, certificates, region)


def is_near(certificate: Certificate, name: str) -> bool:
    """Whether a certificate covers a name or is of the same domain, so that a message should name it."""
    domain = name[2:] if name.startswith("*.") else name.partition(".")[2]
    return certificate.covers(name) or any(other in (domain, name) or other.endswith(f".{domain}") for other in certificate.names if "." in domain)


def _none_found(spec: CertificateSpec, unusable: Certificates, certificates: Certificates, region: str) -> Selection:
    """The refusal when no certificate will do, with those that nearly would."""
    near = [one for one in certificates if any(is_near(one, name) for name in spec.names)]
    algorithm = f" with a key {spec.key_algorithm}" if spec.key_algorithm else ""
    if unusable:
        candidates = f"Those that would cover it are not issued, or not valid: {format_certificates(unusable)}"
    elif near:
        candidates = f"Those of this domain cover other names or have another key: {format_certificates(near)}"
    else:
        count = len(certificates)
        candidates = f"ACM has {count} certificate{'' if count == 1 else 's'} there, none of this domain" if count else "ACM has no certificate there"
    refusal = (
        f"No issued certificate in {region} covers {', '.join(spec.names)}{algorithm}: "
        f"request one with state present, or import one into this region. {candidates}."
    )
    return Selection(spec, refusal=refusal, candidates=tuple(unusable) or tuple(near))


def _select_by_arn(spec: CertificateSpec, certificates: Certificates, now: datetime.datetime, region: str) -> Selection:
    found = next((one for one in certificates if one.arn == spec.arn), None)
    if found is None:
        return Selection(spec, refusal=f"There is no certificate {spec.arn} in {region}: correct the ARN or the region, which must be the load balancer's.")
    refusal = ""
    uncovered = [name for name in spec.names if not found.covers(name)]
    if uncovered:
        refusal = f"The certificate {format_certificates([found])} does not cover {', '.join(uncovered)}: set the arn of one that does, or omit arn."
    elif not found.usable(now) and not (spec.state == "present" and found.status == PENDING):
        refusal = f"The certificate {format_certificates([found])} cannot be used: it must be issued and valid. {remedy_for(found)}".rstrip()
    if refusal:
        return Selection(spec, refusal=refusal, candidates=(found,))
    return Selection(spec, "pending" if found.status == PENDING else "found", found)


def _select_to_delete(spec: CertificateSpec, certificates: Certificates) -> Selection:
    alike = [one for one in certificates if (one.arn == spec.arn if spec.arn else same_request(one, spec.names, spec.key_algorithm))]
    if len(alike) > 1:
        refusal = f"{len(alike)} certificates are for {', '.join(spec.names)}: set the arn of the one to delete. They are {format_certificates(alike)}."
        return Selection(spec, "deleted", refusal=refusal, candidates=tuple(alike))
    return Selection(spec, "deleted" if alike else "absent", alike[0] if alike else None)


__all__ = ("Selection", "is_near", "select")
