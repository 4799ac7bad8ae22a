# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Misspelled variables and tags: those that no role knows, but that are nearly one of a role's."""

from __future__ import annotations

import typing as t

from .._near_misses import find_near_miss


def find_misspelled_tags(tags: t.Iterable[str], roles: t.Collection[str]) -> list[str]:
    """One sentence for each tag of a run that nearly is that of a role; a playbook that imports others may have tags of its own."""
    near = ((tag, find_near_miss(tag, roles)) for tag in tags if tag not in roles)
    return [f"the tag {tag!r} of this run is that of no role: did you mean {meant}?" for tag, meant in near if meant]


def find_misspelled(names: t.Iterable[str], known: t.Mapping[str, t.Collection[str]]) -> list[str]:
    """One sentence for each variable that no role knows, but that is nearly a variable of one.

    Args:
        names: all variables of a cluster.
        known: each role's variables.
    """
    roles: dict[str, str] = {}
    for role, variables in known.items():
        for variable in variables:
            roles.setdefault(variable, role)
    found = ((name, find_near_miss(name, roles)) for name in sorted(set(names) - set(roles)))
    shared = {variable for variable in roles if sum(variable in variables for variables in known.values()) > 1}
    return [
        f"{name} is not a variable of {'any role' if meant in shared else f'the role {roles[meant]}'}: did you mean {meant}?" for name, meant in found if meant
    ]


__all__ = ("find_misspelled", "find_misspelled_tags")
