# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What the chosen context of a kubeconfig names, by the rules of kubectl and Helm, beside what the Python package kubernetes reads."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from .._errors import MeshError
from .kubeconfig import parse_kubeconfig

Entry = t.Mapping[str, t.Any]


def chosen_entry(kubeconfig: str | Entry, context: str, key: t.Literal["cluster", "user"]) -> tuple[str, Entry]:
    """The name and the entry of the cluster, or of the user, that a context names; both are empty if there is none, or if the kubeconfig cannot be read.

    Args:
        kubeconfig: the content, or paths as in E(KUBECONFIG); the first file that has an entry counts.
        context: the context; that of C(current-context) if empty.
        key: which of the two.
    """
    files = [kubeconfig] if not isinstance(kubeconfig, str) else [_content_of(path) for path in kubeconfig.split(os.pathsep) if path]
    current = context or next((str(file["current-context"]) for file in files if file.get("current-context")), "")
    name = str(_entry(files, "contexts", current, "context").get(key) or "")
    return name, _entry(files, f"{key}s", name, key)


def refuse_impersonation(kubeconfig: str | Entry, context: str = "") -> None:
    """Refuse a user who acts as another one: kubectl and Helm would do so, and the Python package kubernetes would write as the first one.

    Source: client-go tools/clientcmd/api/v1/types.go (AuthInfo), which kube_config.py of the Python package does not read in whole.

    Raises:
        MeshError: the chosen user has C(as) or one of the keys that go with it.
    """
    name, user = chosen_entry(kubeconfig, context, "user")
    keys = [key for key in ("as", "as-uid", "as-groups", "as-user-extra") if user.get(key)]
    if keys:
        raise MeshError(
            f"User {name} of the kubeconfig acts as somebody else ({', '.join(keys)}), as kubectl and Helm do and the modules would not, so that one run would "
            "have two users: use a kubeconfig with credentials of that user."
        )


def _content_of(path: str) -> Entry:
    # Whoever needs the rest of the file says what is wrong with it.
    try:
        return parse_kubeconfig(Path(path).expanduser().read_text(encoding="utf-8")) or {}
    except (OSError, RuntimeError, ValueError):
        return {}


def _entry(files: t.Iterable[Entry], kind: str, name: str, key: str) -> Entry:
    """An entry of one of the lists of a kubeconfig; empty if there is none."""
    entries = (entry for file in files for entry in (file.get(kind) or ()) if isinstance(entry, dict))
    found = next((entry.get(key) for entry in entries if entry.get("name") == name), None)
    return found if isinstance(found, dict) else {}


__all__ = ("chosen_entry", "refuse_impersonation")
