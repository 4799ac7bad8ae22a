# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which proxy leads to a cluster, by the rules of kubectl and Helm, so that all tasks of a run go the same way.

The Python package kubernetes passes over the C(proxy-url) of a kubeconfig, and takes E(HTTP_PROXY) for HTTPS, too.
Source: client-go tools/clientcmd/client_config.go (ProxyURL, which precedes the environment) and golang.org/x/net/http/httpproxy (proxyForURL:
the variable of the server's scheme; never for localhost and loopback addresses).
"""

from __future__ import annotations

import ipaddress
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from .._errors import MeshError
from .._text import without_userinfo
from .chosen_context import chosen_entry

_SCHEMES = ("http", "https")


def proxy_url_of(kubeconfig: str | t.Mapping[str, t.Any], context: str = "") -> str:
    """The C(proxy-url) of the cluster that a context of a kubeconfig names; empty if it has none, or if the kubeconfig cannot be read.

    Args:
        kubeconfig: the content, or paths as in E(KUBECONFIG); the first file that has an entry counts.
        context: the context; that of C(current-context) if empty.

    Raises:
        MeshError: the proxy has a scheme that is not supported.
    """
    cluster, entry = chosen_entry(kubeconfig, context, "cluster")
    proxy = str(entry.get("proxy-url") or "")
    if proxy and _scheme_of(proxy) not in _SCHEMES:
        raise MeshError(
            f"The kubeconfig names {without_userinfo(proxy)} as proxy-url of cluster {cluster}, and only http and https proxies are supported: "
            "use such a proxy, or a tunnel to the API server."
        )
    return proxy


def proxy_of_environment(server: str, environment: t.Mapping[str, str]) -> str:
    """The proxy that the environment names for a server; empty for none. What E(NO_PROXY) lists is decided by the client.

    Args:
        server: the URL of the API server.
        environment: the environment variables.
    """
    address = urlsplit(server)
    if _is_loopback(address.hostname or ""):
        return ""
    name = "HTTP_PROXY" if address.scheme == "http" else "HTTPS_PROXY"
    proxy = environment.get(name) or environment.get(name.lower()) or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def kubeconfig_of_environment(environment: t.Mapping[str, str]) -> str:
    """The paths of the kubeconfig that is used when none is given."""
    return environment.get("K8S_AUTH_KUBECONFIG") or environment.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


def _scheme_of(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        # Brackets without an address in them.
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


__all__ = ("kubeconfig_of_environment", "proxy_of_environment", "proxy_url_of")
