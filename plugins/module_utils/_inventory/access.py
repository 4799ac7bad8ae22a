# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates access entries and Pod Identity associations.

The modules have the same rules; here they are applied before the network and the control plane are created.
"""

from __future__ import annotations

import typing as t

from .._eks_access import spec as access
from .._eks_pod_identity import spec as pod_identity

if t.TYPE_CHECKING:
    from .items import EksAccessEntry
    from .variables import Variables


# All keys of an item but its tags, which are validated with those of all other lists.
_ENTRY = ("principal_arn", "type", "username", "kubernetes_groups", "policies")
_ASSOCIATION = ("namespace", "service_account", "role_arn", "target_role_arn", "disable_session_tags")


def validate_access(variables: Variables) -> list[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [*_validate_entries(variables), *_validate_associations(variables)]


def _validate_entries(variables: Variables) -> t.Iterator[str]:
    items = variables.get("eks_access_entries") or ()
    specs = [access.parse_spec({"state": "present", **dict.fromkeys(_ENTRY), **item, "policies": _with_namespaces(item), "tags": None}) for item in items]
    yield from (f"eks_access_entries: {error}" for error in access.validate_specs(specs))


def _with_namespaces(item: EksAccessEntry) -> list[dict[str, t.Any]] | None:
    policies = item.get("policies")
    return None if policies is None else [{"namespaces": None, **policy} for policy in policies]


def _validate_associations(variables: Variables) -> t.Iterator[str]:
    items = variables.get("eks_pod_identity_associations") or ()
    specs = [pod_identity.parse_spec({"state": "present", **dict.fromkeys(_ASSOCIATION), **item, "tags": None}) for item in items]
    yield from (f"eks_pod_identity_associations: {error}" for error in pod_identity.validate_specs(specs))


__all__ = ("validate_access",)
