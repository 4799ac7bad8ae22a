# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Have a waypoint's parameters taken effect? istiod only logs what it cannot render, and the Gateway stays programmed with what it had.

Source: istio pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (configureIstioGateway).
"""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

from .._mesh.labels import MANAGED_GATEWAY, labels_of
from .._mesh.parameters import expected_mark, mark_of
from .._mesh.strategic_merge import Path, merge_key
from .verdict import Object, Verdict

# What must be in each object, by the keys of options.OVERLAY_KINDS and without the mark; None for an object that may or may not exist, because the
# defaults of the class require it.
Overlays = t.Mapping[str, t.Optional[t.Mapping[str, t.Any]]]

REASON = "ParametersNotApplied"

# Maps of amounts, and single amounts, which the API server may write in another form than they were given.
_AMOUNTS = frozenset({"requests", "limits"})
_AMOUNT = frozenset({"averageValue", "sizeLimit", "value"})
# Source: apimachinery's resource.Quantity.
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")

_NOT_RENDERED = "istiod keeps the old objects when it cannot render new ones: its log says why (error rendering templates). Correct the options."
_REMEDIES = {
    "stays": "istiod never deletes it: run the module waypoint again, which does.",
    "marked": _NOT_RENDERED,
    "scales": "The autoscaler runs about every 15 s: check its conditions.",
    "differs": "Something other than istiod has changed it, or rejected the change: check its managedFields, and istiod's log (apply failed).",
}


def judge_waypoint_parameters(
    overlays: Overlays,
    deployment: Object | None,
    service: Object | None,
    autoscaler: Object | None,
    budget: Object | None,
) -> Verdict | None:
    """None when istiod's objects match a waypoint's overlays; else the first difference.

    Args:
        overlays: what must be in them; empty when there must be none.
        deployment: istiod's Deployment for the waypoint, or None.
        service: its Service, or None.
        autoscaler: its HorizontalPodAutoscaler, or None.
        budget: its PodDisruptionBudget, or None.
    """
    parts = (
        ("deployment", "Deployment", deployment),
        ("service", "Service", service),
        ("horizontalPodAutoscaler", "HorizontalPodAutoscaler", autoscaler),
        ("podDisruptionBudget", "PodDisruptionBudget", budget),
    )
    # What istiod has rendered last decides: before, differences are only to be expected.
    rendered = mark_of(deployment) == expected_mark({key: overlay for key, overlay in overlays.items() if overlay is not None})
    for key, kind, item in parts:
        overlay = overlays.get(key)
        if overlay is None:
            continue
        if item is None:
            return _verdict(f"istiod has not created the {kind} yet", "differs" if rendered else "marked")
        difference = find_difference(overlay, item)
        if difference:
            return _verdict(f"{kind} {_title(item)}: {difference}", "differs" if rendered else "marked")
    if not rendered:
        return _verdict("istiod has not rendered these parameters yet; its objects still reflect the previous ones", "marked")
    fewest = (autoscaler or {}).get("spec", {}).get("minReplicas", 1) if overlays.get("horizontalPodAutoscaler") is not None else 0
    pods = (deployment or {}).get("spec", {}).get("replicas", 1)
    if pods < fewest:
        return _verdict(f"its autoscaler requires at least {fewest} pods, but its Deployment requests {pods}", "scales")
    for key, kind, item in parts[2:]:
        if key not in overlays and item is not None and MANAGED_GATEWAY in labels_of(item):
            return _verdict(f"{kind} {_title(item)} is left over, although nothing requires it any more", "stays")
    return None


def find_difference(overlay: t.Mapping[str, t.Any], current: t.Mapping[str, t.Any], path: Path = ()) -> str:
    """The first value of an overlay that an object does not have; empty when it has all of them.

    Lists are compared as strategic merge treats them: by the key of their items, or as a whole. What an overlay removes is not compared,
    because the API server may have put its default in that place.
    """
    for name, desired in sorted(overlay.items()):
        if name.startswith("$") or desired is None:
            continue
        here = (*path, name)
        if isinstance(desired, dict):
            below = current.get(name)
            difference = find_difference(desired, below if isinstance(below, dict) else {}, here)
        elif isinstance(desired, list):
            found = current.get(name)
            difference = _list_difference(desired, found if isinstance(found, list) else [], here)
        else:
            difference = _difference(desired, current.get(name), here)
        if difference:
            return difference
    return ""


def _list_difference(desired: t.Sequence[t.Any], current: t.Sequence[t.Any], path: Path) -> str:
    key = merge_key(path)
    if key is None:
        if len(desired) != len(current):
            return f"{'.'.join(path)} has {len(current)} items, not {len(desired)}"
        pairs = [(str(place), item, current[place]) for place, item in enumerate(desired)]
    else:
        known = {item.get(key): item for item in current if isinstance(item, dict)}
        chosen = [item for item in desired if isinstance(item, dict) and key in item]
        present = [item[key] for item in chosen if item.get("$patch") == "delete" and item[key] in known]
        if present:
            return f"{'.'.join(path)} still has {present[0]}"
        missing = [item[key] for item in chosen if item.get("$patch") != "delete" and item[key] not in known]
        if missing:
            return f"{'.'.join(path)} has no {missing[0]}"
        pairs = [(str(item[key]), item, known[item[key]]) for item in chosen if item.get("$patch") != "delete"]
    for name, item, found in pairs:
        here = (*path, name)
        difference = find_difference(item, found, here) if isinstance(item, dict) and isinstance(found, dict) else _difference(item, found, here)
        if difference:
            return difference
    return ""


def _difference(desired: t.Any, current: t.Any, path: Path) -> str:
    if desired == current and isinstance(desired, bool) == isinstance(current, bool):
        return ""
    is_amount = (len(path) > 1 and path[-2] in _AMOUNTS) or (path[-1] in _AMOUNT and "env" not in path)
    if is_amount and current is not None and _amount(desired) is not None and _amount(desired) == _amount(current):
        return ""
    return f"{'.'.join(path)} is {'not set' if current is None else repr(current)}, not {desired!r}"


def _amount(value: t.Any) -> Decimal | None:
    """A quantity's value, such as 0.1 of C(100m) and 1024 of C(1Ki); None for what is none."""
    found = _QUANTITY.fullmatch(str(value))
    if not found or isinstance(value, bool):
        return None
    number, exponent, suffix = Decimal(found[1]), found[2], found[3] or ""
    if exponent:
        return number.scaleb(int(exponent[1:]))
    return number * 1024 ** (_BINARY.index(suffix) + 1) if suffix in _BINARY else number.scaleb(_DECIMAL[suffix])


def _title(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _verdict(message: str, why: str) -> Verdict:
    return Verdict("InProgress", REASON, message, _REMEDIES[why])


__all__ = ("Overlays", "find_difference", "judge_waypoint_parameters")
