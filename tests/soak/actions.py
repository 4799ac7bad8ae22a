"""The random changes: each looks for something that it can change, changes it, and says what it has done; or does nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.soak import objects
from tests.soak.api import Object, Refused
from tests.soak.world import LASTING, NAMESPACES, PASSING, PODS, SERVICES, WAYPOINTS, WORKLOADS, World, set_ready

Action = Callable[[World, str], str | None]

HOLD = "soak/hold"


def populate(world: World) -> None:
    """Begin with something to change in every namespace."""
    for place in NAMESPACES:
        for sort, times in (("create workload", 4), ("create waypoint", 1), ("make Service", 2), ("bind namespace", 1), ("enroll namespace", 1)):
            for _time in range(times):
                what = ACTIONS[sort][0](world, place)
                if what is not None:
                    world.note(sort, place, what)


def act(world: World) -> None:
    """Make one random change."""
    # Some actions find nothing to change; another one is tried then.
    for _attempt in range(20):
        sort = world.dice.choices(list(ACTIONS), [weight for _action, weight in ACTIONS.values()])[0]
        place = world.dice.choices(NAMESPACES, (4, 4, 1))[0]
        if sort not in ("make namespace", "remove namespace") and world.find("Namespace", "", place) is None:
            continue
        try:
            what = ACTIONS[sort][0](world, place)
        except Refused as error:
            # Something else was quicker: what was to be changed is gone, or was changed meanwhile.
            if error.status not in (403, 404, 409, 422):
                raise
            world.counts["refused"] += 1
            continue
        if what is not None:
            world.note(sort, place, what)
            return


# workloads


def _workload(world: World, place: str, present: bool = True) -> tuple[str, str] | None:
    found = [(kind, name) for kind, names in WORKLOADS.items() for name in names if (world.find(kind, place, name) is not None) == present]
    return world.dice.choice(found) if found else None


def _create_workload(world: World, place: str) -> str | None:
    chosen = _workload(world, place, present=False)
    if chosen is None:
        return None
    broken = world.dice.random() < 0.25
    item = objects.workload(*(chosen[0], place, chosen[1]), world.next_change(), world.dice, broken=broken)
    world.create(item)
    return f"{chosen[0]} {chosen[1]} with {item['spec'].get('replicas', 'any')} replicas{', broken' if broken else ''}"


def _delete_workload(world: World, place: str) -> str | None:
    chosen = _workload(world, place)
    if chosen is None:
        return None
    how = world.dice.choice(("Background", "Background", "Foreground"))
    world.delete(chosen[0], place, chosen[1], how)
    return f"{chosen[0]} {chosen[1]}, {how.lower()}"


def _recreate_workload(world: World, place: str) -> str | None:
    chosen = _workload(world, place)
    if chosen is None:
        return None
    world.delete(chosen[0], place, chosen[1])
    world.create(objects.workload(chosen[0], place, chosen[1], world.next_change(), world.dice, broken=False))
    return f"{chosen[0]} {chosen[1]}"


def _hold_workload(world: World, place: str) -> str | None:
    """Delete one that something holds on to."""
    chosen = _workload(world, place)
    if chosen is None:
        return None
    world.patch(chosen[0], place, chosen[1], {"metadata": {"finalizers": [HOLD]}})
    world.delete(chosen[0], place, chosen[1])
    return f"{chosen[0]} {chosen[1]}"


def _release(world: World, place: str) -> str | None:
    held = [
        (kind, item["metadata"]["name"])
        for kind in (*WORKLOADS, "Gateway")
        for item in world.now().all(kind, place)
        if HOLD in item["metadata"].get("finalizers", ())
    ]
    if not held:
        return None
    kind, name = world.dice.choice(held)
    world.patch(kind, place, name, {"metadata": {"finalizers": None}})
    return f"{kind} {name}"


def _scale(world: World, place: str) -> str | None:
    found = [(kind, name) for kind in ("Deployment", "StatefulSet") for name in WORKLOADS[kind] if world.find(kind, place, name)]
    if not found:
        return None
    kind, name = world.dice.choice(found)
    replicas = world.dice.choice((0, 1, 2, 3, 4))
    world.patch(kind, place, name, {"spec": {"replicas": replicas}})
    return f"{kind} {name} to {replicas}"


def _template(world: World, place: str, pod: Object | None, of: Callable[[Object], bool]) -> str | None:
    found = [(kind, name) for kind, names in WORKLOADS.items() for name in names if (item := world.find(kind, place, name)) and of(item)]
    if not found:
        return None
    kind, name = world.dice.choice(found)
    template: Object = {"metadata": {"annotations": {"soak/change": str(world.next_change())}}}
    if pod is not None:
        template["spec"] = pod
    world.patch(kind, place, name, {"spec": {"template": template}})
    return f"{kind} {name}"


def is_broken(item: Object) -> bool:
    """Whether a workload's pods find no node."""
    return bool(item["spec"]["template"]["spec"].get("nodeSelector") == objects.NOWHERE)


def _change_template(world: World, place: str) -> str | None:
    return _template(world, place, None, lambda _item: True)


def _break_template(world: World, place: str) -> str | None:
    return _template(world, place, {"nodeSelector": objects.NOWHERE}, lambda item: not is_broken(item))


def _repair_template(world: World, place: str) -> str | None:
    change = _template(world, place, {"nodeSelector": None}, is_broken)
    if change and change.startswith("StatefulSet"):
        # Its controller waits for a broken pod to become ready before it replaces it; somebody has to delete it.
        _drop_stuck_pods(world, place)
    return change


def _drop_stuck_pods(world: World, place: str) -> None:
    for pod in world.pods(place):
        if any(owner["kind"] == "StatefulSet" for owner in pod["metadata"].get("ownerReferences", ())) and not pod["spec"].get("nodeName"):
            world.delete("Pod", place, pod["metadata"]["name"])


def _pause(world: World, place: str) -> str | None:
    found = [name for name in WORKLOADS["Deployment"] if world.find("Deployment", place, name)]
    if not found:
        return None
    name = world.dice.choice(found)
    paused = not (world.find("Deployment", place, name) or {})["spec"].get("paused", False)
    world.patch("Deployment", place, name, {"spec": {"paused": paused}})
    return f"Deployment {name} {'paused' if paused else 'resumed'}"


# pods


def _sicken(world: World, place: str) -> str | None:
    pods = [pod for pod in world.pods(place) if pod.get("status", {}).get("phase") == "Running"]
    if not pods:
        return None
    pod = world.dice.choice(pods)
    set_ready(world, pod, ready=False)
    return f"pod {pod['metadata']['name']} loses its readiness"


def is_sick(pod: Object) -> bool:
    """Whether a running pod is not ready; a simulated one does not become so by itself again."""
    status = pod.get("status", {})
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", ()))
    return status.get("phase") == "Running" and not ready


def _heal(world: World, place: str) -> str | None:
    sick = [pod for pod in world.pods(place) if is_sick(pod)]
    for pod in sick:
        set_ready(world, pod, ready=True)
    return f"{len(sick)} pods" if sick else None


def _kill_pod(world: World, place: str) -> str | None:
    pods = world.pods(place)
    if not pods:
        return None
    name = world.dice.choice(pods)["metadata"]["name"]
    world.delete("Pod", place, name)
    return f"pod {name}"


def _make_pod(world: World, place: str) -> str | None:
    absent = [name for name in PODS if world.journal.latest(("Pod", place, name)) is None or world.now().get("Pod", place, name) is None]
    if not absent:
        return None
    name = world.dice.choice(absent)
    world.create(objects.bare_pod(place, name, world.dice))
    return f"pod {name}"


def _relabel_pod(world: World, place: str) -> str | None:
    # A change of a waypoint's pod would be undone by nobody.
    pods = [pod for pod in world.pods(place) if "gateway.networking.k8s.io/gateway-name" not in pod["metadata"].get("labels", {})]
    if not pods:
        return None
    name, mode = world.dice.choice(pods)["metadata"]["name"], world.dice.choice(("ambient", "none", None))
    world.patch("Pod", place, name, {"metadata": {"labels": {"istio.io/dataplane-mode": mode}}})
    return f"pod {name}: dataplane-mode {mode}"


# waypoints


def _waypoint(world: World, place: str, present: bool = True) -> str | None:
    found = [name for name in WAYPOINTS if (world.find("Gateway", place, name) is not None) == present]
    return world.dice.choice(found) if found else None


def _create_waypoint(world: World, place: str) -> str | None:
    name = _waypoint(world, place, present=False)
    if name is None:
        return None
    broken = world.dice.random() < 0.15
    world.create(objects.waypoint(place, name, world.dice, broken=broken))
    return f"{name}{', parameters missing' if broken else ''}"


def _delete_waypoint(world: World, place: str) -> str | None:
    name = _waypoint(world, place)
    if name is None:
        return None
    held = world.dice.random() < 0.2
    if held:
        world.patch("Gateway", place, name, {"metadata": {"finalizers": [HOLD]}})
    world.delete("Gateway", place, name, world.dice.choice(("Background", "Foreground")))
    return f"{name}{', held' if held else ''}"


def _recreate_waypoint(world: World, place: str) -> str | None:
    name = _waypoint(world, place)
    if name is None:
        return None
    world.delete("Gateway", place, name)
    world.create(objects.waypoint(place, name, world.dice, broken=False))
    return name


def _allow(world: World, place: str) -> str | None:
    name = _waypoint(world, place)
    if name is None:
        return None
    listeners = objects.waypoint(place, name, world.dice, broken=False)["spec"]["listeners"]
    world.patch("Gateway", place, name, {"spec": {"listeners": listeners}})
    return f"{name}: routes from {listeners[0]['allowedRoutes']['namespaces']['from']}"


def _break_parameters(world: World, place: str) -> str | None:
    name = _waypoint(world, place)
    if name is None:
        return None
    world.patch("Gateway", place, name, {"spec": {"infrastructure": {"parametersRef": objects.PARAMETERS}}})
    return name


def _repair_parameters(world: World, place: str) -> str | None:
    broken = [name for name in WAYPOINTS if (item := world.find("Gateway", place, name)) and "infrastructure" in item["spec"]]
    if not broken:
        return None
    name = world.dice.choice(broken)
    world.patch("Gateway", place, name, {"spec": {"infrastructure": None}})
    return name


def _scale_waypoint(world: World, place: str) -> str | None:
    name = _waypoint(world, place)
    if name is None or world.find("Deployment", place, name) is None:
        return None
    replicas = world.dice.choice((0, 1, 2, 3))
    world.patch("Deployment", place, name, {"spec": {"replicas": replicas}})
    return f"{name} to {replicas}"


def _orphan(world: World, place: str) -> str | None:
    """Give a waypoint to a revision that nobody runs, or take it back."""
    name = _waypoint(world, place)
    if name is None:
        return None
    lost = "istio.io/rev" in ((world.find("Gateway", place, name) or {})["metadata"].get("labels") or {})
    world.patch("Gateway", place, name, {"metadata": {"labels": {"istio.io/rev": None if lost else "nobody"}}})
    return f"{name} {'adopted again' if lost else 'orphaned'}"


def _drop_child(world: World, place: str) -> str | None:
    name, kind = _waypoint(world, place), world.dice.choice(("Deployment", "Service"))
    if name is None or world.find(kind, place, name) is None:
        return None
    world.delete(kind, place, name)
    return f"{kind} of {name}"


# bindings and enrollment


def _wish(world: World, place: str) -> Object:
    """Labels that name a waypoint: of this namespace, of another, one that is not there, none, or no label at all."""
    name = world.dice.choice((*WAYPOINTS, WAYPOINTS[0], "nowhere", "none", None))
    other = world.dice.choice((None, None, None, *LASTING)) if name in WAYPOINTS else None
    return {"istio.io/use-waypoint": name, "istio.io/use-waypoint-namespace": other if other != place else None}


def _bind_namespace(world: World, place: str) -> str | None:
    labels = _wish(world, place)
    world.patch("Namespace", "", place, {"metadata": {"labels": labels}})
    return f"{place}: {_format_labels(labels)}"


def _bind_service(world: World, place: str) -> str | None:
    found = [name for name in SERVICES if world.find("Service", place, name)]
    if not found:
        return None
    name, labels = world.dice.choice(found), _wish(world, place)
    world.patch("Service", place, name, {"metadata": {"labels": labels}})
    return f"{name}: {_format_labels(labels)}"


def _format_labels(labels: Object) -> str:
    return f"use-waypoint {labels['istio.io/use-waypoint']} of {labels['istio.io/use-waypoint-namespace'] or 'its own namespace'}"


def _make_service(world: World, place: str) -> str | None:
    absent = [name for name in SERVICES if world.find("Service", place, name) is None]
    if not absent:
        return None
    item = objects.service(place, world.dice.choice(absent), world.dice)
    if world.dice.random() < 0.3:
        item["metadata"]["labels"] = {key: value for key, value in _wish(world, place).items() if value}
    world.create(item)
    return f"{item['metadata']['name']} {item['spec'].get('type', '')}".rstrip()


def _remove_service(world: World, place: str) -> str | None:
    found = [name for name in SERVICES if world.find("Service", place, name)]
    if not found:
        return None
    name = world.dice.choice(found)
    world.delete("Service", place, name)
    return name


def _enroll(world: World, place: str) -> str | None:
    mode = world.dice.choice(("ambient", "ambient", "none", None))
    world.patch("Namespace", "", place, {"metadata": {"labels": {"istio.io/dataplane-mode": mode}}})
    return f"{place}: {mode}"


# what lies around


def _quota(world: World, place: str) -> str | None:
    """Let a quota refuse all new pods, or take it away."""
    if f"quota {place}" in world.cleanup:
        world.repair(f"quota {place}")
        return "taken away"
    world.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "soak", "namespace": place}, "spec": {"hard": {"pods": "0"}}})

    def take_away() -> None:
        world._try("DELETE", f"/api/v1/namespaces/{place}/resourcequotas/soak", None)

    world.cleanup[f"quota {place}"] = take_away
    return "no more pods"


def _ztunnel(world: World, _place: str) -> str | None:
    """Let a node's ztunnel lose its readiness, so that nothing new is captured there, or give it back."""
    if "ztunnel" in world.cleanup:
        world.repair("ztunnel")
        return "ready again"
    pods = [pod for pod in world.pods("istio-system") if pod["metadata"].get("labels", {}).get("app") == "ztunnel"]
    if not pods:
        return None
    pod = world.dice.choice(pods)

    def give_back() -> None:
        for found in world.pods("istio-system"):
            if found["metadata"]["name"] == pod["metadata"]["name"]:
                set_ready(world, found, ready=True)

    world.cleanup["ztunnel"] = give_back
    set_ready(world, pod, ready=False)
    return f"{pod['metadata']['name']} on {pod['spec']['nodeName']} loses its readiness"


def stand_still(world: World, part: str) -> None:
    """Let a part of the cluster stand still, so that all that it writes goes stale, until it is repaired."""
    if part not in world.switches or part in world.cleanup:
        return
    world.cleanup[part] = lambda: world.switches[part](True)
    world.switches[part](False)
    world.note(part, "", "stands still")


def _istiod(world: World, _place: str) -> str | None:
    if "istiod" in world.cleanup:
        world.repair("istiod")
        return "goes on"
    stand_still(world, "istiod")
    return None


def _make_namespace(world: World, _place: str) -> str | None:
    if world.now().get("Namespace", "", PASSING):
        return None
    world.create(objects.namespace(PASSING))
    return PASSING


def _remove_namespace(world: World, _place: str) -> str | None:
    if world.find("Namespace", "", PASSING) is None:
        return None
    world.delete("Namespace", "", PASSING)
    world.cleanup.pop(f"quota {PASSING}", None)
    return PASSING


ACTIONS: dict[str, tuple[Action, float]] = {
    "create workload": (_create_workload, 10),
    "delete workload": (_delete_workload, 3),
    "recreate workload": (_recreate_workload, 4),
    "hold workload": (_hold_workload, 1),
    "release": (_release, 6),
    "scale": (_scale, 8),
    "change template": (_change_template, 8),
    "break template": (_break_template, 3),
    "repair template": (_repair_template, 6),
    "pause or resume": (_pause, 2),
    "sicken pod": (_sicken, 5),
    "heal pods": (_heal, 7),
    "kill pod": (_kill_pod, 4),
    "make pod": (_make_pod, 3),
    "relabel pod": (_relabel_pod, 3),
    "create waypoint": (_create_waypoint, 8),
    "delete waypoint": (_delete_waypoint, 2),
    "recreate waypoint": (_recreate_waypoint, 4),
    "change allowed routes": (_allow, 4),
    "break parameters": (_break_parameters, 2),
    "repair parameters": (_repair_parameters, 4),
    "scale waypoint": (_scale_waypoint, 3),
    "orphan or adopt waypoint": (_orphan, 2),
    "drop what istiod made": (_drop_child, 2),
    "bind namespace": (_bind_namespace, 4),
    "bind Service": (_bind_service, 5),
    "make Service": (_make_service, 4),
    "remove Service": (_remove_service, 2),
    "enroll namespace": (_enroll, 4),
    "quota": (_quota, 1),
    "ztunnel": (_ztunnel, 1),
    "istiod": (_istiod, 1),
    "make namespace": (_make_namespace, 2),
    "remove namespace": (_remove_namespace, 0.5),
}
