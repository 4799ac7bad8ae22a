# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Resolves the reference of a chart, as far as possible without a request to a repository."""

from __future__ import annotations

import tarfile
import typing as t
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load

from .spec import Chart, ChartReference


def chart_of(reference: ChartReference) -> Chart | None:
    """The chart that Helm would take; None if there is no such file. Its version is empty if only the repository knows it."""
    if reference.repository or reference.is_in_registry:
        # A range (1.x) is never a release's version, so that it counts as another chart, and Helm is asked.
        return Chart(reference.ref.rstrip("/").rpartition("/")[2], reference.version or "")
    from yaml import YAMLError

    try:
        metadata = yaml_load(_chart_yaml(Path(reference.ref).expanduser()))
        # One that does not say it is recorded without it, too.
        return Chart(str(metadata["name"]), str(metadata["version"]), str(metadata.get("appVersion") or ""))
    except (OSError, KeyError, TypeError, tarfile.TarError, YAMLError):
        return None


def _chart_yaml(path: Path) -> bytes:
    """The file Chart.yaml of a chart. Raises KeyError when an archive has none, and OSError and TarError."""
    if path.is_dir():
        return (path / "Chart.yaml").read_bytes()
    with tarfile.open(path) as archive:
        for member in archive:
            # Of the chart itself, and not of one in its directory charts.
            if member.isfile() and member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                return t.cast("t.IO[bytes]", archive.extractfile(member)).read()
    raise KeyError("Chart.yaml")


__all__ = ("chart_of",)
