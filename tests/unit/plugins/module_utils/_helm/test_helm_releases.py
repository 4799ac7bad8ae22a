"""What Helm has recorded of a release, compared with what is wanted."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.helm_releases import (
    PENDING,
    Chart,
    Wish,
    differences,
    newest_records,
    pending_records,
    release_wishes,
    revision_of,
    selector,
)
from tests.unit.helm_records import record
from tests.unit.objects import Object

CHART = Chart("istiod", "1.31.1")
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.org", "creationTimestamp": None},
    "spec": {"group": "example.org", "versions": [{"name": "v1", "served": True}]},
}
PRESENT = {**DEFINITION, "metadata": {"name": "things.example.org", "uid": "1"}, "status": {"conditions": []}}


def wish(*, chart: Chart | None = CHART, values: Any = None, definitions: bool = False) -> Wish:
    return Wish("istiod", "istio-system", chart, values or {}, definitions)


@pytest.mark.parametrize(
    ("wanted", "secret", "differs"),
    [
        pytest.param(wish(), record(), [], id="as wanted"),
        pytest.param(wish(), record(packed=False), [], id="as wanted, not packed"),
        pytest.param(wish(chart=Chart("istiod", "1.31.1", "1.31.1")), record(), [], id="as wanted, with the version of the software"),
        pytest.param(wish(chart=Chart("istiod", "1.31.1", "")), record(chart={"appVersion": ""}), [], id="as wanted, without one"),
        pytest.param(wish(values={"a": {"b": [1, "x"], "c": None}}), record(config={"a": {"c": None, "b": [1, "x"]}}), [], id="values in another order"),
        pytest.param(wish(), None, ["missing"], id="no record"),
        *(pytest.param(wish(), record(status=status), ["status"], id=status) for status in (*PENDING, "failed", "uninstalled", "uninstalling", "")),
        pytest.param(wish(chart=None), record(), ["chart"], id="a chart that is not found"),
        pytest.param(wish(chart=Chart("base", "1.31.1")), record(), ["chart"], id="another chart"),
        pytest.param(wish(chart=Chart("istiod", "1.31.2")), record(), ["chart"], id="another version"),
        pytest.param(wish(chart=Chart("istiod", "1.31.x")), record(), ["chart"], id="a range"),
        pytest.param(wish(chart=Chart("istiod", "")), record(chart={"version": ""}), ["chart"], id="an open version"),
        pytest.param(wish(chart=Chart("istiod", "1.31.1", "1.31.1-fips")), record(), ["chart"], id="another software"),
        pytest.param(wish(values={"a": 1}), record(), ["values"], id="a value more"),
        pytest.param(wish(), record(config={"a": 1}), ["values"], id="a value less"),
        pytest.param(wish(values={"a": True}), record(config={"a": 1}), ["values"], id="true is not 1"),
        pytest.param(wish(values={"a": "1"}), record(config={"a": 1}), ["values"], id="a text is not a number"),
        pytest.param(wish(chart=Chart("istiod", "2"), values={"a": 1}), record(), ["chart", "values"], id="both"),
    ],
)
def test_what_differs(wanted: Wish, secret: Object | None, differs: list[str]) -> None:
    assert differences(wanted, secret, {}) == differs


@pytest.mark.parametrize(
    "release",
    [
        pytest.param("", id="empty"),
        pytest.param("%%%", id="no base64"),
        pytest.param(base64.b64encode(base64.b64encode(b"\x1f\x8b\x08 cut off")).decode(), id="no gzip"),
        pytest.param(base64.b64encode(base64.b64encode(b"[]")).decode(), id="another JSON"),
        pytest.param(base64.b64encode(base64.b64encode(b'{"chart": {"metadata": {"name": "istiod"}}}')).decode(), id="no version"),
    ],
)
def test_a_record_that_cannot_be_read_is_not_as_wanted(release: str) -> None:
    assert differences(wish(), {**record(), "data": {"release": release}}, {}) == ["record"]
    assert differences(wish(), {**record(), "data": None}, {}) == ["record"]


@pytest.mark.parametrize(
    ("present", "changes", "differs"),
    [
        pytest.param([PRESENT], {}, [], id="as in the chart"),
        pytest.param([], {}, ["definitions"], id="none"),
        pytest.param([{**PRESENT, "spec": {**PRESENT["spec"], "scope": "Namespaced"}}], {}, [], id="more than in the chart"),  # type: ignore[dict-item]
        pytest.param([{**PRESENT, "spec": {"group": "example.org", "versions": []}}], {}, ["definitions"], id="a version less"),
        pytest.param([{**PRESENT, "spec": {**PRESENT["spec"], "group": "x"}}], {}, ["definitions"], id="another group"),  # type: ignore[dict-item]
        pytest.param([PRESENT], {"chart": {"dependencies": [{"name": "crds"}]}}, ["definitions"], id="a chart with other charts in it"),
    ],
)
def test_definitions_of_the_chart(present: list[Object], changes: dict[str, Any], differs: list[str]) -> None:
    other = {"kind": "ConfigMap", "metadata": {"name": "x"}}
    files = {"crds/things.yaml": yaml.safe_dump_all([None, DEFINITION, other]), "crds/README.md": ": no YAML", "templates.yaml": ": no YAML"}
    secret = record(files=files, **changes)
    found = {item["metadata"]["name"]: item for item in present}
    assert differences(wish(definitions=True), secret, found) == differs
    assert differences(wish(), secret, {}) == []


def test_the_newest_revision_counts_and_numbers_are_no_texts() -> None:
    secrets = [record(revision=number) for number in (9, 10, 2)] + [record("ztunnel"), record(namespace="other", revision=3)]
    newest = newest_records(secrets)
    assert {place: revision_of(secret) for place, secret in newest.items()} == {
        ("istio-system", "istiod"): 10,
        ("istio-system", "ztunnel"): 1,
        ("other", "istiod"): 3,
    }


def test_a_pending_revision_is_found_whatever_the_newest_is() -> None:
    secrets = [
        record(revision=1, status="pending-upgrade"),
        record(revision=2),
        record("ztunnel", status="pending-install"),
        record("istio-cni", status="failed"),
    ]
    assert pending_records(secrets) == [("istio-system", "istiod"), ("istio-system", "ztunnel")]


def test_only_records_of_these_releases_are_asked_for() -> None:
    assert selector(["ztunnel", "istiod", "istiod"]) == "owner=helm,name in (istiod, ztunnel),status!=superseded"


def test_releases_of_the_role_as_the_module_takes_them() -> None:
    reference = {"chart_ref": "istiod", "chart_repo_url": "https://charts.example", "chart_version": "1.31.1"}
    own = {"name": "istiod", "chart": "istiod", "reference": reference, "release_values": {"profile": "ambient"}}
    wanted = {**reference, "name": "istiod", "namespace": "istio-system", "values": {"profile": "ambient"}}
    assert release_wishes([own, {**own, "namespace": "other", "title": "x"}], "istio-system") == [wanted, {**wanted, "namespace": "other"}]
