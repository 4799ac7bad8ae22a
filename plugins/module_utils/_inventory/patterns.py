# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The forms that ids, ARNs and names of AWS have in the variables of several roles."""

from __future__ import annotations

import re
import typing as t

from .._limits import aws
from .._limits.aws import LONGEST_ROLE_NAME
from .._text import format_count

# What a value must look like, and the words for it.
Pattern = t.Tuple[t.Pattern[str], str]

SUBNET_IDS: Pattern = (re.compile(r"subnet-[0-9a-f]{8,17}"), "ids such as subnet-0a1b2c3d4e5f60718")
SECURITY_GROUP_IDS: Pattern = (re.compile(r"sg-[0-9a-f]{8,17}"), "ids such as sg-0a1b2c3d4e5f60718")
BOUNDARY: Pattern = (re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/\S+"), "an ARN such as arn:aws:iam::123456789012:policy/boundary")
ROLE_PATH: Pattern = (aws.ROLE_PATH, "a path that begins and ends with a slash, such as /platform/")
# Variables of the role eks that are the defaults of those of other roles.
_TAKEN_OVER = ("_permissions_boundary", "_role_path")


def role_arn(example: str) -> Pattern:
    """The pattern of a role's ARN, with a role of this name as the example."""
    return re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"), f"an ARN such as arn:aws:iam::123456789012:role/{example}"


def validate_patterns(variables: t.Mapping[str, t.Any], patterns: t.Mapping[str, Pattern]) -> t.Iterator[str]:
    """One sentence for each text, or item of a list, that does not look as its variable's pattern says, once if other roles take it over."""
    for name, (pattern, desired) in patterns.items():
        value = variables.get(name)
        source = next((f"eks{suffix}" for suffix in _TAKEN_OVER if name.endswith(suffix)), name)
        if source != name and value == variables.get(source):
            continue
        for item in value if isinstance(value, list) else [value]:
            if item and not pattern.fullmatch(item):
                yield f"{name} has {item!r}: use {desired}."


def validate_role_names(roles: t.Iterable[str], variable: str = "eks_cluster_name") -> t.Iterator[str]:
    """A sentence when the longest of the IAM roles that would be made, after the name in a variable, has a name that IAM does not take."""
    longest = max(roles, key=len, default="")
    if len(longest) > LONGEST_ROLE_NAME:
        yield (
            f"{variable} is too long by {format_count(len(longest) - LONGEST_ROLE_NAME, 'character')}: the name of the IAM role {longest} "
            f"would exceed the limit of {LONGEST_ROLE_NAME}. Shorten it, or use existing roles."
        )


__all__ = (
    "BOUNDARY",
    "ROLE_PATH",
    "SECURITY_GROUP_IDS",
    "SUBNET_IDS",
    "Pattern",
    "role_arn",
    "validate_patterns",
    "validate_role_names",
)
