from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.objects import Object
from twin.agent.container import arguments_of, environment_of, write_volumes
from twin.agent.files import inside, write_private
from twin.collection import ApiSession, Kind
from twin.errors import TwinError

POD: Object = {
    "metadata": {"name": "istiod-1", "namespace": "istio-system", "labels": {"istio.io/rev": "default"}, "annotations": {"b": "2", "a": "1"}},
    "spec": {"nodeName": "node-1", "serviceAccountName": "istiod"},
    "status": {"podIP": "10.64.128.1"},
}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


OBJECTS: dict[tuple[str, str], Object] = {
    ("ConfigMap", "settings"): {"data": {"mesh": "accessLogFile: /dev/stdout", "LEVEL": "info"}, "binaryData": {"blob": _encoded("\x01")}},
    ("Secret", "cacerts"): {"data": {"key": _encoded("secret"), "dollar": _encoded("$(LEVEL)")}},
    ("ConfigMap", "empty"): {},
}


class FakeSession:
    """Knows the objects above in istio-system, and nothing elsewhere."""

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        return OBJECTS.get((kind.name, name)) if namespace == "istio-system" else None


SESSION = cast("ApiSession", FakeSession())


def _environment(*variables: Object, env_from: list[Object] | None = None) -> dict[str, str]:
    return environment_of(POD, {"env": list(variables), "envFrom": env_from or []}, SESSION)


def _from(**source: Any) -> Object:
    return {"name": "A", "valueFrom": source}


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        pytest.param({"name": "A", "value": "1"}, "1", id="value"),
        pytest.param({"name": "A"}, "", id="without-a-value"),
        pytest.param(_from(fieldRef={"fieldPath": "metadata.name"}), "istiod-1", id="name"),
        pytest.param(_from(fieldRef={"fieldPath": "status.podIP"}), "10.64.128.1", id="address"),
        pytest.param(_from(fieldRef={"fieldPath": "spec.serviceAccountName"}), "istiod", id="service-account"),
        pytest.param(_from(fieldRef={"fieldPath": "metadata.labels['istio.io/rev']"}), "default", id="one-label"),
        pytest.param(_from(fieldRef={"fieldPath": "metadata.annotations['missing']"}), "", id="a-missing-annotation"),
        pytest.param(_from(fieldRef={"fieldPath": "status.hostIP"}), "", id="a-field-not-set-yet"),
        pytest.param(_from(fieldRef={"fieldPath": "metadata.annotations"}), 'a="1"\nb="2"', id="all-annotations"),
        pytest.param(_from(configMapKeyRef={"name": "settings", "key": "LEVEL"}), "info", id="config-map"),
        pytest.param(_from(configMapKeyRef={"name": "settings", "key": "blob"}), "\x01", id="binary-data"),
        pytest.param(_from(secretKeyRef={"name": "cacerts", "key": "key"}), "secret", id="secret"),
        pytest.param(_from(configMapKeyRef={"name": "missing", "key": "a", "optional": True}), None, id="optional-config-map"),
        pytest.param(_from(secretKeyRef={"name": "cacerts", "key": "missing", "optional": True}), None, id="optional-key"),
    ],
)
def test_one_variable(variable: Object, expected: str | None) -> None:
    assert _environment(variable) == ({} if expected is None else {"A": expected})


@pytest.mark.parametrize("resource", ["limits.cpu", "requests.memory"])
def test_resources_are_this_machines(resource: str) -> None:
    assert int(_environment(_from(resourceFieldRef={"resource": resource}))["A"]) >= 1


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        pytest.param(_from(configMapKeyRef={"name": "missing", "key": "a"}), "ConfigMap istio-system/missing not found", id="config-map"),
        pytest.param(_from(secretKeyRef={"name": "missing", "key": "a"}), "Secret istio-system/missing not found", id="secret"),
        pytest.param(_from(secretKeyRef={"name": "cacerts", "key": "a"}), "Secret cacerts has no key a", id="key"),
        pytest.param(_from(configMapKeyRef={"name": "empty", "key": "a"}), "ConfigMap empty has no key a", id="no-data"),
    ],
)
def test_what_is_missing_is_reported(variable: Object, message: str) -> None:
    with pytest.raises(TwinError) as caught:
        _environment(variable)
    assert str(caught.value) == message


def test_sources_come_first_and_variables_win() -> None:
    sources: list[Object] = [
        {"configMapRef": {"name": "settings"}},
        {"secretRef": {"name": "cacerts"}, "prefix": "CA_"},
        {"secretRef": {"name": "no", "optional": True}},
    ]
    found = _environment({"name": "LEVEL", "value": "$(LEVEL)-debug"}, env_from=sources)
    assert found == {"mesh": "accessLogFile: /dev/stdout", "LEVEL": "info-debug", "blob": "\x01", "CA_key": "secret", "CA_dollar": "$(LEVEL)"}


def test_a_missing_source_is_reported() -> None:
    with pytest.raises(TwinError, match="ConfigMap istio-system/no not found"):
        _environment(env_from=[{"configMapRef": {"name": "no"}}])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("$(A)", "1", id="alone"),
        pytest.param("--a=$(A),$(B)", "--a=1,2", id="twice"),
        pytest.param("$(LATER)", "$(LATER)", id="unknown-stays"),
        pytest.param("$A ${A} $(A", "$A ${A} $(A", id="other-notations-stay"),
        pytest.param("$(C)", "$(A)", id="no-second-pass"),
    ],
)
def test_references_are_filled_in(text: str, expected: str) -> None:
    known = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    environment = {"A": "1", "B": "2", "C": "$(A)"}
    assert arguments_of({"args": [text]}, environment) == [expected]
    if "C" not in text:
        assert _environment(*known, {"name": "X", "value": text}, {"name": "LATER", "value": "3"})["X"] == expected


@pytest.mark.parametrize("argument", ["--log_target=/tmp/escape", "--log_target", "--log-rotate", "$(A)", "--"])
def test_a_process_writes_and_listens_nowhere_but_in_its_pod(argument: str) -> None:
    with pytest.raises(TwinError, match=r"is not passed on, because the process would write or listen outside of the pod"):
        arguments_of({"args": ["discovery", argument]}, {"A": "--log_target=/tmp/escape"})


def test_a_doubled_dollar_is_a_literal_one() -> None:
    """Kubernetes: $$(NAME) is the literal $(NAME), whether NAME is known or not."""
    assert arguments_of({"args": ["$$(A)", "$$(NONE)"]}, {"A": "1"}) == ["$(A)", "$(NONE)"]


def test_what_comes_from_elsewhere_is_not_filled_in() -> None:
    """The kubelet expands a variable's own value only, never what it reads from a Secret, a ConfigMap or a field."""
    found = _environment({"name": "LEVEL", "value": "info"}, _from(secretKeyRef={"name": "cacerts", "key": "dollar"}))
    assert found["A"] == "$(LEVEL)"


def test_a_container_may_have_neither() -> None:
    assert environment_of(POD, {}, SESSION) == {}
    assert arguments_of({}, {}) == []


def _volume_pod(**volume: Any) -> Object:
    return POD | {"spec": {"volumes": [{"name": "v", **volume}]}}


def _token(audience: str | None, seconds: int) -> str:
    return f"token for {audience} of {seconds} s"


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        pytest.param(
            {"configMap": {"name": "settings", "items": [{"key": "mesh", "path": "etc/mesh"}]}}, {"etc/mesh": "accessLogFile: /dev/stdout"}, id="items"
        ),
        pytest.param({"secret": {"secretName": "cacerts"}}, {"key": "secret", "dollar": "$(LEVEL)"}, id="secret"),
        pytest.param({"secret": {"secretName": "missing", "optional": True}}, {}, id="optional"),
        pytest.param({"emptyDir": {}}, {}, id="empty"),
        pytest.param(
            {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"name": "istiod-1"},
            id="downward-api",
        ),
        pytest.param(
            {
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "audience": "istio-ca", "expirationSeconds": 43200}},
                        {"configMap": {"name": "settings", "items": [{"key": "LEVEL", "path": "level"}]}},
                    ]
                }
            },
            {"token": "token for istio-ca of 43200 s", "level": "info"},
            id="projected",
        ),
    ],
)
def test_write_volumes(tmp_path: Path, volume: Object, expected: dict[str, str]) -> None:
    write_volumes(_volume_pod(**volume), {"volumeMounts": [{"name": "v", "mountPath": "/mnt/v"}]}, SESSION, _token, tmp_path)
    directory = tmp_path / "mnt" / "v"
    assert {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()} == expected
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in directory.rglob("*") if path.is_file())


def test_a_file_that_is_right_is_left_alone(tmp_path: Path) -> None:
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    pod = _volume_pod(secret={"secretName": "cacerts"})
    write_volumes(pod, mounts, SESSION, _token, tmp_path)
    before = (tmp_path / "v" / "key").stat()
    (tmp_path / "v" / "dollar").write_text("old")
    write_volumes(pod, mounts, SESSION, _token, tmp_path)
    assert (tmp_path / "v" / "key").stat().st_ino == before.st_ino
    assert (tmp_path / "v" / "dollar").read_text() == "$(LEVEL)"


_UP = "/../../../../../../../../../../.."
_SETTINGS = {"configMap": {"name": "settings", "items": [{"key": "LEVEL", "path": "level"}]}}
_ESCAPES = [
    pytest.param(_SETTINGS, f"{_UP}{{outside}}", id="mount-path"),
    pytest.param(_SETTINGS, f"/var/..{_UP}{{outside}}", id="mount-path-inside-first"),
    pytest.param(_SETTINGS, "//{outside}", id="mount-path-of-two-slashes"),
    pytest.param({"configMap": {"name": "settings", "items": [{"key": "LEVEL", "path": f"..{_UP}{{outside}}/level"}]}}, "/mnt", id="item-of-a-config-map"),
    pytest.param({"secret": {"secretName": "cacerts", "items": [{"key": "key", "path": "{outside}/level"}]}}, "/mnt", id="absolute-item-of-a-secret"),
    pytest.param({"configMap": {"name": "hostile"}}, "/mnt", id="key"),
    pytest.param(
        {"downwardAPI": {"items": [{"path": f"..{_UP}{{outside}}/level", "fieldRef": {"fieldPath": "metadata.name"}}]}}, "/mnt", id="item-of-the-downward-api"
    ),
    pytest.param({"projected": {"sources": [{"serviceAccountToken": {"path": f"..{_UP}{{outside}}/level"}}]}}, "/mnt", id="token"),
    pytest.param({"emptyDir": {}}, f"{_UP}{{outside}}", id="empty-directory"),
]


def _filled(value: Any, outside: Path) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, outside) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, outside) for each in value]
    return value.replace("{outside}", str(outside)) if isinstance(value, str) else value


@pytest.mark.parametrize(("volume", "mount_path"), _ESCAPES)
def test_what_a_pod_mounts_stays_below_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, volume: Object, mount_path: str) -> None:
    """As in a container, `..` leads no higher than the root."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    monkeypatch.setitem(OBJECTS, ("ConfigMap", "hostile"), {"data": {f"..{_UP}{outside}/level": "1"}})
    root.mkdir()
    write_volumes(_volume_pod(**_filled(volume, outside)), {"volumeMounts": [{"name": "v", "mountPath": _filled(mount_path, outside)}]}, SESSION, _token, root)
    assert not outside.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert [path for path in root.rglob("*") if path.is_file()] or "emptyDir" in volume


@pytest.mark.parametrize("link", ["mnt", "mnt/v", "mnt/v/level"])
def test_no_symbolic_link_leads_out_of_the_root(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside / "new")
    with pytest.raises(TwinError, match="leads out of the pod's root directory by a symbolic link"):
        write_volumes(_volume_pod(**_SETTINGS), {"volumeMounts": [{"name": "v", "mountPath": "/mnt/v"}]}, SESSION, _token, root)
    assert list(outside.iterdir()) == []


def test_nothing_is_written_through_a_link_to_a_draft(tmp_path: Path) -> None:
    target, victim = tmp_path / "file", tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "file.new").symlink_to(victim)
    write_private(target, b"content")
    assert (target.read_text(), victim.read_text()) == ("content", "untouched")


def test_a_path_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="has a null byte"):
        inside(tmp_path, "/a\0b")


def test_a_missing_volume_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="Secret istio-system/missing not found"):
        write_volumes(_volume_pod(secret={"secretName": "missing"}), {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, SESSION, _token, tmp_path)
