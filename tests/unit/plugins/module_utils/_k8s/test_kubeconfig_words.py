from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks.token import eks_kubeconfig
from ansible_collections.meshwright.ambient.plugins.module_utils._eks.token_program import PROGRAM
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.kubeconfig_words import harmless_words

EKS = eks_kubeconfig(
    name="prod", arn="arn:prod", endpoint="https://prod", ca="Y2E=", region="eu-central-1", sts="https://sts.amazonaws.com", profile="ops", python="python3"
)


def _strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_strings, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_strings, value)) if value else set()
    return {value} if isinstance(value, str) else set()


def test_the_kubeconfig_of_an_eks_cluster_hides_nothing() -> None:
    assert harmless_words(EKS, (PROGRAM,)) == _strings(EKS)


def test_arguments_of_another_program_stay_hidden() -> None:
    words = harmless_words(EKS)
    assert {"Config", "v1", "arn:prod", "https://prod", "python3"} <= words
    assert not words & {"ops", PROGRAM, "eu-central-1"}


@pytest.mark.parametrize(
    "user",
    [
        {"token": "secret"},
        {"password": "secret", "username": "secret"},
        {"client-key-data": "secret", "client-certificate-data": "secret"},
        {"exec": {"command": "vault", "args": ["secret"], "env": [{"name": "TOKEN", "value": "secret"}]}},
        {"auth-provider": {"name": "oidc", "config": {"refresh-token": "secret"}}},
    ],
)
def test_what_opens_the_cluster_stays_hidden(user: dict[str, Any]) -> None:
    assert "secret" not in harmless_words({**EKS, "users": [{"name": "me", "user": user}]}, (PROGRAM,))


@pytest.mark.parametrize("broken", [{}, {"users": None}, {"users": ["x"]}, {"clusters": [{"cluster": "x"}]}, {"users": [{"user": {"exec": {"args": "x"}}}]}])
def test_a_malformed_kubeconfig_is_no_trouble(broken: dict[str, Any]) -> None:
    assert "x" not in harmless_words(broken)
