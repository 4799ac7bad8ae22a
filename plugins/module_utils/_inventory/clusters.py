# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Finds hosts of an inventory that are one cluster, and would change each other's mesh: by region and name, or by the address of the API server."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

Kubeconfig = t.Mapping[str, t.Any]

_PORTS = {"https": 443, "http": 80}
# How the AWS CLI and eksctl (pkg/apis/eksctl.io/v1alpha5, ClusterMeta.String) name a cluster in a kubeconfig.
_OF_AWS_CLI = re.compile(r"arn:aws[a-z-]*:eks:(?P<region>[a-z0-9-]+):\d{12}:cluster/(?P<name>\S+)")
_OF_EKSCTL = re.compile(r"(?P<name>[0-9A-Za-z_-]+)\.(?P<region>[a-z0-9-]+)\.eksctl\.io")
_EKS = "the EKS cluster "


def validate_shared_clusters(hosts: t.Mapping[str, tuple[str, str]]) -> list[str]:
    """One sentence for each EKS cluster that is more than one host of the inventory.

    Args:
        hosts: region and name of the EKS cluster that each host is.
    """
    owners: dict[tuple[str, str], list[str]] = {}
    for host, place in hosts.items():
        owners.setdefault(place, []).append(host)
    return [
        f"{' and '.join(sorted(found))} are both the EKS cluster {name} in {region}, and would change each other's cluster: "
        "set a different eks_cluster_name or eks_region for each."
        for (region, name), found in sorted(owners.items())
        if len(found) > 1
    ]


def validate_shared_servers(hosts: t.Mapping[str, t.AbstractSet[str]], shared: set[str], managed: set[str]) -> list[str]:
    """One sentence for each cluster that is more than one host of the inventory, unless all of them say that they share it.

    Args:
        hosts: what each host's cluster is known by, as messages name it.
        shared: the hosts whose cluster_shared is true.
        managed: the hosts that validate_shared_clusters() compares with each other.
    """
    owners: dict[str, list[str]] = {}
    for host, keys in hosts.items():
        for key in keys:
            owners.setdefault(key, []).append(host)
    errors: dict[tuple[str, ...], str] = {}
    for key, found in sorted(owners.items()):
        names = tuple(sorted(found))
        # Two accounts may each have a cluster of this name in this region. Only for one that the role eks creates is nothing else known.
        if key.startswith(_EKS) and managed.isdisjoint(names):
            continue
        if len(names) > 1 and not shared.issuperset(names) and not managed.issuperset(names):
            same = f"{' and '.join(names)} are {'both' if len(names) == 2 else 'all'} {key}"
            errors.setdefault(
                names,
                f"{same}, and would change each other's mesh: correct cluster_kubeconfig or cluster_context, "
                "or set cluster_shared to true for each of them if teams share the cluster.",
            )
    return list(errors.values())


def eks_key(region: str, name: str) -> str:
    """What an EKS cluster is known by."""
    return f"{_EKS}{name} in {region}"


def server_key(server: str, proxy: str = "", tls_name: str = "") -> str:
    """What a cluster is known by from the URL of its API server; one address behind different proxies is different clusters.

    Raises:
        ValueError: one of the URLs cannot be read.
    """
    return f"the cluster at {_normalized(server)}{f' behind {_normalized(proxy)}' if proxy else ''}{f' ({tls_name})' if tls_name else ''}"


def cluster_keys(kubeconfigs: t.Sequence[Kubeconfig], context: str | None) -> frozenset[str]:
    """What the cluster of a context is known by: the address of its API server, and as an EKS cluster its region and name.

    Args:
        kubeconfigs: the contents of the files that make up a kubeconfig; the first that has an entry counts, as in client-go.
        context: the name of the context; empty for the current one.
    """
    name = context or next((one["current-context"] for one in kubeconfigs if one.get("current-context")), None)
    chosen = _entry(kubeconfigs, "contexts", name).get("context") or {}
    cluster = _entry(kubeconfigs, "clusters", chosen.get("cluster")).get("cluster") or {}
    if not isinstance(cluster, dict) or not isinstance(cluster.get("server"), str):
        return frozenset()
    try:
        found = {server_key(cluster["server"], str(cluster.get("proxy-url") or ""), str(cluster.get("tls-server-name") or ""))}
    except ValueError:
        return frozenset()
    eks = _OF_AWS_CLI.fullmatch(str(chosen.get("cluster"))) or _OF_EKSCTL.fullmatch(str(chosen.get("cluster")))
    return frozenset(found | ({eks_key(eks["region"], eks["name"])} if eks else set()))


def _entry(kubeconfigs: t.Sequence[Kubeconfig], kind: str, name: t.Any) -> Kubeconfig:
    entries = [entry for one in kubeconfigs for entry in one.get(kind) or () if isinstance(entry, dict)]
    return next((entry for entry in entries if name and entry.get("name") == name), {})


def _normalized(url: str) -> str:
    """A URL without credentials, with its port, and in one spelling of those that mean the same."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    port = parts.port or _PORTS.get(parts.scheme)
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host == "localhost" else host
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


__all__ = ("cluster_keys", "eks_key", "server_key", "validate_shared_clusters", "validate_shared_servers")
