# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates access entries and Pod Identity associations.

The modules have the same rules; here they are applied before the network and the control plane are created.
"""

from __future__ import annotations

import typing as t

from .._eks_access import spec as access
from .._eks_addon.role_items import CSI_SERVICE_ACCOUNT, has_service_account, needs_role
from .._eks_pod_identity import spec as pod_identity

if t.TYPE_CHECKING:
    from .items import EksAccessEntry
    from .variables import Variables


# All keys of an item but its tags, which are validated with those of all other lists.
_ENTRY = ("principal_arn", "type", "username", "kubernetes_groups", "policies")
# The namespace of the add-ons that can have a role.
_ADDONS = "kube-system"
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
    # Without the role eks, nothing comes of these items.
    taken = _associated_by_roles(variables) if variables.get("eks_enabled") else {}
    for index, item in enumerate(items):
        remedy = taken.get((item["namespace"], item["service_account"])) if item.get("state") != "absent" else None
        if remedy:
            yield (
                f"eks_pod_identity_associations[{index}] is for {item['namespace']}/{item['service_account']}, to which {remedy[0]} gives a role as well, "
                f"and a service account has one: set {remedy[1]}."
            )


def _associated_by_roles(variables: Variables) -> dict[tuple[str, str], tuple[str, str]]:
    """The service accounts that roles associate themselves: what does it, and the variable for another role."""
    identity = variables.get("eks_identity", "pod_identity")
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for index, addon in enumerate(variables.get("eks_addons") or () if identity == "pod_identity" else ()):
        account = addon.get("service_account") or (CSI_SERVICE_ACCOUNT if has_service_account(addon) else "")
        if addon.get("state") != "absent" and account and (needs_role(addon) or addon.get("role_arn")):
            found[_ADDONS, account] = (f"add-on {addon['name']}", f"eks_addons[{index}].role_arn and remove this item")
    if variables.get("alb_controller_enabled") and variables.get("alb_controller_identity", identity) == "pod_identity":
        place = (variables.get("alb_controller_namespace", ""), variables.get("alb_controller_service_account", ""))
        found[place] = ("the role alb_controller", "alb_controller_role_arn and remove this item, or set alb_controller_identity to none")
    if variables.get("karpenter_enabled") and variables.get("karpenter_identity", identity) == "pod_identity":
        place = (variables.get("karpenter_namespace", ""), variables.get("karpenter_service_account", ""))
        found[place] = ("the role karpenter", "karpenter_role_arn and remove this item, or set karpenter_identity to none")
    return found


__all__ = ("validate_access",)
