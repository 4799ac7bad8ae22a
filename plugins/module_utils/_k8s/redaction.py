# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which strings of a kubeconfig may be shown, and which have to be hidden.

Ansible hides each string of an option that is a secret wherever it occurs in a result: for a whole kubeconfig, "Config", "v1" and the cluster's name would be
blanked in every message. Names, and the authority's public certificate, are no secrets; all else stays hidden.
"""

from __future__ import annotations

import re
import typing as t

# Names, and addresses; each below the place where a kubeconfig has it.
# Source: client-go, tools/clientcmd/api/v1/types.go.
_OF_ALL = ("apiVersion", "kind", "current-context")
_OF_CLUSTER = ("server", "certificate-authority-data", "certificate-authority", "tls-server-name")
_OF_CONTEXT = ("cluster", "user", "namespace")
# A program's arguments and environment may carry a secret; its name and version do not.
_OF_PROGRAM = ("apiVersion", "command", "interactiveMode", "installHint")
# The name of an option is none either: hidden, "-c" would be blanked in every message.
_OPTION = re.compile(r"-[A-Za-z]|--[a-z][a-z0-9-]*")
_WORD = re.compile(r"[a-z]+(-[a-z0-9]+)*")
# What these programs take beside the values of options are their own commands, such as C(eks get-token).
_PROGRAMS = frozenset({"aws", "aws-iam-authenticator", "doctl", "gcloud", "gke-gcloud-auth-plugin", "kubelogin", "oci", "tsh"})
# The options of these programs whose values name something. Source: their references, and what their commands write into a kubeconfig.
_NAMING_OPTIONS = frozenset(
    {
        "--client-id", "--cluster-id", "--cluster-name", "--context", "--environment", "--login", "--output", "--profile", "--region", "--role", "--role-arn",
        "--server-id", "--tenant-id", "--version", "-i", "-l", "-r",
    }
)  # fmt: skip
# Variables that choose an account or a region.
_NAMING_VARIABLES = frozenset({"AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS", "CLOUDSDK_ACTIVE_CONFIG_NAME"})
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
                found += _public_arguments(program)
                for variable in _mappings(program.get("env")):
                    found += [variable.get("name"), variable.get("value") if variable.get("name") in _NAMING_VARIABLES else None]
    return {text for text in found if isinstance(text, str)}


def _public_arguments(program: t.Mapping[str, t.Any]) -> list[t.Any]:
    """The arguments of a program that are no secrets: all if one promises so, otherwise the names of options, and what a known program is called with."""
    arguments = program.get("args")
    if not isinstance(arguments, list):
        return []
    if any(str(argument).startswith(PUBLIC_ARGUMENTS) for argument in arguments):
        return arguments
    known = str(program.get("command")).rpartition("/")[2] in _PROGRAMS
    found, before = [], ""
    for argument in map(str, arguments):
        option, equals, _value = argument.partition("=")
        is_option = bool(_OPTION.fullmatch(option))
        of_known = known and ((bool(equals) and option in _NAMING_OPTIONS) or before in _NAMING_OPTIONS or (not before and bool(_WORD.fullmatch(argument))))
        if (is_option and not equals) or of_known:
            found.append(argument)
        before = argument if is_option and not equals else ""
    return found


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
