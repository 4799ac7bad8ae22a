from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.kubeconfig import render_kubeconfig
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.redaction import PUBLIC_ARGUMENTS, public_strings, secret_strings

EKS = render_kubeconfig(
    name="prod", arn="arn:prod", endpoint="https://prod", ca="Y2E=", region="eu-central-1", sts="https://sts.amazonaws.com", profile="ops", python="python3"
)


def test_the_kubeconfig_of_an_eks_cluster_hides_nothing() -> None:
    assert secret_strings(EKS) == set()
    assert {"Config", "v1", "arn:prod", "https://prod", "python3", "ops"} <= public_strings(EKS)


def test_arguments_of_another_program_stay_hidden() -> None:
    [user] = EKS["users"]
    program = {**user["user"]["exec"], "args": ["-c", "import sys", PUBLIC_ARGUMENTS.strip(), "ops"]}
    kubeconfig = {**EKS, "users": [{"name": "arn:prod", "user": {"exec": program}}]}
    assert secret_strings(kubeconfig) == {"import sys", PUBLIC_ARGUMENTS.strip(), "ops"}


@pytest.mark.parametrize(
    ("program", "hidden"),
    [
        pytest.param(
            # As aws eks update-kubeconfig writes it.
            {
                "command": "aws",
                "args": ["--region", "eu-central-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json", "--role-arn", "arn:aws:iam::1:role/a"],
                "env": [{"name": "AWS_PROFILE", "value": "ops"}],
            },
            set(),
            id="eks",
        ),
        pytest.param({"command": "/usr/bin/sh", "args": ["-c", "echo secret"]}, {"echo secret"}, id="shell"),
        pytest.param({"command": "vault", "args": ["read", "--token", "secret"]}, {"read", "secret"}, id="words-of-an-unknown-program"),
        pytest.param({"command": "kubelogin", "args": ["get-token", "--client-secret", "secret", "-l", "spn"]}, {"secret"}, id="secret-of-a-known-program"),
        pytest.param({"command": "kubelogin", "args": ["get-token", "--client-secret=secret"]}, {"--client-secret=secret"}, id="in-one-argument"),
        pytest.param({"command": "tsh", "args": ["--context=prod", "--proxy=secret"]}, {"--proxy=secret"}, id="names-in-one-argument"),
        pytest.param({"command": "aws", "args": [], "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "secret"}]}, {"secret"}, id="secret-variable"),
        pytest.param({"command": "aws", "args": ["eks", 7, None]}, {"7"}, id="numbers"),
    ],
)
def test_names_of_options_are_no_secrets(program: dict[str, Any], hidden: set[str]) -> None:
    """Hidden, "-c" and "eks" would be blanked in every message."""
    kubeconfig = {**EKS, "users": [{"name": "arn:prod", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **program}}}]}
    assert secret_strings(kubeconfig) == hidden


@pytest.mark.parametrize(
    "user",
    [
        {"token": "secret"},
        {"password": 20341234, "username": "secret"},
        {"password": "secret", "username": "secret"},
        {"client-key-data": "secret", "client-certificate-data": "secret"},
        {"exec": {"command": "vault", "args": ["secret"], "env": [{"name": "TOKEN", "value": "secret"}]}},
        {"auth-provider": {"name": "oidc", "config": {"refresh-token": "secret"}}},
    ],
)
def test_what_opens_the_cluster_stays_hidden(user: dict[str, Any]) -> None:
    kubeconfig = {**EKS, "users": [{"name": "me", "user": user}]}
    assert "secret" not in public_strings(kubeconfig)
    assert {"secret", str(user.get("password", "secret"))} <= secret_strings(kubeconfig)


@pytest.mark.parametrize("broken", [{}, {"users": None}, {"users": ["x"]}, {"clusters": [{"cluster": "x"}]}, {"users": [{"user": {"exec": {"args": "x"}}}]}])
def test_a_malformed_kubeconfig_is_no_trouble(broken: dict[str, Any]) -> None:
    assert "x" not in public_strings(broken)
