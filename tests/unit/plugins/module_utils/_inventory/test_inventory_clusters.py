"""Two hosts of an inventory that are one cluster, by whichever variables, are found before the first change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.clusters import cluster_keys, server_key
from ansible_collections.meshwright.ambient.plugins.plugin_utils._clusters import find_shared_clusters

ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/shop"


def kubeconfig(server: str = "https://api.example.com:6443", **cluster: Any) -> dict[str, Any]:
    """A kubeconfig with the contexts eu (the current one) of this cluster, and us of another."""
    return {
        "clusters": [{"name": "eu", "cluster": {"server": server, **cluster}}, {"name": "us", "cluster": {"server": "https://us.example.com:6443"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in ("eu", "us")],
        "users": [{"name": "me", "user": {"token": "planted-token"}}],
        "current-context": "eu",
    }


def write(path: Path, content: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(content))
    return str(path)


def errors_of(a: dict[str, Any], b: dict[str, Any], **environment: str) -> list[str]:
    """The errors of two hosts."""
    errors = find_shared_clusters({"a": a, "b": b}, environment)
    assert "planted-token" not in "".join(errors)
    return errors


SAME = "a and b are both the cluster at https://api.example.com:6443, and would change each other's mesh: correct cluster_kubeconfig or cluster_context, or set"


def test_a_copied_kubeconfig_is_one_cluster_in_whatever_form(tmp_path: Path) -> None:
    forms = [
        write(tmp_path / "a", kubeconfig()),
        write(tmp_path / "b", kubeconfig("https://API.example.com:6443/")),
        kubeconfig(),
        yaml.safe_dump(kubeconfig()),
        json.dumps(kubeconfig()),
        f"{tmp_path / 'a'}:{tmp_path / 'b'}",
        f" {tmp_path / 'a'}\r\n",
        kubeconfig("https://api.example.com.:6443"),
    ]
    for form in forms:
        (error,) = errors_of({"cluster_kubeconfig": forms[0]}, {"cluster_kubeconfig": form})
        assert error.startswith(SAME), error


def test_this_machine_has_one_address() -> None:
    names = [kubeconfig(f"https://{host}:6443") for host in ("localhost", "127.0.0.1", "LOCALHOST.")]
    for one in names[1:]:
        (error,) = errors_of({"cluster_kubeconfig": names[0]}, {"cluster_kubeconfig": one})
        assert error.startswith("a and b are both the cluster at https://127.0.0.1:6443"), error


def test_clusters_of_two_accounts_may_have_one_name() -> None:
    def of_account(account: str) -> dict[str, Any]:
        arn = ARN.replace("123456789012", account)
        content = kubeconfig(f"https://{account}.gr7.eu-central-1.eks.amazonaws.com")
        content["clusters"][0]["name"] = content["contexts"][0]["context"]["cluster"] = arn
        return content

    first = of_account("111111111111")
    assert errors_of({"cluster_kubeconfig": first}, {"cluster_kubeconfig": of_account("222222222222")}) == []
    (error,) = errors_of({"cluster_kubeconfig": first}, {"cluster_kubeconfig": first})
    assert error.startswith("a and b are both the cluster at https://111111111111.gr7"), error


def test_a_context_that_is_missing_is_one_cluster(tmp_path: Path) -> None:
    path = write(tmp_path / "both", kubeconfig())
    (error,) = errors_of({"cluster_kubeconfig": path, "cluster_context": "eu"}, {"cluster_kubeconfig": path})
    assert error.startswith(SAME), error
    assert errors_of({"cluster_kubeconfig": path, "cluster_context": "eu"}, {"cluster_kubeconfig": path, "cluster_context": "us"}) == []
    for environment in ({"KUBECONFIG": path}, {"K8S_AUTH_KUBECONFIG": path, "KUBECONFIG": str(tmp_path / "missing")}):
        (error,) = errors_of({"cluster_context": "eu"}, {"cluster_kubeconfig": path}, **environment)
        assert error.startswith(SAME), error


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({}, {"server": "https://other.example.com:6443"}),
        ({}, {"server": "https://api.example.com:6444"}),
        ({"server": "https://rancher.example.com/k8s/clusters/c-1"}, {"server": "https://rancher.example.com/k8s/clusters/c-2"}),
        ({"proxy-url": "socks5://127.0.0.1:1080"}, {"proxy-url": "socks5://127.0.0.1:1081"}),
        ({"proxy-url": "socks5://127.0.0.1:1080"}, {}),
        ({"tls-server-name": "a.internal"}, {"tls-server-name": "b.internal"}),
    ],
)
def test_clusters_at_different_addresses_are_different(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert errors_of({"cluster_kubeconfig": kubeconfig(**a)}, {"cluster_kubeconfig": kubeconfig(**b)}) == []


@pytest.mark.parametrize(
    ("a", "b", "allowed"),
    [(True, True, True), ("yes", "true", True), (True, False, False), (True, None, False), (False, False, False), ("no", "yes", False)],
)
def test_teams_share_a_cluster_if_all_hosts_say_so(a: Any, b: Any, allowed: bool) -> None:
    given = {"cluster_kubeconfig": kubeconfig()}
    assert (errors_of({**given, "cluster_shared": a}, {**given, "cluster_shared": b}) == []) is allowed


def test_one_sentence_names_all_hosts_of_a_cluster() -> None:
    hosts = {name: {"cluster_kubeconfig": kubeconfig(), "cluster_shared": name != "c"} for name in "abcd"}
    (error,) = find_shared_clusters({**hosts, "e": {"cluster_kubeconfig": kubeconfig(), "cluster_context": "us"}}, {})
    assert error.startswith("a and b and c and d are all the cluster at"), error


def test_the_environment_is_one_cluster_for_all_hosts(tmp_path: Path) -> None:
    given = {"cluster_from_environment": True}
    (error,) = errors_of(given, given, KUBECONFIG=write(tmp_path / "a", kubeconfig()))
    assert error.startswith(SAME), error
    (error,) = errors_of(given, given, K8S_AUTH_HOST="https://user:planted-token@api.example.com:6443")
    assert error.startswith(SAME), error
    (error,) = errors_of(given, given, KUBECONFIG=str(tmp_path / "missing"))
    assert error.startswith("a and b are both the cluster that the environment of the job names"), error


def test_two_hosts_never_create_one_eks_cluster() -> None:
    eks = {"eks_enabled": True, "eks_region": "eu-central-1", "eks_cluster_name": "shop", "cluster_shared": True}
    (error,) = errors_of(eks, eks)
    assert error.startswith("a and b are both the EKS cluster shop in eu-central-1, and would change each other's cluster"), error
    assert errors_of(eks, {**eks, "eks_region": "us-east-1"}) == []
    assert errors_of({**eks, "eks_cluster_name": "a"}, {**eks, "eks_cluster_name": "b"}) == []
    assert find_shared_clusters({"a": {"eks_enabled": True, "eks_region": "eu-central-1"}, "b": {"eks_enabled": True, "eks_region": "eu-central-1"}}, {}) == []


@pytest.mark.parametrize("name", [ARN, "shop.eu-central-1.eksctl.io"])
def test_an_eks_cluster_and_its_kubeconfig_are_one_cluster(name: str) -> None:
    content = {**kubeconfig(), "contexts": [{"name": "eu", "context": {"cluster": name, "user": "me"}}]}
    content["clusters"] = [{"name": name, "cluster": {"server": "https://0123.gr7.eu-central-1.eks.amazonaws.com"}}]
    eks = {"eks_enabled": True, "eks_region": "eu-central-1", "eks_cluster_name": "shop"}
    (error,) = errors_of(eks, {"cluster_kubeconfig": content})
    assert error.startswith("a and b are both the EKS cluster shop in eu-central-1, and would change each other's mesh"), error
    assert errors_of({**eks, "cluster_shared": True}, {"cluster_kubeconfig": content, "cluster_shared": True}) == []
    assert errors_of({**eks, "eks_cluster_name": "other"}, {"cluster_kubeconfig": content}) == []


@pytest.mark.parametrize(
    "given",
    [{}, {"cluster_kubeconfig": ""}, {"cluster_kubeconfig": "/missing"}, {"cluster_kubeconfig": "token: planted-token"}, {"cluster_kubeconfig": {"a": 1}}],
)
def test_hosts_whose_cluster_cannot_be_said_are_not_compared(given: dict[str, Any]) -> None:
    assert errors_of(given, given) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"contexts": None},
        {"contexts": ["a"], "clusters": [5]},
        {"current-context": "a", "contexts": [{"name": "a", "context": None}]},
        kubeconfig(5),
        kubeconfig("https://api.example.com:port"),
    ],  # type: ignore[arg-type]
)
def test_a_kubeconfig_that_names_no_cluster_has_no_keys(content: dict[str, Any]) -> None:
    assert cluster_keys([content], None) == frozenset()


@pytest.mark.parametrize(
    ("server", "normalized"),
    [
        ("https://API.example.com", "https://api.example.com:443"),
        ("api.example.com:6443", "https://api.example.com:6443"),
        ("https://[2001:DB8::1]:6443/", "https://[2001:db8::1]:6443"),
        ("https://user:secret@api.example.com", "https://api.example.com:443"),
    ],
)
def test_addresses_are_compared_and_shown_without_credentials(server: str, normalized: str) -> None:
    assert server_key(server) == f"the cluster at {normalized}"
