"""A bundle comes from a URL, a file or a directory: as a whole, within bounds, or with a sentence."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api import source
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.source import read_bundle
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.spec import parse_bundle
from tests.unit.objects import Object, derived, recorded

DEFINITION = b"apiVersion: v1\nkind: Definition\nmetadata: {name: a}\n"
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def _served(answer: Answer) -> Iterator[str]:
    """A server on this machine, and the URL of its only file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/bundle.yaml"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(body: bytes, length: int | None = None, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return send


COMPRESSED = gzip.compress(DEFINITION * 1000)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_answer(DEFINITION, len(DEFINITION)), id="with-its-length"),
        pytest.param(_answer(DEFINITION), id="until-the-connection-ends"),
        pytest.param(_answer(gzip.compress(DEFINITION), Content_Encoding="gzip"), id="compressed"),
    ],
)
def test_a_download_is_read_as_a_whole(answer: Answer) -> None:
    with _served(answer) as url:
        assert [item["metadata"]["name"] for item in read_bundle(url)] == ["a"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_answer(DEFINITION, len(DEFINITION) + 100), id="cut"),
        pytest.param(_answer(b"400\r\n" + DEFINITION, Transfer_Encoding="chunked"), id="cut-within-a-chunk"),
        pytest.param(_answer(COMPRESSED[:-20], Content_Encoding="gzip"), id="compressed-and-cut"),
    ],
)
def test_a_truncated_download_is_a_sentence(answer: Answer) -> None:
    with _served(answer) as url, pytest.raises(MeshError) as caught:
        read_bundle(url)
    assert f"The manifests at {url} were not received as a whole" in caught.value.message, caught.value.message
    assert "\n" not in caught.value.message


def test_a_download_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 1024)
    with _served(_answer(b"# " + b"x" * 5000)) as url, pytest.raises(MeshError, match="it has more than 0 MB, and is no bundle"):
        read_bundle(url)


def test_a_directory_is_read_as_kubectl_reads_it(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", "c.json", "d.txt"):
        text = f'{{"kind": "Definition", "metadata": {{"name": "{name}"}}}}'
        (tmp_path / name).write_text(text)
    (tmp_path / "e.yaml").mkdir()
    assert [item["metadata"]["name"] for item in read_bundle(str(tmp_path))] == ["a.yaml", "b.yml", "c.json"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "it is nested more than 100 levels deep, and is no bundle of definitions"),
        ("a: &a [*a]", "its aliases make it more than"),
        ("a: [", "could not be read"),
        ("a: b", "There are no manifests at"),
    ],
)
def test_what_is_no_bundle_is_a_sentence(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bundle.yaml").write_text(text)
    with pytest.raises(MeshError, match=problem):
        read_bundle(str(tmp_path / "bundle.yaml"))


GATEWAYS = recorded("customresourcedefinition/gateways_established")


@pytest.mark.parametrize(
    ("definition", "lacks"),
    [
        pytest.param({"kind": "CustomResourceDefinition"}, "a CustomResourceDefinition has no name", id="kind-only"),
        pytest.param(derived(GATEWAYS, {"spec": None}), f"CustomResourceDefinition {GATEWAYS['metadata']['name']} has no spec", id="metadata-only"),
        pytest.param(
            derived(GATEWAYS, {"spec": {"versions": None}}), f"CustomResourceDefinition {GATEWAYS['metadata']['name']} has no spec.versions", id="no-versions"
        ),
        pytest.param(
            derived(GATEWAYS, {"spec": {"versions": [{"name": "v1", "schema": {}}]}}),
            f"a version of CustomResourceDefinition {GATEWAYS['metadata']['name']} has no served",
            id="within-a-schema",
        ),
    ],
)
def test_a_file_that_ends_too_early_is_a_sentence(definition: Object, lacks: str) -> None:
    """Cut anywhere, a definition mostly still is YAML."""
    with pytest.raises(MeshError) as caught:
        parse_bundle([GATEWAYS, definition], "bundle.yaml")
    assert caught.value.message.startswith(f"bundle.yaml is incomplete: {lacks}. It may be truncated: download it again")
