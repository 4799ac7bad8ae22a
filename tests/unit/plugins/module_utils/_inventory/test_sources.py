"""The URL of a source is read before anything is changed, and its password is in no sentence."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from generate.declarations import role_variables
from tests.unit.inventory_values import converted

SOURCES = sorted(name for options in role_variables().values() for name in options if name.endswith("_source"))
CHARTS = [name for name in SOURCES if name.endswith("_chart_source")]


def errors_of(name: str, source: str) -> list[str]:
    return [error for error in find_errors(converted({name: source})) if error.startswith(name)]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://user:invented/password@a.example/charts", "has a password with /, ? or #"),
        ("https://user:invented#password?@a.example/charts", "has a password with /, ? or #"),
        ("https://user:invented-password@[bad/charts", "is 'https://[bad/charts', which is no URL"),
        ("https://a.example:port/charts", "is 'https://a.example:port/charts', which is no URL"),
        ("https://a.example:70000/charts", "which is no URL"),
        ("https:///charts", "which is no URL"),
        ("https://a.example/my charts", "which is no URL"),
    ],
)
def test_a_url_that_cannot_be_read_is_one_error(name: str, source: str, expected: str) -> None:
    (error,) = errors_of(name, source)
    assert error.startswith(f"{name} {expected}") or expected in error
    assert "invented" not in error and "password@" not in error


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "source",
    [
        "https://a.example/charts",
        "http://127.0.0.1:8080/charts",
        "https://[::1]:8443/charts",
        "https://user:invented%2Fpassword@a.example/charts",
        "https://a.example/charts?to=me@b.example",
        "/srv/charts",
        "charts",
        "~/my charts",
    ],
)
def test_a_url_or_a_path_passes(name: str, source: str) -> None:
    assert errors_of(name, source) == []


@pytest.mark.parametrize("name", SOURCES)
def test_only_charts_come_by_other_protocols(name: str) -> None:
    for source in ("oci://registry.example:5000/charts", "s3://bucket/charts"):
        assert [error.endswith("use a URL that begins with https:// or http://, or a path.") for error in errors_of(name, source)] == [True] * (
            name not in CHARTS
        )
