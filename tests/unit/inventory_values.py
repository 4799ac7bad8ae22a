"""An inventory's variables as validation gets them: converted to their declared types, with the defaults of the roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import Converted, convert
from generate.declarations import role_variables


def converted(variables: Mapping[str, Any]) -> Converted:
    """All variables of all roles, with these given."""
    return convert({name: option for options in role_variables().values() for name, option in options.items()}, variables)


def values_of(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The values of right variables.

    Raises:
        AssertionError: one is of a wrong type.
    """
    result = converted(variables)
    assert result.errors == ()
    return result.values
