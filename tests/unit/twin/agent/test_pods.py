from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twin.agent import pods
from twin.agent.pods import PodRunner
from twin.collection import ApiError
from twin.errors import TwinError
from twin.kwok.real_processes import RealProcess

POD: dict[str, Any] = {
    "metadata": {"name": "istiod-1", "namespace": "istio-system", "uid": "1", "creationTimestamp": "2026-11-20T22:00:00Z"},
    "spec": {"containers": [{"name": "discovery", "image": "pilot"}]},
}


def test_a_pod_that_cannot_start_is_tried_again_though_the_api_server_does_not_hear_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tries: list[str] = []

    def refuse(_write: object) -> None:
        raise ApiError("the API server is away", status=0, reason="Connection refused")

    host: Any = SimpleNamespace(paths=SimpleNamespace(processes=tmp_path), session=SimpleNamespace(write=refuse))
    runner = PodRunner(host, RealProcess("istiod", ("app", "istiod"), "discovery", "pilot-discovery"), POD, "10.64.128.1")

    def prepare() -> None:
        tries.append("prepare")
        if len(tries) == 1:
            raise TwinError("ConfigMap istio-system/istio not found")
        runner.end()

    monkeypatch.setattr(pods, "RETRY_SECONDS", 0)
    monkeypatch.setattr(runner, "_prepare", prepare)
    monkeypatch.setattr(runner, "_finish", lambda: tries.append("finish"))
    runner._run()
    assert tries == ["prepare", "prepare", "finish"]
