from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.plot import WIDTH, decades, svg

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = st.dictionaries(st.sampled_from(["ours", "limit", "kubectl", "istioctl", "k8s_list", "k8s_loop"]), st.floats(0.001, 1e5), min_size=1)


def row(median: dict[str, Any], title: str = "300 <namespaces> & more", **more: Any) -> dict[str, Any]:
    return {"name": "r", "unit": "s", "title": title, "median": median, **more}


def drawn(*rows: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(svg(rows))  # noqa: S314 - made a line above


@given(FIGURES)
def test_every_bar_lies_within_the_picture_and_a_longer_bar_is_a_larger_figure(median: dict[str, float]) -> None:
    picture = drawn(row(median))
    bars = [(float(bar.get("width", 0)), float(bar.get("x", 0))) for bar in picture.iter(f"{SVG}rect")]
    order = [median[name] for name in ("ours", "limit", "kubectl", "istioctl", "k8s_list", "k8s_loop") if name in median]
    assert len(bars) == len(order)
    assert all(width > 0 and left + width <= WIDTH for width, left in bars)
    by_length = [value for _width, value in sorted(zip((width for width, _left in bars), order, strict=True))]
    assert by_length == sorted(order)


@given(st.lists(st.floats(0.0001, 1e7), min_size=1))
def test_a_scale_holds_all_its_figures(values: list[float]) -> None:
    low, high = decades(values)
    assert low < high
    assert all(10.0**low < value <= 10.0**high * 1.0000001 for value in values)


def test_text_is_text_and_what_needs_escaping_is_escaped() -> None:
    reported = [text.text for text in drawn(row({"ours": 1.0, "kubectl": 0.5})).iter(f"{SVG}text")]
    assert "300 <namespaces> & more, s" in reported
    assert "this collection" in reported
    assert "0.5" in reported


def test_a_computed_figure_is_marked() -> None:
    reported = [text.text for text in drawn(row({"ours": 1.0, "k8s_loop": 1450.0}, extrapolated={"k8s_loop": "from 20 items"})).iter(f"{SVG}text")]
    assert "~1,450" in reported


def test_rows_and_peers_without_a_figure_are_left_out() -> None:
    picture = drawn(row({"ours": None}), row({"ours": 1.0, "istioctl": None}, title="second"))
    assert len(list(picture.iter(f"{SVG}rect"))) == 1


def test_it_is_legible_on_dark_pages() -> None:
    assert "prefers-color-scheme: dark" in svg([row({"ours": 1.0})])
