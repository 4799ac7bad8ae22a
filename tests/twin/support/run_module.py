"""Runs one module of the collection from its source: what ansible-playbook does, without a playbook around it."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from twin.paths import REPOSITORY


def command_for(name: str, arguments: dict[str, Any]) -> list[str]:
    """The command line that runs this file for a module."""
    return [sys.executable, "-m", "tests.twin.support.run_module", name, json.dumps(arguments)]


def main() -> None:
    sys.path.insert(0, str(REPOSITORY / "collections"))
    from ansible.module_utils.testing import patch_module_args

    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    module = import_module(f"ansible_collections.meshwright.ambient.plugins.modules.{name}")
    with patch_module_args(arguments):
        module.main()


if __name__ == "__main__":
    main()
