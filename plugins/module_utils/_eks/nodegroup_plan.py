# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""From a wish for a managed node group and its description to the calls that make it so. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .wishes import texts

Wish = t.Mapping[str, t.Any]
Answer = t.Mapping[str, t.Any]
Params = t.Dict[str, t.Any]

# What CreateNodegroup takes once and no update takes later, by option (API reference of EKS, UpdateNodegroupConfig and UpdateNodegroupVersion).
_FIXED = {
    "node_role": "nodeRole",
    "subnets": "subnets",
    "instance_types": "instanceTypes",
    "ami_type": "amiType",
    "capacity_type": "capacityType",
    "disk_size": "diskSize",
}


@dataclass
class Changes:
    """The calls that an existing node group needs, and what they change, for a diff.

    Attributes:
        config: parameters of UpdateNodegroupConfig; empty for no call.
        version: parameters of UpdateNodegroupVersion; empty for no call.
        before: the fields that change, as they are.
        after: the same fields, as they will be.
    """

    config: Params = field(default_factory=dict)
    version: Params = field(default_factory=dict)
    before: Params = field(default_factory=dict)
    after: Params = field(default_factory=dict)

    @property
    def any(self) -> bool:
        return bool(self.config or self.version)

    def note(self, name: str, before: t.Any, after: t.Any) -> None:
        self.before[name], self.after[name] = before, after


def creation(wish: Wish) -> Params:
    """The parameters of CreateNodegroup without cluster and name; what the wish leaves open is left to EKS."""
    params = {key: wish[option] for option, key in _FIXED.items() if wish.get(option) is not None}
    scaling = _scaling_asked(wish)
    if scaling:
        params["scalingConfig"] = scaling
    if _update_asked(wish):
        params["updateConfig"] = _update_asked(wish)
    if wish.get("labels"):
        params["labels"] = texts(wish["labels"])
    for option, key in (("version", "version"), ("release_version", "releaseVersion")):
        if wish.get(option):
            params[key] = wish[option]
    if wish.get("launch_template"):
        params["launchTemplate"] = _without_none(wish["launch_template"])
    if wish.get("taints"):
        params["taints"] = [_taint(taint) for taint in wish["taints"]]
    return params


def changes(wish: Wish, described: Answer) -> Changes:
    """What makes an existing node group the wished one; options that are not given, and those that problems() speaks of, change nothing."""
    plan = Changes()
    _plan_labels(plan, wish, described)
    _plan_taints(plan, wish, described)
    _plan_scaling(plan, wish, described)
    wanted = _update_asked(wish)
    present = dict(described.get("updateConfig") or {})
    if wanted and any(present.get(key) != value for key, value in wanted.items()):
        plan.config["updateConfig"] = wanted
        plan.note("updateConfig", present, wanted)
    for option, key in (("version", "version"), ("release_version", "releaseVersion")):
        if wish.get(option) and str(wish[option]) != str(described.get(key) or ""):
            plan.version[key] = str(wish[option])
            plan.note(key, described.get(key), str(wish[option]))
    template = _without_none(wish.get("launch_template") or {})
    if template.get("version") and template["version"] != str((described.get("launchTemplate") or {}).get("version")):
        plan.version["launchTemplate"] = template
        plan.note("launchTemplate", described.get("launchTemplate"), template)
    return plan


def health_issues(described: Answer) -> list[str]:
    """What EKS says is wrong with a node group, one sentence each."""
    issues = (described.get("health") or {}).get("issues") or []
    return [f"{issue.get('code')}: {issue.get('message') or 'no message'} ({', '.join(issue.get('resourceIds') or [])})" for issue in issues]


def as_result(described: Answer) -> Params:
    """A node group as the module returns it."""
    return {
        "arn": described.get("nodegroupArn", ""),
        "status": described.get("status", ""),
        "version": described.get("version", ""),
        "release_version": described.get("releaseVersion", ""),
        "capacity_type": described.get("capacityType", ""),
        "ami_type": described.get("amiType", ""),
        "instance_types": list(described.get("instanceTypes") or []),
        "subnets": list(described.get("subnets") or []),
        "node_role": described.get("nodeRole", ""),
        "labels": dict(described.get("labels") or {}),
        "taints": [dict(taint) for taint in described.get("taints") or []],
        "scaling": dict(described.get("scalingConfig") or {}),
        "autoscaling_groups": [group["name"] for group in (described.get("resources") or {}).get("autoScalingGroups") or []],
        "health_issues": health_issues(described),
    }


def problems(wish: Wish, described: Answer) -> list[str]:
    """Why an existing node group cannot become the wished one, one sentence each: it is on its way out, or EKS fixes at creation what would change."""
    status = described.get("status")
    if status in ("DELETING", "CREATE_FAILED", "DELETE_FAILED"):
        why = "; ".join(health_issues(described))
        remedy = "run again when it is gone" if status == "DELETING" else "set it to state absent, then run again"
        return [f"Node group {wish['name']} is {status}{f' ({why})' if why else ''}: {remedy}."]
    return list(_fixed(wish, described))


def _fixed(wish: Wish, described: Answer) -> t.Iterator[str]:
    remedy = "add a node group with another name, let the pods move, and set this one to state absent."
    for option, key in _FIXED.items():
        wanted, present = wish.get(option), described.get(key)
        if wanted is None or present is None:
            continue
        if (sorted(wanted) if option == "subnets" else wanted) != (sorted(present) if option == "subnets" else present):
            yield f"{option} of node group {wish['name']} is {_told(present)}, and EKS cannot change it to {_told(wanted)}: {remedy}"
    template, present = _without_none(wish.get("launch_template") or {}), described.get("launchTemplate") or {}
    for key in ("id", "name"):
        if template.get(key) and template[key] != present.get(key):
            yield f"The launch template of node group {wish['name']} is {present.get(key) or 'none'}, and EKS cannot change it to {template[key]}: {remedy}"


def _plan_labels(plan: Changes, wish: Wish, described: Answer) -> None:
    if wish.get("labels") is None:
        return
    wanted, present = texts(wish["labels"]), dict(described.get("labels") or {})
    payload: Params = {}
    if set_ := {key: value for key, value in sorted(wanted.items()) if present.get(key) != value}:
        payload["addOrUpdateLabels"] = set_
    if removed := sorted(set(present) - set(wanted)):
        payload["removeLabels"] = removed
    if payload:
        plan.config["labels"] = payload
        plan.note("labels", present, wanted)


def _plan_taints(plan: Changes, wish: Wish, described: Answer) -> None:
    if wish.get("taints") is None:
        return
    wanted = {(taint["key"], taint["effect"]): _taint(taint) for taint in wish["taints"]}
    present = {(taint["key"], taint["effect"]): _taint(taint) for taint in described.get("taints") or []}
    payload: Params = {}
    if set_ := [taint for key, taint in sorted(wanted.items()) if present.get(key) != taint]:
        payload["addOrUpdateTaints"] = set_
    if removed := [taint for key, taint in sorted(present.items()) if key not in wanted]:
        payload["removeTaints"] = removed
    if payload:
        plan.config["taints"] = payload
        plan.note("taints", [present[key] for key in sorted(present)], [wanted[key] for key in sorted(wanted)])


def _plan_scaling(plan: Changes, wish: Wish, described: Answer) -> None:
    """The desired size belongs to the autoscaler once the node group is there; it is only moved where the new bounds leave it no room."""
    present = dict(described.get("scalingConfig") or {})
    asked = _scaling_asked(wish)
    wanted = {key: asked.get(key, present.get(key)) for key in ("minSize", "maxSize")}
    if all(present.get(key) == value for key, value in wanted.items()):
        return
    desired = present.get("desiredSize")
    if desired is not None:
        low, high = wanted["minSize"] or 0, wanted["maxSize"]
        wanted["desiredSize"] = max(low, desired if high is None else min(desired, high))
    wanted = {key: value for key, value in wanted.items() if value is not None}
    plan.config["scalingConfig"] = wanted
    plan.note("scalingConfig", present, wanted)


def _scaling_asked(wish: Wish) -> Params:
    names = (("min_size", "minSize"), ("max_size", "maxSize"), ("desired_size", "desiredSize"))
    return {key: wish[option] for option, key in names if wish.get(option) is not None}


def _update_asked(wish: Wish) -> Params:
    names = (("max_unavailable", "maxUnavailable"), ("max_unavailable_percentage", "maxUnavailablePercentage"))
    return {key: wish[option] for option, key in names if wish.get(option) is not None}


def _taint(taint: Wish) -> dict[str, str]:
    """A taint without an empty value, which EKS leaves out of its answers."""
    value = {"value": str(taint["value"])} if taint.get("value") else {}
    return {"key": taint["key"], **value, "effect": taint["effect"]}


def _without_none(fields: Wish) -> Params:
    return {key: str(value) for key, value in fields.items() if value is not None}


def _told(value: t.Any) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list) else str(value)


__all__ = ("Changes", "as_result", "changes", "creation", "health_issues", "problems")
