"""Runs one module as Ansible would, and says how much memory its process took at most: python -m benchmarks.peak FILE MODULE ARGUMENTS.

The module's own result goes to standard output; FILE gets the peak in bytes.
"""

from __future__ import annotations

import atexit
import json
import sys
from importlib import import_module
from pathlib import Path

from twin.paths import REPOSITORY


def peak_bytes() -> int:
    """The highest resident size of this process, which, unlike getrusage's, does not begin with its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


def main() -> None:
    file, name, arguments = sys.argv[1:]
    atexit.register(lambda: Path(file).write_text(str(peak_bytes())))
    sys.path.insert(0, str(REPOSITORY / "collections"))
    from ansible.module_utils.testing import patch_module_args

    namespace, collection, module = name.split(".")
    code = import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{module}")
    with patch_module_args(json.loads(arguments)):
        code.main()


if __name__ == "__main__":
    main()
