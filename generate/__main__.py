"""Files that follow from declarations: python -m generate writes JSON Schemas, tables of variables and of checks in the pages, and classes of values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from generate.declarations import Option, declared_variables, role_variables
from generate.findings import with_catalogue
from generate.schema import as_json, inventory_schema, variables_schema
from generate.tables import with_table
from generate.types import items_module, variables_module
from twin.paths import REPOSITORY
from twin.progress import say

# The page of all variables has the tables of these roles, and leads to the pages of the others.
_INVENTORY = REPOSITORY / "docs" / "inventory.md"
_EXPLAINED = {"Gateway API": "gateway_api", "Istio": "istio", "Sample application": "bookinfo", "Mesh": "mesh"}
_FINDINGS = REPOSITORY / "docs" / "findings" / "README.md"
SCHEMAS = REPOSITORY / "schemas"
_TYPES = REPOSITORY / "plugins" / "module_utils" / "_inventory"


def contents() -> dict[Path, str]:
    """All generated files and pages with generated parts, by their paths."""
    found = {
        SCHEMAS / "variables.json": as_json(variables_schema(declared_variables())),
        SCHEMAS / "inventory.json": as_json(inventory_schema()),
        _TYPES / "items.py": items_module(declared_variables()),
        _TYPES / "variables.py": variables_module(declared_variables()),
    }
    roles = role_variables()
    for role, variables in roles.items():
        page = REPOSITORY / "roles" / role / "README.md"
        found[page] = with_table(page.read_text(), "Variables", variables)
    return {**found, _INVENTORY: _inventory_page(roles), _FINDINGS: with_catalogue(_FINDINGS.read_text())}


def _inventory_page(roles: Mapping[str, Mapping[str, Option]]) -> str:
    text = with_table(_INVENTORY.read_text(), "Which cluster", {name: option for name, (role, option) in declared_variables().items() if not role})
    for heading, role in _EXPLAINED.items():
        text = with_table(text, heading, {name: option for name, option in roles[role].items() if name.startswith(f"{role}_")})
    return text


def main() -> int:
    for path, text in contents().items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            say(f"Wrote {path.relative_to(REPOSITORY)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
