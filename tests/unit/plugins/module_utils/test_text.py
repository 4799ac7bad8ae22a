from __future__ import annotations

import typing as t

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils import _text as text


def test_in_one_line() -> None:
    assert text.in_one_line(ValueError(" while scanning\n\tline 3,  column 1\n")) == "while scanning line 3, column 1"


@pytest.mark.parametrize(
    ("shortened", "expected"),
    [
        pytest.param(text.format_names([]), "", id="no-names"),
        pytest.param(text.format_names(["a"]), "a", id="one-name"),
        pytest.param(text.format_names("abc", most=3), "a, b, c", id="as-many-names-as-fit"),
        pytest.param(text.format_names("abcd", most=3), "a, b, c and 1 more", id="more-names"),
        pytest.param(text.format_names(range(12)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more", id="ten-names-are-given"),
        pytest.param(text.format_clauses(["pod a: waits", "pod b: waits", "pod c: waits"], most=2), "pod a: waits; pod b: waits; and 1 more", id="clauses"),
        pytest.param(text.format_clauses(["pod a: waits"]), "pod a: waits", id="one-clause"),
    ],
)
def test_a_long_list_is_shortened(shortened: str, expected: str) -> None:
    assert shortened == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 replicas"), (1, "1 replica"), (2, "2 replicas")])
def test_format_count(number: int, expected: str) -> None:
    assert text.format_count(number, "replica") == expected


@pytest.mark.parametrize(("value", "expected"), [(True, "true"), (False, "false"), (1, "1"), ("Yes", "Yes"), (None, "None")])
def test_format_scalar(value: t.Any, expected: str) -> None:
    assert text.format_scalar(value) == expected


def test_format_scalars() -> None:
    assert text.format_scalars({"enabled": True, 8080: 0.5}) == {"enabled": "true", "8080": "0.5"}
    assert text.format_scalars(None) == {}


def test_repeated() -> None:
    assert text.repeated(["b", "a", "b", "c", "a", "b"]) == ["a", "b"]
    assert text.repeated([("Gateway", 2), ("Gateway", 1), ("Gateway", 2)]) == [("Gateway", 2)]


def test_labels_and_tags_are_text() -> None:
    given = {"Cost": "0815", "Build": "1e3", "Spot": True, "Tier": 1, "Empty": None}
    assert text.text_values(given) == {"Build": "1e3", "Cost": "0815", "Empty": "", "Spot": "true", "Tier": "1"}
    with pytest.raises(ValueError, match=r"the value of Cost is \['a'\], but must be a string"):
        text.text_values({"Cost": ["a"]})
