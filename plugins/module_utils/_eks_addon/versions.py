# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which version of an add-on is meant: V(default), V(latest), a prefix such as V(v1.20), or an exact one, among those that EKS offers for a cluster."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._errors import MeshError

_DEFAULT = "default"
_LATEST = "latest"

# How many versions an error names.
_NAMED = 5

Order = t.Tuple[t.Tuple[int, ...], t.Tuple[t.Tuple[bool, int, str], ...]]


@dataclass(frozen=True)
class Offer:
    """The versions of one add-on for one version of Kubernetes.

    Attributes:
        addon: the add-on's name.
        kubernetes: the version of the cluster, such as C(1.33).
        versions: newest first.
        default: the one that EKS installs when none is named; empty if it names none.
        needs_configuration: the versions that cannot be installed without configuration values.
    """

    addon: str
    kubernetes: str
    versions: tuple[str, ...] = ()
    default: str = ""
    needs_configuration: frozenset[str] = frozenset()


def normalize_offer(addon: str, kubernetes: str, addons: t.Iterable[t.Mapping[str, t.Any]]) -> Offer:
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


def needs_offer(requested: str | None, current: str | None) -> bool:
    """Whether the offered versions must be read: not if the version stays as it is, or the exact version is installed."""
    return current is None or (requested is not None and requested != current)


def choose_version(requested: str | None, current: str | None, offer: Offer, region: str) -> str:
    """The version that the add-on should have.

    A newer version that is still offered is never moved back to the default. A version or prefix that is named applies in both directions.

    Args:
        requested: as the user writes it; None leaves the current version, or means the default for a new add-on.
        current: the current version; None if the add-on does not exist.
        offer: what EKS offers for the version of the cluster.
        region: where the cluster is.

    Raises:
        MeshError: EKS does not offer it.
    """
    if not needs_offer(requested, current) and current is not None:
        return current
    if not offer.versions:
        raise MeshError(
            f"Add-on {offer.addon}: EKS offers no version of it for Kubernetes {offer.kubernetes} in {region}: correct its name, or choose an add-on that "
            "supports this version of the cluster."
        )
    if requested in (None, _DEFAULT):
        chosen = offer.default or offer.versions[0]
        newer = current in offer.versions and order_of(str(current)) > order_of(chosen)
        return str(current) if newer else chosen
    if requested == _LATEST:
        return offer.versions[0]
    if requested in offer.versions:
        return str(requested)
    fitting = [version for version in offer.versions if _matches(str(requested), version)]
    if not fitting:
        more = f" and {len(offer.versions) - _NAMED} older" if len(offer.versions) > _NAMED else ""
        raise MeshError(
            f"Add-on {offer.addon} has no version {requested} for Kubernetes {offer.kubernetes}: choose {_DEFAULT} ({offer.default or offer.versions[0]}), "
            f"{_LATEST}, or one of {', '.join(offer.versions[:_NAMED])}{more}."
        )
    return fitting[0]


def order_of(version: str) -> Order:
    """A version in the order in which they are published: C(v1.9.0-eksbuild.2) before C(v1.20.0-eksbuild.1)."""
    core, _dash, build = version.lstrip("v").partition("-")
    numbers = tuple(int(part) for part in re.findall(r"\d+", core))
    parts = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in re.split(r"[.\-_+]", build) if part)
    return numbers, parts


def _matches(requested: str, version: str) -> bool:
    """Whether a version is the requested one or begins with it, whole parts only: v1.2 does not mean v1.20."""
    prefix, name = requested.lstrip("v"), version.lstrip("v")
    return name == prefix or (name.startswith(prefix) and not name[len(prefix)].isalnum() and prefix[-1:].isalnum())


__all__ = ("Offer", "choose_version", "needs_offer", "normalize_offer", "order_of")
