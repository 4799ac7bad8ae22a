from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twin.aws.cluster_provider import NodeSpec
from twin.aws.node_objects import architecture_of, changes_to, node_object

NOT_READY = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoSchedule"}
SPOT = {"key": "spot", "value": "true", "effect": "PreferNoSchedule"}
NODE = NodeSpec(
    name="ip-10-0-1-7.eu-central-1.compute.internal",
    instance_id="i-0123",
    zone="eu-central-1a",
    region="eu-central-1",
    node_group="main",
    instance_type="m7i.large",
    private_address="10.0.1.7",
    provider_id="aws:///eu-central-1a/i-0123",
    kubernetes_version="1.35",
    labels={"team": "metashare"},
    taints=(NOT_READY,),
)


def _node(taints: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": NODE.name}, "spec": {"taints": taints} if taints else {}}


def test_a_node_is_what_its_instance_is() -> None:
    node = node_object(NODE)
    assert node["spec"] == {"providerID": "aws:///eu-central-1a/i-0123", "taints": [NOT_READY]}
    assert node["status"]["addresses"][0] == {"type": "InternalIP", "address": "10.0.1.7"}
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.3-eks-twin"
    labels = node["metadata"]["labels"]
    assert (labels["eks.amazonaws.com/nodegroup"], labels["topology.kubernetes.io/zone"], labels["team"]) == ("main", "eu-central-1a", "metashare")


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [("m7i.large", "amd64"), ("m7g.large", "arm64"), ("c7gn.xlarge", "arm64"), ("g4dn.xlarge", "amd64"), ("g5g.xlarge", "arm64"), ("a1.large", "arm64")],
)
def test_processors(instance_type: str, architecture: str) -> None:
    assert architecture_of(instance_type) == architecture


def test_what_is_asked_again_changes_nothing() -> None:
    assert changes_to(_node([NOT_READY]), NODE, NODE) is None


def test_a_label_that_is_no_longer_asked_goes() -> None:
    assert changes_to(_node([NOT_READY]), NODE, replace(NODE, labels={"stage": "test"})) == {
        "metadata": {"labels": {"stage": "test", "team": None}},
        "spec": {"taints": [NOT_READY]},
    }


@pytest.mark.parametrize(
    ("present", "desired", "left"),
    [
        pytest.param([], (NOT_READY, SPOT), [SPOT], id="a-removed-taint-stays-removed"),
        pytest.param([NOT_READY], (), [], id="one-that-is-no-longer-asked-goes"),
        pytest.param([SPOT, NOT_READY], (), [SPOT], id="one-that-somebody-else-has-set-stays"),
        pytest.param([NOT_READY], ({**NOT_READY, "value": "no"},), [{**NOT_READY, "value": "no"}], id="a-new-value"),
    ],
)
def test_taints(present: list[dict[str, str]], desired: tuple[dict[str, str], ...], left: list[dict[str, str]]) -> None:
    changes = changes_to(_node(present), NODE, replace(NODE, taints=desired))
    assert changes is not None
    assert changes["spec"]["taints"] == left
