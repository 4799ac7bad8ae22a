"""Inventories that are drawn from the argument specs of the roles: right ones in many spellings, nearly right ones, and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.scalars import is_name
from generate.declarations import role_variables

Option = Mapping[str, Any]

ALL: dict[str, Option] = {name: option for options in role_variables().values() for name, option in options.items()}
# Words that fit names, versions, ids, domains and paths, and those that fit none of these.
_WORDS = (
    *("shop", "waypoint", "public", "istio-ingress", "none", "1.31.1", "1.35", "v1.6.1", "eu-central-1", "eu-central-1a", "10.0.0.0/16", "443"),
    *("shop.example.com", "*.example.com", "https", "/cart", "oci://registry.example.com/charts", "vpc-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60718"),
    *("arn:aws:iam::123456789012:role/shop", "", "Shop_1", "x" * 70, "{}", "ä b", "50%", "team in (a, b)", "al2023@latest", "vpc-cni", "HTTPS"),
)
# Words that are right where a key or a variable has such a name, so that many inventories get as far as a plan.
_FITTING = (
    (("namespace", "name", "gateway", "waypoint", "release", "service", "service_account"), ("shop", "bank", "public", "waypoint")),
    (("gateways", "route_namespaces"), ("shop", "bank")),
    (("version", "release_version"), ("1.35",)),
    (("istio_version", "alb_controller_version", "karpenter_version"), ("1.31.1", "3.5.0")),
    (("gateway_api_version",), ("v1.6.1",)),
    (("region", "eks_region", "karpenter_region", "alb_controller_region"), ("eu-central-1",)),
    (("eks_availability_zones",), ("eu-central-1a", "eu-central-1b")),
    (("eks_cluster_name", "karpenter_cluster_name", "alb_controller_cluster_name", "istio_namespace", "bookinfo_namespace"), ("shop", "mesh")),
    (("hosts", "domain", "certificate_domains", "subject_alternative_names", "tls_hosts"), ("shop.example.com", "*.example.com")),
    (("label_selector",), ("team=a", "team in (a, b)")),
    (("eks_vpc_cidr",), ("10.0.0.0/16",)),
    (("instance_types",), ("m7i.large",)),
    (("path",), ("/cart", "/")),
    (("weight",), ("10", "0")),
    (("min_available", "max_unavailable"), ("1", "50%")),
)
_FIT = {name: words for names, words in _FITTING for name in names}
_NUMBERS = (-1, 0, 1, 2, 3, 50, 80, 443, 8080, 70000)
_SCALARS = st.one_of(st.sampled_from(_WORDS), st.sampled_from(_NUMBERS), st.booleans())
_KEYS = st.sampled_from(("team", "cost-center", "deployment", "service", "metadata", "labels", "spec", "matchLabels", "requests", "cpu", "a"))
_FREE = st.dictionaries(_KEYS, st.one_of(_SCALARS, st.none(), st.lists(_SCALARS, max_size=2), st.dictionaries(_KEYS, _SCALARS, max_size=2)), max_size=3)
ANYTHING = st.recursive(
    st.one_of(_SCALARS, st.none(), st.floats(allow_nan=False), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.one_of(_KEYS, st.integers(0, 3)), inner, max_size=2)),
    max_leaves=4,
)


def right(name: str) -> st.SearchStrategy[Any]:
    """Values of the declared type, with the declared keys and choices."""
    return _values((name,))


@cache
def _values(path: tuple[str, ...]) -> st.SearchStrategy[Any]:
    option = _option(path)
    if option["type"] == "list":
        return st.lists(_of_type(path, option["elements"]), max_size=3)
    return _of_type(path, option["type"])


def _of_type(path: tuple[str, ...], kind: str) -> st.SearchStrategy[Any]:
    option = _option(path)
    if option.get("choices"):
        return st.sampled_from(option["choices"])
    if kind == "dict" and option.get("options"):
        needed = [key for key, one in option["options"].items() if one.get("required")]
        others = [key for key in option["options"] if key not in needed]
        some = st.lists(st.sampled_from(others), max_size=3, unique=True) if others else st.just([])
        return some.flatmap(lambda chosen: st.fixed_dictionaries({key: _values((*path, key)) for key in (*needed, *chosen)}))
    if kind == "str" and path[-1] in _FIT:
        return st.one_of(*[st.sampled_from(_FIT[path[-1]])] * 5, st.sampled_from(_WORDS))
    of_kind: dict[str, st.SearchStrategy[Any]] = {"bool": st.booleans(), "int": st.sampled_from(_NUMBERS), "dict": _FREE, "raw": st.sampled_from(_WORDS)}
    return of_kind.get(kind, st.sampled_from(_WORDS))


def _option(path: tuple[str, ...]) -> Option:
    options: Mapping[str, Option] = ALL
    for name in path[:-1]:
        options = options[name]["options"]
    return options[path[-1]]


@st.composite
def nearly_right(draw: st.DrawFn, name: str) -> Any:
    """A right value with one part replaced, taken away or misspelled."""
    value = draw(right(name))
    return _changed(draw, value)


def _changed(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        return [_changed(draw, item) if place == index else item for place, item in enumerate(value)]
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value, key=str)))
        change = draw(st.sampled_from(("replaced", "removed", "misspelled", "inner")))
        rest = {other: item for other, item in value.items() if other != key}
        if change == "removed":
            return rest
        if change == "misspelled":
            return {**rest, f"{key}"[:-1]: value[key]}
        return {**rest, key: draw(ANYTHING) if change == "replaced" else _changed(draw, value[key])}
    return draw(ANYTHING)


# An inventory of everything, in which some variables are replaced.
WHOLE: dict[str, Any] = {
    "eks_enabled": True,
    "eks_region": "eu-central-1",
    "eks_cluster_name": "shop",
    "eks_availability_zones": ["eu-central-1a", "eu-central-1b"],
    "eks_node_groups": [{"name": "general", "instance_types": ["m7i.large"], "labels": {"team": True}}],
    "eks_addons": [{"name": "eks-pod-identity-agent"}, {"name": "vpc-cni"}, {"name": "aws-ebs-csi-driver"}],
    "alb_controller_enabled": True,
    "karpenter_enabled": True,
    "karpenter_node_pools": [{"name": "general", "labels": {"team": "a"}}],
    "istio_startup_taint": True,
    "istio_gateways": [{"name": "classic", "namespace": "edge", "replicas": 2}],
    "ingress_gateways": [{"name": "public", "namespace": "edge", "load_balancer": "alb", "allowed_routes": {"from": "All"}}],
    "ingress_albs": [{"name": "public", "namespace": "edge", "gateway": "public", "hosts": ["shop.example.com"]}],
    "ingress_routes": [
        {"name": "cart", "namespace": "shop", "gateway": "public", "gateway_namespace": "edge", "rules": [{"backends": [{"service": "cart", "port": 80}]}]}
    ],
    "mesh_waypoints": [{"namespace": "shop", "high_availability": True}],
    "mesh_namespaces": [{"name": "shop", "dataplane_mode": "ambient", "use_waypoint": "waypoint"}],
}


@st.composite
def inventories(draw: st.DrawFn) -> dict[str, Any]:
    """Some variables of any role, each right, nearly right, or anything."""
    names = draw(st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=5, unique=True))
    drawn = {name: draw(st.one_of(right(name), right(name), nearly_right(name), ANYTHING)) for name in names}
    return {**WHOLE, **drawn} if draw(st.booleans()) else drawn


@st.composite
def spelled_inventories(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same inventory in two spellings: as YAML has it, and as surveys, editors of Windows and the command line write it."""
    names = draw(st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=4, unique=True))
    given = {name: draw(right(name)) for name in names}
    others = draw(st.lists(st.sampled_from(sorted(set(ALL) - set(names))), max_size=2, unique=True))
    return given, {**{name: spelled(draw, named(name, ALL[name]), value) for name, value in given.items()}, **dict.fromkeys(others)}


def named(place: str, option: Option) -> Option:
    """The option of a variable or a key, from which can be seen whether it is a name, of which a number is no spelling."""
    return {**option, "place": place, "is_name": is_name(place)}


def spelled(draw: st.DrawFn, option: Option, value: Any, kind: str | None = None) -> Any:
    """Another spelling of a value of the declared type."""
    kind = kind or option["type"]
    spell: dict[str, Callable[[st.DrawFn, Option, Any], Any]] = {"bool": _spelled_bool, "int": _spelled_int, "list": _spelled_list, "dict": _spelled_dict}
    return spell.get(kind, _spelled_text)(draw, option, value) if kind != "raw" else value


def _spelled_bool(draw: st.DrawFn, _option: Option, value: bool) -> Any:
    return draw(st.sampled_from((value, *(("yes", "True", " on", "TRUE\r\n", 1, "1") if value else ("no", "False", "off ", "FALSE", 0, "0")))))


def _spelled_int(draw: st.DrawFn, _option: Option, value: int) -> Any:
    return draw(st.sampled_from((value, str(value), f" {value}\r\n", float(value))))


def _spelled_text(draw: st.DrawFn, option: Option, value: str) -> Any:
    forms: list[Any] = [value, f" {value}", f"{value}\r\n"]
    if option.get("choices") and value:
        forms += [value.upper(), value.lower()]
        forms += [value == "true"] if value in ("true", "false") else []
    if not option.get("choices") and not option["is_name"] and value.isdigit() and not value.startswith("0"):
        forms.append(int(value))
    return draw(st.sampled_from(forms))


def _spelled_list(draw: st.DrawFn, option: Option, value: list[Any]) -> Any:
    elements = option["elements"]
    forms: list[Any] = [[spelled(draw, option, item, elements) for item in value], json.dumps(value)]
    # A lone text may only stand for a list if it is not several of them, or another syntax.
    if elements != "dict" and value and not any("," in str(item) or not str(item).strip() for item in value) and not str(value[0]).startswith("["):
        forms.append(",".join(map(str, value)))
        if len(value) == 1:
            forms.append(value[0])
    return draw(st.sampled_from(forms))


def _spelled_dict(draw: st.DrawFn, option: Option, value: dict[str, Any]) -> Any:
    if not option.get("options"):
        return draw(st.sampled_from((value, json.dumps(value))))
    spelled_keys = {key: spelled(draw, named(f"{option['place']}.{key}", option["options"][key]), item) for key, item in value.items()}
    absent = [key for key in option["options"] if key not in value]
    without_value = draw(st.lists(st.sampled_from(absent), max_size=2, unique=True)) if absent else []
    return {**spelled_keys, **dict.fromkeys(without_value)}
