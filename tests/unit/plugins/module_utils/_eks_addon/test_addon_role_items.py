"""From the variables of the role eks to items of the module eks_addon."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.role_items import addon_items, needs_role, starts_before_istio
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.startup_taint import TOLERATION

ROLE = "arn:aws:iam::123456789012:role/csi"


def _addons(items: list[dict[str, object]], **change: object) -> list[dict[str, object]]:
    options = {"startup_taint": True, "before_nodes": False, "identity": "pod_identity", "csi_role": "csi", "tags": {}, **change}
    return addon_items(items, **options)  # type: ignore[arg-type]


def test_add_ons_are_parted_by_whether_nodes_begin_with_them() -> None:
    items: list[dict[str, object]] = [{"name": name} for name in ("vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent")]
    assert [item["name"] for item in _addons(items, before_nodes=True)] == ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"]
    assert [item["name"] for item in _addons(items)] == ["coredns", "aws-ebs-csi-driver"]


@pytest.mark.requirement("K14")
def test_what_has_to_run_before_istio_tolerates_the_taint_and_keeps_its_own_tolerations() -> None:
    coredns, driver = _addons([{"name": "coredns"}, {"name": "aws-ebs-csi-driver"}])
    assert TOLERATION in coredns["configuration_values"]["tolerations"]  # type: ignore[index]
    assert {"key": "CriticalAddonsOnly", "operator": "Exists"} in coredns["configuration_values"]["tolerations"]  # type: ignore[index]
    assert TOLERATION in driver["configuration_values"]["controller"]["tolerations"]  # type: ignore[index]
    assert "configuration_values" not in _addons([{"name": "coredns"}], startup_taint=False)[0]


def test_a_users_configuration_is_kept_and_completed() -> None:
    [coredns] = _addons([{"name": "coredns", "configuration_values": {"replicaCount": 3, "tolerations": []}}])
    assert coredns["configuration_values"] == {"replicaCount": 3, "tolerations": [TOLERATION]}


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"key": "cni.istio.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}, True),
        ({"operator": "Exists"}, False),
        ({"key": "cni.istio.io/not-ready", "value": "true", "effect": "NoExecute"}, False),
    ],
)
def test_tolerations_of_a_user_are_kept_and_completed(own: dict[str, object], added: bool) -> None:
    for name, place in (("coredns", ""), ("aws-ebs-csi-driver", "controller")):
        given: dict[str, object] = {"tolerations": [own]}
        [addon] = _addons([{"name": name, "configuration_values": {place: given} if place else given}])
        found = addon["configuration_values"][place] if place else addon["configuration_values"]
        assert found["tolerations"] == [own, *([TOLERATION] if added else [])]


@pytest.mark.parametrize(
    ("addon", "starts"),
    [
        ({"name": "vpc-cni"}, True),
        ({"name": "coredns"}, True),
        ({"name": "eks-node-monitoring-agent"}, True),
        ({"name": "aws-efs-csi-driver"}, False),
        ({"name": "aws-efs-csi-driver", "configuration_values": {"controller": {"tolerations": [{"operator": "Exists"}]}}}, True),
    ],
)
def test_add_ons_that_would_wait_for_istio_are_known(addon: dict[str, object], starts: bool) -> None:
    assert starts_before_istio(addon) is starts


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("pod_identity", {"pod_identity_associations": [{"service_account": "ebs-csi-controller-sa", "role_arn": "csi"}]}),
        ("irsa", {"service_account_role_arn": "csi"}),
    ],
)
def test_the_ebs_csi_driver_gets_its_role(identity: str, expected: dict[str, object]) -> None:
    [driver] = _addons([{"name": "aws-ebs-csi-driver"}], identity=identity)
    assert {key: value for key, value in driver.items() if key in ("pod_identity_associations", "service_account_role_arn")} == expected


@pytest.mark.parametrize(
    ("item", "needed"),
    [
        ({}, True),
        ({"state": "present"}, True),
        ({"role_arn": ""}, True),
        ({"state": None, "role_arn": None}, True),
        ({"state": "absent"}, False),
        ({"role_arn": ROLE}, False),
        ({"name": "coredns"}, False),
    ],
)
def test_a_default_that_is_written_out_changes_nothing(item: dict[str, object], needed: bool) -> None:
    assert needs_role({"name": "aws-ebs-csi-driver", **item}) is needed
