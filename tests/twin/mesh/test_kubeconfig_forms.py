"""A kubeconfig leads to the cluster in every form, and no part of it is in what a run says, leaves behind or hands to a program."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.polling import until
from tests.twin.conftest import Twin
from tests.twin.support.planted import Planted, arguments_of_processes

# What the roles use of kubernetes.core, each with something to do.
_TASKS = [
    {"kubernetes.core.k8s": {"definition": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ form }}", "namespace": "default"}}}},
    {"kubernetes.core.k8s_info": {"kind": "ConfigMap", "name": "{{ form }}", "namespace": "default"}, "register": "found"},
    {"kubernetes.core.helm": {"name": "{{ form }}", "release_namespace": "default", "chart_ref": "{{ chart }}"}},
    {"kubernetes.core.helm_info": {"name": "{{ form }}", "release_namespace": "default"}, "register": "release"},
    {"kubernetes.core.helm_template": {"release_name": "{{ form }}", "chart_ref": "{{ chart }}"}},
    {"ansible.builtin.assert": {"that": ["found.resources | length == 1", "release.status.status == 'deployed'"]}},
]
_DEFAULTS = {"kubeconfig": "{{ lookup('meshwright.ambient.kubeconfig') | default(omit, true) }}"}


@dataclass(frozen=True)
class Operator:
    """A kubeconfig with secrets of every kind in it."""

    content: dict[str, Any]
    planted: Planted

    def as_user(self, name: str) -> dict[str, Any]:
        return {**self.content, "current-context": name}


@dataclass(frozen=True)
class Run:
    """The output of a run, and the places where it may have left something."""

    returncode: int
    output: str
    arguments: list[bytes]
    places: list[Path]
    started: float

    def leaks(self, planted: Planted) -> list[str]:
        found = {f"{what} in the output" for what in planted.found_in(self.output.encode())}
        found |= {f"{what} in the arguments of a program" for what in planted.found_in(b"\n".join(self.arguments))}
        return sorted(found.union(*(planted.found_below(place, self.started) for place in self.places)))


@pytest.fixture(scope="module")
def operator(empty_twin: Twin) -> Operator:
    def kubectl(*arguments: str) -> str:
        done = empty_twin.run(["kubectl", *arguments])
        assert done.returncode == 0, done.stderr
        return done.stdout

    kubectl("create", "serviceaccount", "operator")
    kubectl("create", "clusterrolebinding", "operator", "--clusterrole=cluster-admin", "--serviceaccount=default:operator")
    token = kubectl("create", "token", "operator", "--duration=2h").strip()
    given = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    owner = given["users"][0]["user"]
    users = {
        "person": {key: owner[key] for key in ("client-certificate-data", "client-key-data")},
        "robot": {"token": token},
        "guest": {"username": "planted-guest-name", "password": "planted-guest-password"},
    }
    [cluster] = given["clusters"]
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "shop", "cluster": cluster["cluster"]}],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [{"name": name, "context": {"cluster": "shop", "user": name}} for name in users],
        "current-context": "robot",
    }
    values = {"the token": token, "the token's signature": token.rpartition(".")[2], "the password": "planted-guest-password"}
    for name in ("client-certificate-data", "client-key-data"):
        values[name] = owner[name][200:400]
    return Operator(content, Planted(values))


def _run(twin: Twin, directory: Path, playbook: str, variables: dict[str, Any]) -> Run:
    """Run a playbook at the highest verbosity, with all that it writes for its user and for the moment below a directory."""
    given = directory / "given.json"
    given.write_text(json.dumps(variables))
    home, temporary = directory / "home", directory / "tmp"
    for place in (home, temporary):
        place.mkdir(exist_ok=True)
    environment = {
        "TMPDIR": str(temporary),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_REMOTE_TMP": str(home / "tmp"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "HOME": str(home),
        "KUBECONFIG": "/dev/null",
    }
    started = time.time()
    with arguments_of_processes() as arguments:
        done = twin.play(playbook, "-vvvvv", "--diff", "-e", f"@{given}", **environment)
    given.unlink()
    return Run(done.returncode, done.stdout + done.stderr, arguments, [home, temporary], started)


def _as_path(content: dict[str, Any], directory: Path) -> str:
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return str(path)


FORMS: list[Any] = [
    pytest.param(lambda operator, _path: yaml.safe_dump(operator.as_user("person")), id="yaml"),
    pytest.param(lambda operator, _path: json.dumps(operator.as_user("robot")), id="json"),
    pytest.param(lambda operator, _path: operator.as_user("robot"), id="dictionary"),
    pytest.param(lambda operator, path: _as_path(operator.as_user("person"), path), id="path"),
]


# The form with which the test of the roles sets cluster_context, too.
_WITH_CONTEXT = "path"
_OF_ROLES = [pytest.param(*form.values, id=form.id, marks=[pytest.mark.variable("cluster_context")] if form.id == _WITH_CONTEXT else []) for form in FORMS]


@pytest.fixture(params=FORMS)
def given(request: pytest.FixtureRequest, operator: Operator, tmp_path: Path) -> Iterator[Any]:
    form: Callable[[Operator, Path], Any] = request.param
    yield form(operator, tmp_path)


def test_the_search_sees_the_arguments_of_a_program_and_a_file_that_stays(operator: Operator, tmp_path: Path) -> None:
    token = operator.planted.values["the token"]
    # The program lasts until its input is closed, at the end of the block.
    program = [sys.executable, "-c", "import sys; sys.stdin.read()", token]
    with arguments_of_processes() as arguments, subprocess.Popen(program, stdin=subprocess.PIPE):
        until(lambda: [line for line in arguments if token.encode() in line], "the arguments of a program that runs")
    (tmp_path / "left").write_text(json.dumps(operator.content))
    run = Run(0, yaml.safe_dump(operator.content), arguments, [tmp_path], 0)
    found = run.leaks(operator.planted)
    for name in operator.planted.values:
        assert f"{name} in the output" in found
        assert f"{name} in {tmp_path / 'left'}" in found
    assert "the token in the arguments of a program" in found


@pytest.mark.requirement("A1")
@pytest.mark.variable("cluster_kubeconfig")
@pytest.mark.parametrize("given", _OF_ROLES, indirect=True)
def test_the_roles_reach_the_cluster_and_report_nothing(
    empty_twin: Twin, operator: Operator, given: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    variables = {"cluster_kubeconfig": given, "bookinfo_enabled": True, "mesh_namespaces": [{"name": "bookinfo", "dataplane_mode": "ambient"}]}
    if request.node.callspec.id == _WITH_CONTEXT:
        # The current context leads nowhere: whatever does not go by cluster_context is not let in.
        variables |= {"cluster_kubeconfig": _as_path(operator.as_user("guest"), tmp_path), "cluster_context": "person"}
    for playbook in ("site.yml", "verify.yml"):
        run = _run(empty_twin, tmp_path, playbook, variables)
        assert run.returncode == 0, run.output[-4000:]
        assert "in the process of the task" in run.output, "this was no run with -vvv"
        assert not run.leaks(operator.planted)


def test_kubernetes_core_reaches_the_cluster_and_reports_nothing(
    empty_twin: Twin, operator: Operator, given: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    form = request.node.callspec.id
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 1.0.0\n")
    (chart / "templates" / "settings.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: small-{{ .Release.Name }}}\n")
    play = {"hosts": "clusters", "gather_facts": False, "module_defaults": {"group/meshwright.ambient.mesh": _DEFAULTS}, "tasks": _TASKS}
    (tmp_path / "tasks.yml").write_text(yaml.safe_dump([play]))
    run = _run(empty_twin, tmp_path, str(tmp_path / "tasks.yml"), {"cluster_kubeconfig": given, "form": form, "chart": str(chart)})
    assert run.returncode == 0, run.output[-4000:]
    assert not run.leaks(operator.planted)


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda content: yaml.safe_dump(content["users"]), "neither the path of an existing file nor the content of a kubeconfig", id="not-whole"),
        pytest.param(lambda content: yaml.safe_dump(content) + "\t'", "neither the path of an existing file nor the content of a kubeconfig", id="no-yaml"),
        pytest.param(
            lambda content: yaml.safe_dump({**content, "current-context": "nobody"}), "cluster_kubeconfig has a current context that is not in it", id="no-user"
        ),
        pytest.param(
            lambda content: yaml.safe_dump({**content, "clusters": [{"name": "shop", "cluster": {"server": "https://127.0.0.1:1"}}]}),
            "https://127.0.0.1:1 could not be reached",
            id="no-server",
        ),
        pytest.param(lambda content: yaml.safe_dump({**content, "current-context": "guest"}), "refused to list customresourcedefinitions", id="not-let-in"),
    ],
)
def test_a_run_that_fails_reports_nothing(empty_twin: Twin, operator: Operator, spoil: Callable[[dict[str, Any]], str], message: str, tmp_path: Path) -> None:
    run = _run(empty_twin, tmp_path, "site.yml", {"cluster_kubeconfig": spoil(operator.content)})
    assert run.returncode != 0
    assert message in " ".join(run.output.split())
    assert not run.leaks(operator.planted)
