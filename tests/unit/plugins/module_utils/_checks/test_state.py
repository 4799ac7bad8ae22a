from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.state import read_cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, GATEWAY, LEASE, POD, SERVICE
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.objects import Object, recorded

KINDS = (POD, SERVICE, DEPLOYMENT, GATEWAY, CONFIG_MAP, LEASE, CUSTOM_RESOURCE_DEFINITION)
NOT_SERVED = Answer(404, "404 page not found\n")


def config_map(name: str, namespace: str = "istio-system", labels: dict[str, str] | None = None, **data: str) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels or {}}, "data": data}


def answering(table: dict[str, Answer]) -> FakeApi:
    """An API server that answers each path as the table says, and every other list with nothing."""

    def answer(request: Request) -> Answer:
        selector = request.query.get("labelSelector")
        key = f"{request.path}?{selector}" if selector else request.path
        if key in table:
            return table[key]
        if "/configmaps/" in request.path:
            return Answer(404, {"kind": "Status", "reason": "NotFound", "details": {"name": "x"}})
        return listed()

    return FakeApi(respond=answer)


def test_each_kind_is_listed_once_and_a_definition_has_no_schemas() -> None:
    api = answering({"/apis/apiextensions.k8s.io/v1/customresourcedefinitions": listed(recorded("customresourcedefinition/gateways_established"))})
    cluster = read_cluster(api.session, KINDS, 1.0)
    paths = [request.path for request in api.requests]
    assert all(paths.count(kind.path()) == 1 for kind in KINDS if kind not in (CONFIG_MAP, LEASE))
    (definition,) = cluster.all(CUSTOM_RESOURCE_DEFINITION)
    assert {key for version in definition["spec"]["versions"] for key in version} <= {"name", "served", "storage"}


def test_settings_of_istio_lose_templates_and_the_root_certificate_is_read_by_name() -> None:
    pilot = {"operator.istio.io/component": "Pilot"}
    api = answering(
        {
            DEPLOYMENT.path(): listed({"metadata": {"name": "istiod-blue", "namespace": "mesh", "labels": {"app": "istiod"}}, "spec": {}}),
            "/api/v1/configmaps?operator.istio.io/component in (Cni,Pilot)": listed(
                config_map("istio", "mesh", pilot, mesh="rootNamespace: mesh"), config_map("istio-sidecar-injector", "mesh", pilot, config="x" * 100)
            ),
            "/api/v1/namespaces/mesh/configmaps/istio-ca-root-cert": Answer(body=config_map("istio-ca-root-cert", "mesh", **{"root-cert.pem": "a"})),
        }
    )
    cluster = read_cluster(api.session, KINDS, 1.0)
    assert {(item["metadata"]["name"], *(item["data"].values())) for item in cluster.all(CONFIG_MAP)} == {
        ("istio", "rootNamespace: mesh"),
        ("istio-sidecar-injector", ""),
        ("istio-ca-root-cert", "a"),
    }
    assert "/apis/coordination.k8s.io/v1/namespaces/mesh/leases" in [request.path for request in api.requests]


def test_what_this_user_may_not_read_is_noted_and_what_is_not_served_is_empty() -> None:
    api = answering({POD.path(): refusal(403, "Forbidden", "no"), GATEWAY.path(): NOT_SERVED})
    cluster = read_cluster(api.session, KINDS, 1.0)
    assert cluster.unread == {POD: "this user may not list pods in all namespaces"}
    assert (cluster.all(GATEWAY), cluster.has_read(GATEWAY)) == ([], True)


def test_a_cluster_that_knows_no_such_user_is_an_error() -> None:
    with pytest.raises(ApiError):
        read_cluster(answering({POD.path(): refusal(401, "Unauthorized", "no")}).session, KINDS, 1.0)


def test_progress_tells_how_many_kinds_have_been_read() -> None:
    told: list[Any] = []
    read_cluster(answering({}).session, (POD, SERVICE), 1.0, lambda kind, done, total: told.append((kind.name, done, total)))
    assert sorted(told, key=lambda line: line[1])[-1][1:] == (2, 2)
