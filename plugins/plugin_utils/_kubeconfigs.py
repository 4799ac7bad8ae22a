# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the kubeconfig of a cluster before the first task needs it, for plugins on the controller."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ..module_utils._errors import MeshError
from ..module_utils._inventory.kubeconfigs import find_context_errors
from ..module_utils._k8s.chosen_context import refuse_impersonation
from ..module_utils._k8s.kubeconfig import is_kubeconfig, normalize_kubeconfig, parse_kubeconfig
from ..module_utils._k8s.proxy import proxy_url_of
from ..module_utils._text import without_userinfo

_NAME = "cluster_kubeconfig"
_NO_KUBECONFIG = "which is no kubeconfig: it must be YAML or JSON with the lists clusters, contexts and users"


def default_kubeconfig(environment: t.Mapping[str, str]) -> str:
    """The paths of the kubeconfig in which a context is looked for if none is given, as the modules and Helm do it."""
    return environment.get("K8S_AUTH_KUBECONFIG") or environment.get("KUBECONFIG") or "~/.kube/config"


def find_kubeconfig_errors(variables: t.Mapping[str, t.Any], environment: t.Mapping[str, str], *, is_secret: bool = False) -> list[str]:
    """One sentence for each reason why no cluster can be found by cluster_kubeconfig and cluster_context; none quotes what is in the kubeconfig.

    Args:
        variables: the converted variables of the cluster.
        environment: the environment of the job.
        is_secret: whether the value is encrypted in the inventory.
    """
    given, context = variables.get(_NAME), variables.get("cluster_context")
    # The role eks finds the kubeconfig of its cluster, and an empty text is another error.
    if variables.get("eks_enabled") or (isinstance(given, str) and not given.strip()) or (given is None and not context):
        return []
    try:
        kubeconfig = normalize_kubeconfig(given, _NAME)
    except MeshError as error:
        return [error.message]
    if isinstance(kubeconfig, dict):
        if not is_kubeconfig(kubeconfig):
            return [f"{_NAME} has content {_NO_KUBECONFIG}."]
        return [
            *find_context_errors([kubeconfig], context, _NAME, is_secret=True),
            *_find_impersonation(kubeconfig, context, _NAME),
            *_find_proxy_errors(kubeconfig, context, _NAME, environment, is_secret=True),
        ]
    source = _NAME if kubeconfig else "the kubeconfig of the environment"
    paths = kubeconfig or default_kubeconfig(environment)
    found, errors = _read(paths, is_secret=is_secret)
    if errors or found is None:
        # What the environment names is none of the inventory's variables, and the task that needs it reports it.
        return errors if kubeconfig else []
    return [
        *find_context_errors(found, context, source, is_secret=is_secret),
        *_find_impersonation(paths, context, source),
        *_find_proxy_errors(paths, context, source, environment, is_secret=is_secret),
    ]


def _find_impersonation(kubeconfig: str | t.Mapping[str, t.Any], context: str | None, source: str) -> t.Iterator[str]:
    try:
        refuse_impersonation(kubeconfig, context or "")
    except MeshError:
        yield (
            f"{source} has a user who acts as somebody else (as, as-groups), as kubectl and Helm do and the modules would not: "
            "use a kubeconfig with credentials of that user."
        )


def _find_proxy_errors(
    kubeconfig: str | t.Mapping[str, t.Any], context: str | None, source: str, environment: t.Mapping[str, str], *, is_secret: bool
) -> t.Iterator[str]:
    """Why the tasks of one run would not reach the cluster by one proxy.

    Source: client-go tools/clientcmd/client_config.go (ProxyURL precedes the environment), by which Helm and kubectl go; the modules of kubernetes.core
    read K8S_AUTH_PROXY instead.
    """
    try:
        proxy = without_userinfo(proxy_url_of(kubeconfig, context or ""))
    except MeshError:
        yield f"{source} names a proxy-url that is neither http nor https, and no other proxies are supported: use such a proxy, or a tunnel to the API server."
        return
    other = without_userinfo(environment.get("K8S_AUTH_PROXY") or "")
    if proxy and other and proxy.rstrip("/") != other.rstrip("/"):
        named = "another proxy-url" if is_secret else f"{proxy} as proxy-url"
        yield (
            f"{source} names {named}, by which Helm and kubectl go, but K8S_AUTH_PROXY in the environment of the job is {other}: "
            "set it to the same proxy, or remove one of the two."
        )


def _read(paths: str, *, is_secret: bool) -> tuple[list[dict[str, t.Any]] | None, list[str]]:
    """The contents of the files of a kubeconfig, None if they are unknown, and a sentence for each that is none."""
    found: list[dict[str, t.Any]] = []
    errors = []
    for path in filter(None, paths.split(os.pathsep)):
        named = "a file" if is_secret else path
        try:
            place = Path(path).expanduser()
            if not place.exists():
                continue
            # A pipe can be read only once, and a task needs it.
            if not place.is_file():
                return None, []
            text = place.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            errors.append(f"{_NAME} names {named}, {_NO_KUBECONFIG}.")
            continue
        except (OSError, RuntimeError, ValueError) as error:
            errors.append(f"{_NAME} names {named}, which cannot be read ({getattr(error, 'strerror', None) or 'not a path'}): correct its permissions.")
            continue
        content = parse_kubeconfig(text)
        # As for client-go, an empty file is one without entries.
        if content is None and text.strip():
            errors.append(f"{_NAME} names {named}, {_NO_KUBECONFIG}.")
        found.append(content or {})
    return (found or None), errors


__all__ = ("default_kubeconfig", "find_kubeconfig_errors")
