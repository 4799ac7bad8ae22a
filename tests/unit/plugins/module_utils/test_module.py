"""Failures in which no other module could do anything either are marked, so that verify.yml ends with them, and those after a write are changes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils import _module
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError, Unreachable
from twin.paths import REPOSITORY


class Failed(Exception):
    """A module has ended with a failure."""


def _fail(**result: Any) -> NoReturn:
    raise Failed(result)


def _failure_of(error: MeshError, monkeypatch: pytest.MonkeyPatch, *, in_connect: bool = False, written: bool = False) -> dict[str, Any]:
    module: Any = SimpleNamespace(params={"kubeconfig": None}, no_log_values=set(), fail_json=_fail)

    def raise_it(*_arguments: Any) -> NoReturn:
        raise error

    monkeypatch.setattr(_module, "connect", raise_it if in_connect else lambda _module: SimpleNamespace(has_written=written))
    with pytest.raises(Failed) as failed:
        _module.run(module, raise_it)
    result: dict[str, Any] = failed.value.args[0]
    return result


@pytest.mark.parametrize(
    ("error", "marked"),
    [
        (Unreachable("No answer came.", status=0, reason="timed out"), True),
        (ApiError("The credentials were not accepted.", status=401, reason="Unauthorized"), True),
        (ApiError("This is forbidden.", status=403, reason="Forbidden", cause="rbac"), False),
        (ApiError("The server failed.", status=500, reason="InternalError"), False),
        (MeshError("A waypoint is refused.", refusals=["A waypoint is refused."]), False),
    ],
    ids=lambda value: str(value),
)
def test_a_cluster_that_cannot_be_used_is_marked(error: MeshError, marked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _failure_of(error, monkeypatch)
    assert result["msg"] == error.message
    assert (result.get("cluster_accessible") is False) == marked, result


def test_a_kubeconfig_that_cannot_be_used_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _failure_of(MeshError("There is no context shop."), monkeypatch, in_connect=True)["cluster_accessible"] is False


@pytest.mark.parametrize("written", [False, True])
def test_a_failure_after_a_write_is_a_change(monkeypatch: pytest.MonkeyPatch, written: bool) -> None:
    assert _failure_of(MeshError("It still exists."), monkeypatch, written=written).get("changed", False) is written


@pytest.mark.parametrize("failed", [False, True])
def test_warnings_are_shown_as_ansible_wants_them(failed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    module: Any = SimpleNamespace(params={"kubeconfig": None}, no_log_values=set(), fail_json=_fail, exit_json=_fail, warn=shown.append)
    monkeypatch.setattr(_module, "connect", lambda _module: SimpleNamespace(has_written=False))
    with pytest.raises(Failed) as ended:
        _module.run(module, lambda _module, _session: {"changed": False, "warnings": ["No traffic comes."], "failed": failed})
    assert (ended.value.args[0], shown) == ({"changed": False}, ["No traffic comes."])


_WAITING = """
import signal, sys, threading
from pathlib import Path
from types import SimpleNamespace

# What runs under nohup starts its programs so that they ignore this signal.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.path.insert(0, sys.argv[1])
import ansible_collections.meshwright.ambient.plugins.module_utils._module as _module
from kubernetes.config.kube_config import _create_temp_file_with_content


def wait(module, session):
    # As the package kubernetes keeps the key of a client.
    print(_create_temp_file_with_content("key of a client", temp_file_path=sys.argv[2]), flush=True)
    threading.Event().wait()


def fail(**result):
    print(result["msg"], flush=True)
    sys.exit(1)


_module.connect = lambda _module: SimpleNamespace(has_written=False)
_module.run(SimpleNamespace(params={"kubeconfig": None}, no_log_values=set(), fail_json=fail), wait)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_task_that_is_cancelled_leaves_no_file_with_keys(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WAITING, str(REPOSITORY / "collections"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        written = Path(process.stdout.readline().strip())
        assert written.read_text() == "key of a client"
        process.send_signal(number)
        assert process.stdout.read().startswith(f"The task was ended by {number.name}")
        assert process.wait(30) == 1
    assert not written.exists()
    assert list(tmp_path.iterdir()) == []
