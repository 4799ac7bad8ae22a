# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A kubeconfig in each form that is accepted: a path, a dictionary, or its content as YAML or JSON."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from .._errors import MeshError
from .._yaml import load_document

# Each is a list in a kubeconfig (client-go, tools/clientcmd/api/v1/types.go).
_LISTS = ("clusters", "contexts", "users")


def normalize_kubeconfig(given: t.Any, name: str) -> str | dict[str, t.Any] | None:
    """The path or the content that was given; None when nothing was.

    Args:
        given: what a variable or an option has.
        name: how messages name that variable or option.

    Raises:
        MeshError: it is none of these; the sentence does not quote it, because it may be a secret.
    """
    if given is None:
        return None
    if isinstance(given, dict) and given:
        return given
    if not isinstance(given, str) or not given.strip():
        raise MeshError(f"{name} is empty or of a wrong type: set it to the path of a kubeconfig, or to its content.")
    # As in KUBECONFIG, several paths may be joined, of which some may be empty or missing.
    paths = [path for path in given.split(os.pathsep) if path and _is_file(path)]
    if paths and "\n" not in given and not given.startswith("{"):
        # Helm does not know what a tilde means.
        return os.pathsep.join(os.path.expanduser(path) for path in paths)  # noqa: PTH111  # a relative path stays as it is written
    content = parse_kubeconfig(given)
    if content is None:
        raise MeshError(f"{name} is neither the path of an existing file nor the content of a kubeconfig: correct it, or create the file first.")
    return content


def parse_kubeconfig(text: str) -> dict[str, t.Any] | None:
    """The content of a kubeconfig in YAML or JSON; None for any other text."""
    # On the controller, it is of a class of Ansible's, which YAML's parser in C does not take.
    text = str.__str__(text)
    for parse in (json.loads, load_document):
        # The parsers' own errors are dropped, because they quote the text.
        try:
            content = parse(text)
        except Exception:  # noqa: S112  # what cannot be parsed, for whatever reason, is no kubeconfig
            continue
        if isinstance(content, dict):
            return content if is_kubeconfig(content) else None
    return None


def is_kubeconfig(content: t.Mapping[str, t.Any]) -> bool:
    """Whether a dictionary has anything of a kubeconfig."""
    return any(isinstance(content.get(key), list) for key in _LISTS)


def _is_file(path: str) -> bool:
    """Whether a kubeconfig can be read there; a text that cannot be a path is none. A pipe is one, as a shell makes it of a command."""
    try:
        place = Path(path).expanduser()
        return place.exists() and not place.is_dir()
    except (OSError, RuntimeError, ValueError):
        # Too long, of an unknown user, or with characters that no path has.
        return False


__all__ = ("is_kubeconfig", "normalize_kubeconfig", "parse_kubeconfig")
