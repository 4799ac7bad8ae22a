# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""From the variables of the role eks to what its modules are asked for. Pure."""

from __future__ import annotations

import typing as t

from .._text import format_scalar

Wish = t.Mapping[str, t.Any]
Wishes = t.List[t.Dict[str, t.Any]]

# istiod's untaint controller takes this key away from a node once istio-cni is ready on it (istio: pilot/pkg/features/pilot.go,
# PILOT_NODE_UNTAINT_CONTROLLERS_TAINT_NAME), whatever the effect. NO_EXECUTE also holds for pods that were bound without the scheduler.
STARTUP_TAINT = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_EXECUTE"}
TOLERATION = {"key": STARTUP_TAINT["key"], "operator": "Exists"}

# Where an add-on's configuration keeps the tolerations of its Deployments, and the ones that the add-on has by itself, which ours would replace
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
# The one of the usual add-ons that cannot work without rights of its own, and its service account.
CSI_DRIVER = "aws-ebs-csi-driver"
CSI_SERVICE_ACCOUNT = "ebs-csi-controller-sa"
# These are wanted on a node from its first moment.
BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")


def nodegroups(groups: t.Sequence[Wish], *, node_role: str, subnet_ids: t.Sequence[str], version: str, startup_taint: bool, tags: Wish) -> Wishes:
    """Items of the module eks_nodegroup for the role's node groups."""
    return [_nodegroup(group, node_role, subnet_ids, version, startup_taint, tags) for group in groups]


def addons(items: t.Sequence[Wish], *, startup_taint: bool, before_nodes: bool, identity: str, csi_role: str, tags: Wish) -> Wishes:
    """Items of the module eks_addon: those that are wanted before the first node, or all others.

    Args:
        items: the role's add-ons.
        startup_taint: whether nodes start with Istio's taint.
        before_nodes: which of the two halves.
        identity: C(pod_identity) or C(irsa), for add-ons with a role.
        csi_role: the ARN of the role that is made for the EBS CSI driver when none is given.
        tags: the tags of all add-ons.
    """
    chosen = [item for item in items if (item["name"] in BEFORE_NODES) == before_nodes]
    return [_addon(item, startup_taint, identity, csi_role, tags) for item in chosen]


def merged(ours: Wish, theirs: Wish) -> dict[str, t.Any]:
    """Theirs over ours, dictionary by dictionary; lists are replaced."""
    result = dict(ours)
    for key, value in theirs.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


def texts(values: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Labels, annotations or tags as the texts that they are in Kubernetes and in AWS, in order: C(true) and C(1) are written without quotes.

    Raises:
        ValueError: a value is a list or a dictionary.
    """
    for key, value in (values or {}).items():
        if isinstance(value, (dict, list, tuple)):
            raise ValueError(f"the value of {key} is {value!r}, and has to be a text")
    return {str(key): _text(value) for key, value in sorted((values or {}).items(), key=lambda item: str(item[0]))}


def taint_with_text(taint: Wish) -> dict[str, t.Any]:
    """A taint whose value is a text, as texts() makes it."""
    return {**taint, "value": _text(taint["value"])} if taint.get("value") is not None else dict(taint)


def is_absent(item: Wish) -> bool:
    """Whether an item should not be there; one that does not say so should."""
    return item.get("state") == "absent"


def needs_role(item: Wish) -> bool:
    """Whether an add-on of the role cannot work without an IAM role, and names none: one is made for it."""
    return item["name"] == CSI_DRIVER and not is_absent(item) and not item.get("role_arn")


def _given(item: Wish, option: str, default: t.Any) -> t.Any:
    """The value of an option; null means that it is not given."""
    value = item.get(option)
    return default if value is None else value


def _text(value: t.Any) -> str:
    return "" if value is None else format_scalar(value)


def _nodegroup(group: Wish, node_role: str, subnet_ids: t.Sequence[str], version: str, startup_taint: bool, tags: Wish) -> dict[str, t.Any]:
    if is_absent(group):
        return {"name": group["name"], "state": "absent"}
    template = group.get("launch_template")
    wish: dict[str, t.Any] = {
        "name": group["name"],
        "node_role": node_role,
        "subnets": list(group.get("subnet_ids") or subnet_ids),
        "min_size": _given(group, "min_size", 2),
        "max_size": _given(group, "max_size", 4),
        "desired_size": _given(group, "desired_size", _given(group, "min_size", 2)),
        "capacity_type": _given(group, "capacity_type", "ON_DEMAND"),
        "labels": texts(group.get("labels")),
        "taints": [*([STARTUP_TAINT] if startup_taint else []), *map(taint_with_text, group.get("taints") or [])],
        "tags": texts(tags),
    }
    if template:
        wish["launch_template"] = dict(template)
    else:
        # A launch template with an image of its own says which Kubernetes version that is.
        wish.update(ami_type=_given(group, "ami_type", "AL2023_x86_64_STANDARD"), version=str(group.get("version") or version))
    for name in ("instance_types", "disk_size", "max_unavailable"):
        if group.get(name) is not None:
            wish[name] = group[name]
    return wish


def _addon(item: Wish, startup_taint: bool, identity: str, csi_role: str, tags: Wish) -> dict[str, t.Any]:
    if is_absent(item):
        return {"name": item["name"], "state": "absent"}
    wish: dict[str, t.Any] = {"name": item["name"], "version": str(item.get("version") or "default"), "tags": texts(tags)}
    ours: dict[str, t.Any] = {}
    if startup_taint and item["name"] in _TOLERATIONS:
        place, own = _TOLERATIONS[item["name"]]
        tolerations = [_numbers(toleration) for toleration in [*own, TOLERATION]]
        ours = {place: {"tolerations": tolerations}} if place else {"tolerations": tolerations}
    configuration = merged(ours, item.get("configuration_values") or {})
    if configuration:
        wish["configuration_values"] = configuration
    role = str(item.get("role_arn") or (csi_role if item["name"] == CSI_DRIVER else ""))
    account = item.get("service_account") or (CSI_SERVICE_ACCOUNT if item["name"] == CSI_DRIVER else "")
    if role and identity == "irsa":
        wish["service_account_role_arn"] = role
    elif role and account:
        wish["pod_identity_associations"] = [{"service_account": account, "role_arn": role}]
    return wish


def _numbers(toleration: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {key: int(value) if key == "tolerationSeconds" else value for key, value in toleration.items()}


__all__ = (
    "BEFORE_NODES",
    "CSI_DRIVER",
    "CSI_SERVICE_ACCOUNT",
    "STARTUP_TAINT",
    "TOLERATION",
    "addons",
    "is_absent",
    "merged",
    "needs_role",
    "nodegroups",
    "taint_with_text",
    "texts",
)
