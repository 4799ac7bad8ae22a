# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""Mistakes of an inventory's ingress that can be seen before the first cluster is touched."""

from __future__ import annotations

import typing as t

from .options import OPTIONS
from .wishes import TITLES, Wish, complete, find_common_problems, parse_wishes

VARIABLES: t.Mapping[str, str] = {group: f"ingress_{group}" for group in OPTIONS}


def find_ingress_mistakes(variables: t.Mapping[str, t.Any]) -> list[str]:
    """The mistakes in ingress_gateways, ingress_albs, ingress_routes and ingress_classic_gateways, one sentence each.

    Args:
        variables: an inventory's variables, those of them that it has; values of a wrong type are left to the argument specs.
    """
    groups = complete({group: variables.get(name) for group, name in VARIABLES.items()})
    groups = {group: [item for item in items if item.get("name") and item.get("namespace")] for group, items in groups.items()}
    try:
        wishes = parse_wishes(groups, certificates_to_come=lambda item: bool(item.get("certificate_domains")))
    except (AttributeError, KeyError, TypeError, ValueError):
        # A value of a wrong type, which the argument specs tell.
        return []
    told = [f"{_place(wish, wishes)}: {problem}" for wish in wishes for problem in wish.problems]
    return [*told, *find_common_problems(wishes), *_region_mistakes(wishes, variables.get("eks_region"))]


def _place(wish: Wish, wishes: t.Sequence[Wish]) -> str:
    same = [other for other in wishes if other.group == wish.group]
    place = next(number for number, other in enumerate(same) if other is wish)
    return f"{VARIABLES[wish.group]}[{place}] ({TITLES[wish.group]} {wish.item['namespace']}/{wish.item['name']})"


def _region_mistakes(wishes: t.Sequence[Wish], region: t.Any) -> t.Iterator[str]:
    """ARNs of another region than the cluster's, which its load balancers cannot use."""
    if not isinstance(region, str) or not region:
        return
    for wish in wishes:
        source = wish.item if wish.group == "albs" else wish.item.get("nlb") or {}
        arns = [*(source.get("certificate_arns") or ()), *([source["waf_acl_arn"]] if source.get("waf_acl_arn") else [])]
        for arn in arns if wish.present else ():
            parts = str(arn).split(":")
            if len(parts) > 3 and parts[2] in ("acm", "wafv2") and parts[3] and parts[3] != region and "/webacl/" not in str(arn).partition(":global")[2]:
                yield f"{_place(wish, wishes)}: {arn} is of region {parts[3]}, but eks_region is {region}: a load balancer takes those of its own region."


__all__ = ("find_ingress_mistakes",)
