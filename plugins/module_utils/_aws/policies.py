# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Whether two IAM policies mean the same. Pure; how many spellings one meaning has follows amazon.aws."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

Policy = t.Mapping[str, t.Any]


def is_same_policy(one: Policy, other: Policy) -> bool:
    """Whether both documents grant the same, whatever the order and the form of their parts."""
    return not compare_policies(one, other)


__all__ = ("Policy", "is_same_policy")
