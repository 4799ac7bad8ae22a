# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Add-ons of an EKS cluster as values: what EKS answers, in one form."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from .._text import in_one_line
from .._yaml import load_document


@dataclass(frozen=True)
class Issue:
    """A health issue of an add-on."""

    code: str
    message: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addon:
    """An add-on as EKS describes it.

    Attributes:
        configuration: its configuration values, parsed; None if there are none.
        role: the ARN of the role of its service account; empty if there is none.
        pod_identities: the role of each service account that the add-on owns an association of; None if not read.
    """

    name: str
    status: str = "ACTIVE"
    version: str = ""
    arn: str = ""
    configuration: t.Any = None
    role: str = ""
    pod_identities: t.Mapping[str, str] | None = None
    namespace: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


def normalize_addon(description: t.Mapping[str, t.Any], pod_identities: t.Mapping[str, str] | None = None) -> Addon:
    """The add-on in an answer of C(DescribeAddon)."""
    issues = tuple(
        Issue(str(issue.get("code", "Unknown")), in_one_line(issue.get("message", "")), tuple(issue.get("resourceIds") or ()))
        for issue in (description.get("health") or {}).get("issues") or ()
    )
    return Addon(
        name=str(description["addonName"]),
        status=str(description.get("status", "")),
        version=str(description.get("addonVersion", "")),
        arn=str(description.get("addonArn", "")),
        configuration=parse_configuration(description.get("configurationValues")),
        role=str(description.get("serviceAccountRoleArn") or ""),
        pod_identities=pod_identities,
        namespace=str((description.get("namespaceConfig") or {}).get("namespace", "")),
        tags=dict(description.get("tags") or {}),
        issues=issues,
    )


def parse_configuration(text: str | None) -> t.Any:
    """Configuration values from the text that EKS keeps, JSON or YAML; any other text is returned as it is."""
    if not text or not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return load_document(text)
    except Exception:  # PyYAML may be missing, and its errors have no common base without it.
        return text


def canonical(value: t.Any) -> str:
    """Configuration values in a form in which equal values are equal texts; none and an empty mapping are the same."""
    return json.dumps(plain_values(value) or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plain_values(value: t.Any) -> t.Any:
    """A value as JSON has it: one kind of number, and mappings sorted by key."""
    if isinstance(value, dict):
        return {str(key): plain_values(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def format_addon(addon: Addon) -> dict[str, t.Any]:
    """The fields of an add-on as diffs and results show them."""
    fields: dict[str, t.Any] = {
        "version": addon.version,
        "configuration_values": plain_values(addon.configuration) or None,
        "service_account_role_arn": addon.role,
        **{f"pod_identity_associations.{name}": arn for name, arn in sorted((addon.pod_identities or {}).items())},
        "namespace": addon.namespace,
        **{f"tags.{name}": value for name, value in sorted(addon.tags.items())},
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


__all__ = ("Addon", "Issue", "canonical", "format_addon", "normalize_addon", "parse_configuration", "plain_values")
