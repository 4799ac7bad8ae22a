"""Values of a wrong structure are reported with their variable before Helm runs; misspelled keys are a warning where the chart is at hand."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.charts import revision_of
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.plugin_utils._charts import compare_chart_values
from tests.unit.inventory_values import converted
from tests.unit.mutations import ODD

GATEWAY = {"name": "edge", "namespace": "edge"}
KARPENTER: dict[str, Any] = {
    "karpenter_enabled": True,
    "karpenter_region": "eu-central-1",
    "karpenter_subnet_ids": ["subnet-0a1b2c3d4e5f60718"],
    "karpenter_security_group_ids": ["sg-0a1b2c3d4e5f60718"],
}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"istio_istiod_values": {"pilot": 3}}, "istio_istiod_values.pilot is a number, but the chart needs a dictionary: write its keys with their values."),
    ({"istio_istiod_values": {"pilot": {"env": ["A=b"]}}}, "istio_istiod_values.pilot.env is a list, but the chart needs a dictionary"),
    ({"istio_istiod_values": {"meshConfig": "accessLogFile: /dev/stdout"}}, "istio_istiod_values.meshConfig is a text, but the chart needs a dictionary"),
    ({"istio_istiod_values": {"tolerations": {"key": "a"}}}, "istio_istiod_values.tolerations is a dictionary, but the chart needs a list: begin each item"),
    ({"istio_cni_values": {"excludeNamespaces": "kube-system"}}, "istio_cni_values.excludeNamespaces is a text, but the chart needs a list"),
    ({"istio_cni_values": {"cni": {"resources": True}}}, "istio_cni_values.cni.resources is a boolean"),
    ({"istio_ztunnel_values": {"env": "A=b"}}, "istio_ztunnel_values.env is a text"),
    ({"istio_base_values": {"global": []}}, "istio_base_values.global is a list"),
    ({"istio_gateways": [{**GATEWAY, "values": {"service": "LoadBalancer"}}]}, "istio_gateways[0].values.service is a text"),
    ({**KARPENTER, "karpenter_values": {"settings": "x"}}, "karpenter_values.settings is a text"),
    ({"alb_controller_enabled": True, "alb_controller_values": {"image": "registry/a:1"}}, "alb_controller_values.image is a text"),
]
RIGHT: list[dict[str, Any]] = [
    {"istio_istiod_values": {"pilot": {"env": {"A": "b"}, "tolerations": [{"operator": "Exists"}]}, "meshConfig": {}, "global": {"tag": 1}}},
    {"istio_istiod_values": {"resources": None, "image": "pilot", "hub": "registry.example.com", "pilot": None}},
    {"istio_cni_values": {"excludeNamespaces": [], "somethingNew": 5}},
    {"istio_gateways": [{**GATEWAY, "values": {"service": {"type": "ClusterIP"}, "kind": "DaemonSet"}}]},
    {**KARPENTER, "karpenter_values": {"initContainers": [{"name": "a"}], "settings": {"clusterName": "a"}}},
    # Of a chart that is not installed.
    {"karpenter_values": {"settings": "x"}},
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_a_value_of_a_wrong_structure_is_one_error(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith(sentence)


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_a_value_that_the_chart_can_read_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_revision_is_read_from_whatever_is_written(odd: Any) -> None:
    assert isinstance(revision_of({"pilot": odd}), str)


DEFAULTS = {
    "_internal_defaults_do_not_set": {
        "meshConfig": {"enablePrometheusMerge": True},
        "podDisruption": {"minAvailable": 1},
        "args": ["a"],
        "tag": "",
        "pilotCertProvider": "istiod",
    }
}


def chart_in(directory: Path, *, packed: bool) -> str:
    """A directory with the chart istiod 1.31.1 as Helm keeps it: in an archive, or unpacked."""
    content = yaml.safe_dump(DEFAULTS).encode()
    archive = directory / "istiod-1.31.1.tgz"
    if packed:
        with tarfile.open(archive, "w:gz") as charts:
            for name, data in (("istiod/charts/other/values.yaml", b"meshConfigg: 1"), ("istiod/values.yaml", content)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                charts.addfile(member, io.BytesIO(data))
    else:
        archive.mkdir()
        (archive / "values.yaml").write_bytes(content)
    return str(directory)


def compared(source: str, **values: Any) -> tuple[list[str], list[str]]:
    variables = {"istio_chart_source": source, "istio_version": "1.31.1", "istio_istiod_values": values}
    assert find_errors(converted(variables)) == []
    return compare_chart_values(converted(variables).values)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "unpacked"])
def test_a_chart_that_is_at_hand_knows_its_keys(packed: bool, tmp_path: Path) -> None:
    source = chart_in(tmp_path, packed=packed)
    assert compared(source, meshConfig={}, podDisruption={"minAvailable": 2}, tag=1, profile="demo", team="shop", pilot={"env": {}}) == ([], [])
    # The default of one may be an empty dictionary where it reads a list, and the other way round.
    assert compared(source, args={"a": 1}, podDisruption=None) == ([], [])
    errors, warnings = compared(source, podDisruption=2, meshconfig={}, pilotCertProvder="a")
    assert errors == ["istio_istiod_values.podDisruption is a number, but the chart needs a dictionary: write its keys with their values."]
    assert warnings == [
        "istio_istiod_values has the key 'meshconfig', which the chart istiod does not have: did you mean meshConfig?",
        "istio_istiod_values has the key 'pilotCertProvder', which the chart istiod does not have: did you mean pilotCertProvider?",
    ]


@pytest.mark.parametrize("source", ["https://charts.example.com", "oci://registry.example.com/charts", "/none"])
def test_without_the_chart_nothing_is_compared(source: str) -> None:
    assert compared(source, meshconfig={}) == ([], [])


def test_an_archive_that_is_none_is_left_to_helm(tmp_path: Path) -> None:
    (tmp_path / "istiod-1.31.1.tgz").write_text("no archive")
    assert compared(str(tmp_path), meshconfig={}) == ([], [])
