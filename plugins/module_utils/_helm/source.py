# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Resolves the reference of a chart, and reads one that is at hand, without a request to a repository."""

from __future__ import annotations

import tarfile
import typing as t
from pathlib import Path

from .._yaml import load_document
from .spec import Chart, ChartReference

# More than any file of a chart that is read here has.
_MOST_BYTES = 4 * 1024 * 1024


def chart_of(reference: ChartReference) -> Chart | None:
    """The chart that Helm would take; None if there is no such file. Its version is empty if only the repository knows it."""
    if reference.repository or reference.is_in_registry:
        # A range (1.x) is never a release's version, so that it counts as another chart, and Helm is asked.
        return Chart(reference.ref.rstrip("/").rpartition("/")[2], reference.version or "")
    metadata = _load(reference.ref, "Chart.yaml")
    if not metadata or "name" not in metadata or "version" not in metadata:
        return None
    # One that does not say it is recorded without it, too.
    return Chart(str(metadata["name"]), str(metadata["version"]), str(metadata.get("appVersion") or ""))


def default_values(ref: str) -> dict[str, t.Any] | None:
    """The content of values.yaml of a chart in a directory or an archive; None if there is none that can be read."""
    return _load(ref, "values.yaml")


def _load(ref: str, name: str) -> dict[str, t.Any] | None:
    """A file at the top of a chart; None if it cannot be read, or is no dictionary."""
    from yaml import YAMLError

    try:
        content = load_document(_read(Path(ref).expanduser(), name))
    # A user without a home directory is a RuntimeError, and a path with a null character a ValueError.
    except (EOFError, OSError, KeyError, RuntimeError, ValueError, tarfile.TarError, YAMLError):
        return None
    return content if isinstance(content, dict) else None


def _read(path: Path, name: str) -> bytes:
    """A file at the top of a chart. Raises KeyError when an archive has none, and OSError and TarError."""
    if path.is_dir():
        return (path / name).read_bytes()
    # Nothing is unpacked: only this file is read, and no more of it than a chart can need.
    with tarfile.open(path) as archive:
        for member in archive:
            # Of the chart itself, and not of one in its directory charts.
            if member.isfile() and member.name.count("/") == 1 and member.name.endswith(f"/{name}"):
                return t.cast("t.IO[bytes]", archive.extractfile(member)).read(_MOST_BYTES)
    raise KeyError(name)


__all__ = ("chart_of", "default_values")
