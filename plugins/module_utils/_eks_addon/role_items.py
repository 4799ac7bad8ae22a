# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the variables of the role eks to items of the module eks_addon."""

from __future__ import annotations

import typing as t

from .._helm.charts import merge
from .._mesh.startup_taint import TOLERATION, tolerates_startup_taint
from .._text import text_values

Item = t.Mapping[str, t.Any]
# Where an add-on's configuration keeps the tolerations of its Deployments, and the ones that the add-on has by default, which ours would replace
# (aws eks describe-addon-configuration). The other add-ons' DaemonSets tolerate everything.
_TOLERATIONS: dict[str, tuple[str, list[dict[str, str]]]] = {
    "coredns": (
        "",
        [{"key": "CriticalAddonsOnly", "operator": "Exists"}, {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
    ),
    "metrics-server": ("", []),
    "aws-ebs-csi-driver": (
        "controller",
        [{"key": "CriticalAddonsOnly", "operator": "Exists"}, {"effect": "NoExecute", "operator": "Exists", "tolerationSeconds": "300"}],
    ),
}
# Add-ons of AWS that have nothing but DaemonSets, which tolerate everything.
_DAEMON_SETS = (
    *("aws-guardduty-agent", "aws-mountpoint-s3-csi-driver", "aws-network-flow-monitoring-agent", "eks-node-monitoring-agent"),
    "prometheus-node-exporter",
)
# The one common add-on that cannot work without permissions of its own, and its service account.
_CSI_DRIVER = "aws-ebs-csi-driver"
CSI_SERVICE_ACCOUNT = "ebs-csi-controller-sa"
# Nodes need these from their first moment.
_BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")


def addon_items(items: t.Sequence[Item], *, startup_taint: bool, before_nodes: bool, identity: str, csi_role: str, tags: Item) -> list[dict[str, t.Any]]:
    """Items of the module eks_addon: those that are needed before the first node, or all others.

    Args:
        items: the role's add-ons.
        startup_taint: whether nodes start with Istio's taint.
        before_nodes: which of the two halves.
        identity: C(pod_identity) or C(irsa), for add-ons with a role.
        csi_role: the ARN of the role that is created for the EBS CSI driver if its item names none.
        tags: the tags of all add-ons.
    """
    chosen = [item for item in items if (item["name"] in _BEFORE_NODES) == before_nodes]
    return [_addon(item, startup_taint, identity, csi_role, tags) for item in chosen]


def needs_role(item: Item) -> bool:
    """Whether an add-on is to exist, cannot work without an IAM role, and names none, so that one is created for it."""
    return item["name"] == _CSI_DRIVER and item.get("state") != "absent" and not item.get("role_arn")


def has_service_account(item: Item) -> bool:
    """Whether the service account of an add-on is named or known, without which Pod Identity cannot give it a role."""
    return bool(item.get("service_account")) or item["name"] == _CSI_DRIVER


def _addon(item: Item, startup_taint: bool, identity: str, csi_role: str, tags: Item) -> dict[str, t.Any]:
    if item.get("state") == "absent":
        return {"name": item["name"], "state": "absent"}
    addon: dict[str, t.Any] = {"name": item["name"], "version": str(item.get("version") or "default"), "tags": text_values(tags)}
    configuration: t.Mapping[str, t.Any] = item.get("configuration_values") or {}
    if startup_taint and item["name"] in _TOLERATIONS:
        configuration = _with_toleration(configuration, *_TOLERATIONS[item["name"]])
    if configuration:
        addon["configuration_values"] = configuration
    role = str(item.get("role_arn") or (csi_role if item["name"] == _CSI_DRIVER else ""))
    account = item.get("service_account") or (CSI_SERVICE_ACCOUNT if item["name"] == _CSI_DRIVER else "")
    if role and identity == "irsa":
        addon["service_account_role_arn"] = role
    elif role and account:
        addon["pod_identity_associations"] = [{"service_account": account, "role_arn": role}]
    return addon


def _with_toleration(configuration: t.Mapping[str, t.Any], place: str, default: t.Sequence[t.Mapping[str, str]]) -> t.Mapping[str, t.Any]:
    """A configuration whose Deployments tolerate Istio's taint, besides what the user's list, or else the add-on's own, tolerates."""
    at = configuration.get(place) if place else configuration
    own = at.get("tolerations") if isinstance(at, dict) else None
    if isinstance(own, list) and tolerates_startup_taint(own):
        return configuration
    tolerations = [*(own if isinstance(own, list) else map(_numbers, default)), TOLERATION]
    return merge(configuration, {place: {"tolerations": tolerations}} if place else {"tolerations": tolerations})


def starts_before_istio(item: Item) -> bool:
    """Whether the pods of an add-on start on nodes with Istio's taint: as DaemonSets of AWS, or because its configuration tolerates the taint somewhere."""
    return item["name"] in {*_BEFORE_NODES, *_DAEMON_SETS, *_TOLERATIONS} or _tolerates_somewhere(item.get("configuration_values"))


def _tolerates_somewhere(value: t.Any) -> bool:
    if isinstance(value, dict):
        return tolerates_startup_taint(value.get("tolerations")) or any(map(_tolerates_somewhere, value.values()))
    return False


def _numbers(toleration: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {key: int(value) if key == "tolerationSeconds" else value for key, value in toleration.items()}


__all__ = ("CSI_SERVICE_ACCOUNT", "addon_items", "has_service_account", "needs_role", "starts_before_istio")
