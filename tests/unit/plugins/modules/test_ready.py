"""What the module ready reads before it watches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.policies import PolicyExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.modules import ready
from tests.unit.fake_api import Answer, FakeApi, listed, refusal

SETTINGS = {"metadata": {"name": "istio", "namespace": "mesh"}, "data": {"mesh": "trustDomain: cluster.local\n"}}
OPTIONS = dict.fromkeys(ready.OPTIONS["targets"]["options"])


def _targets(monkeypatch: pytest.MonkeyPatch, answer: Answer, *items: dict[str, Any]) -> tuple[list[Target], int]:
    """The targets that the module waits for, and how many requests came before."""
    api = FakeApi(answer)
    found: list[Target] = []
    monkeypatch.setattr(ready, "wait_and_report", lambda _session, targets, **_options: found.extend(targets) or {})
    given = [{**OPTIONS, "name": "a", "namespace": "b", **item} for item in items]
    params = {"timeout": 1, "stable_for": 0, "fail_fast": True, "progress": None, "targets": given}
    module: Any = SimpleNamespace(params=params)
    ready.wait(module, api.session)
    return found, len(api.requests)


@pytest.mark.parametrize("kind", ["PeerAuthentication", "RequestAuthentication"])
def test_policies_are_judged_by_the_root_namespace_of_the_mesh(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """It is that of istiod unless meshConfig.rootNamespace says otherwise, and istio_namespace may be another than istio-system."""
    (own, given), requests = _targets(monkeypatch, listed(SETTINGS), {"kind": kind}, {"kind": kind, "root_namespace": "other"})
    assert (own.expectation, given.expectation) == (PolicyExpectation("mesh"), PolicyExpectation("other"))
    assert requests == 1


def test_what_cannot_be_read_leaves_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    (target,), _requests = _targets(monkeypatch, refusal(403, "Forbidden", "no"), {"kind": "PeerAuthentication"})
    assert target.expectation == PolicyExpectation("istio-system")


def test_other_targets_read_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _targets(monkeypatch, listed(), {"kind": "Deployment"}, {"kind": "PeerAuthentication", "root_namespace": "mesh"})[1] == 0
