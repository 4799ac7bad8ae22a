"""What the module asks, and what it reports; the comparison is tested with the rules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.connect import AUTH_ARG_SPEC
from ansible_collections.meshwright.ambient.plugins.modules.helm_release_info import OPTIONS, compare
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.helm_records import record
from tests.unit.objects import Object

SECRETS = "/api/v1/namespaces/istio-system/secrets"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NO_PLUGIN = (0, "NAME\tVERSION\tDESCRIPTION\n", "")


def release(name: str = "istiod", **changes: Any) -> dict[str, Any]:
    item = {key: option.get("default") for key, option in OPTIONS["releases"]["options"].items()}  # type: ignore[index]
    place = {"namespace": "istio-system", "chart_ref": name, "chart_repo_url": "https://charts.example", "chart_version": "1.31.1"}
    return {**item, "name": name, **place, **changes}


class Task:
    """One task on an API server that has these objects by path, beside a Helm that answers so."""

    def __init__(self, lists: dict[str, list[Object]], *, helm: str | None = "/bin/helm", plugins: tuple[int, str, str] = NO_PLUGIN) -> None:
        self.lists, self.helm, self.plugins = lists, helm, plugins
        self.started: list[list[str]] = []
        self.forbidden = ""
        self.hidden: tuple[str, ...] = ()
        self.files: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.api = FakeApi(respond=self._answer)

    def run(self, *releases: dict[str, Any], **options: bool) -> list[dict[str, Any]]:
        params = {**dict.fromkeys(AUTH_ARG_SPEC), "releases": list(releases), "dry_run": False, "take_ownership": False, "skip_unreadable": False, **options}
        module: Any = SimpleNamespace(params=params, get_bin_path=lambda _name: self.helm, run_command=self._run_command, **self.files)
        result = compare(module, self.api.session)
        assert result["changed"] is False
        self.result = result
        found: list[dict[str, Any]] = result["releases"]
        return found

    def _run_command(self, command: list[str], **_options: Any) -> tuple[int, str, str]:
        self.started.append(command)
        return self.plugins if command[1] == "plugin" else self.answers.get(command[-2], (0, "", ""))

    def _answer(self, request: Request) -> Answer:
        if self.hidden and request.path.endswith(self.hidden):
            return refusal(403, "Forbidden", 'things is forbidden: User "eve" cannot list resource "things" in API group ""')
        if self.forbidden and request.path.endswith("/secrets"):
            return refusal(403, "Forbidden", self.forbidden)
        return listed(*self.lists.get(request.path, ()))


def test_each_namespace_is_read_once_and_helm_is_started_once() -> None:
    names = ("istio-base", "istiod", "ztunnel")
    task = Task({SECRETS: [record(name, config={"profile": "ambient"}) for name in names]})
    found = task.run(*(release(name, values={"profile": "ambient"}) for name in names), release("door", namespace="doors"))
    assert [(item["name"], item["same"]) for item in found] == [("istio-base", True), ("istiod", True), ("ztunnel", True), ("door", False)]
    assert found[3] == {
        "name": "door",
        "namespace": "doors",
        "status": "",
        "revision": 0,
        "pending": False,
        "same": False,
        "differs": ["missing"],
        "missing": [],
    }
    assert [request.path for request in task.api.requests] == ["/api/v1/namespaces/doors/secrets", SECRETS]
    assert task.started == [["/bin/helm", "plugin", "list"]]


def test_nothing_of_the_values_and_of_what_was_rendered_is_returned() -> None:
    found = Task({SECRETS: [record(config={"password": "planted-secret"}, files={"values.yaml": "planted-secret"})]}).run(release(values={"password": "other"}))
    assert found[0]["differs"] == ["values"]
    assert "planted-secret" not in json.dumps(found)


def test_a_pending_release_is_reported_and_helm_is_not_asked_for_its_plugins() -> None:
    task = Task({SECRETS: [record(revision=1), record(revision=2, status="pending-upgrade")]})
    assert task.run(release()) == [
        {
            "name": "istiod",
            "namespace": "istio-system",
            "status": "pending-upgrade",
            "revision": 2,
            "pending": True,
            "same": False,
            "differs": ["status"],
            "missing": [],
        }
    ]
    assert not task.started


@pytest.mark.parametrize(
    ("helm", "plugins"),
    [
        pytest.param("/bin/helm", (0, "NAME\tVERSION\tDESCRIPTION\ndiff\t3.9.4\tPreview\n", ""), id="the plugin diff"),
        pytest.param("/bin/helm", (1, "", "no such directory"), id="a Helm that does not answer"),
        pytest.param(None, NO_PLUGIN, id="no Helm"),
    ],
)
def test_where_helm_could_see_more_it_is_to_be_asked(helm: str | None, plugins: tuple[int, str, str]) -> None:
    found = Task({SECRETS: [record(), record("ztunnel", status="failed")]}, helm=helm, plugins=plugins).run(release(), release("ztunnel"))
    assert [item["differs"] for item in found] == [["plugin"], ["status"]]
    assert not any(item["same"] for item in found)


def test_what_differs_is_summed_up_for_tasks_and_messages() -> None:
    task = Task({SECRETS: [record(), record("ztunnel", status="failed")]}, helm=None)
    task.run(release(), release("ztunnel"), release("base"))
    assert task.result["stale"] == ["istio-system/istiod", "istio-system/ztunnel", "istio-system/base"]
    assert task.result["differences"] == ["istio-system/ztunnel (status)", "istio-system/base (missing)"]


def test_records_in_config_maps_are_read_and_those_elsewhere_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    task = Task({})
    assert task.run(release())[0]["differs"] == ["missing"]
    assert [request.path for request in task.api.requests] == ["/api/v1/namespaces/istio-system/configmaps"]
    monkeypatch.setenv("HELM_DRIVER", "sql")
    with pytest.raises(MeshError, match="HELM_DRIVER is sql"):
        task.run(release())


def test_another_plugin_is_not_in_the_way() -> None:
    assert Task({SECRETS: [record()]}, plugins=(0, "NAME\tVERSION\tDESCRIPTION\ndifference\t1\tx\nsecrets\t4\tdiff\n", "")).run(release())[0]["same"]


def test_definitions_are_read_only_when_they_are_asked_for() -> None:
    definition = {"kind": "CustomResourceDefinition", "metadata": {"name": "things.example.org"}}
    task = Task({SECRETS: [record(files={"crds/things.json": json.dumps(definition)})], DEFINITIONS: [definition]})
    assert task.run(release())[0]["same"]
    assert [request.path for request in task.api.requests] == [SECRETS]
    assert task.run(release(definitions=True))[0]["same"]
    assert task.api.requests[-1].path == DEFINITIONS


@pytest.mark.parametrize(
    ("message", "skip", "skipped"),
    [
        ('secrets is forbidden: User "eve" cannot list resource "secrets" in API group "" in the namespace "istio-system"', True, True),
        ('secrets is forbidden: User "eve" cannot list resource "secrets" in API group "" in the namespace "istio-system"', False, False),
        ('admission webhook "vault.example" denied the request: no', True, False),
    ],
)
def test_a_user_who_may_not_read_records_is_no_error_where_that_is_asked_for(message: str, skip: bool, skipped: bool) -> None:
    task = Task({})
    task.forbidden = message
    if skipped:
        assert task.run(release(), skip_unreadable=skip) == []
        assert task.result["readable"] is False
        return
    with pytest.raises(MeshError, match="refused to list secrets"):
        task.run(release(), skip_unreadable=skip)


def test_all_releases_that_differ_are_tried_before_the_first_is_installed(tmp_path: Path) -> None:
    task = Task({SECRETS: [record("ztunnel", config={})]})
    task.files = {"tmpdir": str(tmp_path), "add_cleanup_file": lambda _path: None}
    task.answers = {"istiod": (1, "", "Error: execution error at (istiod/templates/a.yaml:1:4): no"), "istio-cni": (1, "", "Error: no such value")}
    with pytest.raises(MeshError, match="Nothing was changed") as refused:
        task.run(release("istiod"), release("ztunnel"), release("istio-cni"), release("istio-base"), dry_run=True)
    assert [line.split(" on cluster")[0] for line in refused.value.message.splitlines()[:2]] == [
        "Helm could not install release istio-system/istiod",
        "Helm could not install release istio-system/istio-cni",
    ]
    tried = [command[-2] for command in task.started if "--dry-run=server" in command]
    assert tried == ["istiod", "istio-cni", "istio-base"]


MANIFEST = "---\n".join(
    f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n"
    for version, kind, name in (("v1", "Service", "istiod"), ("apps/v1", "Deployment", "istiod"), ("v1", "ConfigMap", "istio"))
)


def test_objects_that_somebody_has_deleted_are_a_difference() -> None:
    services = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod", "namespace": "istio-system"}}]
    task = Task({SECRETS: [record(config={}, manifest=MANIFEST)], "/api/v1/namespaces/istio-system/services": services})
    (found,) = task.run(release())
    assert (found["differs"], found["missing"]) == (["objects"], ["Deployment istio-system/istiod", "ConfigMap istio-system/istio"])
    assert task.result["differences"] == ["istio-system/istiod (objects missing: Deployment istio-system/istiod, ConfigMap istio-system/istio)"]
    assert task.result["stale"] == ["istio-system/istiod"]


def test_kinds_that_this_user_may_not_list_are_left_out() -> None:
    task = Task({SECRETS: [record(config={}, manifest=MANIFEST)]})
    task.hidden = ("/services", "/deployments", "/configmaps")
    assert task.run(release())[0]["same"]


def test_a_kind_is_discovered_once_and_one_that_is_not_served_is_left_out() -> None:
    objects = "---\n".join(f"apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: {name}\n" for name in ("a", "b"))
    task = Task({SECRETS: [record(config={}, manifest=objects)]})
    assert task.run(release())[0]["same"]
    assert [request.path for request in task.api.requests if "example.org" in request.path] == ["/apis/example.org/v1"]
