# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Which version of an add-on is meant: V(default), V(latest), a prefix such as V(v1.20), or an exact one, among those that EKS offers for a cluster."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._errors import MeshError

DEFAULT = "default"
LATEST = "latest"

# So many versions are named to somebody who asked for one that is not there.
_NAMED = 5

Order = t.Tuple[t.Tuple[int, ...], t.Tuple[t.Tuple[bool, int, str], ...]]


@dataclass(frozen=True)
class Offer:
    """The versions of one add-on for one version of Kubernetes.

    Attributes:
        addon: the add-on's name.
        kubernetes: the version of the cluster, such as C(1.33).
        versions: newest first.
        default: the one that EKS installs when none is named; empty when it names none.
        needs_configuration: the versions that cannot be installed without configuration values.
    """

    addon: str
    kubernetes: str
    versions: tuple[str, ...] = ()
    default: str = ""
    needs_configuration: frozenset[str] = frozenset()


def parse_offer(addon: str, kubernetes: str, addons: t.Iterable[t.Mapping[str, t.Any]]) -> Offer:
    """The offer in the answer of C(DescribeAddonVersions) (its list C(addons))."""
    found: dict[str, bool] = {}
    needy = set()
    for item in addons:
        if item.get("addonName") != addon:
            continue
        for version in item.get("addonVersions") or ():
            fitting = [one for one in version.get("compatibilities") or () if one.get("clusterVersion") == kubernetes]
            if fitting:
                name = str(version["addonVersion"])
                found[name] = any(one.get("defaultVersion") for one in fitting)
                if version.get("requiresConfiguration"):
                    needy.add(name)
    versions = tuple(sorted(found, key=order_of, reverse=True))
    return Offer(addon, kubernetes, versions, next((name for name in versions if found[name]), ""), frozenset(needy))


def needs_offer(wished: str | None, current: str | None) -> bool:
    """Whether EKS must be asked for its versions: not for one that is named exactly and there, and not where the version is left as it is."""
    return current is None or (wished is not None and wished != current)


def choose_version(wished: str | None, current: str | None, offer: Offer) -> str:
    """The version that the add-on should have.

    An add-on never goes back to the default by itself: one that is newer, and offered, stays. A version or prefix that is named is obeyed in both directions.

    Args:
        wished: as the user says it; None leaves what is there, or means the default where nothing is.
        current: the version that is there; None when the add-on is not.
        offer: what EKS offers for the version of the cluster.

    Raises:
        MeshError: it is not offered.
    """
    if not needs_offer(wished, current) and current is not None:
        return current
    if not offer.versions:
        raise MeshError(
            f"Add-on {offer.addon}: EKS offers no version of it for Kubernetes {offer.kubernetes} in this region: correct its name, or choose an add-on that "
            "supports this version of the cluster."
        )
    if wished in (None, DEFAULT):
        chosen = offer.default or offer.versions[0]
        newer = current in offer.versions and order_of(str(current)) > order_of(chosen)
        return str(current) if newer else chosen
    if wished == LATEST:
        return offer.versions[0]
    if wished in offer.versions:
        return str(wished)
    fitting = [version for version in offer.versions if _matches(str(wished), version)]
    if not fitting:
        more = f" and {len(offer.versions) - _NAMED} older" if len(offer.versions) > _NAMED else ""
        raise MeshError(
            f"Add-on {offer.addon} has no version {wished} for Kubernetes {offer.kubernetes}: choose {DEFAULT} ({offer.default or offer.versions[0]}), "
            f"{LATEST}, or one of {', '.join(offer.versions[:_NAMED])}{more}."
        )
    return fitting[0]


def order_of(version: str) -> Order:
    """A version in the order in which they are published: C(v1.9.0-eksbuild.2) before C(v1.20.0-eksbuild.1)."""
    core, _dash, build = version.lstrip("v").partition("-")
    numbers = tuple(int(part) for part in re.findall(r"\d+", core))
    parts = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in re.split(r"[.\-_+]", build) if part)
    return numbers, parts


def _matches(wished: str, version: str) -> bool:
    """Whether a version is the wished one or begins with it, whole parts only: v1.2 does not mean v1.20."""
    wanted, name = wished.lstrip("v"), version.lstrip("v")
    return name == wanted or (name.startswith(wanted) and not name[len(wanted)].isalnum() and wanted[-1:].isalnum())


__all__ = ("DEFAULT", "LATEST", "Offer", "choose_version", "needs_offer", "order_of", "parse_offer")
