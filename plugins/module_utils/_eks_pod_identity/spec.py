# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired associations of service accounts with IAM roles."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._eks_cluster.spec import ROLE_ARN
from .._limits.aws import find_tag_errors
from .._limits.kubernetes import is_label_name, is_subdomain
from .._text import repeated
from .normalize import AccountRef


@dataclass(frozen=True)
class AssociationSpec:
    """The desired state of one association; None leaves the current value as it is. An empty target_role removes it."""

    ref: AccountRef
    present: bool = True
    role: str = ""
    target_role: str | None = None
    disable_session_tags: bool | None = None
    tags: t.Mapping[str, t.Any] | None = None


def parse_spec(item: t.Mapping[str, t.Any]) -> AssociationSpec:
    """One item of the option C(associations), with all its keys."""
    return AssociationSpec(
        ref=AccountRef(item["namespace"], item["service_account"]),
        present=item["state"] == "present",
        role=item["role_arn"] or "",
        target_role=item["target_role_arn"],
        disable_session_tags=item["disable_session_tags"],
        tags=item["tags"],
    )


def validate_specs(specs: t.Sequence[AssociationSpec]) -> list[str]:
    """Validation errors, one sentence each, whatever the cluster has."""
    refs = [spec.ref for spec in specs]
    errors = [
        f"Service account {ref} is listed more than once in this task, but can have only one association: keep one of the items." for ref in repeated(refs)
    ]
    for spec in specs:
        errors += (f"Service account {spec.ref}: {error}" for error in find_tag_errors("tags", spec.tags))
        if not is_label_name(spec.ref.namespace) or not is_subdomain(spec.ref.name):
            errors.append(f"Service account {spec.ref}: this is not a valid name of a service account: use lower-case letters, digits and hyphens.")
        if spec.present and not ROLE_ARN.fullmatch(spec.role):
            errors.append(f"Service account {spec.ref}: role_arn is {spec.role!r}, which is not the ARN of an IAM role: use arn:aws:iam::ACCOUNT:role/NAME.")
        if spec.present and spec.target_role and not ROLE_ARN.fullmatch(spec.target_role):
            errors.append(
                f"Service account {spec.ref}: target_role_arn is {spec.target_role!r}, which is not the ARN of an IAM role: use arn:aws:iam::ACCOUNT:role/NAME."
            )
    return errors


__all__ = ("AssociationSpec", "parse_spec", "validate_specs")
