"""A kubeconfig that cannot be one, or that lacks the context, is reported by the validation, and nothing of what is in it is shown."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.plugin_utils._kubeconfigs import find_kubeconfig_errors

SECRET = "planted-token"
CONTENT: dict[str, Any] = {
    "current-context": "shop-test",
    "clusters": [{"name": "shop", "cluster": {"server": "https://kube.shop.example:6443"}}],
    "users": [{"name": "shop", "user": {"token": SECRET}}],
    "contexts": [{"name": name, "context": {"cluster": "shop", "user": "shop"}} for name in ("shop-test", "shop-production")],
}
OTHER = {**CONTENT, "current-context": "", "contexts": [{"name": "bank", "context": {"cluster": "shop", "user": "shop"}}]}
DANGLING = {**CONTENT, "clusters": []}
GONE = {**CONTENT, "current-context": "gone"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    contents = {"shop": CONTENT, "bank": OTHER, "dangling": DANGLING, "gone": GONE}
    for name, content in contents.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    (tmp_path / "text").write_text(f"token {SECRET}")
    (tmp_path / "broken").write_text(f"a: [{SECRET}\n- :")
    (tmp_path / "list").write_text(f"- {SECRET}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


# What the variables are, with @ for the directory of files, and what the only sentence says.
WRONG: list[tuple[Any, str | None, str]] = [
    (5, None, "cluster_kubeconfig is empty or of a wrong type: set it to the path"),
    (["a"], None, "cluster_kubeconfig is empty or of a wrong type"),
    ({}, None, "cluster_kubeconfig is empty or of a wrong type"),
    ({"a": 1}, None, "cluster_kubeconfig has content which is no kubeconfig"),
    ("/etc", None, "cluster_kubeconfig is neither the path of an existing file nor the content of a kubeconfig"),
    ("@/none", None, "cluster_kubeconfig is neither the path of an existing file"),
    (f"token: {SECRET}\nother: 1", None, "cluster_kubeconfig is neither the path of an existing file"),
    ("@/text", None, "@/text, which is no kubeconfig: it must be YAML or JSON"),
    ("@/broken", None, "@/broken, which is no kubeconfig"),
    ("@/list", None, "@/list, which is no kubeconfig"),
    ("@/binary", None, "@/binary, which is no kubeconfig"),
    ("@/shop:@/text", None, "@/text, which is no kubeconfig"),
    ("@/empty", None, "cluster_kubeconfig has no current context: set cluster_context"),
    ("@/bank", None, "cluster_kubeconfig has no current context: set cluster_context"),
    (
        "@/gone",
        None,
        "cluster_kubeconfig has a current context that is not in it: set cluster_context to one of its contexts. Its contexts are shop-production",
    ),
    ("@/shop", "shop-tset", "cluster_context is 'shop-tset', which cluster_kubeconfig does not have: did you mean shop-test?"),
    ("@/shop", "bank", "cluster_context is 'bank', which cluster_kubeconfig does not have: correct it, or the kubeconfig. Its contexts are shop-prod"),
    ("@/dangling", None, "cluster_kubeconfig has no cluster with a server for its current context"),
    ("@/dangling", "shop-production", "cluster_kubeconfig has no cluster with a server for cluster_context 'shop-production'"),
    ({**CONTENT, "current-context": ["a"]}, None, "cluster_kubeconfig has a current context that is not in it"),
    ({**CONTENT, "contexts": [{"name": "a", "context": {"cluster": ["a"]}}], "current-context": "a"}, None, "cluster_kubeconfig has no cluster with a server"),
    # The content of a kubeconfig in the place of a name is not shown.
    ("@/shop", f"apiVersion: v1\nusers: [{{name: shop, user: {{token: {SECRET}}}}}]", "cluster_context has several lines, but is the name of a context"),
    # The names of contexts are a part of the content.
    (json.dumps(CONTENT), "bank", "cluster_context is 'bank', which cluster_kubeconfig does not have: correct it, or the kubeconfig."),
    (CONTENT, "bank", "cluster_context is 'bank', which cluster_kubeconfig does not have: correct it, or the kubeconfig."),
]
RIGHT: list[tuple[Any, str | None]] = [
    ("@/shop", None),
    ("@/shop", "shop-production"),
    ("@/bank", "bank"),
    # As client-go merges files: the current context of the first that has one, entries of any, and files that are missing or empty.
    ("@/bank:@/shop", None),
    ("@/empty:@/none:@/bank", "bank"),
    ("@/pipe", None),
    (CONTENT, "shop-production"),
    (json.dumps(CONTENT), None),
    (yaml.safe_dump(CONTENT), None),
    (None, None),
    # An empty text is another error.
    ("", None),
]


def errors_of(given: Any, context: str | None, files: Path, **variables: Any) -> list[str]:
    value = given.replace("@", str(files)) if isinstance(given, str) and given.startswith("@") else given
    return find_kubeconfig_errors({"cluster_kubeconfig": value, "cluster_context": context, **variables}, {})


@pytest.mark.parametrize(("given", "context", "sentence"), WRONG, ids=[f"{sentence} {index}" for index, (_given, _context, sentence) in enumerate(WRONG)])
def test_what_cannot_be_a_kubeconfig_is_one_error(given: Any, context: str | None, sentence: str, files: Path) -> None:
    errors = errors_of(given, context, files)
    assert len(errors) == 1, errors
    assert sentence.replace("@", str(files)) in errors[0]
    assert "cluster_kubeconfig" in errors[0]
    assert SECRET not in errors[0]


@pytest.mark.parametrize(("given", "context"), RIGHT, ids=range(len(RIGHT)))
def test_a_kubeconfig_passes(given: Any, context: str | None, files: Path) -> None:
    assert errors_of(given, context, files) == []


def test_the_role_eks_finds_that_of_its_cluster(files: Path) -> None:
    assert errors_of("@/none", None, files, eks_enabled=True) == []


def test_a_context_is_looked_for_in_the_kubeconfig_of_the_environment(files: Path) -> None:
    environment = {"KUBECONFIG": str(files / "shop")}
    assert find_kubeconfig_errors({"cluster_context": "shop-test"}, environment) == []
    (error,) = find_kubeconfig_errors({"cluster_context": "shop-tset"}, environment)
    assert error == "cluster_context is 'shop-tset', which the kubeconfig of the environment does not have: did you mean shop-test?"
    # The modules and Helm take that of a credential of AWX first.
    assert find_kubeconfig_errors({"cluster_context": "shop-test"}, {"K8S_AUTH_KUBECONFIG": str(files / "shop"), "KUBECONFIG": str(files / "bank")}) == []
    # It is none of the variables, and the task that needs it says what is wrong with it.
    assert find_kubeconfig_errors({"cluster_context": "shop-test"}, {"KUBECONFIG": str(files / "text")}) == []


def test_a_path_from_the_vault_is_not_shown(files: Path) -> None:
    (error,) = find_kubeconfig_errors({"cluster_kubeconfig": str(files / "text")}, {}, is_secret=True)
    assert error.startswith("cluster_kubeconfig names a file, which is no kubeconfig")


PROXY = "http://proxy.shop.example:3128"


def _behind(proxy: str) -> dict[str, Any]:
    return {**CONTENT, "clusters": [{"name": "shop", "cluster": {"server": "https://kube.shop.example:6443", "proxy-url": proxy}}]}


@pytest.mark.parametrize("of_the_environment", ["", PROXY, f"{PROXY}/", f"http://{SECRET}:x@proxy.shop.example:3128"], ids=["none", "same", "slash", "user"])
def test_one_proxy_is_right(of_the_environment: str, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text(yaml.safe_dump(_behind(PROXY)))
    for given in (_behind(PROXY), str(tmp_path / "shop")):
        assert find_kubeconfig_errors({"cluster_kubeconfig": given}, {"K8S_AUTH_PROXY": of_the_environment}) == []
    assert find_kubeconfig_errors({"cluster_kubeconfig": CONTENT}, {"K8S_AUTH_PROXY": of_the_environment}) == []


def test_two_proxies_would_be_two_ways_in_one_run(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text(yaml.safe_dump(_behind(PROXY)))
    environment = {"K8S_AUTH_PROXY": f"http://{SECRET}:x@other.example:3128"}
    (error,) = find_kubeconfig_errors({"cluster_kubeconfig": str(tmp_path / "shop")}, environment)
    assert error == (
        f"cluster_kubeconfig names {PROXY} as proxy-url, by which Helm and kubectl go, but K8S_AUTH_PROXY in the environment of the job is "
        "http://other.example:3128: set it to the same proxy, or remove one of the two."
    )
    (error,) = find_kubeconfig_errors({"cluster_kubeconfig": _behind(PROXY)}, environment)
    assert PROXY not in error and "another proxy-url" in error
    (error,) = find_kubeconfig_errors({"cluster_context": "shop-test"}, {"KUBECONFIG": str(tmp_path / "shop"), **environment})
    assert error.startswith("the kubeconfig of the environment names")


@pytest.mark.parametrize("proxy", [f"socks5://{SECRET}@proxy.shop.example", f"http://[{SECRET}"])
def test_a_proxy_that_no_task_could_use_is_found_before_the_first_one(proxy: str) -> None:
    (error,) = find_kubeconfig_errors({"cluster_kubeconfig": _behind(proxy)}, {})
    assert error.startswith("cluster_kubeconfig names a proxy-url that is neither http nor https")
    assert SECRET not in error
