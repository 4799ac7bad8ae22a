# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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

# For each object by the keys of options.OVERLAY_KINDS what must be in it, without the mark; None for a key says that the object may be there or not,
# because the defaults of the class ask for it.
Overlays = t.Mapping[str, t.Optional[t.Mapping[str, t.Any]]]

REASON = "ParametersNotApplied"

# Maps of amounts, and single amounts, which the API server may write in another form than they were given.
_AMOUNTS = frozenset({"requests", "limits"})
_AMOUNT = frozenset({"averageValue", "sizeLimit", "value"})
# Source: apimachinery's resource.Quantity.
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")

_NOT_RENDERED = "istiod keeps the old objects when it cannot render the new: its log says why (error rendering templates). Correct the options."
_REMEDIES = {
    "stays": "istiod never deletes it: run module waypoint again, which does.",
    "marked": _NOT_RENDERED,
    "scales": "The autoscaler looks every 15 s or so: see its conditions.",
    "differs": "Something else than istiod has changed it, or refused the change: look at its managedFields, and at istiod's log (apply failed).",
}


def judge_waypoint_parameters(
    overlays: Overlays,
    deployment: Object | None,
    service: Object | None,
    autoscaler: Object | None,
    budget: Object | None,
) -> Verdict | None:
    """None when istiod's objects are as a waypoint's overlays ask; else the first difference.

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
            return _verdict(f"istiod has not made the {kind} yet", "differs" if rendered else "marked")
        difference = find_difference(overlay, item)
        if difference:
            return _verdict(f"{kind} {_title(item)}: {difference}", "differs" if rendered else "marked")
    if not rendered:
        return _verdict("istiod has not rendered these parameters yet; its objects are those of former ones", "marked")
    fewest = (autoscaler or {}).get("spec", {}).get("minReplicas", 1) if overlays.get("horizontalPodAutoscaler") is not None else 0
    pods = (deployment or {}).get("spec", {}).get("replicas", 1)
    if pods < fewest:
        return _verdict(f"its autoscaler asks for at least {fewest} pods, but {pods} {'is' if pods == 1 else 'are'} asked for yet", "scales")
    for key, kind, item in parts[2:]:
        if key not in overlays and item is not None and MANAGED_GATEWAY in labels_of(item):
            return _verdict(f"{kind} {_title(item)} stays behind, though nothing asks for it any more", "stays")
    return None


def find_difference(overlay: t.Mapping[str, t.Any], seen: t.Mapping[str, t.Any], path: Path = ()) -> str:
    """The first value of an overlay that an object does not have; empty when it has all of them.

    Lists are compared as strategic merge treats them: by the key of their items, or as a whole. What an overlay takes away is not looked for,
    because the API server may have put its default in that place.
    """
    for name, wanted in sorted(overlay.items()):
        if name.startswith("$") or wanted is None:
            continue
        here = (*path, name)
        if isinstance(wanted, dict):
            below = seen.get(name)
            difference = find_difference(wanted, below if isinstance(below, dict) else {}, here)
        elif isinstance(wanted, list):
            found = seen.get(name)
            difference = _list_difference(wanted, found if isinstance(found, list) else [], here)
        else:
            difference = _difference(wanted, seen.get(name), here)
        if difference:
            return difference
    return ""


def _list_difference(wanted: t.Sequence[t.Any], seen: t.Sequence[t.Any], path: Path) -> str:
    key = merge_key(path)
    if key is None:
        if len(wanted) != len(seen):
            return f"{'.'.join(path)} has {len(seen)} items, not {len(wanted)}"
        pairs = [(str(place), item, seen[place]) for place, item in enumerate(wanted)]
    else:
        known = {item.get(key): item for item in seen if isinstance(item, dict)}
        chosen = [item for item in wanted if isinstance(item, dict) and key in item]
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


def _difference(wanted: t.Any, seen: t.Any, path: Path) -> str:
    if wanted == seen and isinstance(wanted, bool) == isinstance(seen, bool):
        return ""
    is_amount = (len(path) > 1 and path[-2] in _AMOUNTS) or (path[-1] in _AMOUNT and "env" not in path)
    if is_amount and seen is not None and _amount(wanted) is not None and _amount(wanted) == _amount(seen):
        return ""
    return f"{'.'.join(path)} is {'not set' if seen is None else repr(seen)}, not {wanted!r}"


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
