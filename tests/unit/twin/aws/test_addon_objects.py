from __future__ import annotations

from typing import Any

import pytest

from twin.aws.addon_objects import objects_of
from twin.aws.cluster_provider import AddonSpec
from twin.aws.eks.catalogue import OFFERS
from twin.errors import TwinError

CIDR = "172.20.0.0/16"


def _workload(addon: AddonSpec, name: str) -> dict[str, Any]:
    return next(item for item in objects_of(addon, CIDR) if item["metadata"]["name"] == name and "template" in item.get("spec", {}))


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_every_add_on_that_the_account_offers_has_objects(name: str) -> None:
    items = objects_of(AddonSpec(name, "v1"), CIDR)
    workloads = [item for item in items if item["kind"] in ("Deployment", "DaemonSet")]
    images = [container["image"] for item in workloads for container in item["spec"]["template"]["spec"]["containers"]]
    assert any(image.endswith(":v1") for image in images)
    assert "{" not in str([item["metadata"]["name"] for item in items] + images)


def test_an_unknown_add_on() -> None:
    with pytest.raises(TwinError, match="has no objects for the add-on another: it has adot"):
        objects_of(AddonSpec("another", "v1"), CIDR)


def test_dns_has_the_tenth_address() -> None:
    service = next(item for item in objects_of(AddonSpec("coredns", "v1"), CIDR) if item["kind"] == "Service")
    assert service["spec"]["clusterIP"] == "172.20.0.10"


@pytest.mark.parametrize("name", ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"])
def test_agents_of_nodes_tolerate_every_taint(name: str) -> None:
    daemon_set = next(item for item in objects_of(AddonSpec(name, "v1"), CIDR) if item["kind"] == "DaemonSet")
    assert daemon_set["spec"]["template"]["spec"]["tolerations"] == [{"operator": "Exists"}]


def test_coredns_does_not_tolerate_the_startup_taint_unless_told_to() -> None:
    before = _workload(AddonSpec("coredns", "v1"), "coredns")["spec"]["template"]["spec"]["tolerations"]
    assert all(toleration["key"] != "cni.istio.io/not-ready" for toleration in before)
    expected = [{"key": "cni.istio.io/not-ready", "operator": "Exists"}]
    deployment = _workload(AddonSpec("coredns", "v1", {"tolerations": expected, "replicaCount": 3}), "coredns")
    assert deployment["spec"]["template"]["spec"]["tolerations"] == expected
    assert deployment["spec"]["replicas"] == 3


def test_a_value_belongs_to_the_part_of_the_add_on_that_it_names() -> None:
    addon = AddonSpec("aws-ebs-csi-driver", "v1", {"controller": {"nodeSelector": {"a": "b"}}, "tolerations": [], "node": {"tolerations": []}})
    controller = _workload(addon, "ebs-csi-controller")["spec"]["template"]["spec"]
    assert controller["nodeSelector"] == {"a": "b"}
    assert controller["tolerations"] != []
    assert _workload(addon, "ebs-csi-node")["spec"]["template"]["spec"]["tolerations"] == []


def test_environment_variables_are_added_and_replaced() -> None:
    container = _workload(AddonSpec("vpc-cni", "v1", {"env": {"ENABLE_POD_ENI": "true", "NEW": 1}}), "aws-node")["spec"]["template"]["spec"]["containers"][0]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert (variables["ENABLE_POD_ENI"], variables["NEW"], variables["WARM_ENI_TARGET"]) == ("true", "1", "1")
