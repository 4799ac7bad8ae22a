# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What items at the edge of a mesh take from what is behind them: an ALB its backend, name and namespace, and one of Istio's own Gateways its release."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .variables import Variables

Item = t.Mapping[str, t.Any]
Items = t.Sequence[Item]
_Item = t.TypeVar("_Item", bound=Item)


# What is missed in the lists of gateways.
NO_BACKEND = "no gateway of this inventory"


class Backend(t.NamedTuple):
    """What an item can be in front of, and the option that names it: a Gateway of class istio, or a release of the chart gateway."""

    option: str
    namespace: str
    name: str


def choose_backends(albs: t.Iterable[_Item], gateways: Items, releases: Items) -> list[_Item]:
    """The ALBs; one that names no backend gets the only one there is, and one without name or namespace those of its backend.

    What is not clear stays as it is. A gateway that is not for an ALB is the backend only of an ALB that names it.

    Args:
        albs: the items of C(ingress_albs).
        gateways: the items of C(ingress_gateways).
        releases: the items of C(istio_gateways).
    """
    charts = [Backend("service", release["namespace"], release["name"]) for release in releases]
    for_albs = _gateways(gateway for gateway in gateways if gateway.get("load_balancer") == "alb" and gateway.get("state") != "absent")
    return [_complete(alb, ("gateway", "service"), [*_gateways(gateways), *charts], [*for_albs, *charts]) for alb in albs]


def choose_releases(classic_gateways: t.Iterable[_Item], releases: Items) -> list[_Item]:
    """Istio's own Gateways; one with neither release nor selector gets the only release there is, and one without name or namespace those of its release.

    Args:
        classic_gateways: the items of C(ingress_classic_gateways).
        releases: the items of C(istio_gateways).
    """
    charts = [Backend("release", release["namespace"], release["name"]) for release in releases]
    return [_complete(gateway, ("release", "selector"), charts, charts) for gateway in classic_gateways]


def with_backends(variables: Variables) -> Variables:
    """The variables of an inventory with the same choices.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    gateways, releases = variables.get("ingress_gateways") or (), variables.get("istio_gateways") or ()
    chosen = variables.copy()
    if variables.get("ingress_albs"):
        chosen["ingress_albs"] = choose_backends(variables["ingress_albs"], gateways, releases)
    if variables.get("ingress_classic_gateways"):
        chosen["ingress_classic_gateways"] = choose_releases(variables["ingress_classic_gateways"], releases)
    return chosen


def find_missing_places(variable: str, items: Items) -> t.Iterator[str]:
    """One sentence for each item whose name or namespace is neither given nor that of what is behind it."""
    for index, item in enumerate(items):
        missing = [key for key in ("name", "namespace") if not item.get(key)]
        if missing:
            yield (
                f"{variable}[{index}] has no {' and no '.join(missing)}, and {NO_BACKEND} that is clearly behind it: "
                f"set {' and '.join(missing)}, or name the gateway."
            )


def _gateways(gateways: t.Iterable[Item]) -> list[Backend]:
    return [Backend("gateway", gateway["namespace"], gateway["name"]) for gateway in gateways]


def _complete(item: _Item, options: tuple[str, str], known: t.Sequence[Backend], default: t.Sequence[Backend]) -> _Item:
    """An item with the options, name and namespace that follow from its backend.

    Args:
        item: the item.
        options: the options of which one names what is behind it.
        known: what there is to be named.
        default: of these, what an item that names none may mean.
    """
    given = next((option for option in options if item.get(option)), "")
    candidates = [backend for backend in (known if given else default) if item.get("namespace") in (None, "", backend.namespace)]
    if given:
        candidates = [backend for backend in candidates if (backend.option, backend.name) == (given, item[given])]
    places = set(candidates)
    backend = places.pop() if len(places) == 1 else None
    completed: dict[str, t.Any] = dict(item)
    if backend and not given:
        completed[backend.option] = backend.name
    # An item that names an unknown backend still takes its name from it.
    name = backend.name if backend else item.get(given) if given and isinstance(item.get(given), str) else ""
    completed["name"] = item.get("name") or name or ""
    completed["namespace"] = item.get("namespace") or (backend.namespace if backend else "")
    return t.cast("_Item", completed)


__all__ = ("NO_BACKEND", "choose_backends", "choose_releases", "find_missing_places", "with_backends")
