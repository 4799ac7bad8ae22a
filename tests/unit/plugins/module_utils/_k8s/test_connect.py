from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.connect import AUTH_ARG_SPEC, _configured, connect
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.session import ApiSession
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import Response, TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import NAMESPACE

PATIENCE = 10.0
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
UNAUTHORIZED = {"kind": "Status", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}


class Server:
    """A small HTTP server on this machine: it knows one token, tells of each request, and can hold a watch open."""

    def __init__(self, stack: ExitStack) -> None:
        self.token = "first"
        self.requests: list[tuple[str, dict[str, str]]] = []
        # What happens when a token is refused.
        self.refused: Callable[[], None] = lambda: None
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append((self.path, dict(self.headers)))
                if self.headers.get("authorization") != f"Bearer {outer.token}":
                    outer.refused()
                    return self._answer(401, UNAUTHORIZED)
                if "watch=" in self.path:
                    return self._hold_open()
                return self._answer(200, SHOP)

            def _answer(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _hold_open(self) -> None:
                # As an API server sends a watch: in chunks, on a connection that is kept.
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                line = b'{"type": "ADDED"}\n'
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()
                outer.done.wait(PATIENCE)
                self.close_connection = True

            def log_message(self, *_message: object) -> None:
                """Nothing is logged."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        stack.callback(self.done.set)
        self.address = f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no credentials but those that a test names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    for option in AUTH_ARG_SPEC:
        monkeypatch.delenv(f"K8S_AUTH_{option.upper()}", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(stack)


def _kubeconfig(server: str, **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": user or {"token": "first"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }


def _written(path: Path, server: str, **user: Any) -> str:
    path.write_text(yaml.safe_dump(_kubeconfig(server, **user)))
    return str(path)


def _connect(**params: Any) -> ApiSession:
    return connect(cast("Any", SimpleNamespace(params=dict.fromkeys(AUTH_ARG_SPEC) | params)))


def _tokens(server: Server) -> list[str | None]:
    return [headers.get("authorization") for _path, headers in server.requests]


# who asks, and with what


@pytest.mark.parametrize("form", ["file", "content"])
def test_a_session_from_a_kubeconfig(form: str, server: Server, tmp_path: Path) -> None:
    kubeconfig = _written(tmp_path / "config", server.address) if form == "file" else _kubeconfig(server.address)
    session = _connect(kubeconfig=kubeconfig, context="test")
    assert session.get(NAMESPACE, "shop") == SHOP
    ((path, headers),) = server.requests
    assert (path, headers["authorization"], headers["User-Agent"]) == ("/api/v1/namespaces/shop", "Bearer first", "meshwright.ambient")
    assert session.cluster == f"test ({server.address})"


@pytest.mark.parametrize("login", ["", "me:p%40ss@"])
def test_the_proxy_of_a_kubeconfig_leads_to_the_cluster(login: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A name that only the proxy can resolve, and a rule of the environment that is about other proxies.
    content = _kubeconfig("http://api.invalid:6443")
    content["clusters"][0]["cluster"]["proxy-url"] = server.address.replace("://", f"://{login}")
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("NO_PROXY", "api.invalid")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for kubeconfig in (content, str(tmp_path / "config")):
        assert _connect(kubeconfig=kubeconfig).get(NAMESPACE, "shop") == SHOP
    assert [path for path, _headers in server.requests] == ["http://api.invalid:6443/api/v1/namespaces/shop"] * 2
    assert server.requests[0][1].get("proxy-authorization") == ("Basic bWU6cEBzcw==" if login else None)


def test_a_proxy_that_does_not_answer_is_named_without_its_password() -> None:
    content = _kubeconfig("http://api.invalid:6443")
    content["clusters"][0]["cluster"]["proxy-url"] = "http://me:secret@127.0.0.1:9"
    with pytest.raises(ApiError, match=r"through the proxy http://127\.0\.0\.1:9") as failed:
        _connect(kubeconfig=content).get(NAMESPACE, "shop")
    assert "secret" not in failed.value.message


def test_loopback_is_reached_directly_whatever_the_environment_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert _connect(kubeconfig=_kubeconfig(server.address)).get(NAMESPACE, "shop") == SHOP


def test_a_proxy_of_another_kind_is_refused() -> None:
    content = _kubeconfig("https://api.invalid:6443")
    content["clusters"][0]["cluster"]["proxy-url"] = "socks5://127.0.0.1:1080"
    with pytest.raises(MeshError, match=r"socks5://127\.0\.0\.1:1080 as proxy-url of cluster test, and only http and https proxies are supported"):
        _connect(kubeconfig=content)


def test_a_session_from_an_address_and_a_token(server: Server) -> None:
    assert _connect(host=server.address, api_key="first").get(NAMESPACE, "shop") == SHOP


def test_a_kubeconfig_that_a_task_names_wins_over_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "https://elsewhere.example.org")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "of-another-cluster")
    assert _connect(kubeconfig=_kubeconfig(server.address)).get(NAMESPACE, "shop") == SHOP


def test_the_environment_chooses_neither_context_nor_user_beside_a_kubeconfig(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "another")
    monkeypatch.setenv("K8S_AUTH_IMPERSONATE_USER", "somebody")
    assert _connect(kubeconfig=_kubeconfig(server.address)).get(NAMESPACE, "shop") == SHOP
    assert "Impersonate-User" not in server.requests[0][1]


def test_a_context_alone_is_looked_for_in_the_kubeconfig_of_the_environment(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", _written(tmp_path / "config", server.address))
    monkeypatch.setenv("K8S_AUTH_HOST", "https://elsewhere.example.org")
    assert _connect(context="test").get(NAMESPACE, "shop") == SHOP


def test_impersonation_is_told_to_the_server(server: Server) -> None:
    _connect(kubeconfig=_kubeconfig(server.address), impersonate_user="ci", impersonate_groups=["a", "b"]).get(NAMESPACE, "shop")
    headers = server.requests[0][1]
    assert (headers["Impersonate-User"], headers["Impersonate-Group"]) == ("ci", "a,b")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "No session could be opened with the given kubeconfig", id="no-file"),
        pytest.param("{}", "No session could be opened with the given kubeconfig", id="empty"),
        pytest.param("a: [", "No session could be opened with the given kubeconfig", id="no-yaml"),
        pytest.param("token: 'planted-token\n", "it is not valid YAML at line 2", id="an-open-quote"),
        pytest.param("what is this?", "No session could be opened with the given kubeconfig", id="a-sentence"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_reported(content: str | None, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MeshError, match=expected):
        _connect(kubeconfig=str(path))


@pytest.mark.parametrize("form", ["file", "content"])
@pytest.mark.parametrize(
    ("users", "expected"),
    [
        pytest.param([{"name": "test", "token": "planted"}], "Expected key user in ", id="not-below-user"),
        pytest.param([{"name": "test", "user": "planted"}], "one of its fields has a wrong type or format", id="a-text"),
        pytest.param(
            [{"name": "test", "user": {"auth-provider": {"name": "gcp", "config": {"access-token": "planted", "expiry": "planted"}}}}],
            "one of its fields has a wrong type or format",
            id="a-date",
        ),
    ],
)
def test_a_malformed_user_is_not_quoted(users: list[Any], expected: str, form: str, tmp_path: Path) -> None:
    content = {**_kubeconfig("https://api.example.org"), "users": users}
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(MeshError, match=expected) as caught:
        _connect(kubeconfig=content if form == "content" else str(path))
    assert "planted" not in caught.value.message


@pytest.mark.parametrize("change", [{"clusters": [{"name": "test", "cluster": {"server": 12}}]}, {"contexts": [{"name": "test", "context": "test"}]}])
def test_a_field_of_a_wrong_type_is_no_traceback(change: dict[str, Any]) -> None:
    with pytest.raises(MeshError, match="one of its fields has a wrong type or format"):
        _connect(kubeconfig={**_kubeconfig("https://api.example.org"), **change})


def test_a_context_that_is_not_there_is_reported() -> None:
    with pytest.raises(MeshError, match=r"that it is complete and contains the context\.$"):
        _connect(kubeconfig=_kubeconfig("https://api.example.org"), context="other")


# credentials that run out


def test_a_token_that_has_a_successor_in_the_kubeconfig(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "config"
    session = _connect(kubeconfig=_written(path, server.address))
    assert session.get(NAMESPACE, "shop") == SHOP
    server.token = "second"
    server.refused = lambda: _written(path, server.address, token="second") and None
    assert session.get(NAMESPACE, "shop") == SHOP
    assert session.get(NAMESPACE, "shop") == SHOP
    assert _tokens(server) == ["Bearer first", "Bearer first", "Bearer second", "Bearer second"]


def test_a_token_file_is_read_anew(server: Server, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    session = _connect(kubeconfig=_written(tmp_path / "config", server.address, tokenFile=str(token)))
    assert session.get(NAMESPACE, "shop") == SHOP
    server.token = "second"
    token.write_text("second")
    assert session.get(NAMESPACE, "shop") == SHOP
    assert _tokens(server)[-1] == "Bearer second"


def test_an_exec_plugin_is_asked_again(server: Server, tmp_path: Path) -> None:
    word = tmp_path / "token"
    word.write_text("first")
    script = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "\'$(cat "$0")\'"}}'
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", f"echo '{script}'", str(word)], "interactiveMode": "Never"}
    session = _connect(kubeconfig=_written(tmp_path / "config", server.address, exec=plugin))
    assert session.get(NAMESPACE, "shop") == SHOP
    server.token = "second"
    word.write_text("second")
    assert session.get(NAMESPACE, "shop") == SHOP
    assert _tokens(server)[-1] == "Bearer second"


def _program(command: str, *arguments: str) -> dict[str, Any]:
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": list(arguments), "interactiveMode": "Never"}


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        pytest.param(_program("sh", "-c", "echo 'no AWS keys' >&2; exit 3"), "process returned 3. no AWS keys", id="fails"),
        pytest.param(_program("/nowhere/aws"), "No such file or directory: '/nowhere/aws'", id="is-not-there"),
        pytest.param(_program("true"), "failed to decode process output", id="says-nothing"),
        pytest.param(_program("echo", '{"kind": "ExecCredential"}'), "missing key 'apiVersion'", id="says-something-else"),
    ],
)
def test_an_exec_plugin_that_gives_no_credentials_is_reported(plugin: dict[str, Any], expected: str, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MeshError) as caught:
        _connect(kubeconfig=_kubeconfig(server.address, exec=plugin))
    message = caught.value.message
    assert message.startswith(f"There are no credentials for the cluster at {server.address}: the program that the kubeconfig runs to get them returned none (")
    assert expected in message
    assert server.requests == [], "a request without credentials was sent"
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_exec_plugin_that_gives_no_more_credentials_is_reported(server: Server, tmp_path: Path) -> None:
    word = tmp_path / "token"
    word.write_text('{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "first"}}')
    session = _connect(kubeconfig=_kubeconfig(server.address, exec=_program("cat", str(word))))
    assert session.get(NAMESPACE, "shop") == SHOP
    server.token = "second"
    word.unlink()
    with pytest.raises(ApiError, match=r"returned none \(process returned 1\. cat: ") as caught:
        session.get(NAMESPACE, "shop")
    assert caught.value.status == 401
    assert _tokens(server) == ["Bearer first", "Bearer first"], "a request without credentials was sent"


def test_what_an_exec_plugin_says_is_reported_without_its_token_and_in_short(server: Server) -> None:
    token = "k8s-aws-v1." + "aHR0cHM6Ly9zdHMuZXhhbXBsZQ" * 4
    plugin = _program("sh", "-c", f"echo 'debug: {token} '{'word ' * 200} >&2; exit 1")
    with pytest.raises(MeshError) as caught:
        _connect(kubeconfig=_kubeconfig(server.address, exec=plugin))
    assert token[:30] not in caught.value.message
    assert "debug: ... word word" in caught.value.message
    assert len(caught.value.message) < 700


def test_credentials_beside_an_exec_plugin_that_fails_are_used(server: Server) -> None:
    assert _connect(kubeconfig=_kubeconfig(server.address, exec=_program("false"), token="first")).get(NAMESPACE, "shop") == SHOP


def test_a_token_without_a_successor_is_reported(server: Server, tmp_path: Path) -> None:
    session = _connect(kubeconfig=_written(tmp_path / "config", server.address))
    server.token = "second"
    with pytest.raises(ApiError, match="log in again or renew the kubeconfig"):
        session.get(NAMESPACE, "shop")
    assert len(server.requests) == 1, "the same token need not be sent twice"


@pytest.mark.parametrize("content", [pytest.param(None, id="gone"), pytest.param("a: [", id="half-written")])
def test_a_kubeconfig_that_cannot_be_read_by_then_is_no_traceback(content: str | None, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "config"
    session = _connect(kubeconfig=_written(path, server.address))
    server.token = "second"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(ApiError, match="log in again or renew the kubeconfig"):
        session.get(NAMESPACE, "shop")


# the connection itself


@pytest.fixture
def watch(server: Server) -> Iterator[Response]:
    response = _connect(kubeconfig=_kubeconfig(server.address)).open_watch(NAMESPACE, None, query=[], timeout=(PATIENCE, PATIENCE))
    yield response
    response.close()


def test_a_peer_that_is_gone_without_a_word_is_noticed(watch: Response) -> None:
    connection = watch._raw.connection
    assert connection is not None
    sock = cast("socket.socket", connection.sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    if not hasattr(socket, "TCP_KEEPIDLE"):
        pytest.skip("this platform does not say when it begins to ask")
    idle, pause, number = (sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
    assert idle + pause * number <= 30, "half a minute was promised"


def test_a_reader_that_waits_is_woken_by_an_interrupt(watch: Response) -> None:
    first = threading.Event()
    lines: list[bytes] = []

    def read() -> None:
        try:
            for line in watch.lines():
                lines.append(line)
                first.set()
        except TransportError:
            pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert first.wait(PATIENCE)
    watch.interrupt()
    reader.join(PATIENCE / 2)
    assert not reader.is_alive(), "the reader waits on for a server that says nothing"
    assert lines == [b'{"type": "ADDED"}']


def test_a_silence_that_is_too_long_ends_the_reading(watch: Response) -> None:
    lines = watch.lines()
    assert next(lines) == b'{"type": "ADDED"}'
    watch.allow_silence(0.01)
    with pytest.raises(TransportError, match="timed out"):
        next(lines)


def _kubeconfig_of(name: str, directory: Path) -> str:
    """The path of a kubeconfig that has a client certificate."""
    user = {"client-certificate": str(directory / f"{name}.crt"), "client-key": str(directory / f"{name}.key")}
    for path in user.values():
        Path(path).touch()
    content = {
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example:6443"}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    (directory / name).write_text(json.dumps(content))
    return str(directory / name)


def test_the_kubeconfig_of_the_environment_is_that_of_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package kubernetes reads the variable when it is imported, which several tasks may share."""
    for name in ("first", "second"):
        monkeypatch.setenv("KUBECONFIG", _kubeconfig_of(name, tmp_path))
        assert _configured({}).host == f"https://{name}.example:6443"


def test_another_item_of_a_loop_gets_no_credentials_of_the_cluster_before(tmp_path: Path) -> None:
    before = _configured({"kubeconfig": _kubeconfig_of("first", tmp_path)})
    assert before.cert_file == str(tmp_path / "first.crt")
    after = _configured({"host": "https://second.example:6443", "api_key": "planted"})
    assert (after.host, after.cert_file, after.key_file) == ("https://second.example:6443", None, None)
