"""What should become of a target when nothing is changed any more: by how it was made, not by what its status says."""

from __future__ import annotations

from tests.soak.actions import is_broken, is_sick
from tests.soak.api import Object
from tests.soak.journal import Moment
from tests.soak.truth import GATEWAY_NAME, Goal
from tests.soak.world import World


def expected(goal: Goal, moment: Moment, world: World) -> bool | None:
    """Whether it should become Current; None when that is unknown."""
    if goal.kind == "binding":
        return None
    if goal.kind == "enrollment":
        return None if "ztunnel" in world.cleanup or moment.get("Namespace", "", goal.namespace) is None else _enrollment(goal, moment)
    item = moment.get("Gateway" if goal.kind == "waypoint" else goal.kind, goal.namespace, goal.name)
    if item is None or "deletionTimestamp" in item["metadata"]:
        return False
    if goal.kind in ("waypoint", "Gateway"):
        return _waypoint(item, moment, world)
    return _workload(goal, item, moment, world)


def _workload(goal: Goal, item: Object, moment: Moment, world: World) -> bool | None:
    replicas = item["spec"].get("replicas", 1)
    label = item["spec"]["selector"]["matchLabels"]["app"]
    pods = [pod for pod in moment.all("Pod", goal.namespace) if pod["metadata"].get("labels", {}).get("app") == label]
    if replicas and is_broken(item):
        # With a partition, or none of them replaced yet, some pods may still be good; never all.
        kept = item["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
        return None if goal.kind == "StatefulSet" and kept >= replicas else False
    if any(map(is_sick, pods)) or item["spec"].get("paused") or f"quota {goal.namespace}" in world.cleanup:
        return None
    return True


def _waypoint(item: Object, moment: Moment, world: World) -> bool | None:
    if "infrastructure" in item["spec"]:
        return None if "istiod" in world.cleanup else False
    name, place = item["metadata"]["name"], item["metadata"]["namespace"]
    pods = [pod for pod in moment.all("Pod", place) if pod["metadata"].get("labels", {}).get(GATEWAY_NAME) == name]
    deployment = moment.get("Deployment", place, name)
    if deployment is not None and not deployment["spec"]["replicas"]:
        return False
    orphaned = "istio.io/rev" in item["metadata"]["labels"]
    if "istiod" in world.cleanup or orphaned or any(map(is_sick, pods)) or f"quota {place}" in world.cleanup:
        return None
    return True


def _enrollment(goal: Goal, moment: Moment) -> bool | None:
    pods = moment.all("Pod", goal.namespace)
    return True if all(pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"] for pod in pods) else None
