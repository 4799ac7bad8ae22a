# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the argument specs of roles, and resolves their variables, for plugins on the controller."""

from __future__ import annotations

import contextlib
import functools
import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError, AnsibleTemplateError
from ansible.module_utils.common.yaml import yaml_load

from ..module_utils._inventory.values import Options, is_template
from ..module_utils._text import in_one_line

try:
    from ansible.template import trust_as_template
except ImportError:
    # Before ansible-core 2.19, every text may be a template.
    def trust_as_template(value: str) -> str:
        return value


_ROLES = Path(__file__).resolve().parents[2] / "roles"


@functools.cache
def role_options(role: str) -> dict[str, dict[str, t.Any]]:
    """The options of a role's argument spec, by the name of the variable.

    A default that is a template has the declared type only when it is resolved, so the argument spec cannot have it, and it is read from the defaults.
    """
    options: dict[str, dict[str, t.Any]] = _read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    if any("default" not in option for option in options.values()):
        for name, default in _read(role, "defaults/main.yml").items():
            if is_template(default):
                options[name].setdefault("default", default)
    return options


def _read(role: str, path: str) -> dict[str, t.Any]:
    # Each task that reads them is a process of its own, so that libyaml, which this takes where it can, is felt.
    content: dict[str, t.Any] = yaml_load((_ROLES / role / path).read_text(encoding="utf-8"))
    return content


def resolve(templar: t.Any, options: Options, variables: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], dict[str, str]]:
    """The variables that have a value, and the defaults that are templates, both resolved, and a sentence for each variable that cannot be.

    A variable without a value is one that is not given: its default applies, also where another variable refers to it.

    Args:
        templar: the templar of a plugin.
        options: the options of the argument specs.
        variables: all variables of the host.

    Returns:
        The values by variable, and the sentences by variable.
    """
    empty = {name for name, value in variables.items() if value is None and name.startswith(_prefixes())}
    defaults = {name: _trusted(option["default"]) for name, option in options.items() if variables.get(name) is None and "default" in option}
    if empty or defaults:
        known = {name: value for name, value in variables.items() if name not in empty}
        templar = templar.copy_with_new_env(available_variables={**known, **defaults})
    resolved: dict[str, t.Any] = {}
    errors: dict[str, str] = {}
    for name in options:
        value = variables.get(name)
        try:
            resolved[name] = None if value is None else _without_omit(templar.template(value))
        except AnsibleError as error:
            # A template of default(omit), which is meant to leave the variable out.
            if type(error).__name__ != "AnsibleValueOmittedError":
                errors[name] = _sentence(name, error)
                continue
            resolved[name] = None
        if resolved[name] is None and is_template(options[name].get("default")):
            # What it refers to may be known only later, such as what a task finds.
            with contextlib.suppress(AnsibleError):
                resolved[name] = templar.template(_trusted(options[name]["default"]))
    return {name: value for name, value in resolved.items() if value is not None}, errors


def vaulted(names: t.Iterable[str], variables: t.Mapping[str, t.Any]) -> set[str]:
    """Which of these variables have a value, or a part of it, that is encrypted in the inventory, so that no message may show it."""
    return {name for name in names if _is_vaulted(variables.get(name))}


def _is_vaulted(value: t.Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_vaulted, value.values()))
    if isinstance(value, list):
        return any(map(_is_vaulted, value))
    # The second one is that of ansible-core before 2.19.
    return type(value).__name__ in ("EncryptedString", "AnsibleVaultEncryptedUnicode")


@functools.cache
def _prefixes() -> tuple[str, ...]:
    """What the names of the collection's variables begin with."""
    return ("cluster_", *(f"{path.name}_" for path in _ROLES.iterdir()))


def _trusted(default: t.Any) -> t.Any:
    """A default of the collection's own, which may be a template."""
    return trust_as_template(default) if is_template(default) else default


def _without_omit(value: t.Any) -> t.Any:
    """None for the text that stood for an omitted value before ansible-core 2.19."""
    return None if isinstance(value, str) and value.startswith("__omit_place_holder__") else value


def _sentence(name: str, error: AnsibleError) -> str:
    """Why a template cannot be resolved; only a plugin's own words are quoted, not those of Jinja and Python."""
    if undefined := re.search(r"'(\w+)' is undefined", str(error)):
        return f"{name} refers to {undefined[1]}, which is not defined: define it, or correct the template."
    if missing := re.search(r"has no attribute '?(\w+)'?", str(error)):
        return f"{name} refers to {missing[1]} of a variable that has no such key or item: correct the template, or the variable."
    if not isinstance(error, AnsibleTemplateError) or "Plugin" in type(error).__name__:
        return f"{name} cannot be resolved: {in_one_line(error)}"
    return f"{name} is a template that cannot be resolved: correct it, or the variables that it refers to."


__all__ = ("Options", "resolve", "role_options", "vaulted")
