"""Node objects as kubelets of EC2 instances register them. Pure."""

from __future__ import annotations

import re
from typing import Any

from twin.aws.cluster_provider import NodeSpec

Object = dict[str, Any]


def node_object(node: NodeSpec) -> Object:
    """The whole object, with the part of its status that the kubelet knows itself; KWOK adds the conditions."""
    architecture = architecture_of(node.instance_type)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            # Which of the cluster's nodes KWOK simulates.
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
            "labels": labels_of(node),
        },
        "spec": {"providerID": node.provider_id, "taints": [dict(taint) for taint in node.taints]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node.private_address},
                {"type": "InternalDNS", "address": node.name},
                {"type": "Hostname", "address": node.name},
            ],
            "nodeInfo": _node_info(architecture, kubelet_version(node.kubernetes_version)),
        },
    }


def labels_of(node: NodeSpec) -> dict[str, str]:
    """The labels that kubelet and cloud provider set, and the node group's own."""
    architecture = architecture_of(node.instance_type)
    return {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/instance-type": node.instance_type,
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/nodegroup": node.node_group,
        "failure-domain.beta.kubernetes.io/region": node.region,
        "failure-domain.beta.kubernetes.io/zone": node.zone,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": node.instance_type,
        "topology.k8s.aws/zone-id": node.zone,
        "topology.kubernetes.io/region": node.region,
        "topology.kubernetes.io/zone": node.zone,
        **node.labels,
    }


def changes_to(current: Object, before: NodeSpec, desired: NodeSpec) -> Object | None:
    """A merge patch that brings a node from what its group asked before to what it asks now; None when that is the same.

    What others have changed since stays: a taint that was removed when the node had started is not put back.
    """
    if before == desired:
        return None
    old, new = labels_of(before), labels_of(desired)
    labels: dict[str, str | None] = {name: value for name, value in new.items() if old.get(name) != value}
    labels |= dict.fromkeys(old.keys() - new.keys())
    dropped = {(taint["key"], taint["effect"]) for taint in before.taints} - {(taint["key"], taint["effect"]) for taint in desired.taints}
    changed = [dict(taint) for taint in desired.taints if taint not in before.taints]
    replaced = dropped | {(taint["key"], taint["effect"]) for taint in changed}
    kept = [taint for taint in current["spec"].get("taints") or [] if (taint["key"], taint["effect"]) not in replaced]
    return {"metadata": {"labels": labels}, "spec": {"taints": kept + changed}}


def architecture_of(instance_type: str) -> str:
    """The processor of an instance type: a g among the letters behind the generation means Graviton, as does the family a1."""
    match = re.match(r"[a-z]+\d+([a-z-]*)\.", instance_type)
    return "arm64" if (match and "g" in match[1]) or instance_type.startswith("a1.") else "amd64"


def kubelet_version(kubernetes: str) -> str:
    """The version that a kubelet of EKS reports: C(v1.35.3-eks-twin) for C(1.35)."""
    return f"v{kubernetes}.3-eks-twin" if kubernetes.count(".") == 1 else f"v{kubernetes}-eks-twin"


def _node_info(architecture: str, kubelet: str) -> dict[str, str]:
    return {
        "architecture": architecture,
        "bootID": "",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.12.40-64.114.amzn2023",
        "kubeProxyVersion": kubelet,
        "kubeletVersion": kubelet,
        "machineID": "",
        "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023",
        "systemUUID": "",
    }
