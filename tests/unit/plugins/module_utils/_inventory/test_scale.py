"""Numbers of pods below one, and timeouts below zero, are reported in every variable and item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress import validate_ingress
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.istio import validate_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.mesh import validate_mesh_items
from generate.declarations import role_variables
from tests.options import walk_options
from tests.unit.inventory_values import converted

Path = tuple[str, ...]


def numbers(options: Mapping[str, Any]) -> Iterator[Path]:
    """The path of each number that an argument spec declares."""
    return (tuple(path.split(".")) for path, option in walk_options(options, of_items="[]") if option["type"] == "int")


def inventory_with(path: Path, value: int, options: Mapping[str, Any]) -> Any:
    """An inventory with this number, and whatever else its item needs."""
    name = path[0].removesuffix("[]")
    if len(path) == 1:
        return {name: value}
    inner = options[name]["options"]
    needed = {key: 5 if option["type"] == "int" else "shop" for key, option in inner.items() if option.get("required")}
    item = {**needed, **inventory_with(path[1:], value, inner)}
    return {name: [item] if path[0].endswith("[]") else item}


ALL = {name: option for options in role_variables().values() for name, option in options.items()}
NUMBERS = sorted(set(numbers(ALL)))
PODS = [path for path in NUMBERS if path[-1].endswith("replicas")]
LIMITS = [path for path in NUMBERS if path[-2:-1] == ("autoscaling",) or (path[0] == "istio_istiod_autoscaling" and len(path) > 1)]
TIMES = [path for path in NUMBERS if path[-1].endswith("_timeout") and len(path) == 1]


def errors_of(path: Path, value: int) -> list[str]:
    result = converted(inventory_with(path, value, ALL))
    assert result.errors == ()
    return [*validate_istio(result.values), *validate_ingress(result.values), *validate_mesh_items(result.complete)]


def name(path: Path) -> str:
    return ".".join(path)


@pytest.mark.parametrize("path", PODS, ids=name)
@pytest.mark.parametrize("value", [0, -2])
def test_fewer_than_one_pod_is_told(path: Path, value: int) -> None:
    assert any(path[0].removesuffix("[]") in error and f"{value}" in error for error in errors_of(path, value))


@pytest.mark.parametrize("path", [*PODS, *LIMITS], ids=name)
def test_one_pod_or_more_is_right(path: Path) -> None:
    assert not errors_of(path, 5)


@pytest.mark.parametrize("path", [path for path in LIMITS if path[-1].startswith("m")], ids=name)
@pytest.mark.parametrize("value", [-1, 0])
def test_limits_of_no_pods_are_told(path: Path, value: int) -> None:
    assert errors_of(path, value)


@pytest.mark.parametrize("path", TIMES, ids=name)
def test_a_time_below_zero_is_told(path: Path) -> None:
    assert errors_of(path, -1) == [f"{path[0]} is -1: it is a time in seconds, so use 0 or more."]
    assert errors_of(path, 0) == []


def test_each_kind_of_number_is_there() -> None:
    assert len(PODS) >= 7
    assert len(LIMITS) >= 6
    assert len(TIMES) >= 9


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"istio_istiod_replicas": 2, "istio_istiod_autoscaling": {"min": 1, "max": 2}}, "istio_istiod_replicas and istio_istiod_autoscaling are both set"),
        ({"istio_istiod_autoscaling": {"min": 5, "max": 2}}, "istio_istiod_autoscaling is from 5 to 2"),
        ({"istio_istiod_replicas": "0"}, "istio_istiod_replicas is 0"),
    ],
)
def test_istiod(variables: dict[str, Any], error: str) -> None:
    assert [found.startswith(error) for found in validate_istio(converted(variables).values)] == [True]
