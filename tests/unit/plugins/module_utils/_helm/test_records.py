"""What Helm's records say of releases."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.records import UnreadableRecord, decode, parse_records, selector
from tests.unit.helm_records import record


def test_the_newest_revision_counts_and_numbers_are_no_texts() -> None:
    records = [record(revision=number) for number in (9, 10, 2)] + [record("ztunnel"), record(namespace="other", revision=3)]
    assert {key: release.revision for key, release in parse_records(records).items()} == {
        ("istio-system", "istiod"): 10,
        ("istio-system", "ztunnel"): 1,
        ("other", "istiod"): 3,
    }


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown"])
def test_an_interrupted_revision_is_found_whatever_the_newest_is(status: str) -> None:
    records = [record(revision=1, status=status), record(revision=2), record("ztunnel", status=status), record("istio-cni", status="failed")]
    found = {name: (release.status, release.pending) for (_namespace, name), release in parse_records(records).items()}
    assert found == {
        "istiod": ("deployed", ("sh.helm.release.v1.istiod.v1",)),
        "ztunnel": (status, ("sh.helm.release.v1.ztunnel.v1",)),
        "istio-cni": ("failed", ()),
    }


def test_only_records_of_these_releases_are_asked_for() -> None:
    assert selector(["ztunnel", "istiod", "istiod"]) == "owner=helm,name in (istiod, ztunnel),status!=superseded"


def test_a_record_in_a_config_map_is_read_as_well() -> None:
    secret = record(config={"a": 1})
    once = {**secret, "kind": "ConfigMap", "data": {"release": base64.b64decode(secret["data"]["release"]).decode()}}
    assert decode(once) == decode(secret)
    with pytest.raises(UnreadableRecord):
        decode({**once, "kind": "Secret"})
