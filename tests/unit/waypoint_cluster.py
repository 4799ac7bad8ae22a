"""A cluster of waypoints: server-side apply with its record of owners, and an istiod that creates what overlays require."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ansible_collections.meshwright.ambient.plugins.module_utils._managed_fields import FIELD_MANAGER
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.parameters import ON_REQUEST
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.plan import CurrentWaypoints, Plan
from tests.unit.objects import Object

Path = tuple[str, ...]


class Cluster:
    """Gateways, their ConfigMaps, and the autoscalers and budgets that istiod has created for them."""

    def __init__(self) -> None:
        self.gateways: dict[WaypointRef, Object] = {}
        self.parameters: dict[WaypointRef, Object] = {}
        self.on_request: dict[str, dict[WaypointRef, list[str]]] = {key: {} for key in ON_REQUEST}

    @property
    def current(self) -> CurrentWaypoints:
        on_request = {key: dict(found) for key, found in self.on_request.items()}
        return CurrentWaypoints(gateways=copy.deepcopy(self.gateways), parameters=copy.deepcopy(self.parameters), on_request=on_request)

    def carry_out(self, plan: Plan) -> None:
        """Make its changes, and let istiod act on them."""
        for change in plan.changes:
            ref = change.ref
            if change.config_map == "apply":
                self.parameters[ref] = applied(self.parameters.get(ref), change.parameters)
            if change.gateway == "apply":
                self.gateways[ref] = applied(self.gateways.get(ref), change.manifest)
            elif change.gateway == "delete":
                del self.gateways[ref]
                for found in self.on_request.values():
                    found.pop(ref, None)
            self.let_istiod_act(ref)
            for key in ON_REQUEST:
                names = [name for kind, name in change.removed if kind.lower() == key.lower()]
                self.on_request[key] = {at: [name for name in found if at != ref or name not in names] for at, found in self.on_request[key].items()}
            if change.config_map == "delete":
                del self.parameters[ref]

    def let_istiod_act(self, ref: WaypointRef) -> None:
        """istiod creates what is required, and never deletes it."""
        gateway, config_map = self.gateways.get(ref), self.parameters.get(ref)
        named = ((gateway or {}).get("spec", {}).get("infrastructure") or {}).get("parametersRef", {}).get("name")
        if gateway and config_map and named == config_map["metadata"]["name"]:
            for key in ON_REQUEST:
                if key in config_map["data"]:
                    self.on_request[key][ref] = [ref.name]


def applied(live: Object | None, manifest: Object, owner: str = FIELD_MANAGER) -> Object:
    """What a forced server-side apply makes of an object. Lists are named by their items, as managedFields does."""
    result = _named(copy.deepcopy(live)) if live else {}
    managers = {entry["manager"]: set(_paths(entry["fieldsV1"])) for entry in (live or {}).get("metadata", {}).get("managedFields", ())}
    desired = dict(_leaves(_named(copy.deepcopy(manifest))))
    others: set[Path] = set().union(*(paths for manager, paths in managers.items() if manager != owner))
    for path in managers.get(owner, set()) - set(desired) - others:
        _drop(result, path)
    before = dict(_leaves(result))
    taken_over = {path for path, value in desired.items() if path in before and before[path] != value}
    managers = {manager: paths - taken_over for manager, paths in managers.items()}
    for path, value in desired.items():
        _put(result, path, value)
    managers[owner] = set(desired)
    result["metadata"]["managedFields"] = [
        {"manager": manager, "operation": "Apply", "fieldsV1": _fields(paths)} for manager, paths in sorted(managers.items()) if paths
    ]
    return _listed(result)


def _named(item: Any) -> Any:
    if isinstance(item, dict):
        return {name: _named(value) for name, value in item.items() if name != "managedFields"}
    if isinstance(item, list) and all(isinstance(value, dict) and "name" in value for value in item):
        return {f'k:{{"name":"{value["name"]}"}}': _named(value) for value in item}
    return item


def _listed(item: Any) -> Any:
    if isinstance(item, dict):
        if item and all(name.startswith("k:") for name in item):
            return [_listed(value) for value in item.values()]
        return {name: value if name == "managedFields" else _listed(value) for name, value in item.items()}
    return item


def _leaves(item: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, value in item.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _fields(paths: set[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in paths:
        below = tree
        for name in path:
            below = below.setdefault(name if name.startswith("k:") else f"f:{name}", {})
    return tree


def _paths(fields: dict[str, Any], path: Path = ()) -> Iterator[Path]:
    for name, below in fields.items():
        here = (*path, name.removeprefix("f:"))
        if below:
            yield from _paths(below, here)
        else:
            yield here


def _put(item: Object, path: Path, value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(item.get(name), dict):
            item[name] = {}
        item = item[name]
    item[path[-1]] = value


def _drop(item: Object, path: Path) -> None:
    """Take a value away, and the maps that are empty without it."""
    if len(path) > 1 and isinstance(item.get(path[0]), dict):
        _drop(item[path[0]], path[1:])
    if len(path) == 1 or item.get(path[0]) == {}:
        item.pop(path[0], None)
