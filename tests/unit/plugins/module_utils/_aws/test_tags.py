"""Tags: what to set and what to take away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.tags import TagChanges, compare_tags, tag_list, tags_after, tags_of

KEYS = st.sampled_from(["a", "b", "c", "aws:cloudformation:stack-name"])
TAGS = st.dictionaries(KEYS, st.sampled_from(["1", "2", ""]))


@pytest.mark.parametrize(
    ("current", "desired", "purge", "changes"),
    [
        ({"a": "1"}, None, True, TagChanges({}, [])),
        ({"a": "1"}, {}, True, TagChanges({}, ["a"])),
        ({"a": "1"}, {}, False, TagChanges({}, [])),
        ({"a": "1"}, {"a": 1}, True, TagChanges({}, [])),
        ({"a": "1", "b": "2"}, {"c": None, "a": 2}, True, TagChanges({"a": "2", "c": ""}, ["b"])),
        ({"a": "true", "b": "0815"}, {"a": True, "b": "0815"}, True, TagChanges({}, [])),
        ({"aws:x": "1"}, {}, True, TagChanges({}, [])),
    ],
)
def test_changes(current: dict[str, str], desired: dict[str, object] | None, purge: bool, changes: TagChanges) -> None:
    assert compare_tags(current, desired, purge=purge) == changes


@given(current=TAGS, desired=TAGS.map(lambda tags: {key: value for key, value in tags.items() if not key.startswith("aws:")}), purge=st.booleans())
def test_once_they_are_made_there_is_nothing_more_to_change(current: dict[str, str], desired: dict[str, str], purge: bool) -> None:
    after = tags_after(current, compare_tags(current, desired, purge=purge))
    assert not compare_tags(after, desired, purge=purge).any
    assert desired.items() <= after.items()


@given(TAGS)
def test_lists_and_dicts_say_the_same(tags: dict[str, str]) -> None:
    assert tags_of(tag_list(tags)) == tags
