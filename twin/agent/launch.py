"""Becomes a pod's process: reads argument list, environment and directory from a file, so that no quoting comes between."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as handle:
        launch = json.load(handle)
    os.chdir(launch["directory"])
    os.execve(launch["arguments"][0], launch["arguments"], launch["environment"])


if __name__ == "__main__":
    main()
