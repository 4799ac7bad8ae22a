from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.kubeconfig import normalize_kubeconfig, parse_kubeconfig

CONTENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "shop",
    "clusters": [{"name": "shop", "cluster": {"server": "https://kube.shop.example:6443", "certificate-authority-data": "QUJD" * 1000}}],
    "users": [{"name": "shop", "user": {"token": "planted-token"}}],
    "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "shop"}}],
}


@pytest.mark.parametrize("text", [yaml.safe_dump(CONTENT), json.dumps(CONTENT), json.dumps(CONTENT, indent="\t"), f"---\n{yaml.safe_dump(CONTENT)}"])
def test_content_as_text_becomes_a_dictionary(text: str) -> None:
    assert normalize_kubeconfig(text, "it") == CONTENT


def test_paths_and_dictionaries_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config", "other"):
        (tmp_path / name).touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    for given in (str(tmp_path / "config"), f"{tmp_path}/config:{tmp_path}/other", f"{tmp_path}/pipe", CONTENT, None):
        assert normalize_kubeconfig(given, "it") == given
    assert normalize_kubeconfig("~/config:~/other", "it") == f"{tmp_path}/config:{tmp_path}/other"
    # As kubectl does: a variable that was empty, and a file that is not there.
    assert normalize_kubeconfig(f"{tmp_path}/config:", "it") == f"{tmp_path}/config"
    assert normalize_kubeconfig(f"{tmp_path}/none:{tmp_path}/other", "it") == f"{tmp_path}/other"


@pytest.mark.parametrize("given", ["", " \n", {}, 7, ["planted-token"]])
def test_an_empty_value_or_one_of_a_wrong_type_is_an_error(given: Any) -> None:
    with pytest.raises(MeshError, match=r"^The option kubeconfig is empty or of a wrong type: set it to the path of a kubeconfig, or to its content\.$"):
        normalize_kubeconfig(given, "The option kubeconfig")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("/nowhere/planted-token", id="no-file"),
        pytest.param("/", id="a-directory"),
        pytest.param("~nobody-of-this-name/planted-token", id="nobodys-home"),
        pytest.param("planted-token" * 1000, id="longer-than-a-path"),
        pytest.param("planted-token\0", id="no-path"),
        pytest.param("token: planted-token", id="another-mapping"),
        pytest.param("- planted-token", id="a-list"),
        pytest.param(f"{yaml.safe_dump(CONTENT)}\n\tplanted-token: [", id="broken-yaml"),
        pytest.param(json.dumps(CONTENT)[:-1], id="broken-json"),
        pytest.param("users: planted-token", id="users-are-no-list"),
    ],
)
def test_anything_else_is_an_error_that_does_not_quote_it(given: str) -> None:
    with pytest.raises(MeshError) as caught:
        normalize_kubeconfig(given, "The option kubeconfig")
    sentence = "The option kubeconfig is neither the path of an existing file nor the content of a kubeconfig: correct it, or create the file first."
    assert caught.value.message == sentence


def test_a_text_that_is_no_kubeconfig() -> None:
    assert parse_kubeconfig("clusters: []") == {"clusters": []}
    assert parse_kubeconfig("{}") is None
