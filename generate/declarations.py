"""The variables that the roles declare, as they are known to users: each once, with the defaults that are templates."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.meshwright.ambient.plugins.plugin_utils._role_variables import role_options
from twin.paths import REPOSITORY

Option = Mapping[str, Any]


@functools.cache
def role_variables() -> dict[str, dict[str, Any]]:
    """The variables of each role by its name, as its argument spec and its defaults declare them."""
    return {path.parts[-3]: role_options(path.parts[-3]) for path in sorted((REPOSITORY / "roles").glob("*/meta/argument_specs.yml"))}


def declared_variables() -> dict[str, tuple[str, Option]]:
    """Every variable once, with the role that it belongs to.

    A variable that several roles declare belongs to the role in its name; one of all roles, such as C(cluster_context), belongs to none of them.
    """
    declarations: dict[str, dict[str, Option]] = {}
    for role, variables in role_variables().items():
        for name, option in variables.items():
            declarations.setdefault(name, {})[role] = option
    found = {}
    for name, by_role in declarations.items():
        owner = next((role for role in by_role if name.startswith(f"{role}_")), "")
        found[name] = (owner, by_role[owner] if owner else _most_common(by_role.values()))
    return found


def _most_common(options: Any) -> Option:
    """How most roles describe a variable: some have more to say about it."""
    ((most, _count),) = Counter(json.dumps(option) for option in options).most_common(1)
    found: Option = json.loads(most)
    return found
