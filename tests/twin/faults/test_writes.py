"""Many writes whose connection breaks, or which the server refuses with an error: done, or reported how far; the next run completes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.polling import until
from tests.twin.faults.scene import (
    GATEWAY,
    NOBODY,
    PATIENCE,
    VALIDATING_WEBHOOK,
    Running,
    Scene,
    apply_gateway_definition,
    ask,
    create_namespaces,
    sentence,
    webhook_for,
)
from tests.twin.support.proxy import Proxy
from twin.collection import NAMESPACE, Kind, Object, Write
from twin.errors import TwinError
from twin.kwok.session import wait_for

_COUNT = 50
# Of the server's answers, so that what breaks them comes while they are under way.
_LATENCY_MS = 50


def _cut_for_a_moment(proxy: Proxy) -> None:
    proxy.cut()
    proxy.restore()


_BREAKS = {
    "cut-for-a-moment": _cut_for_a_moment,
    "cut": Proxy.cut,
    "cut-within-answers": lambda proxy: proxy.limit(6000),
    "reset": Proxy.reset_at_next_data,
}


@pytest.mark.parametrize("fault", _BREAKS)
def test_labels_whose_connection_breaks(scene: Scene, fault: str) -> None:
    arguments = _namespaces(scene, dataplane_mode="ambient")
    scene.proxy.slow("latency", latency=_LATENCY_MS)
    running = scene.start("enrollment", arguments)
    _wait_for_first(scene, running, NAMESPACE, lambda found: any("istio.io/dataplane-mode" in item["metadata"]["labels"] for item in found))
    _BREAKS[fault](scene.proxy)
    result = running.finish()
    made = sum(map(len, _labels(scene).values()))
    if result.get("failed"):
        _assert_tally(sentence(result), made, _COUNT)
    else:
        assert made == _COUNT
    again = scene.start("enrollment", arguments, kubeconfig=scene.twin.paths.kubeconfig).finish()
    assert not again.get("failed"), again["msg"]
    assert again["changed"] == (made < _COUNT)
    assert list(_labels(scene).values()) == [{"istio.io/dataplane-mode": "ambient"}] * _COUNT


@pytest.mark.parametrize(("state", "fault"), [("present", "cut-for-a-moment"), ("present", "reset"), ("absent", "cut")])
def test_waypoints_whose_connection_breaks(scene: Scene, state: str, fault: str) -> None:
    apply_gateway_definition(scene.twin)
    names = [f"waypoint-{number}" for number in range(_COUNT)]
    arguments = {"waypoints": [{"namespace": scene.namespace, "name": name, "state": state} for name in names], "allow_unowned_revision": True}
    if state == "absent":
        present = {**arguments, "waypoints": [{"namespace": scene.namespace, "name": name} for name in names]}
        made_before = scene.start("waypoint", present, kubeconfig=scene.twin.paths.kubeconfig).finish()
        assert made_before.get("changed"), made_before.get("msg")
    before = len(_waypoints(scene))
    scene.proxy.slow("latency", latency=_LATENCY_MS)
    running = scene.start("waypoint", arguments)
    _wait_for_first(scene, running, GATEWAY, lambda found: len(found) != before)
    _BREAKS[fault](scene.proxy)
    result = running.finish()
    made = abs(len(_waypoints(scene)) - before)
    if result.get("failed"):
        _assert_tally(sentence(result), made, _COUNT)
    else:
        assert made == _COUNT
    again = scene.start("waypoint", arguments, kubeconfig=scene.twin.paths.kubeconfig).finish()
    assert not again.get("failed"), again["msg"]
    assert again["changed"] == (made < _COUNT)
    assert sorted(_waypoints(scene)) == (sorted(names) if state == "present" else [])


def test_a_write_that_would_fail_with_a_server_error_keeps_all_others_from_being_sent(scene: Scene) -> None:
    arguments = _namespaces(scene, dataplane_mode="ambient", use_waypoint="none")
    refused = f"{scene.namespace}-30"
    # The API server answers 500 for each namespace that this webhook should judge, because nobody answers there.
    selector = {"matchLabels": {"kubernetes.io/metadata.name": refused}}
    session = scene.twin.session
    session.write(Write("apply", VALIDATING_WEBHOOK, scene.namespace, None, webhook_for(scene, "namespaces", {"url": NOBODY}, selector=selector)))
    try:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": refused}}
        until(lambda: ask(scene.twin, f"{NAMESPACE.path()}?dryRun=All", body=body).status == 500, "the webhook to be called")
        result = scene.start("enrollment", arguments).finish()
    finally:
        session.write(Write("delete", VALIDATING_WEBHOOK, scene.namespace))
    message = sentence(result)
    assert f"Namespace {refused}" in message, message
    assert "500" in message, message
    assert "failed calling webhook" in message, message
    # Each of the two labels is a write of its own, and both would fail for the same reason.
    assert message.count(f"patch Namespace {refused}") == 1, message
    assert "Nothing was changed" in result["msg"]
    assert list(_labels(scene).values()) == [{}] * _COUNT
    again = scene.start("enrollment", arguments).finish()
    assert again.get("changed"), again
    assert list(_labels(scene).values()) == [{"istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "none"}] * _COUNT


def _namespaces(scene: Scene, **labels: str) -> dict[str, Any]:
    """Create namespaces; returns the arguments that label them."""
    create_namespaces(scene.twin, *(f"{scene.namespace}-{number}" for number in range(_COUNT)), labels={"example.com/group": scene.namespace})
    return {"namespaces": [{"label_selector": f"example.com/group={scene.namespace}", **labels}]}


def _labels(scene: Scene) -> dict[str, dict[str, str]]:
    """The labels of ambient mesh that the scene's namespaces have."""
    found = scene.twin.session.list(NAMESPACE, label_selector=f"example.com/group={scene.namespace}").items
    return {item["metadata"]["name"]: {name: value for name, value in item["metadata"]["labels"].items() if "istio.io/" in name} for item in found}


def _waypoints(scene: Scene) -> list[str]:
    return [item["metadata"]["name"] for item in scene.twin.session.list(GATEWAY, scene.namespace).items]


def _assert_tally(message: str, made: int, total: int) -> None:
    """What the message counts must be the truth. A write whose answer was lost may have been made."""
    found = re.search(r"(\d+) of (\d+) writes were completed, (?:the responses to (\d+) were lost, )?(\d+) were not started", message)
    assert found, f"the message does not tell which writes were made:\n{message}"
    reported, of, lost, not_begun = (int(number or 0) for number in found.groups())
    assert of == total, f"there were {total} writes to make, but the message says:\n{message}"
    assert reported <= made <= reported + lost, f"{made} writes were made, but the message says:\n{message}"
    assert reported + lost + not_begun <= total, f"more writes than there are were reported:\n{message}"


def _wait_for_first(scene: Scene, running: Running, kind: Kind, true_of: Callable[[list[Object]], bool]) -> None:
    """Wait, behind the proxy, until something is true of the scene's objects of a kind."""

    def so(found: list[Object]) -> bool:
        return true_of([item for item in found if item["metadata"].get("namespace", item["metadata"]["name"]).startswith(scene.namespace)])

    try:
        wait_for(scene.twin.session, kind, so, PATIENCE, "the first write")
    except TwinError as error:
        raise AssertionError(f"{error} {running.name} reported: {running.finish()}") from error
