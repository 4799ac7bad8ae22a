# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Which words of a kubeconfig may be said.

kubernetes.core hides the whole option kubeconfig. Given as content, that hides each string in it wherever it occurs in a result: "Config", "v1" and the
cluster's name would be blanked in every message. What names things, and the authority's public certificate, is no secret; all else stays hidden.
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


def harmless_words(kubeconfig: t.Mapping[str, t.Any], known_programs: t.Container[str] = ()) -> set[str]:
    """The strings of a kubeconfig that are no secrets.

    Args:
        kubeconfig: its content; what is malformed in it is passed over.
        known_programs: texts of programs that carry no secret; the arguments of a user's program that holds one of them are harmless, too.
    """
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
                if isinstance(arguments, list) and any(argument in known_programs for argument in arguments):
                    found += arguments
    return {word for word in found if isinstance(word, str)}


def _mappings(value: t.Any) -> list[dict[str, t.Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


__all__ = ("harmless_words",)
