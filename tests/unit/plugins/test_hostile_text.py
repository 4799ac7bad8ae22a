"""Text from outside is data: whoever may write a message, a name or a tag can neither steer a terminal nor forge a line of what the collection prints.

Each way on which a text reaches a user is fed with the same hostile text; what finds a new way is at the end.
"""

from __future__ import annotations

import ast
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.meshwright.ambient.plugins.module_utils import _text
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.connect import AwsModule
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import explain
from ansible_collections.meshwright.ambient.plugins.module_utils._diff import diff_of
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError, raise_if_any
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.outside import decode
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.refusals import no_api_server, unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Scope, Streams
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import BY_NAME, EVENT, POD
from ansible_collections.meshwright.ambient.plugins.module_utils._module import AnsibleModule, MeshModule
from ansible_collections.meshwright.ambient.plugins.module_utils._progress import lines_to
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.report import format_failure, format_progress
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.wait import Outcome
from tests.unit.aws_stub import AwsStub
from tests.unit.fake_api import Answer, FakeApi, WatchAnswer, listed, refusal

PLUGINS = Path(__file__).parents[3] / "plugins"
FORGED = "  [sandbox] 0.2 s, 1 of 1 ready: Deployment other/inj is Current"
# Escape sequences of 7 and 8 bits, a bell, a title, line breaks of all kinds, and a text that is shown backwards.
HOSTILE = f"\x1b[2J\x1b]0;owned\x07 {{{{ lookup('pipe', 'id') }}}}\n{FORGED}\r\x9b2J\u202eevil\u2066\u2028{FORGED}\x85{FORGED}\x7f\x00"


def assert_one_harmless_line(text: str) -> None:
    assert len(text.splitlines()) == 1, repr(text)
    assert_harmless(text)


def assert_harmless(text: str) -> None:
    steering = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\n\t"}
    assert not steering, repr(text)
    assert "owned" in text, "what is shown must still say what was there"


def strings_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for below in value.values() for text in strings_of(below)]
    if isinstance(value, list):
        return [text for below in value for text in strings_of(below)]
    return [value] if isinstance(value, str) else []


def with_hostile(value: Any) -> Any:
    """The value with the hostile text in the place of each of its texts."""
    if isinstance(value, dict):
        return {key: with_hostile(below) for key, below in value.items()}
    if isinstance(value, list):
        return [with_hostile(below) for below in value]
    return HOSTILE if isinstance(value, str) else value


# the text itself


@pytest.mark.parametrize("escaped", [True, False], ids=["as-go-writes-it", "as-utf-8"])
def test_control_characters_and_line_breaks_of_every_kind_are_replaced(escaped: bool) -> None:
    assert_one_harmless_line(_text.quoted(json.loads(json.dumps(HOSTILE, ensure_ascii=escaped))))


@pytest.mark.parametrize("text", ["0 of 1 pods: “Zürich” läuft — 0 µs", "نمی‌خواهم", "👩‍💻 deployed", "東京 a\u3000b"], ids=["latin", "joiner", "emoji", "wide"])
def test_words_of_other_scripts_stay_as_they_are(text: str) -> None:
    assert _text.printable(text) == text


def test_a_text_that_cannot_be_written_as_utf8_is_made_one_that_can() -> None:
    assert _text.message_line(json.loads(r'"a\ud800b"')).encode() == "a\ufffdb".encode()


def test_a_long_text_is_cut() -> None:
    assert len(_text.quoted("x" * 100_000)) < _text.LONGEST_TEXT + 10
    assert _text.quoted("x" * _text.LONGEST_TEXT) == "x" * _text.LONGEST_TEXT
    assert len(MeshError("x" * 100_000).message) < _text.LONGEST_LINE + 10


# from a cluster

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").rglob("*.yml"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_status_of_each_recorded_object_is_harmless_when_it_has_been_read(path: Path) -> None:
    item = yaml.safe_load(path.read_text())
    hostile = {**item, "status": with_hostile(item.get("status") or {"message": "text"})}
    kind = BY_NAME[item["kind"]]
    (read,) = FakeApi(listed(hostile)).session.list(kind).items
    alone = FakeApi(Answer(200, hostile)).session.get(kind, item["metadata"]["name"], item["metadata"].get("namespace"))
    assert alone is not None
    for text in [*strings_of(read["status"]), *strings_of(alone["status"])]:
        assert_one_harmless_line(text)


def test_what_a_user_declares_is_read_as_it_is() -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b", "annotations": {"c": HOSTILE}}, "data": {"d": HOSTILE}}
    (read,) = FakeApi(listed(item)).session.list(BY_NAME["ConfigMap"]).items
    assert read == item


@pytest.mark.parametrize("about", ["involvedObject", "regarding"])
def test_an_event_is_harmless_when_it_has_been_read(about: str) -> None:
    event = {"metadata": {"name": "a", "namespace": "b"}, about: {"kind": "Pod", "name": "c"}, "reason": HOSTILE, "message": HOSTILE, "note": HOSTILE}
    (read,) = FakeApi(listed(event)).session.list(EVENT).items
    for name in ("reason", "message", "note"):
        assert_one_harmless_line(read[name])


def test_an_object_that_a_watch_brings_is_harmless() -> None:
    pod = {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "2"}, "status": {"containerStatuses": [{"state": {"waiting": {"message": HOSTILE}}}]}}
    watch = WatchAnswer(("MODIFIED", pod))
    api = FakeApi(respond=lambda request: watch if "watch" in request.query else listed())
    scope = Scope(POD)
    with Streams(api.session, [scope]) as streams:
        events: list[Any] = []
        while len(events) < 2:
            events += streams.next_events(timeout=10)
    (text,) = strings_of(events[1].object["status"])
    assert_one_harmless_line(text)


def test_a_plain_answer_is_decoded_as_json_says() -> None:
    answer = {"items": [{"status": {"message": "0 of 1", "ready": False, "replicas": 1}}], "metadata": {}}
    assert decode(json.dumps(answer)) == answer


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504])
def test_the_words_of_a_server_are_one_harmless_line(code: int) -> None:
    write = Write("patch", POD, "a", "b", {})
    with pytest.raises(ApiError) as raised:
        FakeApi(*[refusal(code, "Odd", HOSTILE, {"Retry-After": "30"}, name="a")] * 9).session.write(write)
    error = raised.value
    assert_harmless(f"{error.message} owned")
    assert len(error.message.splitlines()) == 1
    if code != 401:
        assert_one_harmless_line(error.server_message)


@pytest.mark.parametrize(
    "error",
    [lambda: no_api_server("prod", "list pods", HOSTILE), lambda: unreachable("prod", "list pods", HOSTILE)],
    ids=["a-proxy-answers", "nobody-answers"],
)
def test_what_is_no_answer_of_an_api_server_is_one_harmless_line(error: Callable[[], ApiError]) -> None:
    assert_one_harmless_line(error().message)


def test_refused_writes_are_one_harmless_line_each() -> None:
    api = FakeApi(*[refusal(403, "Forbidden", HOSTILE)] * 2)
    with pytest.raises(MeshError) as raised:
        api.session.write_all([Write("delete", POD, "a", "b")], [Write("delete", POD, "c", "b")])
    assert len(raised.value.message.splitlines()) == 2
    assert_harmless(raised.value.message)


# from AWS


def test_the_words_of_aws_are_one_harmless_line() -> None:
    error = ClientError({"Error": {"Code": "InvalidParameterException", "Message": HOSTILE}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "CreateCluster")
    assert_one_harmless_line(explain(error, "eks:CreateCluster", "eu-west-1").message)


def test_the_sentences_in_an_answer_of_aws_are_harmless_when_they_have_been_read() -> None:
    health = {"issues": [{"code": "AccessDenied", "message": HOSTILE, "resourceIds": ["i-0"]}]}
    named = {"clusterName": "a", "addonName": "vpc-cni"}
    with AwsStub() as aws:
        aws.answer("eks", "describe_addon", {"addon": {"addonName": "vpc-cni", "tags": {"note": HOSTILE}, "health": health}}, **named)
        addon = aws.session.call("eks", "describe_addon", **named)["addon"]
    assert_one_harmless_line(addon["health"]["issues"][0]["message"])
    assert addon["tags"] == {"note": HOSTILE}, "what users declare is compared, and stays as it is"


# what is printed


def test_an_error_is_one_line_for_each_of_its_sentences_whatever_they_quote() -> None:
    assert_one_harmless_line(MeshError(HOSTILE).message)
    assert_one_harmless_line(str(MeshError(HOSTILE)))
    with pytest.raises(MeshError) as raised:
        raise_if_any([f"Namespace {HOSTILE} is missing", "second"], "prod")
    assert len(raised.value.message.splitlines()) == 3
    assert_one_harmless_line(raised.value.details["refusals"][0])


def test_a_verdict_is_one_harmless_line_in_a_failure_and_in_a_line_of_progress() -> None:
    verdict = Verdict("InProgress", HOSTILE, f"Gateway of class {HOSTILE}", f"Look at {HOSTILE}.")
    target = Target("waypoint", "waypoint", "shop")
    assert len(format_failure(Outcome(((target, verdict),), 1.0), "prod").splitlines()) == 2
    assert_harmless(format_failure(Outcome(((target, verdict),), 1.0), "prod"))
    assert_one_harmless_line(format_progress(1.0, [(target, verdict)], 0, 1))


def test_a_line_of_progress_is_one_harmless_line(tmp_path: Path) -> None:
    with lines_to(str(tmp_path / "lines")) as write:
        assert write is not None
        write(HOSTILE)
    assert_one_harmless_line((tmp_path / "lines").read_bytes().decode().removesuffix(os.linesep))


@pytest.mark.parametrize(("module", "base"), [(MeshModule, AnsibleModule), (AwsModule, AwsModule.__base__)], ids=["mesh", "aws"])
def test_a_warning_is_one_harmless_line(module: type, base: type, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(base, "warn", lambda _self, warning: warned.append(warning))
    cast("Any", module).warn(object.__new__(module), f"Waypoint a: {HOSTILE}")
    assert_one_harmless_line(warned[0])


def test_a_value_in_a_diff_cannot_be_mistaken_for_a_field() -> None:
    diff = diff_of("Namespace shop", {"note": "a\nuse_waypoint: forged\x1b[2J"}, {})["before"]
    assert diff == "note: a\n  use_waypoint: forged\ufffd[2J\n"


# what finds a new way


def calls_of(path: Path) -> list[tuple[str, ast.Call]]:
    tree = ast.parse(path.read_text())
    return [(ast.unparse(node.func).rpartition(".")[2], node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


SOURCES = [path for folder in ("modules", "module_utils") for path in sorted((PLUGINS / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    ("names", "doors"),
    [
        (("AnsibleModule", "MeshModule", "exit_json", "fail_json"), {"module_utils/_module.py", "module_utils/_aws/connect.py"}),
        (("AnsibleAWSModule", "AwsModule"), {"module_utils/_aws/connect.py"}),
        (("Display", "print"), set()),
    ],
    ids=["results", "results-of-aws", "terminal"],
)
def test_what_reaches_a_user_goes_through_the_doors(names: tuple[str, ...], doors: set[str]) -> None:
    using = {str(path.relative_to(PLUGINS)) for path in SOURCES if any(name in names for name, _call in calls_of(path))}
    assert using <= doors, f"{sorted(using - doors)}: what prints must make its text harmless, as {sorted(doors)} do"


def test_what_an_api_server_sends_is_decoded_in_one_place() -> None:
    decoding = {path.name for path in SOURCES if path.parent.name in ("_k8s", "_wait") and any(name == "loads" for name, _call in calls_of(path))}
    # The words of a refusal are quoted there, and a kubeconfig is the user's own.
    assert decoding == {"outside.py", "refusals.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_an_error_is_given_its_lines_apart(path: Path) -> None:
    joined = [node.lineno for name, node in calls_of(path) if name == "MeshError" and node.args and "\\n" in ast.unparse(node.args[0])]
    assert not joined, f"lines {joined}: hand over a list of sentences, so that what they quote cannot add to them"
