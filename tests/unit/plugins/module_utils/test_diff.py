from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._diff import diff_of, diff_titles


def test_diff_of() -> None:
    assert diff_of("Namespace shop", {"a": 1}, {"a": 2, "b": ""}) == {
        "before_header": "Namespace shop (current)",
        "after_header": "Namespace shop (desired)",
        "before": "a: 1\n",
        "after": "a: 2\nb: \n",
    }


def test_diff_titles_names_the_objects() -> None:
    diff = [diff_of("Namespace shop", {}, {}), diff_of("Waypoint shop/waypoint", {}, {}), {"after_header": "of another module"}]
    assert diff_titles(diff) == ["Namespace shop", "Waypoint shop/waypoint", "of another module"]
