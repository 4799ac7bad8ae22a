"""What the module check reads, returns, and fails on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.catalogue import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.spec import kinds_of
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import NAMESPACE, POD
from ansible_collections.meshwright.ambient.plugins.modules import check
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.objects import namespace_of

OPTIONS: dict[str, Any] = {"cluster": "prod", "phase": "verify", "only": [], "skip": [], "accepted": [], "fail_on": "never", "progress": None}
SHOUTED = namespace_of("shop", **{"istio.io/dataplane-mode": "Ambient"})
KNOWN = {"code": "MW4201", "kind": None, "namespace": None, "name": "shop", "reason": "a test", "until": None}


def checked(*, refused: tuple[str, ...] = (), **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result on a cluster with a misspelled label and nothing else, and the paths that were asked for."""

    def answer(request: Request) -> Answer:
        if request.path in refused:
            return refusal(403, "Forbidden", "no")
        if "/configmaps/" in request.path:
            return refusal(404, "NotFound", "no", name="x")
        return listed(SHOUTED) if request.path == NAMESPACE.path() else listed()

    api = FakeApi(respond=answer)
    module: Any = SimpleNamespace(params={**OPTIONS, **options})
    return check.check(module, api.session), [request.path for request in api.requests]


def test_a_finding_is_returned_with_its_counts() -> None:
    result, _paths = checked()
    assert [(one["code"], one["severity"], one["cluster"], one["object"]) for one in result["findings"]] == [
        ("MW4201", "error", "prod", {"kind": "Namespace", "namespace": "", "name": "shop"})
    ]
    assert (result["counts"], result["checks"], result["unchecked"], result["changed"]) == ({"error": 1, "warning": 0, "info": 0}, len(CHECKS), [], False)
    assert "failed" not in result


def test_without_a_name_the_cluster_is_that_of_messages() -> None:
    result, _paths = checked(cluster=None)
    assert result["findings"][0]["cluster"] == "prod (https://api.example.org)"


def test_it_fails_on_what_it_is_told_to_fail_on() -> None:
    result, _paths = checked(fail_on="error")
    assert result["failed"]
    assert result["msg"].splitlines()[0] == "Cluster prod has 1 finding:"
    assert result["msg"].splitlines()[1].startswith("error MW4201 Namespace shop: ")
    assert result["findings"]


def test_an_accepted_finding_is_none() -> None:
    result, _paths = checked(accepted=[KNOWN], fail_on="info")
    assert (result["findings"], result["counts"]["error"], "failed" in result) == ([], 0, False)
    assert [(one["code"], one["reason"], one["until"]) for one in result["accepted"]] == [("MW4201", "a test", "")]


def test_what_may_not_be_listed_is_returned_as_unchecked() -> None:
    result, _paths = checked(refused=(POD.path(),))
    assert result["unchecked"]
    assert {one["reason"] for one in result["unchecked"]} == {"pods: this user may not list pods in all namespaces"}
    assert result["checks"] == len(CHECKS) - len(result["unchecked"])


def test_all_kinds_are_read_whatever_is_asked_because_many_refine_an_answer() -> None:
    _result, paths = checked(only=["MW4201"])
    assert {kind.path() for kind in kinds_of(CHECKS) if kind.name not in ("ConfigMap", "Lease")} <= set(paths)


def test_options_are_validated_before_the_first_request() -> None:
    with pytest.raises(MeshError, match="No check has the code MW1"):
        checked(only=["MW1"])
