"""A token that ends while a module waits: it goes on with the new one if there is one, and says so at once if there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.polling import until
from tests.twin.faults.scene import OpenScene, Scene, ask, create_service_account, sentence, token_of
from twin.collection import SECRET, Write


@pytest.fixture(scope="module")
def outcomes(open_scene: OpenScene) -> Iterator[dict[str, dict[str, Any]]]:
    """The results of three waits whose token ends; side by side, because an API server honours an ended token for ten seconds more."""
    with ExitStack() as stack:
        scenes, waiting, old = {}, {}, {}
        for name in ("token-file", "exec-plugin", "no-new-token"):
            scene = scenes[name] = stack.enter_context(open_scene(name))
            scene.deploy("app", ready=False)
            create_service_account(scene.twin, name, "user")
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "session", "namespace": name}}
            scene.twin.session.write(Write("apply", SECRET, "session", name, secret))
            old[name] = token_of(scene.twin, name, "user", secret="session")
            _give_token(scene, old[name])
            kubeconfig = scene.proxy.kubeconfig(scene.twin.paths.kubeconfig, scene.directory / "user", _user(scene))
            waiting[name] = scene.wait_ready("app", kubeconfig=kubeconfig)
        for name, scene in scenes.items():
            if name != "no-new-token":
                _give_token(scene, token_of(scene.twin, name, "user"))
            scene.twin.session.write(Write("delete", SECRET, "session", name))
        for name, scene in scenes.items():
            until(lambda name=name, scene=scene: _status(scene, old[name]) == 401, "the old token to be refused")
            scene.proxy.close_connections()
            scene.set_ready("app", True)
        yield {name: running.finish() for name, running in waiting.items()}


@pytest.mark.parametrize("name", ["token-file", "exec-plugin"])
def test_a_wait_goes_on_with_the_new_token(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    result = outcomes[name]
    assert not result.get("failed"), result["msg"]
    assert [target["status"] for target in result["targets"]] == ["Current"]


def test_without_a_new_token_the_wait_ends_with_one_sentence(outcomes: dict[str, dict[str, Any]]) -> None:
    message = sentence(outcomes["no-new-token"])
    assert "\n" not in message, f"this is no sentence:\n{message}"
    assert "did not accept the credentials" in message
    assert "401" in message


def _status(scene: Scene, token: str) -> int:
    return ask(scene.twin, f"/api/v1/namespaces/{scene.namespace}/pods", token=token).status


def _give_token(scene: Scene, token: str) -> None:
    """Put a token where the scene's kubeconfig expects it, in one step, as programs that renew tokens do."""
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    for path, content in ((_token_file(scene), token), (_credential_file(scene), json.dumps(credential))):
        new = path.with_suffix(".new")
        new.write_text(content)
        new.rename(path)


def _user(scene: Scene) -> dict[str, Any]:
    if scene.namespace == "exec-plugin":
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "cat",
            "args": [str(_credential_file(scene))],
            "interactiveMode": "Never",
        }
        return {"exec": plugin}
    return {"tokenFile": str(_token_file(scene))}


def _token_file(scene: Scene) -> Path:
    return scene.directory / "token"


def _credential_file(scene: Scene) -> Path:
    return scene.directory / "credential"
