# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads YAML manifests from a URL, a file or a directory."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load_all
from ansible.module_utils.urls import open_url

from .._errors import MeshError

DOWNLOAD_SECONDS = 60


def read_bundle(source: str) -> list[dict[str, t.Any]]:
    """All documents of a source, those of a directory in the order of their files.

    Raises:
        MeshError: it cannot be read, or is not YAML.
    """
    # Imported here because connect() has reported by now if it is missing: the package kubernetes needs it too.
    from yaml import YAMLError

    try:
        texts = [_download(source)] if source.startswith(("https://", "http://")) else _read(Path(source).expanduser())
        # Ansible's takes the loader that is written in C where there is one: ten times as fast.
        documents = [document for text in texts for document in yaml_load_all(text)]
    except (OSError, YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MeshError(f"The manifests at {source} could not be read ({reason}): check the address or path.") from error
    found = [document for document in documents if isinstance(document, dict) and "kind" in document]
    if not found:
        raise MeshError(f"There are no manifests at {source}: name a URL, a file or a directory with YAML files.")
    return found


def _read(path: Path) -> list[bytes]:
    paths = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return [part.read_bytes() for part in paths]


def _download(url: str) -> bytes:
    # open_url's errors are urllib's, which are OSErrors.
    return t.cast("bytes", open_url(url, timeout=DOWNLOAD_SECONDS).read())


__all__ = ("read_bundle",)
