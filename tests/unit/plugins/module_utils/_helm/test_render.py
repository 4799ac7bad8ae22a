"""Values reach Helm as they are, whatever they look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.render import canonical, values_text

# Texts that one reader of YAML or another takes for something else.
TRAPS = (
    "012345678901", "1234e5", "0815", "1e3", "1E3", "+1", "-0", ".5", "5.", "0x1F", "0o17", "017", "0b11", "1_000", "1:30",
    "190:20:30", ".inf", "-.INF", ".nan",
    "yes", "no", "on", "off", "y", "n", "true", "True", "null", "Null", "~", "", " ", "2026-11-29", "2026-11-29T20:00:00Z", "<<", "=", "- a", "a: b", "# a",
    "&a", "*a", "!a", "%a", "@a", "`a", "{a}", "[a]", "'", '"', "\\", "a\nb", "a\tb", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "\U0001f600", "{{ a }}",
)  # fmt: skip
# YAML allows keys of 1,024 characters, escapes included.
texts = st.one_of(
    st.sampled_from(TRAPS), st.text(st.characters(exclude_categories=("Cs",)), max_size=40), st.from_regex(r"[-+]?[0-9_.:exo]{1,12}", fullmatch=True)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts), lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner))
)


@given(st.dictionaries(texts, values))
def test_any_value_survives(given_values: dict[str, Any]) -> None:
    text = values_text(given_values)
    assert json.loads(text) == given_values
    # A reader of YAML 1.1 finds the same, so it is quoted wherever that matters.
    assert yaml.safe_load(text) == given_values
    assert canonical(json.loads(text)) == canonical(given_values)


@pytest.mark.parametrize("text", TRAPS)
def test_a_text_is_quoted(text: str) -> None:
    token = yaml.compose(values_text({"a": text})).value[0][1]
    assert (token.style, token.value) == ('"', text)


def test_what_a_reader_of_yaml_refuses_is_escaped_and_no_surrogate_is_written() -> None:
    assert values_text({"a": "\x7f\x85\u2028\ufeff\U0001f600\u00e9"}) == '{"a": "\\u007f\\u0085\\u2028\\ufeff\U0001f600\\u00e9"}'


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (1, 1.0, True),
        (12345678901234567890, 12345678901234567000, True),
        ({"b": 1, "a": [None]}, {"a": [None], "b": 1.0}, True),
        (1, True, False),
        (1, "1", False),
        (None, "", False),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_what_is_the_same_for_helm(first: Any, second: Any, same: bool) -> None:
    assert (canonical(first) == canonical(second)) is same
