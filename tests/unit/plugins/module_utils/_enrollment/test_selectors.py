from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._enrollment.selectors import SelectorError, parse_selector
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.labels import matches


def _in(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def _not_in(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "NotIn", "values": list(values)}


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        pytest.param("team=shop", [_in("team", "shop")], id="equals"),
        pytest.param("team==shop", [_in("team", "shop")], id="equals-twice"),
        pytest.param("team!=shop", [_not_in("team", "shop")], id="differs"),
        pytest.param("team=", [_in("team", "")], id="equals-nothing"),
        pytest.param("team!=,tier", [_not_in("team", ""), {"key": "tier", "operator": "Exists"}], id="differs-from-nothing"),
        pytest.param("team in (shop, store)", [_in("team", "shop", "store")], id="in"),
        pytest.param("team notin(shop)", [_not_in("team", "shop")], id="notin-without-a-space"),
        pytest.param("team in ()", [_in("team", "")], id="in-nothing"),
        pytest.param("team in (,shop,)", [_in("team", "", "shop", "")], id="in-with-empty-values"),
        pytest.param("team", [{"key": "team", "operator": "Exists"}], id="exists"),
        pytest.param("!team", [{"key": "team", "operator": "DoesNotExist"}], id="does-not-exist"),
        pytest.param(" ! team ", [{"key": "team", "operator": "DoesNotExist"}], id="spaces"),
        pytest.param("in in (in)", [_in("in", "in")], id="words-of-the-grammar-as-words"),
        pytest.param("app.kubernetes.io/name = web-1.A_b", [_in("app.kubernetes.io/name", "web-1.A_b")], id="prefix"),
        pytest.param(
            "a=1,b in (2),!c,d", [_in("a", "1"), _in("b", "2"), {"key": "c", "operator": "DoesNotExist"}, {"key": "d", "operator": "Exists"}], id="many"
        ),
    ],
)
def test_what_kubectl_takes(text: str, expressions: list[dict[str, Any]]) -> None:
    assert parse_selector(text) == {"matchExpressions": expressions}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty and would select everything"),
        ("  ", "it is empty and would select everything"),
        ("team=shop,", "a label key is expected at its end"),
        (",team", "',' is not a valid label key"),
        ("team=shop tier=web", "a comma or the end is expected before 'tier'"),
        ("team=shop=web", "a comma or the end is expected before '='"),
        ("team shop", "after team, one of =, ==, !=, in and notin is expected, not 'shop'"),
        ("!team=shop", "a comma or the end is expected before '='"),
        ("team in shop", "after in, values in parentheses are expected, such as in (a, b)"),
        ("team notin", "after notin, values in parentheses are expected, such as notin (a, b)"),
        ("team in (shop", "a parenthesis is not closed"),
        ("team in (shop store)", "a parenthesis is not closed"),
        ("replicas > 3", "> compares numbers, which is not supported here"),
        ("replicas<3", "< compares numbers, which is not supported here"),
        ("team=sh@p", "'sh@p' is not a valid label value"),
        ("team=-shop", "'-shop' is not a valid label value"),
        ("team=" + "a" * 64, f"'{'a' * 64}' is not a valid label value"),
        ("te@m", "'te@m' is not a valid label key"),
        ("a/b/c", "'a/b/c' is not a valid label key"),
        ("/name", "'/name' is not a valid label key"),
        ("Example.com/name", "'Example.com/name' is not a valid label key"),
        ("{{ undefined }}", "'{{' is not a valid label key"),
        ("=shop", "'=' is not a valid label key"),
        ("!", "a label key is expected at its end"),
        ("(team)", "'(' is not a valid label key"),
    ],
)
def test_what_kubectl_refuses_and_why(text: str, why: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert str(caught.value) == why


_message = st.from_regex(r"[a-z0-9]([a-z0-9_.-]{0,8}[a-z0-9])?", fullmatch=True)


@given(key=_message, values=st.lists(_message, min_size=1, max_size=3), labels=st.dictionaries(_message, _message, max_size=3))
def test_in_and_notin_are_opposites(key: str, values: list[str], labels: dict[str, str]) -> None:
    selectors = f"{key} in ({','.join(values)})", f"{key} notin ({','.join(values)})"
    assert matches(parse_selector(selectors[0]), labels) is (labels.get(key) in values)
    assert matches(parse_selector(selectors[0]), labels) is not matches(parse_selector(selectors[1]), labels)


@given(st.text(alphabet="ab=!(),<> in/", max_size=12))
def test_any_text_is_a_selector_or_says_why_not(text: str) -> None:
    try:
        parsed = parse_selector(text)
    except SelectorError as error:
        assert str(error)
    else:
        assert parsed["matchExpressions"]
