from __future__ import annotations

import builtins
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._status import json_paths
from ansible_collections.meshwright.ambient.plugins.module_utils._status.json_paths import check, find, translate
from tests.unit.objects_of_any_kind import OBJECT


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("{.status.phase}", ["Bound"], id="braces"),
        pytest.param(".status.phase", ["Bound"], id="no-braces"),
        pytest.param("status.phase", ["Bound"], id="no-dot"),
        pytest.param("{$.status.phase}", ["Bound"], id="root"),
        pytest.param("{.status.loadBalancer.ingress[0].hostname}", ["lb.example.com"], id="index"),
        pytest.param('{.status.conditions[?(@.type=="Synced")].status}', ["True"], id="filter"),
        pytest.param("{.status.conditions[?(@.type=='Synced')].status}", ["True"], id="filter-with-single-quotes"),
        pytest.param(r"{.metadata.labels.istio\.io/rev}", ["1-31"], id="escaped-dots"),
        pytest.param("{.metadata.labels['istio.io/rev']}", ["1-31"], id="key-in-brackets"),
        pytest.param("{.status.conditions[*].type}", ["Synced", "Degraded"], id="all"),
        pytest.param("{.status.conditions[-1].type}", ["Degraded"], id="last"),
        pytest.param("{..hostname}", ["lb.example.com"], id="anywhere"),
        pytest.param("{.status.conditions[?(@.type=='x.y')].status}", [], id="none"),
    ],
)
def test_json_paths_as_kubectl_writes_them(path: str, found: list[Any]) -> None:
    assert find(path, OBJECT) == found


@pytest.mark.parametrize("path", ["", "{.status[}", "{range .items[*]}{.a}{end}", "{.status.conditions[?(@.x]}", "{.a} {.b}"])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(MeshError, match=r"cannot be parsed .*: write it as for kubectl"):
        check(path)


def test_a_path_that_cannot_be_evaluated_is_named() -> None:
    with pytest.raises(MeshError, match="cannot be evaluated"):
        find('{.spec.ports[?(@.port=~"(")].name}', {"spec": {"ports": [{"port": "1", "name": "a"}]}})


def test_translate_quotes_what_is_no_plain_word() -> None:
    assert translate("{.spec.a-b.c}") == '$.spec["a-b"].c'


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("jsonpath_ng"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    json_paths._compiled.cache_clear()
    with pytest.raises(MeshError, match=r"The Python package jsonpath-ng, which reads json_path '\{\.a\}', is missing"):
        check("{.a}")
