# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""From the items of ingress to the objects that should be there, those that should not, and what is wrong with the items among each other."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._mesh.parameters import parameters_name
from .._text import repeated
from . import alb as application
from . import gateway as entry
from . import routes
from .options import OPTIONS

Item = t.Mapping[str, t.Any]
Key = t.Tuple[str, str, str]

# The words by which messages name an item of each list.
TITLES: t.Mapping[str, str] = {"gateways": "Gateway", "albs": "ALB", "routes": "Route", "classic_gateways": "Istio Gateway"}


@dataclass(frozen=True)
class Wanted:
    """One object that should be there, or should not.

    Attributes:
        key: apiVersion, namespace and name are told by the manifest; here the place: C(kind, namespace, name), with the kind of KINDS.
        manifest: what to apply; empty when it should not be there.
        order: in which step it is written; deletions go through the steps backwards.
    """

    key: Key
    manifest: dict[str, t.Any] = field(default_factory=dict)
    order: int = 0


@dataclass(frozen=True)
class Wish:
    """One item with what it means.

    Attributes:
        group: the list that it is an item of: a key of OPTIONS.
        item: the item, with all its keys.
        main: the object that stands for it.
        others: what belongs to it.
        problems: what is wrong with it.
        notes: what it does that is seldom meant.
    """

    group: str
    item: Item
    main: Wanted
    others: tuple[Wanted, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{TITLES[self.group]} {self.item['namespace']}/{self.item['name']}"

    @property
    def present(self) -> bool:
        return bool(self.item["state"] == "present")


Groups = t.Mapping[str, t.Sequence[Item]]

# Steps: what others need comes first.
_PARAMETERS, _GATEWAYS, _INGRESSES, _ROUTES = 0, 1, 2, 3


def parse_wishes(groups: Groups, *, certificates_to_come: t.Callable[[Item], bool] = lambda _item: False) -> list[Wish]:
    """The items, each with its objects.

    Args:
        groups: the lists by the keys of OPTIONS, their items with all keys (see complete).
        certificates_to_come: whether the certificates of an ALB's item, or of a gateway's nlb, are looked up later.
    """
    gateways = list(groups.get("gateways") or ())
    albs = list(groups.get("albs") or ())
    wishes = [_gateway(item, albs, certificates_to_come) for item in gateways]
    wishes += [_alb(item, gateways, certificates_to_come) for item in albs]
    wishes += [_classic(item) for item in groups.get("classic_gateways") or ()]
    wishes += [_route(item, gateways) for item in groups.get("routes") or ()]
    return wishes


def find_common_problems(wishes: t.Sequence[Wish]) -> list[str]:
    """What is wrong with the items among each other."""
    return [*_named_twice(wishes), *_names_of_load_balancers(wishes), *_gateways_and_albs(wishes), *_group_problems(wishes), *_routes_in_plain(wishes)]


def complete(groups: t.Mapping[str, t.Any]) -> dict[str, list[Item]]:
    """The lists as a module would get them: with all keys and their defaults. What is no list of dictionaries is left out."""
    found: dict[str, list[Item]] = {}
    for group, spec in OPTIONS.items():
        items = groups.get(group)
        found[group] = [_complete(item, spec["options"]) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return found


def target_types(gateway: Item, albs: t.Iterable[Item]) -> frozenset[str]:
    """The target types of the ALBs in front of a gateway."""
    return frozenset(
        item["target_type"]
        for item in albs
        if item["state"] == "present" and item.get("gateway") == gateway["name"] and item["namespace"] == gateway["namespace"]
    )


def redirected_sections(item: Item, gateways: t.Iterable[Item]) -> list[str]:
    """The listeners that a route attaches to by itself: where port 80 only redirects, those of port 443.

    Attached to all, its longer paths would win over the redirect's.
    """
    place = (item.get("gateway_namespace") or item["namespace"], item.get("gateway"))
    for gateway in gateways:
        if (gateway["namespace"], gateway["name"]) == place and gateway.get("redirect_http"):
            return [listener["name"] for listener in entry.listeners_of(gateway) if listener["port"] != 80]
    return []


def _complete(item: Item, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    filled: dict[str, t.Any] = dict(item)
    for name, option in options.items():
        value = filled.get(name, option.get("default"))
        inner = option.get("options")
        if inner and isinstance(value, dict):
            value = _complete(value, inner)
        elif inner and isinstance(value, list):
            value = [_complete(one, inner) if isinstance(one, dict) else one for one in value]
        filled[name] = value
    return filled


def _gateway(item: Item, albs: t.Sequence[Item], to_come: t.Callable[[Item], bool]) -> Wish:
    name, namespace = item["name"], item["namespace"]
    keys: list[Key] = [("ConfigMap", namespace, parameters_name(name)), ("HTTPRoute", namespace, entry.redirect_name(name))]
    main: Key = ("Gateway", namespace, name)
    if item["state"] == "absent":
        return Wish("gateways", item, Wanted(main, order=_GATEWAYS), (Wanted(keys[0], order=_PARAMETERS), Wanted(keys[1], order=_ROUTES)))
    later = to_come(item.get("nlb") or {})
    problems = entry.find_problems(item, certificates_to_come=later)
    notes = entry.find_notes(item, certificates_to_come=later)
    if any("cannot be merged" in problem for problem in problems):
        return Wish("gateways", item, Wanted(main, order=_GATEWAYS), problems=tuple(problems))
    others = (
        Wanted(keys[0], entry.render_gateway_parameters(item, target_types(item, albs)), _PARAMETERS),
        Wanted(keys[1], entry.render_redirect(item) if item["redirect_http"] else {}, _ROUTES),
    )
    return Wish("gateways", item, Wanted(main, entry.render_gateway(item), _GATEWAYS), others, tuple(problems), tuple(notes))


def _alb(item: Item, gateways: t.Sequence[Item], to_come: t.Callable[[Item], bool]) -> Wish:
    key: Key = ("Ingress", item["namespace"], item["name"])
    if item["state"] == "absent":
        return Wish("albs", item, Wanted(key, order=_INGRESSES))
    problems = application.find_problems(item, certificates_to_come=to_come(item))
    gateway = next((found for found in gateways if (found["namespace"], found["name"]) == (item["namespace"], item.get("gateway"))), None)
    delay = item.get("deregistration_delay")
    if gateway and delay is not None and gateway["load_balancer"] == "alb" and entry.drain_seconds(gateway) < delay:
        problems.append(
            f"deregistration_delay is {delay}, but gateway {gateway['name']} drains for {entry.drain_seconds(gateway)} s, so its pods would be gone before "
            "the load balancer lets go of them: set its drain_seconds."
        )
    return Wish("albs", item, Wanted(key, application.render_ingress(item), _INGRESSES), (), tuple(problems), tuple(application.apex_notes(item["hosts"])))


def _route(item: Item, gateways: t.Sequence[Item]) -> Wish:
    key: Key = (item["kind"], item["namespace"], item["name"])
    if item["state"] == "absent":
        return Wish("routes", item, Wanted(key, order=_ROUTES))
    manifest = routes.render_route(item, redirected_sections(item, gateways))
    return Wish("routes", item, Wanted(key, manifest, _ROUTES), (), tuple(routes.find_route_problems(item)))


def _classic(item: Item) -> Wish:
    key: Key = ("IstioGateway", item["namespace"], item["name"])
    if item["state"] == "absent":
        return Wish("classic_gateways", item, Wanted(key, order=_GATEWAYS))
    return Wish("classic_gateways", item, Wanted(key, routes.render_classic_gateway(item), _GATEWAYS), (), tuple(routes.find_classic_problems(item)))


def _named_twice(wishes: t.Sequence[Wish]) -> t.Iterator[str]:
    keys = [wish.main.key for wish in wishes]
    for kind, namespace, name in repeated(keys):
        yield f"{kind} {namespace}/{name} is named more than once: say all that is wished of it in one item."


def _load_balancer_name(wish: Wish) -> str:
    source: t.Mapping[str, t.Any] = wish.item if wish.group == "albs" else wish.item.get("nlb") or {}
    return str(source.get("load_balancer_name" if wish.group == "albs" else "name") or "")


def _names_of_load_balancers(wishes: t.Sequence[Wish]) -> t.Iterator[str]:
    """One name is one load balancer of an account and region; only the Ingresses of a group share it."""
    owners: dict[str, list[Wish]] = {}
    for wish in wishes:
        if wish.present and wish.group in ("albs", "gateways") and _load_balancer_name(wish):
            owners.setdefault(_load_balancer_name(wish), []).append(wish)
    for name, found in sorted(owners.items()):
        groups = {wish.item.get("group_name") for wish in found}
        if len(found) > 1 and (len(groups) > 1 or None in groups or "" in groups):
            yield f"The load balancer's name {name} is used by {' and '.join(wish.title for wish in found)}: each load balancer needs a name of its own."


def _gateways_and_albs(wishes: t.Sequence[Wish]) -> t.Iterator[str]:
    gateways = {(wish.item["namespace"], wish.item["name"]): wish for wish in wishes if wish.group == "gateways"}
    albs = [wish for wish in wishes if wish.group == "albs" and wish.present]
    fronted = {(wish.item["namespace"], wish.item.get("gateway")) for wish in albs}
    for place, wish in sorted(gateways.items()):
        if wish.present and wish.item["load_balancer"] == "alb" and place not in fronted:
            yield f"{wish.title}: load_balancer is alb, but no ALB of these items names it: add an item with gateway {place[1]} in namespace {place[0]}."
    for alb in albs:
        gateway = gateways.get((alb.item["namespace"], alb.item.get("gateway") or ""))
        if gateway is None:
            continue
        title, kind = gateway.title, gateway.item["load_balancer"]
        if not gateway.present:
            yield f"{alb.title} is in front of {title}, which should be absent: take one of the two out."
            continue
        if kind == "nlb":
            yield f"{alb.title} is in front of {title}, whose load_balancer is nlb: that would make two load balancers, so set it to alb."
        given = gateway.item.get("service_type")
        if alb.item["target_type"] == "instance" and given == "ClusterIP":
            yield f"{alb.title}: target_type instance needs a NodePort, but {title} has service_type ClusterIP: leave service_type out, or use target_type ip."
        ports = {listener["port"] for listener in entry.listeners_of(gateway.item)}
        if alb.item["service_port"] not in ports:
            told = ", ".join(map(str, sorted(ports)))
            yield f"{alb.title}: service_port is {alb.item['service_port']}, but {title} listens at {told}: correct the port, or add a listener."


def _routes_in_plain(wishes: t.Sequence[Wish]) -> t.Iterator[str]:
    """Routes of other namespaces that name a listener which only redirects, and which would never take them."""
    redirecting = {
        (wish.item["namespace"], wish.item["name"]): [listener["name"] for listener in entry.redirecting(wish.item)]
        for wish in wishes
        if wish.group == "gateways" and wish.present and not wish.item.get("listeners")
    }
    for wish in wishes:
        if wish.group != "routes" or not wish.present:
            continue
        place = (wish.item.get("gateway_namespace") or wish.item["namespace"], wish.item.get("gateway") or "")
        for section in wish.item.get("section_names") or ():
            if section in redirecting.get(place, ()) and place[0] != wish.item["namespace"]:
                yield (
                    f"{wish.title}: listener {section} of {TITLES['gateways']} {place[0]}/{place[1]} only redirects to HTTPS (redirect_http): "
                    "leave section_names out, or give that gateway listeners of its own."
                )


def _group_problems(wishes: t.Sequence[Wish]) -> t.Iterator[str]:
    """Ingresses of a group make one load balancer, so they must agree on it."""
    groups: dict[str, list[Wish]] = {}
    for wish in wishes:
        if wish.group == "albs" and wish.present and wish.item.get("group_name"):
            groups.setdefault(wish.item["group_name"], []).append(wish)
    for name, found in sorted(groups.items()):
        for option in ("load_balancer_name", "scheme", "ip_address_type", "ssl_redirect", "waf_acl_arn", "shield"):
            values = {str(wish.item[option]) for wish in found if wish.item.get(option) is not None}
            if len(values) > 1:
                members = " and ".join(wish.title for wish in found)
                yield f"Group {name}: {members} disagree about {option} ({', '.join(sorted(values))}): one load balancer has one."


__all__ = ("Groups", "Key", "Wanted", "Wish", "complete", "find_common_problems", "parse_wishes", "redirected_sections", "target_types")
