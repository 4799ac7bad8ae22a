"""A password in a URL is printed by nothing, and stands in no command line, which every user of a host can read."""

from __future__ import annotations

import base64
import json
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils import _text
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.source import read_bundle
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.apply import Helm
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.charts import chart_reference
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import Chart, ChartReference, Release
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.connect import AUTH_ARG_SPEC
from ansible_collections.meshwright.ambient.plugins.module_utils._module import run
from ansible_collections.meshwright.ambient.plugins.modules.helm_release import OPTIONS
from generate.declarations import role_variables
from tests.unit.inventory_values import values_of

PASSWORD = "invented-password"
SECRET = f"user:{PASSWORD}"
RELEASE = Release("istiod", "istio-system", Chart("istiod", "1.31.1"), {})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"at http://{SECRET}@127.0.0.1:1/bundle.yaml.", "at http://127.0.0.1:1/bundle.yaml."),
        (f"oci://{SECRET}@registry.example/charts", "oci://registry.example/charts"),
        (f'Get "https://{SECRET}@a.example/x": EOF, https://token@b.example', 'Get "https://a.example/x": EOF, https://b.example'),
        ("https://u:p@ss@a.example/x", "https://a.example/x"),
        # Characters that a password should have encoded.
        ("https://u:p/ss@a.example/x", "https://a.example/x"),
        ("at https://u:p#s?s@a.example:8080/x: EOF", "at https://a.example:8080/x: EOF"),
        ("https://a.example:8080/x?to=me@b.example", "https://a.example:8080/x?to=me@b.example"),
        ("https://[::1]:8080/x?to=me@b.example", "https://[::1]:8080/x?to=me@b.example"),
        ("see https://a.example: me@b.example", "see https://a.example: me@b.example"),
        ("oci://registry.example/charts/a@sha256:0123", "oci://registry.example/charts/a@sha256:0123"),
        ("https://a.example/x?to=me@b.example", "https://a.example/x?to=me@b.example"),
        ("al2023@latest, me@example.com", "al2023@latest, me@example.com"),
    ],
)
def test_a_url_is_shown_without_user_and_password(text: str, shown: str) -> None:
    assert _text.without_userinfo(text) == shown


def test_an_error_never_has_one() -> None:
    error = MeshError(f"no answer of https://{SECRET}@a.example")
    assert PASSWORD not in str(error) and error.message == "no answer of https://a.example"


@pytest.mark.parametrize("secret", [SECRET, "user:/invented-password", "user:invented#password"])
def test_a_bundle_that_cannot_be_read_is_named_without_its_password(secret: str) -> None:
    with pytest.raises(MeshError) as raised:
        read_bundle(f"http://{secret}@127.0.0.1:1/bundle.yaml")
    assert raised.value.message.startswith("The manifests at http://127.0.0.1:1/bundle.yaml could not be read (")
    assert "invented" not in raised.value.message


def test_a_password_is_sent_to_who_asks_for_it() -> None:
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            self.send_response(200 if asked[-1] else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="bundles"')
            self.end_headers()
            self.wfile.write(b"kind: Definition\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            for userinfo in ("user:p%2Fss", "token"):
                asked.clear()
                assert read_bundle(f"http://{userinfo}@127.0.0.1:{server.server_address[1]}/bundle.yaml") == [{"kind": "Definition"}]
                expected = {"user:p%2Fss": "user:p/ss", "token": "token:"}[userinfo]
                assert base64.b64decode(str(asked[-1]).removeprefix("Basic ")).decode() == expected
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("url", ["http://[bad/bundle.yaml", "http://127.0.0.1:port/bundle.yaml", "http://127.0.0.1/my bundle.yaml"])
def test_a_text_that_is_no_url_is_an_error_with_the_right_remedy(url: str) -> None:
    with pytest.raises(MeshError, match=r"could not be read .*: check the address or path"):
        read_bundle(url)


def test_a_host_that_cannot_be_one_keeps_no_password_from_being_hidden() -> None:
    login = reference(f"https://{SECRET}@[bad/charts").login
    assert login and (login.host, login.password) == ("[bad", PASSWORD)


class Module:
    """A task's module, which notes how Helm was started, and what the files held that it was given."""

    def __init__(self, directory: Path, answers: dict[str, tuple[int, str, str]] | None = None) -> None:
        self.params: dict[str, Any] = {name: option.get("default") for name, option in {**AUTH_ARG_SPEC, **OPTIONS}.items()}
        self.tmpdir, self.answers = str(directory), answers or {}
        self.commands: list[list[str]] = []
        self.files: list[dict[str, str]] = []

    def get_bin_path(self, _name: str) -> str:
        return "/bin/helm"

    def add_cleanup_file(self, _path: str) -> None:
        pass

    def run_command(self, command: list[str], environ_update: dict[str, str] | None = None) -> tuple[int, str, str]:
        self.commands.append(command)
        environment = {name: value for name, value in (environ_update or {}).items() if name.endswith("_CONFIG") and name.startswith("HELM_")}
        assert PASSWORD not in " ".join([*command, *(environ_update or {}).values()])
        assert all(stat.S_IMODE(Path(path).stat().st_mode) == 0o600 for path in environment.values())
        self.files.append({name: json.loads(Path(path).read_text()) for name, path in environment.items()})
        if command[1] == "repo" and "repo" not in self.answers:
            Path((environ_update or {})["HELM_REPOSITORY_CACHE"], f"{command[-1]}-index.yaml").touch()
        return self.answers.get(command[1], (0, "name: istiod\nversion: 1.31.1\n", ""))


def reference(source: str) -> ChartReference:
    options = {"chart_ref": "", "chart_repo_url": None, "chart_version": None, **chart_reference(source, "istiod", "1.31.1")}
    return ChartReference.of(options)


@pytest.mark.parametrize("act", ["upgrade", "difference", "chart", "definitions"])
def test_helm_gets_the_password_of_a_repository_by_a_file(tmp_path: Path, act: str) -> None:
    module: Any = Module(tmp_path)
    helm, chart = Helm(module, "prod"), reference(f"https://{SECRET}@127.0.0.1:1/charts")
    for _twice in range(2):
        arguments: tuple[Any, ...] = (RELEASE, chart, None) if act == "definitions" else (RELEASE, chart)
        getattr(helm, act)(*arguments)
    assert [command[1:3] for command in module.commands].count(["repo", "update"]) == 1, "its index is read once"
    assert module.commands[-1][-1] == "meshwright-source/istiod" and "--repo" not in module.commands[-1]
    assert module.commands[-1][module.commands[-1].index("--version") + 1] == "1.31.1"
    entry = {"name": "meshwright-source", "url": "https://127.0.0.1:1/charts", "username": "user", "password": PASSWORD}
    assert [files["HELM_REPOSITORY_CONFIG"]["repositories"] for files in module.files] == [[entry]] * 3


def test_helm_gets_the_password_of_a_registry_by_a_file(tmp_path: Path) -> None:
    module: Any = Module(tmp_path)
    Helm(module, "prod").upgrade(RELEASE, reference("oci://user:p%40ss-invented-password@registry.example:5000/charts"))
    assert module.commands[0][-1] == "oci://registry.example:5000/charts/istiod"
    auth = module.files[0]["HELM_REGISTRY_CONFIG"]["auths"]["registry.example:5000"]["auth"]
    assert base64.b64decode(auth).decode() == "user:p@ss-invented-password"


def test_a_repository_without_a_password_is_given_as_it_is(tmp_path: Path) -> None:
    module: Any = Module(tmp_path)
    Helm(module, "prod").upgrade(RELEASE, reference("https://a.example/charts"))
    assert (len(module.commands), module.files) == (1, [{}])
    assert module.commands[0][-7:] == ["--repo", "https://a.example/charts", "--version", "1.31.1", "--", "istiod", "istiod"]


@pytest.mark.parametrize("code", [0, 1], ids=["as-helm-3-says-it", "with-a-code"])
def test_a_repository_that_cannot_be_read_is_named_without_its_password(tmp_path: Path, code: int) -> None:
    module: Any = Module(
        tmp_path,
        {
            "repo": (
                code,
                f'Unable to get an update ("https://{SECRET}@127.0.0.1:1/charts")',
                f'Error: looks like "https://{SECRET}@127.0.0.1:1/charts" is not a valid chart repository',
            )
        },
    )
    with pytest.raises(MeshError) as raised:
        Helm(module, "prod").chart(RELEASE, reference(f"https://{SECRET}@127.0.0.1:1/charts"))
    assert PASSWORD not in f"{raised.value.message} {raised.value.details}"
    assert "read the repository https://127.0.0.1:1/charts" in raised.value.message


def test_ansible_hides_it_in_the_options_that_it_returns_with_high_verbosity() -> None:
    module: Any = SimpleNamespace(
        params={"kubeconfig": None, "chart_repo_url": f"https://{SECRET}@a.example", "values": {"a": ["https://git@b.example"]}}, no_log_values=set()
    )
    module.fail_json = lambda **_result: None
    module.exit_json = lambda **_result: None
    # The session cannot be opened; what is hidden is decided before.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ansible_collections.meshwright.ambient.plugins.module_utils._module.connect", lambda _module: None)
        run(module, lambda _module, _session: {})
    assert module.no_log_values == {SECRET}, "a user alone may be a word of the result"


def test_argo_cd_is_not_given_a_password_in_an_application() -> None:
    variables = {"istio_delivery": "argocd", "istio_chart_source": f"https://{SECRET}@a.example/charts", "istio_version": "1.31.1"}
    (error,) = [error for error in validate_istio(values_of(variables)) if error.startswith("istio_chart_source")]
    assert "has a user or a password" in error and PASSWORD not in error


SOURCES = {
    "alb_controller_chart_source", "alb_controller_policy_source", "bookinfo_source", "gateway_api_source", "istio_chart_source", "karpenter_chart_source",
}  # fmt: skip


def test_each_source_of_the_roles_is_known_here() -> None:
    found = {name for options in role_variables().values() for name in options if name.endswith(("_source", "_url", "_repository"))}
    assert found == SOURCES, "say how its password stays out of messages and command lines, and test it"
