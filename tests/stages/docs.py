"""The linter of the collection's documentation: markup, references to options, values and modules, and the schema of every page of the reference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ansible
import yaml

from tests.stages.ansible_test import COLLECTION, copy_collection

_BIN = Path(sys.executable).parent
# Collections that only users of AWS need, so galaxy.yml does not ask for them; the linter copies what galaxy.yml names.
_OPTIONAL = {"amazon.aws": "*", "community.aws": "*"}


def lint() -> int:
    """Lint the documentation of all modules, roles and plugins, and their references to each other and to the collections that this one needs."""
    copy_collection()
    galaxy = COLLECTION / "galaxy.yml"
    described = yaml.safe_load(galaxy.read_text())
    galaxy.write_text(yaml.safe_dump({**described, "dependencies": {**described["dependencies"], **_OPTIONAL}}))
    installed = Path(ansible.__file__).parents[1]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        # The linter copies what git tracks, which nothing is of what is installed into the checkout's virtual environment.
        "GIT_CEILING_DIRECTORIES": str(installed),
    }
    command = [str(_BIN / "antsibull-docs"), "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "--validate-collection-refs=self", "."]
    return subprocess.run(command, cwd=COLLECTION, env=environment, check=False).returncode
