# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the argument specs of roles, and resolves their variables, for plugins on the controller."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load

_ROLES = Path(__file__).resolve().parents[2] / "roles"


@functools.cache
def role_options(role: str) -> dict[str, dict[str, t.Any]]:
    """The options of a role's argument spec, by the name of the variable."""
    # Each task that reads them is a process of its own, so that libyaml, which this takes where it can, is felt.
    spec = yaml_load((_ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, dict[str, t.Any]] = spec["argument_specs"]["main"]["options"]
    return options


def resolve(templar: t.Any, names: t.Iterable[str], variables: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
    """The named variables that are defined, with templates resolved, and a sentence for each whose template cannot be."""
    resolved, errors = {}, []
    for name in names:
        if name in variables:
            try:
                resolved[name] = templar.template(variables[name])
            except AnsibleError as error:
                errors.append(f"{name} cannot be resolved: {error}")
    return resolved, errors


__all__ = ("resolve", "role_options")
