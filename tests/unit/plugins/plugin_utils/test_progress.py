"""Lines of progress do not break what a stdout callback prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.meshwright.ambient.plugins.plugin_utils._progress import prints_lines

ROOT = Path(__file__).parents[4]
LINE = "0.1 s, 0 of 1 ready"

# Beside the play: a callback of one's own, and a module that reports once, with the action plugin of the collection.
FILES = {
    "action_plugins/reporting.py": """
from ansible_collections.meshwright.ambient.plugins.plugin_utils._progress import ProgressAction
class ActionModule(ProgressAction):
    pass
""",
    "library/reporting.py": f"""
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={{"progress": {{"type": "path"}}}})
if module.params["progress"]:
    with open(module.params["progress"], "w") as stream:
        stream.write("{LINE}\\n")
module.exit_json()
""",
    "callback_plugins/document.py": """
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "stdout", "document"
    def v2_playbook_on_stats(self, stats):
        self._display.display('{"plays": []}')
""",
    "callback_plugins/prefixed.py": """
from ansible.plugins.callback.default import CallbackModule as Default
DOCUMENTATION = '''
name: prefixed
type: stdout
short_description: As default
description: As default.
extends_documentation_fragment: [default_callback, result_format_callback]
'''
class CallbackModule(Default):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "stdout", "prefixed"
""",
    "ansible.cfg": "",
    "play.yml": json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"name": "Wait", "reporting": {}}]}]),
}


@pytest.mark.parametrize(
    ("callback", "document"),
    [("ansible.posix.json", True), ("document", True), ("default", False), ("prefixed", False)],
    ids=["json", "any-document", "default", "derived-from-default"],
)
def test_stdout_is_the_document_of_the_callback_while_a_module_reports(tmp_path: Path, callback: str, document: bool) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    settings = {"ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    # The settings of the checkout are not those of this run.
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml"]
    environment = {**os.environ, **settings, "ANSIBLE_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if document:
        assert "plays" in json.loads(done.stdout)
        assert LINE in done.stderr, "progress is still shown where it does no harm"
    else:
        assert f"  [localhost] {LINE}\n" in done.stdout


@pytest.mark.parametrize(("callback", "lines"), [("default", True), ("minimal", False), ("oneline", False)])
def test_the_callback_itself_says_whether_it_prints_lines(callback: str, lines: bool) -> None:
    assert prints_lines(callback) is lines
