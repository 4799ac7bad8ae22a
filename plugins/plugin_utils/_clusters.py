# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads which cluster each host of a play is, from its variables, its kubeconfig and the environment, for plugins on the controller."""

from __future__ import annotations

import functools
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._errors import MeshError
from ..module_utils._inventory.clusters import cluster_keys, eks_key, server_key, validate_shared_clusters, validate_shared_servers
from ..module_utils._inventory.scalars import clean_text
from ..module_utils._k8s.kubeconfig import normalize_kubeconfig, parse_kubeconfig
from ._kubeconfigs import default_kubeconfig

Variables = t.Mapping[str, t.Any]


def find_shared_clusters(hosts: t.Mapping[str, Variables], environment: t.Mapping[str, str]) -> list[str]:
    """One sentence for each cluster that is more than one host of a play.

    Args:
        hosts: the variables of each host.
        environment: the environment of the job.
    """
    if len(hosts) < 2:
        return []
    managed = {host: eks for host, given in hosts.items() if (eks := _eks_cluster(host, given))}
    keys = {host: frozenset({eks_key(*managed[host])}) if host in managed else _keys(given, environment) for host, given in hosts.items()}
    shared = {host for host, given in hosts.items() if _switch(given, "cluster_shared")}
    return [*validate_shared_clusters(managed), *validate_shared_servers(keys, shared, set(managed))]


def _eks_cluster(host: str, given: Variables) -> tuple[str, str] | None:
    """Region and name of the EKS cluster of a host that creates one."""
    if not _switch(given, "eks_enabled"):
        return None
    return str(_value(given, "eks_region") or ""), str(_value(given, "eks_cluster_name") or host)


def _keys(given: Variables, environment: t.Mapping[str, str]) -> frozenset[str]:
    """What a host's cluster is known by; nothing if that is unknown, which the tasks report that need the cluster."""
    context = _value(given, "cluster_context")
    try:
        kubeconfig = normalize_kubeconfig(_value(given, "cluster_kubeconfig"), "cluster_kubeconfig")
    except MeshError:
        return frozenset()
    if isinstance(kubeconfig, dict):
        return cluster_keys([kubeconfig], context)
    if kubeconfig is None and not context:
        return _environment_keys(environment) if _switch(given, "cluster_from_environment") else frozenset()
    return cluster_keys(_read(kubeconfig or default_kubeconfig(environment)), context)


def _environment_keys(environment: t.Mapping[str, str]) -> frozenset[str]:
    unknown = frozenset({"the cluster that the environment of the job names"})
    if environment.get("K8S_AUTH_HOST"):
        try:
            return frozenset({server_key(environment["K8S_AUTH_HOST"], environment.get("K8S_AUTH_PROXY", ""))})
        except ValueError:
            return unknown
    return cluster_keys(_read(default_kubeconfig(environment)), environment.get("K8S_AUTH_CONTEXT")) or unknown


@functools.cache
def _read(paths: str) -> tuple[dict[str, t.Any], ...]:
    """The contents of the files of a kubeconfig; a file that is missing or no kubeconfig has none."""
    found = []
    for path in paths.split(os.pathsep):
        try:
            place = Path(path).expanduser()
            # A pipe can be read only once, and a task needs it.
            content = parse_kubeconfig(place.read_text(encoding="utf-8")) if place.is_file() else None
        except (OSError, RuntimeError, ValueError):
            continue
        found += [content] if content else []
    return tuple(found)


def _switch(given: Variables, name: str) -> bool:
    return bool(boolean(_value(given, name) or False, strict=False))


def _value(given: Variables, name: str) -> t.Any:
    """A variable of another host; one whose template cannot be resolved is reported for that host."""
    try:
        value = given.get(name)
    except AnsibleError:
        return None
    # As the tasks get it; what has several lines is the content of a kubeconfig.
    return clean_text(value) if isinstance(value, str) and "\n" not in value.strip() else value


__all__ = ("find_shared_clusters",)
