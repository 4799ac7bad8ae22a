# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Associations of EKS Pod Identity as values: what EKS answers, in one form."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class AccountRef(t.NamedTuple):
    """A service account of the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Association:
    """An association as EKS describes it.

    Attributes:
        owner: the ARN of the add-on that it belongs to; empty if it belongs to none.
    """

    ref: AccountRef
    role: str = ""
    target_role: str = ""
    disable_session_tags: bool = False
    tags: t.Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    arn: str = ""
    owner: str = ""


def normalize_association(description: t.Mapping[str, t.Any]) -> Association:
    """The association in an answer of C(DescribePodIdentityAssociation), or in an item of the list, which has fewer fields."""
    return Association(
        ref=AccountRef(str(description["namespace"]), str(description["serviceAccount"])),
        role=str(description.get("roleArn") or ""),
        target_role=str(description.get("targetRoleArn") or ""),
        disable_session_tags=bool(description.get("disableSessionTags")),
        tags=dict(description.get("tags") or {}),
        id=str(description.get("associationId") or ""),
        arn=str(description.get("associationArn") or ""),
        owner=str(description.get("ownerArn") or ""),
    )


def format_association(association: Association) -> dict[str, t.Any]:
    """The fields of an association as diffs and results show them."""
    fields: dict[str, t.Any] = {
        "role_arn": association.role,
        "target_role_arn": association.target_role,
        "disable_session_tags": association.disable_session_tags,
        **{f"tags.{name}": value for name, value in sorted(association.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


__all__ = ("AccountRef", "Association", "format_association", "normalize_association")
