from __future__ import annotations

import math

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.ages import age_of, day_of, has_changed, is_new, last_write, seconds_of
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.cluster import Cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import SERVICE
from tests.unit.checked_mesh import HOURS_AGO, MOMENTS_AGO, NOW, item_of

CLUSTER, TIMELESS = Cluster({}, now=NOW), Cluster({})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-21T08:00:00Z", NOW),
        ("2026-11-21T08:00:00.500000Z", NOW + 0.5),
        ("2026-11-21T09:00:00+01:00", NOW),
        ("2026-11-21T08:00:00", NOW),
        ("", None),
        (None, None),
    ],
)
def test_a_time_as_kubernetes_writes_it(text: object, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_an_age_that_is_not_known_is_a_great_one() -> None:
    assert age_of("2026-11-21T07:59:00Z", CLUSTER) == 60
    assert age_of(None, CLUSTER) == math.inf
    assert age_of("2026-11-21T07:59:00Z", TIMELESS) == math.inf
    assert day_of(NOW) == "2026-11-21"


def test_what_is_new() -> None:
    assert is_new(item_of(SERVICE, "a", created=MOMENTS_AGO), CLUSTER)
    assert not is_new(item_of(SERVICE, "a", created=HOURS_AGO), CLUSTER)
    assert not is_new({"metadata": {"name": "a"}}, CLUSTER)
    assert not is_new(item_of(SERVICE, "a", created=MOMENTS_AGO), TIMELESS)


def test_the_last_write_is_that_of_the_part_and_not_of_its_status() -> None:
    item = item_of(SERVICE, "a")
    assert last_write(item, "spec") == seconds_of(HOURS_AGO)
    item["metadata"]["managedFields"] = [
        {"time": "2026-11-21T06:00:00Z", "fieldsV1": {"f:spec": {}}},
        {"time": "2026-11-21T07:00:00Z", "fieldsV1": {"f:metadata": {}, "f:spec": {}}},
        {"time": MOMENTS_AGO, "fieldsV1": {"f:metadata": {}}},
        {"time": MOMENTS_AGO, "fieldsV1": {"f:spec": {}}, "subresource": "status"},
        {"fieldsV1": None},
    ]
    assert last_write(item, "spec") == seconds_of("2026-11-21T07:00:00Z")
    assert has_changed(item, "metadata", CLUSTER)
    assert not has_changed(item, "spec", CLUSTER)
    assert not has_changed(item, "metadata", TIMELESS)
