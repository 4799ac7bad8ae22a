"""A module in the process of its task has what it would have in one of its own, and is started as any other where that would be another one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.plugin_utils._direct import DirectAction

ROOT = Path(__file__).parents[4]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "validate_inventory")

# Beside the play: a module that reports where it runs, and the same module for tasks of its own action plugin.
_MODULE = """
import atexit, os, signal, subprocess, sys
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule(argument_spec={"secret": {"type": "str", "no_log": True}, "does": {"type": "str"}}, supports_check_mode=True)
    does = module.params["does"]
    if does == "raise":
        raise ValueError("an error of the module")
    if does == "leave":
        os.environ["LEFT"] = "by the item before"
        os.chdir("/")
    if does == "end":
        from ansible_collections.meshwright.ambient.plugins.module_utils import _module
        child = subprocess.Popen(["sleep", "60"])
        try:
            with _module._ended_in_order():
                os.kill(os.getpid(), signal.SIGTERM)
        except _module._Ended as ended:
            module.fail_json(msg=f"ended by {ended}", child=child.wait(20))
    if does == "keep":
        with open("keys", "w") as keys:
            atexit.register(os.remove, os.path.abspath(keys.name))
    if does == "warn":
        module.warn("a warning of this item")
    if does == "fail":
        module.fail_json(msg="refused", details={"secret": module.params["secret"]})
    made = os.path.join(module.tmpdir, "made")
    open(made, "w").close()
    seen = {name: os.environ.get(name) for name in ("GIVEN", "HELM_KUBETOKEN", "LEFT")}
    module.exit_json(changed=not module.check_mode, inside="ansible.playbook.play" in sys.modules, seen=seen, cwd=os.getcwd(), made=made,
                     secret=module.params["secret"])

if __name__ == "__main__":
    main()
"""
_ACTION = """
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "library"))
import placed
from ansible_collections.meshwright.ambient.plugins.plugin_utils._direct import DirectAction
class ActionModule(DirectAction):
    MODULE = placed
"""


def run(directory: Path, *tasks: dict[str, Any], **settings: str) -> list[dict[str, Any]]:
    """The results of tasks, each of the module above, of one host on this machine."""
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "ignore_errors": True, "tasks": list(tasks)}
    for name, text in {"library/placed.py": _MODULE, "action_plugins/placed.py": _ACTION, "ansible.cfg": "", "play.yml": json.dumps([play])}.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    given = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_HOME": str(directory / "home")}
    environment = {**os.environ, "ANSIBLE_PYTHON_INTERPRETER": sys.executable, **given, **settings}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "here,", "play.yml"]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return [task["hosts"]["here"] for task in json.loads(done.stdout)["plays"][0]["tasks"]]


def test_it_has_variables_directory_and_temporary_files_as_in_a_process_of_its_own(tmp_path: Path) -> None:
    task = {"placed": {"secret": "planted-secret"}, "environment": {"GIVEN": "by the task"}}
    inside, outside = (run(tmp_path, task, **settings)[0] for settings in ({}, {"ANSIBLE_KEEP_REMOTE_FILES": "1"}))
    assert (inside["inside"], outside["inside"]) == (True, False)
    for result in (inside, outside):
        assert result["seen"] == {"GIVEN": "by the task", "HELM_KUBETOKEN": None, "LEFT": None}
        assert result["cwd"] == str(tmp_path)
        assert "planted-secret" not in json.dumps(result)
    differing = {"inside", "made", "invocation"}
    assert {key: value for key, value in inside.items() if key not in differing} == {key: value for key, value in outside.items() if key not in differing}
    assert inside["invocation"]["module_args"] == outside["invocation"]["module_args"]
    assert not Path(inside["made"]).parent.exists(), "a directory for temporary files is left"


def test_an_item_of_a_loop_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    (looped,) = run(tmp_path, {"placed": {"does": "{{ item }}"}, "loop": ["leave", "warn", "nothing"]})
    left, _warned, last = looped["results"]
    assert left["inside"] and left["cwd"] == "/"
    assert (last["seen"]["LEFT"], last["cwd"]) == (None, str(tmp_path))
    assert looped["warnings"] == ["a warning of this item"]


def test_failures_and_errors_are_results(tmp_path: Path) -> None:
    failed, raised = run(tmp_path, {"placed": {"does": "fail", "secret": "planted-secret"}}, {"placed": {"does": "raise"}})
    assert failed["failed"] and failed["msg"] == "refused" and "planted-secret" not in json.dumps(failed)
    assert raised["failed"] and "an error of the module" in raised["msg"]


def test_what_is_registered_for_the_exit_of_the_process_is_done(tmp_path: Path) -> None:
    """So the package kubernetes removes the files in which it keeps the keys of a kubeconfig."""
    (result,) = run(tmp_path, {"placed": {"does": "keep"}})
    assert result["inside"]
    assert not (tmp_path / "keys").exists()


def test_a_signal_ends_the_module_in_order_and_its_programs_with_it(tmp_path: Path) -> None:
    (result,) = run(tmp_path, {"placed": {"does": "end"}})
    assert (result["msg"], result["child"]) == ("ended by SIGTERM", -signal.SIGTERM)


def test_check_mode_reaches_the_module(tmp_path: Path) -> None:
    checked, done = run(tmp_path, {"placed": {}, "check_mode": True}, {"placed": {}})
    assert (checked["changed"], done["changed"]) == (False, True)


def test_the_shell_of_the_collection_hides_other_clusters(tmp_path: Path) -> None:
    hidden, shown = run(
        tmp_path, {"placed": {}, "vars": {"ansible_shell_type": "meshwright.ambient.own_cluster"}}, {"placed": {}}, HELM_KUBETOKEN="of another cluster"
    )
    assert hidden["inside"] and shown["inside"]
    assert (hidden["seen"]["HELM_KUBETOKEN"], shown["seen"]["HELM_KUBETOKEN"]) == (None, "of another cluster")


@pytest.mark.parametrize(
    "elsewhere", [pytest.param({"async": 30, "poll": 1}, id="in-the-background"), pytest.param({"delegate_to": "localhost"}, id="for-another-host")]
)
def test_where_it_would_be_another_process_it_is_one(tmp_path: Path, elsewhere: dict[str, Any]) -> None:
    (result,) = run(tmp_path, {"placed": {}, **elsewhere})
    assert result["inside"] is False, result


def test_its_directory_identifies_a_python(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
    another, same = run(tmp_path, *({"placed": {}, "vars": {"ansible_python_interpreter": name}} for name in (f"{tmp_path}/python3", sys.executable)))
    assert (another["inside"], same["inside"]) == (False, True)


@pytest.mark.parametrize("name", MODULES)
def test_each_module_has_a_plugin_that_runs_it(name: str) -> None:
    action = import_module(f"ansible_collections.meshwright.ambient.plugins.action.{name}").ActionModule
    assert issubclass(action, DirectAction)
    assert action.MODULE.__name__ == f"ansible_collections.meshwright.ambient.plugins.modules.{name}"
    assert callable(action.MODULE.main)
