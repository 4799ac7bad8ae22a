# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates access entries and Pod Identity associations, and that ARNs belong to the partition of the region.

The modules have the same rules; here they are applied before the network and the control plane are created.
"""

from __future__ import annotations

import re
import typing as t

from .._eks_access import spec as access
from .._eks_pod_identity import spec as pod_identity
from .._iam.trust import partition_of
from .patterns import Variables

_ARN = re.compile(r"arn:(aws[a-z-]*):")
# Variables of the roles that work in the region of the cluster.
_PREFIXES = ("eks_", "alb_controller_", "karpenter_", "ingress_", "aws_edge_")
_ENTRY = ("principal_arn", "type", "username", "kubernetes_groups", "policies", "tags")
_ASSOCIATION = ("namespace", "service_account", "role_arn", "target_role_arn", "disable_session_tags", "tags")


def validate_access(variables: Variables) -> list[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    return [*_validate_entries(variables), *_validate_associations(variables), *_validate_partitions(variables)]


def _validate_entries(variables: Variables) -> t.Iterator[str]:
    items = variables.get("eks_access_entries") or ()
    specs = [access.parse_spec({"state": "present", **dict.fromkeys(_ENTRY), **item, "policies": _with_namespaces(item)}) for item in items]
    yield from (f"eks_access_entries: {error}" for error in access.validate_specs([*specs]) if ": tags " not in error)


def _with_namespaces(item: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]] | None:
    policies = item.get("policies")
    return None if policies is None else [{"namespaces": None, **policy} for policy in policies]


def _validate_associations(variables: Variables) -> t.Iterator[str]:
    items = variables.get("eks_pod_identity_associations") or ()
    specs = [pod_identity.parse_spec({"state": "present", **dict.fromkeys(_ASSOCIATION), **item}) for item in items]
    yield from (f"eks_pod_identity_associations: {error}" for error in pod_identity.validate_specs([*specs]) if ": tags " not in error)


def _validate_partitions(variables: Variables) -> t.Iterator[str]:
    region = str(variables.get("eks_region") or "")
    if not region:
        return
    expected = partition_of(region)
    for name, value in variables.items():
        if name.startswith(_PREFIXES):
            for place, text in _texts(name, value):
                found = _ARN.match(text)
                if found and found[1] != expected:
                    yield (
                        f"{place} is an ARN of the partition {found[1]}, but eks_region {region} belongs to {expected}: "
                        f"use an ARN that begins with arn:{expected}:."
                    )


def _texts(place: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    """The texts of a value, however deep they are, each with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{place}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(f"{place}[{index}]", item)


__all__ = ("validate_access",)
