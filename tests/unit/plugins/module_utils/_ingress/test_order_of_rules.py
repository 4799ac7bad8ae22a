"""A VirtualService takes the first rule that matches, so that a rule behind a more general one would never be used."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._istio_ingress.render import render_virtual_service

ROOT, CART, ITEMS = ("PathPrefix", "/"), ("PathPrefix", "/cart"), ("PathPrefix", "/cart/items")
EXACT, PATTERN = ("Exact", "/cart"), ("RegularExpression", "/c.*")


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ([ROOT, CART], [CART, ROOT]),
        ([CART, ROOT], [CART, ROOT]),
        ([ROOT, CART, ITEMS, EXACT, PATTERN], [ITEMS, EXACT, CART, PATTERN, ROOT]),
        ([PATTERN, CART], [PATTERN, CART]),
        ([CART, PATTERN], [CART, PATTERN]),
        ([CART, CART], [CART, CART]),
        ([("PathPrefix", "/b"), ("PathPrefix", "/a")], [("PathPrefix", "/b"), ("PathPrefix", "/a")]),
    ],
)
def test_no_rule_stands_behind_one_that_hides_it(written: list[tuple[str, str]], rendered: list[tuple[str, str]]) -> None:
    rules = [{"path": path, "path_type": kind, "backends": [{"service": "web", "port": 80}]} for kind, path in written]
    item = {"name": "shop", "namespace": "shop", "gateway": "edge", "rules": rules, "labels": {}}
    names = {"prefix": "PathPrefix", "exact": "Exact", "regex": "RegularExpression"}
    found = [next(iter(rule["match"][0]["uri"].items())) for rule in render_virtual_service(item)["spec"]["http"]]
    assert [(names[kind], path) for kind, path in found] == rendered
