"""A wait whose connection is slow, cut, reset or held: it sees every change, and calls nothing ready that is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.polling import until
from tests.twin.faults.scene import Scene, streams
from tests.twin.support.proxy import Proxy
from twin.collection import NAMESPACE


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        pytest.param("latency", {"latency": 100, "jitter": 50}, id="latency"),
        pytest.param("bandwidth", {"rate": 32}, id="bandwidth"),
        pytest.param("slicer", {"average_size": 64, "size_variation": 32, "delay": 200}, id="slicer"),
    ],
)
def test_a_slow_connection(scene: Scene, kind: str, attributes: dict[str, int]) -> None:
    scene.deploy("app", ready=False)
    scene.proxy.slow(kind, **attributes)
    enrolling = scene.start("enrollment", {"namespaces": [{"name": scene.namespace, "dataplane_mode": "ambient"}]})
    waiting = scene.wait_ready("app")
    scene.set_ready("app", True)
    result = waiting.finish()
    assert not result.get("failed"), result["msg"]
    assert [target["status"] for target in result["targets"]] == ["Current"]
    enrolled = enrolling.finish()
    assert enrolled.get("changed"), enrolled
    namespace = scene.twin.session.get(NAMESPACE, scene.namespace)
    assert namespace is not None
    assert namespace["metadata"]["labels"]["istio.io/dataplane-mode"] == "ambient"


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        pytest.param(Proxy.cut, Proxy.restore, id="cut"),
        pytest.param(Proxy.close_connections, lambda _proxy: None, id="closed"),
        pytest.param(lambda proxy: proxy.limit(200), Proxy.unlimit, id="cut-within-a-line"),
        pytest.param(Proxy.reset_at_next_data, Proxy.stop_resetting, id="reset"),
        pytest.param(Proxy.hold, Proxy.release, id="held-and-released"),
        pytest.param(Proxy.silence, Proxy.end_silence, id="silent-and-closed"),
    ],
)
def test_what_changes_while_the_connection_is_broken_is_noticed(scene: Scene, break_it: Callable[[Proxy], None], mend_it: Callable[[Proxy], None]) -> None:
    scene.deploy("first", ready=True)
    scene.deploy("second", ready=False)
    waiting = scene.wait_ready("first", "second")
    break_it(scene.proxy)
    # In this order there is no moment at which both are ready, so a wait that missed the first change would be wrong at the second.
    scene.set_ready("first", False)
    scene.set_ready("second", True)
    mend_it(scene.proxy)
    until(lambda: waiting.ended or streams(scene.twin) > 0, "the module to watch again")
    assert not waiting.ended, f"it has not noticed that the first is not ready any more: {waiting.finish()}"
    scene.set_ready("first", True)
    result = waiting.finish()
    assert not result.get("failed"), result["msg"]
    assert [target["status"] for target in result["targets"]] == ["Current", "Current"]
