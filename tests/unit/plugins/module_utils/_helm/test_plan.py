"""What Helm has recorded of a release, compared with its desired state."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.plan import changed_definitions, differences, plan_release
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.records import PENDING, CurrentState, parse_records
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import Chart, Release
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


def desired(*, chart: Chart | None = CHART, values: Any = None, definitions: bool = False) -> Release:
    return Release("istiod", "istio-system", chart, values or {}, definitions)


def current(*records: Object, definitions: Any = ()) -> CurrentState:
    return CurrentState(parse_records(records), {item["metadata"]["name"]: item for item in definitions})


@pytest.mark.parametrize(
    ("release", "record_", "differs"),
    [
        pytest.param(desired(), record(), [], id="as desired"),
        pytest.param(desired(), record(packed=False), [], id="as desired, not packed"),
        pytest.param(desired(chart=Chart("istiod", "1.31.1", "1.31.1")), record(), [], id="as desired, with the version of the software"),
        pytest.param(desired(chart=Chart("istiod", "1.31.1", "")), record(chart={"appVersion": ""}), [], id="as desired, without one"),
        pytest.param(desired(values={"a": {"b": [1, "x"], "c": None}}), record(config={"a": {"c": None, "b": [1, "x"]}}), [], id="values in another order"),
        pytest.param(desired(), None, ["missing"], id="no record"),
        *(pytest.param(desired(), record(status=status), ["status"], id=status) for status in (*PENDING, "failed", "uninstalled", "uninstalling", "")),
        pytest.param(desired(chart=None), record(), ["chart"], id="a chart that is not found"),
        pytest.param(desired(chart=Chart("base", "1.31.1")), record(), ["chart"], id="another chart"),
        pytest.param(desired(chart=Chart("istiod", "1.31.2")), record(), ["chart"], id="another version"),
        pytest.param(desired(chart=Chart("istiod", "1.31.x")), record(), ["chart"], id="a range"),
        pytest.param(desired(chart=Chart("istiod", "")), record(chart={"version": ""}), ["chart"], id="an open version"),
        pytest.param(desired(chart=Chart("istiod", "1.31.1", "1.31.1-fips")), record(), ["chart"], id="another software"),
        pytest.param(desired(values={"a": 1}), record(), ["values"], id="a value more"),
        pytest.param(desired(), record(config={"a": 1}), ["values"], id="a value less"),
        pytest.param(desired(values={"a": True}), record(config={"a": 1}), ["values"], id="true is not 1"),
        pytest.param(desired(values={"a": "1"}), record(config={"a": 1}), ["values"], id="a text is not a number"),
        pytest.param(
            desired(values={"a": 1.0, "b": 12345678901234567890}), record(config={"a": 1, "b": 12345678901234567000}), [], id="numbers as Helm keeps them"
        ),
        pytest.param(desired(chart=Chart("istiod", "2"), values={"a": 1}), record(), ["chart", "values"], id="both"),
    ],
)
def test_what_differs(release: Release, record_: Object | None, differs: list[str]) -> None:
    assert differences(release, current(*([record_] if record_ else []))) == differs


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
def test_a_record_that_cannot_be_read_differs(release: str) -> None:
    assert differences(desired(), current({**record(), "data": {"release": release}})) == ["record"]
    assert differences(desired(), current({**record(), "data": None})) == ["record"]


@pytest.mark.parametrize(
    ("found", "changes", "differs"),
    [
        pytest.param([PRESENT], {}, [], id="as in the chart"),
        pytest.param([], {}, ["definitions"], id="none"),
        pytest.param([{**PRESENT, "spec": {**PRESENT["spec"], "scope": "Namespaced"}}], {}, [], id="more than in the chart"),  # type: ignore[dict-item]
        pytest.param([{**PRESENT, "spec": {"group": "example.org", "versions": []}}], {}, ["definitions"], id="a version less"),
        pytest.param([{**PRESENT, "spec": {**PRESENT["spec"], "group": "x"}}], {}, ["definitions"], id="another group"),  # type: ignore[dict-item]
        pytest.param([PRESENT], {"chart": {"dependencies": [{"name": "crds"}]}}, ["definitions"], id="a chart with other charts in it"),
    ],
)
def test_definitions_of_the_chart(found: list[Object], changes: dict[str, Any], differs: list[str]) -> None:
    other = {"kind": "ConfigMap", "metadata": {"name": "x"}}
    files = {"crds/things.yaml": yaml.safe_dump_all([None, DEFINITION, other]), "crds/README.md": "[", "templates.yaml": "[", "crds/broken.yaml": "["}
    state = current(record(files=files, **changes), definitions=found)
    assert differences(desired(definitions=True), state) == differs
    assert differences(desired(), state) == []


def test_definitions_to_apply_are_those_that_lack_something() -> None:
    other = {"kind": "ConfigMap", "metadata": {"name": "x"}}
    assert changed_definitions([None, "text", DEFINITION, other], {}) == [DEFINITION]
    assert changed_definitions([DEFINITION], {"things.example.org": PRESENT}) == []


def test_records_that_keep_helm_from_working_are_removed_where_helm_has_to_be_started() -> None:
    state = current(record(revision=1, status="pending-upgrade"), record(revision=2, status="unknown"), record("ztunnel"))
    assert plan_release(desired(), state, ["status"], []).repairs == ("sh.helm.release.v1.istiod.v1", "sh.helm.release.v1.istiod.v2")
    assert plan_release(desired(), state, [], []).repairs == ()
    assert plan_release(Release("ztunnel", "istio-system", CHART, {}), state, ["chart"], []).repairs == ()
    assert plan_release(desired(), current(), ["missing"], [DEFINITION]).definitions == [DEFINITION]
