"""make docs: the pages of docs/ and the reference of modules, roles and plugins as a site of HTML."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).resolve().parent
_BUILD = _REPOSITORY / ".cache" / "docsite"
_SOURCE, _HTML = _BUILD / "source", _BUILD / "html"
_BIN = Path(sys.executable).parent


def main() -> int:
    shutil.rmtree(_SOURCE, ignore_errors=True)
    _lay_out()
    reference = _run(
        "antsibull-docs",
        *("collection", "--use-current", "--squash-hierarchy", "--no-add-antsibull-docs-version", "--cleanup", "everything"),
        *("--dest-dir", str(_SOURCE / "reference"), "meshwright.ambient"),
    )
    code = reference or _run("sphinx-build", "-W", "--keep-going", "-q", "-j", "auto", "-b", "html", str(_SOURCE), str(_HTML))
    if code == 0:
        print(f"The docsite is in {_HTML.relative_to(_REPOSITORY)}: open {_HTML.relative_to(_REPOSITORY)}/index.html.")
    return code


def _lay_out() -> None:
    """Copy the pages, and the files that they link to, as they lie in the checkout: they link to each other by paths."""
    tracked = ["*.md", "docs/images", "docs/platforms", "schemas", "LICENSE", "requirements.in"]
    listed = subprocess.run(["git", "ls-files", *tracked], cwd=_REPOSITORY, check=True, capture_output=True, text=True).stdout.split()
    for name in listed:
        if not name.startswith(("docs/docsite/", "collections/")) and (_REPOSITORY / name).is_file():
            (_SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_REPOSITORY / name, _SOURCE / name)
    (_SOURCE / "reference").mkdir(parents=True)
    for name in ("conf.py", "index.md"):
        shutil.copy(_HERE / name, _SOURCE / name)


def _run(program: str, *arguments: str) -> int:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(_REPOSITORY / "collections"), "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([str(_BIN / program), *arguments], cwd=_REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
