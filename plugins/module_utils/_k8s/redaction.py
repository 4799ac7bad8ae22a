# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which strings of a kubeconfig may be shown, and which have to be hidden.

Ansible hides each string of an option that is a secret wherever it occurs in a result: for a whole kubeconfig, "Config", "v1" and the cluster's name would be
blanked in every message. Names, and the authority's public certificate, are no secrets; all else stays hidden.
"""

from __future__ import annotations

import typing as t

# Names, and addresses; each below the place where a kubeconfig has it.
# Source: client-go, tools/clientcmd/api/v1/types.go.
_OF_ALL = ("apiVersion", "kind", "current-context")
_OF_CLUSTER = ("server", "certificate-authority-data", "certificate-authority", "tls-server-name")
_OF_CONTEXT = ("cluster", "user", "namespace")
# A program's arguments and environment may carry a secret; its name and version do not.
_OF_PROGRAM = ("apiVersion", "command", "interactiveMode")
# A program text that begins with this line promises that no argument beside it is a secret.
PUBLIC_ARGUMENTS = "# meshwright.ambient: none of the arguments is a secret\n"


def public_strings(kubeconfig: t.Mapping[str, t.Any]) -> set[str]:
    """The strings of a kubeconfig's content that are no secrets; what is malformed in it is passed over."""
    found = [kubeconfig.get(key) for key in _OF_ALL]
    for kind, below, keys in (("clusters", "cluster", _OF_CLUSTER), ("contexts", "context", _OF_CONTEXT), ("users", "user", ())):
        for entry in _mappings(kubeconfig.get(kind)):
            found.append(entry.get("name"))
            inner = entry.get(below)
            if not isinstance(inner, dict):
                continue
            found += [inner.get(key) for key in keys]
            program = inner.get("exec")
            if isinstance(program, dict):
                found += [program.get(key) for key in _OF_PROGRAM]
                arguments = program.get("args")
                if isinstance(arguments, list) and any(str(argument).startswith(PUBLIC_ARGUMENTS) for argument in arguments):
                    found += arguments
    return {text for text in found if isinstance(text, str)}


def secret_strings(kubeconfig: t.Mapping[str, t.Any]) -> set[str]:
    """The strings, and numbers as strings, of a kubeconfig's content that have to be hidden."""
    return set(_leaves(kubeconfig)) - public_strings(kubeconfig)


def _leaves(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value and not isinstance(value, bool):
        yield str(value)


def _mappings(value: t.Any) -> list[dict[str, t.Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


__all__ = ("PUBLIC_ARGUMENTS", "public_strings", "secret_strings")
