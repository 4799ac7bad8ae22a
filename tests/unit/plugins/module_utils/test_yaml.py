"""YAML from outside is bounded: the parser in C crashes with a text of 100 kB that is nested deeply enough."""

from __future__ import annotations

import pytest
from yaml import YAMLError

from ansible_collections.meshwright.ambient.plugins.module_utils import _yaml
from ansible_collections.meshwright.ambient.plugins.module_utils._yaml import DEEPEST, YamlOutOfBounds, load_document, load_documents

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[" * 100_000, "nested more than 100 levels", id="brackets"),
        pytest.param("- " * 100_000, "nested more than 100 levels", id="dashes"),
        pytest.param("{a: " * 100_000, "nested more than 100 levels", id="braces"),
        pytest.param("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested more than 100 levels", id="just-too-deep"),
        pytest.param(LAUGHS, "its aliases make it more than", id="a-billion-laughs"),
        pytest.param("a: &a [*a]", "its aliases make it more than", id="contains-itself"),
    ],
)
def test_what_is_out_of_bounds_is_refused_before_it_is_built(text: str, problem: str) -> None:
    with pytest.raises(YamlOutOfBounds, match=problem):
        load_documents(text)


def test_what_is_too_long_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yaml, "MOST_BYTES", 10)
    with pytest.raises(YamlOutOfBounds, match="it has more than 0 MB"):
        load_documents("[" * 11)
    monkeypatch.setattr(_yaml, "MOST_BYTES", 1000)
    monkeypatch.setattr(_yaml, "MOST_NODES", 5)
    with pytest.raises(YamlOutOfBounds, match="more than 5 nodes"):
        load_documents("[1, 2, 3, 4, 5]")


def test_a_date_that_there_is_not_is_no_yaml() -> None:
    with pytest.raises(YAMLError, match="day is out of range"):
        load_documents("a: 2026-02-30")


def test_what_is_within_is_loaded() -> None:
    assert load_documents("a: &x [1]\nb: *x\n---\nc: d\n") == [{"a": [1], "b": [1]}, {"c": "d"}]
    assert load_document("a: 1\n---\nb: 2\n") == {"a": 1}
    assert load_document("") is None
    deepest = load_document("[" * DEEPEST + "]" * DEEPEST)
    assert isinstance(deepest, list)
