"""When Helm is started, with what, and what happens before."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.connect import AUTH_ARG_SPEC
from ansible_collections.meshwright.ambient.plugins.modules.helm_release import OPTIONS, install
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.helm_records import record
from tests.unit.objects import Object

SECRETS = "/api/v1/namespaces/istio-system/secrets"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DEFINITION = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.org"}}
CHART_YAML = yaml.safe_dump({"name": "istiod", "version": "1.31.1", "appVersion": "1.31.1"})


class Task:
    """One task on an API server with these records, beside a Helm that notes how it was started."""

    def __init__(self, directory: Path, *records: Object, plugins: str = "", answers: dict[str, tuple[int, str, str]] | None = None) -> None:
        self.directory, self.plugins = directory, plugins
        self.answers = {"show chart": (0, CHART_YAML, ""), "plugin list": (0, plugins, ""), **(answers or {})}
        self.lists: dict[str, list[Object]] = {SECRETS: list(records)}
        self.started: list[str] = []
        self.commands: list[list[str]] = []
        self.environment: dict[str, str] = {}
        self.values = ""
        self.refused: dict[str, Answer] = {}
        self.api = FakeApi(respond=self._answer)

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        defaults = {key: option.get("default") for key, option in {**AUTH_ARG_SPEC, **OPTIONS}.items()}
        place = {"name": "istiod", "namespace": "istio-system", "chart_ref": "istiod", "chart_repo_url": "https://charts.example", "chart_version": "1.31.1"}
        module: Any = SimpleNamespace(
            params={**defaults, **place, **options},
            check_mode=check,
            tmpdir=str(self.directory),
            get_bin_path=lambda _name: "/bin/helm",
            run_command=self._run_command,
            add_cleanup_file=lambda _path: None,
        )
        return install(module, self.api.session)

    @property
    def writes(self) -> list[str]:
        return [str(request) for request in self.api.requests if request.method in ("PATCH", "DELETE") and not request.dry_run]

    def _run_command(self, command: list[str], environ_update: dict[str, str] | None = None) -> tuple[int, str, str]:
        self.commands.append(command)
        started = " ".join(command[1:3]) if command[1] in ("show", "plugin", "diff") else command[1]
        self.started.append(started)
        self.environment = environ_update or {}
        if "--values" in command:
            path = Path(command[command.index("--values") + 1])
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, "others can read the values"
            self.values = path.read_text()
        return self.answers.get(started, (0, "", ""))

    def _answer(self, request: Request) -> Answer:
        if str(request) in self.refused:
            return self.refused[str(request)]
        return listed(*self.lists.get(request.path, ())) if request.method == "GET" else Answer(200, {"status": {"allowed": True}})


def test_a_release_that_matches_starts_nothing_but_the_question_for_plugins(tmp_path: Path) -> None:
    task = Task(tmp_path, record(config={"a": "0815"}))
    assert task.run(values={"a": "0815"}) == {"changed": False, "differs": [], "repaired": [], "definitions": []}
    assert (task.started, task.writes) == (["plugin list"], [])


def test_a_missing_release_is_installed_with_its_values_as_they_are(tmp_path: Path) -> None:
    task = Task(tmp_path)
    result = task.run(values={"account": "012345678901", "commit": "1234e5"})
    assert (result["changed"], result["differs"]) == (True, ["missing"])
    assert task.started == ["show chart", "upgrade"]
    assert task.values == '{"account": "012345678901", "commit": "1234e5"}'
    command = task.commands[-1]
    assert command[:5] == ["/bin/helm", "upgrade", "--install", "--create-namespace", "--reset-values"]
    assert command[-7:] == ["--repo", "https://charts.example", "--version", "1.31.1", "--", "istiod", "istiod"]
    assert "012345678901" not in " ".join(command)


@pytest.mark.parametrize("status", ["failed", "superseded-by-hand"])
def test_a_release_that_failed_is_installed_again_though_chart_and_values_are_the_same(tmp_path: Path, status: str) -> None:
    task = Task(tmp_path, record(status=status))
    assert task.run()["differs"] == ["status"]
    assert (task.started, task.writes) == (["show chart", "upgrade"], [])


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown"])
@pytest.mark.parametrize("check", [False, True])
def test_an_interrupted_release_is_repaired_or_refused(tmp_path: Path, status: str, check: bool) -> None:
    task = Task(tmp_path, record(status=status, revision=3))
    with pytest.raises(MeshError, match=f"Release istio-system/istiod on cluster .* is {status} in revision 3") as refused:
        task.run(check=check)
    assert "kubectl delete secret -n istio-system sh.helm.release.v1.istiod.v3" in refused.value.message
    assert refused.value.message.lower().count("nothing was changed") == 1
    assert "upgrade" not in task.started and not task.writes
    assert task.run(check=check, repair=True)["repaired"] == ["sh.helm.release.v1.istiod.v3"]
    assert task.writes == ([] if check else [f"DELETE {SECRETS}/sh.helm.release.v1.istiod.v3"])
    assert ("upgrade" in task.started) is not check


def test_the_way_out_names_the_kind_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    task = Task(tmp_path)
    task.lists[SECRETS.replace("secrets", "configmaps")] = [record(status="pending-upgrade")]
    with pytest.raises(MeshError, match=r"kubectl delete configmap -n istio-system sh\.helm\.release\.v1\.istiod\.v1"):
        task.run()


def test_a_chart_that_cannot_be_had_is_reported_before_anything_is_repaired(tmp_path: Path) -> None:
    task = Task(tmp_path, record(status="pending-upgrade"), answers={"show chart": (1, "", "Error: chart not found\nin the repository\n")})
    with pytest.raises(MeshError, match=r"Helm could not read the chart of release istio-system/istiod on .*: Error: chart not found in the repository"):
        task.run(repair=True)
    assert not task.writes


def test_a_range_is_compared_with_the_chart_that_the_repository_means(tmp_path: Path) -> None:
    task = Task(tmp_path, record())
    assert task.run(chart_version="1.31.x")["changed"] is False
    assert task.started == ["show chart", "plugin list"]


def test_a_range_that_means_the_installed_chart_is_compared_by_the_plugin_as_well(tmp_path: Path) -> None:
    task = Task(tmp_path, record(), plugins="diff\t3.9.4\tPreview\n", answers={"diff upgrade": (0, "- a\n+ b\n", "")})
    assert task.run(chart_version="1.31.x")["differs"] == ["plugin"]
    assert task.started == ["show chart", "plugin list", "diff upgrade", "upgrade"]


def test_definitions_come_first_and_only_those_that_differ(tmp_path: Path) -> None:
    other = {**DEFINITION, "metadata": {"name": "others.example.org"}}
    task = Task(tmp_path, answers={"show crds": (0, yaml.safe_dump_all([DEFINITION, other]), "")})
    task.lists[DEFINITIONS] = [other]
    assert task.run(definitions=True)["definitions"] == ["things.example.org"]
    assert task.writes == [f"PATCH {DEFINITIONS}/things.example.org"]
    assert task.started == ["show chart", "show crds", "upgrade", "upgrade"] and "--skip-crds" in task.commands[-1]
    assert ["--dry-run=server" in command for command in task.commands if command[1] == "upgrade"] == [True, False], "Helm is asked first"


def test_definitions_that_the_api_server_refuses_keep_helm_from_being_started(tmp_path: Path) -> None:
    task = Task(tmp_path, answers={"show crds": (0, yaml.safe_dump(DEFINITION), "")})
    task.refused[f"PATCH {DEFINITIONS}/things.example.org"] = refusal(422, "Invalid", "spec.versions: Required value")
    with pytest.raises(MeshError, match=r"spec\.versions: Required value"):
        task.run(definitions=True)
    assert task.writes == [] and "upgrade" not in task.started


def test_definitions_are_not_written_for_a_release_that_helm_refuses(tmp_path: Path) -> None:
    foreign = (
        'Error: Unable to continue with install: ClusterRole "things" in namespace "" exists and cannot be imported into the current release: invalid '
        'ownership metadata; annotation validation error: key "meta.helm.sh/release-namespace" must equal "istio-system": current value is "mesh"'
    )
    task = Task(tmp_path, answers={"show crds": (0, yaml.safe_dump(DEFINITION), ""), "upgrade": (1, "", foreign)})
    with pytest.raises(MeshError, match="which belongs to release mesh/istiod: give the release that namespace, or uninstall the other one first"):
        task.run(definitions=True)
    assert task.writes == []


@pytest.mark.requirement("A14")
@pytest.mark.parametrize(
    ("owners", "given", "queries"),
    [
        pytest.param((), {}, ["dryRun force", "force"], id="nobody"),
        pytest.param(("helm", "meshwright"), {}, ["dryRun force", "force"], id="helm"),
        pytest.param(("terraform-provider-helm_v2.17.0_x5",), {}, ["dryRun force", "force"], id="helm-of-terraform"),
        pytest.param(("helm", "kubectl-client-side-apply"), {}, ["dryRun", ""], id="kubectl"),
        pytest.param(("kubectl-client-side-apply",), {"force_conflicts": True}, ["dryRun force", "force"], id="kubectl-by-force"),
    ],
)
def test_definitions_of_others_are_taken_over_only_on_request(tmp_path: Path, owners: tuple[str, ...], given: dict[str, Any], queries: list[str]) -> None:
    status = {"manager": "kube-apiserver", "operation": "Update", "subresource": "status"}
    managed = [status, *({"manager": owner, "operation": "Update"} for owner in owners)]
    task = Task(tmp_path, answers={"show crds": (0, yaml.safe_dump({**DEFINITION, "spec": {"scope": "Cluster"}}), "")})
    task.lists[DEFINITIONS] = [{**DEFINITION, "metadata": {**DEFINITION["metadata"], "managedFields": managed}}]
    assert task.run(definitions=True, **given)["definitions"] == ["things.example.org"]
    sent = [request.query for request in task.api.requests if request.method == "PATCH"]
    assert [" ".join(name for name in ("dryRun", "force") if name in query) for query in sent] == queries


@pytest.mark.requirement("A14")
@pytest.mark.parametrize("check", [False, True])
def test_a_conflict_about_a_definition_names_field_and_owner_before_anything_is_done(tmp_path: Path, check: bool) -> None:
    task = Task(tmp_path, answers={"show crds": (0, yaml.safe_dump({**DEFINITION, "spec": {"scope": "Cluster"}}), "")})
    managed = [{"manager": "argocd-controller", "operation": "Apply"}]
    task.lists[DEFINITIONS] = [{**DEFINITION, "metadata": {**DEFINITION["metadata"], "managedFields": managed}}]
    answer, told = task._answer, 'Apply failed with 1 conflict: conflict with "argocd-controller": .spec.versions'
    task.api = FakeApi(respond=lambda request: refusal(409, "Conflict", told) if request.method == "PATCH" else answer(request))
    with pytest.raises(MeshError) as refused:
        task.run(definitions=True, check=check)
    assert f"{told}. Leave the field to its owner, or set force_conflicts to take it over." in refused.value.message
    assert "upgrade" not in task.started
    assert {request.dry_run for request in task.api.requests if request.method == "PATCH"} == {True}


def test_definitions_with_a_chart_of_their_own_are_rendered(tmp_path: Path) -> None:
    task = Task(tmp_path, answers={"template": (0, yaml.safe_dump(DEFINITION), "")})
    own = {"chart_ref": "/srv/crds.tgz", "chart_repo_url": None, "chart_version": None}
    assert task.run(definitions=True, definitions_chart=own)["definitions"] == ["things.example.org"]
    assert task.commands[1][-2:] == ["istiod", "/srv/crds.tgz"]


def test_with_the_plugin_diff_helm_compares_what_the_records_do_not_report(tmp_path: Path) -> None:
    task = Task(tmp_path, record(), plugins="diff\t3.9.4\tPreview\n")
    assert task.run()["changed"] is False
    task.answers["diff upgrade"] = (0, "- a\n+ b\n", "")
    result = task.run()
    assert (result["differs"], result["diff"]) == (["plugin"], {"prepared": "- a\n+ b"})
    assert task.started[-1] == "upgrade"


def test_a_failure_of_helm_is_one_sentence_with_the_words_of_helm(tmp_path: Path) -> None:
    task = Task(tmp_path, answers={"upgrade": (1, "", "Error: UPGRADE FAILED: something\n")})
    with pytest.raises(MeshError, match=r"Helm could not install release istio-system/istiod on cluster .*: Error: UPGRADE FAILED: something") as failed:
        task.run()
    assert failed.value.details["rc"] == 1


@pytest.mark.parametrize(
    ("errors", "remedy"),
    [
        (
            'Error: INSTALLATION FAILED: services "istiod" is forbidden: exceeded quota: few, requested: services=1, used: services=5, limited: services=5',
            "To do: raise ResourceQuota few of the namespace",
        ),
        ('Error: UPGRADE FAILED: Internal error occurred: failed calling webhook "a.example.com": no', "To do: webhook a.example.com does not answer"),
        ("Error: UPGRADE FAILED: timed out waiting for the condition", ""),
        ('Error: INSTALLATION FAILED: Unable to continue with install: ServiceAccount "a" in namespace "b" already exists', ""),
    ],
    ids=["quota", "webhook", "helm-itself", "helm-itself-about-an-object"],
)
def test_a_refusal_of_the_cluster_that_helm_quotes_comes_with_what_helps(tmp_path: Path, errors: str, remedy: str) -> None:
    task = Task(tmp_path, answers={"upgrade": (1, "", errors)})
    with pytest.raises(MeshError) as refused:
        task.run()
    assert (remedy or "To do") in refused.value.message or not remedy
    assert remedy or "To do" not in refused.value.message


def test_the_cluster_is_named_by_files_and_variables_never_by_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "foreign")
    task = Task(tmp_path)
    task.run(kubeconfig={"users": [{"user": {"token": "planted-secret"}}]}, context="shop")
    assert json.loads(Path(task.environment["KUBECONFIG"]).read_text()) == {"users": [{"user": {"token": "planted-secret"}}]}
    assert stat.S_IMODE(Path(task.environment["KUBECONFIG"]).stat().st_mode) == 0o600
    assert task.environment["HELM_KUBECONTEXT"] == "shop" and not task.environment["HELM_KUBETOKEN"]
    assert "planted-secret" not in json.dumps(task.commands)
    task.run(host="https://api", api_key="key", validate_certs=False, ca_cert="/ca")
    variables = {name: value for name, value in task.environment.items() if value and name.startswith("HELM")}
    assert variables == {"HELM_KUBEAPISERVER": "https://api", "HELM_KUBETOKEN": "key", "HELM_KUBECAFILE": "/ca", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true"}


CONFLICT = (
    'Error: Unable to continue with install: ServiceAccount "istiod" in namespace "istio-system" exists and cannot be imported into the current release: '
    'invalid ownership metadata; annotation validation error: key "meta.helm.sh/release-name" must equal "istiod": current value is "control"'
)


def test_check_mode_finds_what_helm_would_refuse(tmp_path: Path) -> None:
    task = Task(tmp_path, answers={"upgrade": (1, "", CONFLICT)})
    with pytest.raises(MeshError, match="which belongs to release istio-system/control"):
        task.run(check=True)
    assert "--dry-run=server" in task.commands[-1]


def test_check_mode_goes_on_if_the_definitions_come_later(tmp_path: Path) -> None:
    task = Task(tmp_path, answers={"upgrade": (1, "", 'Error: no matches for kind "Telemetry" in version "telemetry.istio.io/v1"')})
    assert task.run(check=True)["changed"]


@pytest.mark.parametrize("take", [False, True])
def test_objects_of_others_are_taken_over_only_if_that_is_desired(tmp_path: Path, take: bool) -> None:
    task = Task(tmp_path)
    task.run(take_ownership=take)
    assert ("--take-ownership" in task.commands[-1]) is take
    assert "--dry-run=server" not in task.commands[-1]
