# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired add-ons."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._eks_cluster.spec import ROLE_ARN
from .._limits.aws import ADDON_NAME, find_tag_errors
from .._text import repeated


@dataclass(frozen=True)
class AddonSpec:
    """The desired state of one add-on; None leaves the current value as it is.

    Attributes:
        role: empty removes the role.
        pod_identities: the roles of its service accounts; empty removes all associations that the add-on owns.
        ambiguous: service accounts with more than one role.
    """

    name: str
    present: bool = True
    version: str | None = None
    configuration: t.Any = None
    resolve_conflicts: str = "none"
    role: str | None = None
    pod_identities: t.Mapping[str, str] | None = None
    namespace: str | None = None
    tags: t.Mapping[str, t.Any] | None = None
    ambiguous: tuple[str, ...] = ()


def parse_spec(item: t.Mapping[str, t.Any]) -> AddonSpec:
    """One item of the option C(addons), with all its keys."""
    associations = item["pod_identity_associations"]
    accounts = [one["service_account"] for one in associations or ()]
    return AddonSpec(
        name=item["name"],
        present=item["state"] == "present",
        version=item["version"] or None,
        configuration=item["configuration_values"],
        resolve_conflicts=item["resolve_conflicts"],
        role=item["service_account_role_arn"],
        pod_identities=None if associations is None else {one["service_account"]: one["role_arn"] for one in associations},
        namespace=item["namespace"],
        tags=item["tags"],
        ambiguous=tuple(repeated(accounts)),
    )


def validate_specs(specs: t.Sequence[AddonSpec]) -> list[str]:
    """Validation errors, one sentence each, whatever the cluster has."""
    errors = [f"Add-on {name} is listed more than once in this task: keep one of the items." for name in repeated([spec.name for spec in specs])]
    for spec in specs:
        errors += (f"Add-on {spec.name}: {error}" for error in find_tag_errors("tags", spec.tags))
        if not ADDON_NAME.fullmatch(spec.name):
            errors.append(f"Add-on {spec.name!r}: this is not a valid name of an add-on: use one that EKS offers, such as vpc-cni.")
        errors += (
            f"Add-on {spec.name}: its service account {account} has more than one role in pod_identity_associations: keep one of them."
            for account in spec.ambiguous
        )
        roles = {
            "service_account_role_arn": spec.role or "",
            **{f"the role of service account {name}": arn for name, arn in (spec.pod_identities or {}).items()},
        }
        for what, arn in roles.items():
            if (arn or what != "service_account_role_arn") and not ROLE_ARN.fullmatch(arn):
                errors.append(f"Add-on {spec.name}: {what} is {arn!r}, which is not the ARN of an IAM role: use arn:aws:iam::ACCOUNT:role/NAME.")
    return errors


__all__ = ("AddonSpec", "parse_spec", "validate_specs")
