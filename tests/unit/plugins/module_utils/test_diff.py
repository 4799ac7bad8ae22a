from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._diff import diff_of, diff_titles, differences_of, verification_messages


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


_POOL = {"kind": "NodePool", "metadata": {"name": "spot"}}


@pytest.mark.parametrize(
    ("result", "named"),
    [
        pytest.param({"changed": False, "skipped": True}, [], id="skipped"),
        pytest.param({"changed": False, "diff": [], "addons": [{"name": "coredns"}]}, [], id="same"),
        pytest.param({"changed": True, "diff": [diff_of("Add-on coredns", {}, {})]}, ["Add-on coredns"], id="of-this-collection"),
        pytest.param({"changed": True, "diff": {"before": "", "after": "x"}}, ["thing"], id="diff-of-another-shape"),
        pytest.param({"changed": True}, ["thing"], id="without-diff"),
        pytest.param({"differs": ["subnets", "route_tables"]}, ["thing (subnets, route_tables)"], id="plan"),
        pytest.param({"changed": False, "differs": []}, [], id="plan-of-nothing"),
        pytest.param({"results": [{"changed": True, "item": "logs"}, {"changed": False, "item": "more"}]}, ["thing logs"], id="loop"),
        pytest.param({"results": [{"changed": True, "item": _POOL, "diff": {"before": {}}}]}, ["NodePool spot"], id="loop-over-objects"),
        pytest.param({"results": [{"changed": False, "skipped": True, "item": "logs"}]}, [], id="loop-that-was-skipped"),
        pytest.param([{"name": "nodes", "differs": ["tags"]}, {"domain": "shop.example.com"}], ["thing nodes (tags)", "thing shop.example.com"], id="list"),
        pytest.param(["istio-system/istiod (values)"], ["thing istio-system/istiod (values)"], id="list-of-texts"),
    ],
)
def test_differences_names_what_results_would_change(result: Any, named: list[str]) -> None:
    assert differences_of({"thing": result}) == named


def test_differences_keep_the_order_of_the_results() -> None:
    assert differences_of({"zone": {"changed": True}, "bucket": ["a"]}) == ["zone", "bucket a"]


def test_a_verification_reports_what_differs_and_then_its_steps() -> None:
    steps = [{"changed": False}, {"skipped": True}, {"msg": "nothing is ready"}, {"refusals": ["a is taken", "b is taken"], "msg": "2 refusals"}]
    assert verification_messages(["Namespace shop", "Waypoint shop/w"], "prod", "mesh", steps) == [
        "Cluster prod differs from its inventory in Namespace shop, Waypoint shop/w: run site.yml with --tags mesh to correct it.",
        "a is taken",
        "b is taken",
        "nothing is ready",
        "2 refusals",
    ]
    assert verification_messages([], "prod", "mesh", [{"changed": False}]) == []
    assert verification_messages(["x"], "prod", "gateway_api", subject="bundle v1.5.0") == [
        "Cluster prod differs from bundle v1.5.0 in x: run site.yml with --tags gateway_api to correct it."
    ]
