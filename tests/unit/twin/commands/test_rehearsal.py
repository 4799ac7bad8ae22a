from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from twin.commands.rehearsal import environment_of, find_inventory, overlay_of
from twin.errors import TwinError
from twin.paths import AccountPaths
from twin.tools.build import locate_tools

CALLER = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "HOME": "/nowhere",
    "HTTPS_PROXY": "http://proxy:3128",
    "K8S_AUTH_API_KEY": "real",
    "K8S_AUTH_HOST": "https://real.example.com",
    "KUBECONFIG": "/nowhere/.kube/config",
    "NO_PROXY": "example.com",
    "PATH": "/usr/bin",
    "TWIN_KUBECONFIG": "/elsewhere",
}


@pytest.fixture
def account(state: Path) -> str:
    paths = AccountPaths("a")
    assert paths.home.is_relative_to(state)
    paths.home.mkdir(parents=True)
    paths.settings.write_text(json.dumps({"port": 5699}))
    return "a"


def test_the_overlay_has_only_what_must_be_replaced_and_says_why() -> None:
    text = overlay_of(locate_tools())
    assert set(yaml.safe_load(text)) == {
        "alb_controller_chart_source",
        "alb_controller_policy_source",
        "alb_controller_version",
        "bookinfo_source",
        "gateway_api_source",
        "gateway_api_version",
        "istio_chart_source",
        "istio_version",
        "karpenter_chart_source",
        "karpenter_version",
        "karpenter_wait_for_node_pools",
    }
    lines = text.splitlines()[2:]
    assert all(line.startswith("# ") for line in lines[::2]), "each variable has its reason above it"
    assert not any(line.startswith("#") for line in lines[1::2])


def test_a_rehearsal_hears_of_no_other_cluster_or_account(account: str) -> None:
    environment = environment_of(CALLER, account, locate_tools())
    assert "real" not in environment.values()
    assert not {"AWS_PROFILE", "K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "TWIN_KUBECONFIG"} & environment.keys()
    assert environment["KUBECONFIG"] == os.devnull
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5699"
    assert environment["HOME"] == "/nowhere"


def test_a_proxy_is_not_asked_for_what_runs_here(account: str) -> None:
    environment = environment_of(CALLER, account, locate_tools())
    assert environment["HTTPS_PROXY"] == "http://proxy:3128"
    assert environment["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_an_inventory_is_found_from_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prod").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_inventory("prod") == str(tmp_path / "prod")
    assert find_inventory("one,two") == "one,two"


@pytest.mark.parametrize(("inventory", "expected"), [("", "No inventory was named"), ("nowhere", "There is no inventory nowhere")])
def test_a_missing_inventory_is_reported(inventory: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TwinError, match=expected):
        find_inventory(inventory)
