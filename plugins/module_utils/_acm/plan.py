# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Plans what to request, tag and delete. Pure: from the selected certificates and their context to changes or refusals."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.tags import TagChanges, Tags, compare_tags
from .._errors import MeshError
from .certificates import DEAD, as_result, format_certificates, same_request
from .validation import Zone, remedy_for

if t.TYPE_CHECKING:
    from .certificates import Certificate
    from .selection import Selection
    from .spec import CertificateSpec

Selections = t.Sequence["Selection"]


@dataclass(frozen=True)
class Context:
    """What was read for the selected certificates.

    Attributes:
        zones: each hosted zone by the name or id that names it; where there is none, the sentence that says why.
        tags: the current tags of those whose tags are desired, by ARN.
        users: the ARNs of what uses those to delete, by ARN.
    """

    zones: t.Mapping[str, Zone | str] = field(default_factory=dict)
    tags: t.Mapping[str, Tags] = field(default_factory=dict)
    users: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What is done about one item.

    Attributes:
        spec: the item.
        action: C(found), C(requested), C(pending), C(tagged), C(deleted) or C(absent).
        certificate: the one that exists; None when there is none (yet).
        zone: the hosted zone that gets the validation records; None when somebody else creates them.
        tag_changes: what changes of its tags.
        same_as: the index of an earlier item that requests the same certificate; None when there is none.
        warning: what the user should know besides.
    """

    spec: CertificateSpec
    action: str
    certificate: Certificate | None = None
    zone: Zone | None = None
    tag_changes: TagChanges = TagChanges({}, [])  # noqa: RUF009 - never changed
    same_as: int | None = None
    warning: str = ""

    @property
    def changed(self) -> bool:
        return self.action == "deleted" or self.tag_changes.any or (self.action == "requested" and self.same_as is None)


def needed_zones(selections: Selections) -> list[str]:
    """The hosted zones to look up: those that will get records."""
    specs = [one.spec for one in selections if not one.refusal and one.action in ("requested", "pending") and one.spec.validation_method == "DNS"]
    return list(dict.fromkeys(spec.hosted_zone for spec in specs if spec.hosted_zone))


def needed_tags(selections: Selections) -> list[str]:
    """The ARNs whose tags are to be read: a certificate for other names, such as a wildcard that happens to match, keeps its tags."""
    return [
        one.certificate.arn
        for one in selections
        if one.certificate and one.spec.state == "present" and one.spec.tags is not None and same_request(one.certificate, one.spec.names)
    ]


def needed_users(selections: Selections) -> list[str]:
    """The ARNs of those to delete that are in use."""
    return [one.certificate.arn for one in selections if one.action == "deleted" and one.certificate and one.certificate.in_use]


def refuse(selections: Selections, zones: t.Mapping[str, Zone | str]) -> None:
    """Raise all refusals at once.

    Raises:
        MeshError: one sentence for each item that cannot be had, with the candidates.
    """
    refusals = [one.refusal or _zone_refusal(one, zones) for one in selections]
    if any(refusals):
        candidates = {one.arn: as_result(one) for selection in selections for one in selection.candidates}
        raise MeshError(filter(None, refusals), candidates=list(candidates.values()))


def plan_certificates(selections: Selections, context: Context, certificates: t.Sequence[Certificate]) -> list[Plan]:
    """What is done about each item.

    Raises:
        MeshError: a certificate that is to be deleted is in use.
    """
    plans: list[Plan] = []
    for selection in selections:
        spec, certificate = selection.spec, selection.certificate
        if certificate and certificate.arn in context.users:
            users = ", ".join(context.users[certificate.arn]) or "another service"
            raise MeshError(f"The certificate {format_certificates([certificate])} is in use by {users}: detach it there first.")
        if selection.action == "requested":
            plans.append(_plan_request(selection, plans, context, certificates))
            continue
        tags = compare_tags(context.tags[certificate.arn], spec.tags, purge=spec.purge_tags) if certificate and certificate.arn in context.tags else None
        zone = context.zones.get(spec.hosted_zone) if selection.action == "pending" else None
        action = "tagged" if tags and tags.any and selection.action == "found" else selection.action
        plans.append(Plan(spec, action, certificate, zone if isinstance(zone, Zone) else None, tags or TagChanges({}, [])))
    return plans


def _plan_request(selection: Selection, plans: t.Sequence[Plan], context: Context, certificates: t.Sequence[Certificate]) -> Plan:
    spec = selection.spec
    dead = [one for one in certificates if one.status in DEAD and same_request(one, spec.names)]
    warning = ""
    if dead:
        warning = f"An earlier request for {', '.join(spec.names)} has failed and is repeated: {format_certificates(dead)}. {remedy_for(dead[0])}".rstrip()
    zone = context.zones.get(spec.hosted_zone)
    same_as = next((index for index, plan in enumerate(plans) if plan.action == "requested" and _same_certificate(plan.spec, spec)), None)
    return Plan(spec, "requested", zone=zone if isinstance(zone, Zone) else None, same_as=same_as, warning=warning)


def _same_certificate(one: CertificateSpec, other: CertificateSpec) -> bool:
    # One that names no algorithm takes any.
    return one.names == other.names and (not one.key_algorithm or not other.key_algorithm or one.key_algorithm == other.key_algorithm)


def _zone_refusal(selection: Selection, zones: t.Mapping[str, Zone | str]) -> str:
    zone = zones.get(selection.spec.hosted_zone, "") if needed_zones([selection]) else ""
    if isinstance(zone, str):
        return zone
    outside = [name for name in selection.spec.names if not zone.holds(name)]
    return f"The hosted zone {zone.name} does not contain {', '.join(outside)}: set the zone of the domain, or omit hosted_zone." if outside else ""


__all__ = ("Context", "Plan", "needed_tags", "needed_users", "needed_zones", "plan_certificates", "refuse")
