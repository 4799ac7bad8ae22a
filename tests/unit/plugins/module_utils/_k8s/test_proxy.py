"""Which proxy leads to a cluster: as kubectl decides it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.proxy import proxy_of_environment, proxy_url_of

BOTH = {"HTTPS_PROXY": "http://secure.example:3128", "HTTP_PROXY": "http://plain.example:3128"}


def _kubeconfig(current: str = "shop", **proxies: str) -> dict[str, Any]:
    clusters = [{"name": name, "cluster": {"server": f"https://{name}.example", **({"proxy-url": url} if url else {})}} for name, url in proxies.items()]
    return {"current-context": current, "clusters": clusters, "contexts": [{"name": name, "context": {"cluster": name}} for name in proxies]}


@pytest.mark.parametrize(
    ("context", "proxy"), [("", "http://a.example:3128"), ("shop", "http://a.example:3128"), ("mail", "http://b.example:3128"), ("bare", ""), ("none", "")]
)
def test_the_proxy_is_that_of_the_context(context: str, proxy: str) -> None:
    assert proxy_url_of(_kubeconfig(shop="http://a.example:3128", mail="http://b.example:3128", bare=""), context) == proxy


def test_the_first_file_that_has_an_entry_counts(tmp_path: Path) -> None:
    files = []
    for number, content in enumerate(
        (_kubeconfig("mail", shop="http://first.example"), _kubeconfig("shop", shop="http://second.example", mail="http://b.example"))
    ):
        files.append(tmp_path / str(number))
        files[-1].write_text(yaml.safe_dump(content))
    paths = os.pathsep.join([*map(str, files), str(tmp_path / "missing")])
    assert proxy_url_of(paths) == "http://b.example"
    assert proxy_url_of(paths, "shop") == "http://first.example"


@pytest.mark.parametrize("content", ["", "[", "clusters: shop", "clusters: [shop]\ncontexts: [{name: shop}]\ncurrent-context: shop"])
def test_a_file_that_cannot_be_used_names_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(content)
    assert proxy_url_of(str(tmp_path / "config")) == ""


@pytest.mark.parametrize(
    ("server", "environment", "proxy"),
    [
        ("https://api.example", BOTH, "http://secure.example:3128"),
        ("http://api.example", BOTH, "http://plain.example:3128"),
        ("https://api.example", {"HTTP_PROXY": "http://plain.example:3128"}, ""),
        ("https://api.example", {"https_proxy": "http://lower.example"}, "http://lower.example"),
        ("https://api.example", {"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
        ("https://127.0.0.1:6443", BOTH, ""),
        ("https://[::1]:6443", BOTH, ""),
        ("https://localhost:6443", BOTH, ""),
        ("https://10.0.0.1:6443", BOTH, "http://secure.example:3128"),
        ("https://api.example", {}, ""),
    ],
)
def test_the_environment_names_one_by_the_scheme_of_the_server(server: str, environment: dict[str, str], proxy: str) -> None:
    assert proxy_of_environment(server, environment) == proxy
