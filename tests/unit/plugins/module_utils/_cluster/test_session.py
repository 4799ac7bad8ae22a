from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._cluster import session as session_module
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
    Kind,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.session import ATTEMPTS, ApiSession, Write, describe
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError, NotServed, ResourceExpired, Unreachable
from tests.unit.fake_api import Answer, FakeApi, Reply, Request, listed, refusal

CLUSTER = "Cluster prod (https://api.example.org)"
SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
PLAIN_404 = Answer(404, "404 page not found\n")


def _patch(name: str, kind: Kind = NAMESPACE, namespace: str | None = None) -> Write:
    return Write("patch", kind, name, namespace, {"metadata": {"labels": {"a": "b"}}})


# reading


def test_get() -> None:
    api = FakeApi(Answer(200, SHOP))
    assert api.session.get(NAMESPACE, "shop") == SHOP
    assert [str(request) for request in api.requests] == ["GET /api/v1/namespaces/shop"]


def test_an_absent_object_is_none() -> None:
    api = FakeApi(refusal(404, "NotFound", 'gateways "waypoint" not found', name="waypoint", kind="gateways"))
    assert api.session.get(GATEWAY, "waypoint", "shop") is None


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param(
            GATEWAY,
            "does not serve Gateway (gateway.networking.k8s.io/v1): install the Gateway API CRDs first (role gateway_api).",
            id="gateway-api",
        ),
        pytest.param(
            Kind("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies"),
            "does not serve AuthorizationPolicy (security.istio.io/v1): install Istio's CRDs first (role istio).",
            id="istio",
        ),
        pytest.param(DEPLOYMENT, "does not serve Deployment (apps/v1): check the version of the cluster.", id="kubernetes"),
    ],
)
@pytest.mark.parametrize("call", ["get", "list"])
def test_a_kind_that_is_not_served_is_not_an_absent_object(kind: Kind, message: str, call: str) -> None:
    session = FakeApi(PLAIN_404).session
    with pytest.raises(NotServed) as caught:
        session.get(kind, "a", "shop") if call == "get" else session.list(kind, "shop")
    assert caught.value.message == f"{CLUSTER} {message}"
    assert caught.value.status == 404


def test_list_reads_pages_to_the_end() -> None:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in "abc"]
    api = FakeApi(listed(*pods[:2], version="7", page_token="more"), listed(pods[2], version="8"))
    found = api.session.list(POD, "shop", label_selector="app=cart", field_selector="status.phase=Running")
    assert found.items == pods
    assert found.resource_version == "8"
    first = {"limit": "500", "labelSelector": "app=cart", "fieldSelector": "status.phase=Running"}
    assert [request.query for request in api.requests] == [first, first | {"continue": "more"}]
    assert {str(request) for request in api.requests} == {"GET /api/v1/namespaces/shop/pods"}


def test_an_empty_list() -> None:
    api = FakeApi(Answer(200, {"metadata": {"resourceVersion": "5"}, "items": None}))
    found = api.session.list(POD)
    assert (found.items, found.resource_version) == ([], "5")
    assert str(api.requests[0]) == "GET /api/v1/pods"


def test_a_list_that_expires_between_pages() -> None:
    api = FakeApi(listed(page_token="more"), refusal(410, "Expired", "The provided continue parameter is too old"))
    with pytest.raises(ResourceExpired) as caught:
        api.session.list(POD)
    assert caught.value.message == f"{CLUSTER} has dropped the version asked for to list pods: list again."


# refusals


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            refusal(401, "Unauthorized", "Unauthorized"),
            "did not accept the credentials to read Gateway shop/waypoint (401 Unauthorized): "
            "the token or certificate is missing, wrong or expired; log in again or renew the kubeconfig.",
            id="401",
        ),
        pytest.param(
            refusal(403, "Forbidden", 'gateways "waypoint" is forbidden: User "ci" cannot get resource "gateways"'),
            "refused to read Gateway shop/waypoint "
            '(gateways "waypoint" is forbidden: User "ci" cannot get resource "gateways"): grant this permission to the user and run again.',
            id="403",
        ),
        pytest.param(
            Answer(400, "<html>Bad Request</html>"), "refused to read Gateway shop/waypoint (400 error): <html>Bad Request</html>", id="no-status-object"
        ),
        pytest.param(Answer(500, "[]"), "refused to read Gateway shop/waypoint (500 error): []", id="json-that-is-no-status-object"),
        pytest.param(Answer(502, ""), "refused to read Gateway shop/waypoint (502 error): no message", id="empty"),
    ],
)
def test_refusals(answer: Answer, message: str) -> None:
    api = FakeApi(answer)
    with pytest.raises(ApiError) as caught:
        api.session.get(GATEWAY, "waypoint", "shop")
    assert caught.value.message == str(caught.value) == f"{CLUSTER} {message}"
    assert caught.value.status == answer.status
    assert len(api.requests) == 1


CONFLICT = 'Apply failed with 1 conflict: conflict with "helm" using v1: .spec.listeners'


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            refusal(409, "Conflict", CONFLICT),
            f"refused to apply Gateway shop/waypoint: {CONFLICT}. Leave the field to its owner, or set force_conflicts to take it over.",
            id="field-of-somebody-else",
            marks=pytest.mark.requirement("A14"),
        ),
        pytest.param(
            refusal(409, "AlreadyExists", 'gateways "waypoint" already exists', name="waypoint"),
            'refused to apply Gateway shop/waypoint (409 AlreadyExists): gateways "waypoint" already exists',
            id="already-there",
        ),
        pytest.param(
            refusal(404, "NotFound", 'namespaces "shop" not found', name="shop", kind="namespaces"),
            'refused to apply Gateway shop/waypoint (404 NotFound): namespaces "shop" not found',
            id="no-namespace",
        ),
        pytest.param(
            refusal(422, "Invalid", "spec.listeners: Required value", name="waypoint"),
            "refused to apply Gateway shop/waypoint (422 Invalid): spec.listeners: Required value",
            id="invalid",
        ),
    ],
)
def test_refusals_of_a_write(answer: Answer, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        FakeApi(answer).session.write(Write("apply", GATEWAY, "waypoint", "shop", {"kind": "Gateway"}))
    assert caught.value.message == f"{CLUSTER} {message}"
    assert not isinstance(caught.value, NotServed)


def test_an_unreachable_server() -> None:
    api = FakeApi(TransportError("Connection refused"))
    with pytest.raises(Unreachable) as caught:
        api.session.list(NAMESPACE)
    assert caught.value.message == (
        f"{CLUSTER} could not be reached to list namespaces (Connection refused): "
        "check that the API server runs and that the kubeconfig names the right address and CA."
    )
    assert (caught.value.status, caught.value.reason) == (0, "Connection refused")


@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_that_breaks_off(status: int) -> None:
    api = FakeApi(*[Answer(status, broken="Connection reset by peer")] * ATTEMPTS)
    with pytest.raises(Unreachable, match=r"could not be reached to read Namespace shop \(Connection reset by peer\)"):
        api.session.get(NAMESPACE, "shop")


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        pytest.param("prod", "prod (https://api.example.org)", id="named"),
        pytest.param("", "https://api.example.org", id="without-a-name"),
        pytest.param("https://api.example.org", "https://api.example.org", id="named-like-its-address"),
    ],
)
def test_how_messages_name_the_cluster(name: str, cluster: str) -> None:
    assert FakeApi(name=name).session.cluster == cluster


# retries


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        pytest.param([refusal(429, "TooManyRequests", "busy", {"Retry-After": "3"})], [3.0], id="as-long-as-the-server-says"),
        pytest.param([refusal(503, "ServiceUnavailable", "starting", {"Retry-After": "0"})], [0.0], id="at-once-when-the-server-says-so"),
        pytest.param([refusal(429, "TooManyRequests", "busy")] * 3, [0.4, 0.8, 1.6], id="longer-each-time-when-it-says-nothing"),
        pytest.param([refusal(429, "TooManyRequests", "busy", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})], [0.4], id="a-date-is-not-seconds"),
        pytest.param([TransportError("Connection reset by peer")], [0.4], id="connection-cut"),
    ],
)
def test_a_read_is_tried_again(answers: list[Reply], pauses: list[float]) -> None:
    api = FakeApi(*answers, Answer(200, SHOP))
    assert api.session.get(NAMESPACE, "shop") == SHOP
    assert api.pauses == pytest.approx(pauses)


def test_retries_end() -> None:
    api = FakeApi(*[refusal(429, "TooManyRequests", "busy", {"Retry-After": "1"})] * ATTEMPTS)
    with pytest.raises(ApiError, match=r"\(429 TooManyRequests\): busy"):
        api.session.get(NAMESPACE, "shop")
    assert len(api.requests) == ATTEMPTS
    assert api.pauses == [1.0] * (ATTEMPTS - 1)


@pytest.mark.parametrize(
    ("write", "failure", "tries"),
    [
        pytest.param(_patch("shop"), TransportError("Connection reset by peer"), 2, id="a-patch-can-be-sent-twice"),
        pytest.param(Write("create", NAMESPACE, "shop", body=SHOP), TransportError("Connection reset by peer"), 1, id="a-create-cannot"),
        pytest.param(Write("delete", NAMESPACE, "shop"), TransportError("Connection reset by peer"), 1, id="a-delete-cannot"),
        pytest.param(Write("create", NAMESPACE, "shop", body=SHOP), refusal(503, "ServiceUnavailable", "starting"), 2, id="but-when-it-was-turned-away"),
        pytest.param(_patch("shop"), TransportError("Connection refused"), 1, id="nobody-listens"),
        pytest.param(_patch("shop"), TransportError("certificate verify failed: unable to get local issuer certificate"), 1, id="wrong-ca"),
        pytest.param(_patch("shop"), refusal(500, "InternalError", "oops"), 1, id="an-error-of-the-server"),
    ],
)
def test_what_is_worth_a_retry(write: Write, failure: Reply, tries: int) -> None:
    api = FakeApi(failure, Answer(200, SHOP))
    if tries == 1:
        with pytest.raises(ApiError):
            api.session.write(write)
    else:
        api.session.write(write)
    assert len(api.requests) == tries


# writing

MANAGER = {"fieldManager": "meshwright"}


@pytest.mark.parametrize(
    ("write", "request_line", "query", "content_type"),
    [
        pytest.param(Write("create", POD, "cart", "shop", {}), "POST /api/v1/namespaces/shop/pods", MANAGER, "application/json", id="create"),
        pytest.param(
            Write("create", POD, "cart", "shop", {}, subresource="eviction"),
            "POST /api/v1/namespaces/shop/pods/cart/eviction",
            MANAGER,
            "application/json",
            id="create-subresource",
        ),
        pytest.param(
            Write("apply", GATEWAY, "waypoint", "shop", {}),
            "PATCH /apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways/waypoint",
            MANAGER,
            "application/apply-patch+yaml",
            id="apply",
            marks=pytest.mark.requirement("A14"),
        ),
        pytest.param(
            Write("apply", GATEWAY, "waypoint", "shop", {}, force=True),
            "PATCH /apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways/waypoint",
            MANAGER | {"force": "true"},
            "application/apply-patch+yaml",
            id="apply-by-force",
            marks=pytest.mark.requirement("A14"),
        ),
        pytest.param(Write("patch", NAMESPACE, "shop", None, {}), "PATCH /api/v1/namespaces/shop", MANAGER, "application/merge-patch+json", id="patch"),
        pytest.param(
            Write("patch", POD, "cart", "shop", {}, subresource="status"),
            "PATCH /api/v1/namespaces/shop/pods/cart/status",
            MANAGER,
            "application/merge-patch+json",
            id="patch-subresource",
        ),
        pytest.param(Write("delete", NAMESPACE, "shop"), "DELETE /api/v1/namespaces/shop", {}, "application/json", id="delete"),
    ],
)
def test_write(write: Write, request_line: str, query: dict[str, str], content_type: str) -> None:
    api = FakeApi(Answer(200, SHOP))
    assert api.session.write(write) == SHOP
    (request,) = api.requests
    assert (str(request), request.query, request.content_type) == (request_line, query, content_type)
    assert request.body == ({"propagationPolicy": "Background"} if write.verb == "delete" else {})


def test_deleting_what_is_gone_is_no_error() -> None:
    api = FakeApi(refusal(404, "NotFound", 'gateways "waypoint" not found', name="waypoint"))
    assert api.session.write(Write("delete", GATEWAY, "waypoint", "shop")) is None


def test_delete_options_are_the_callers() -> None:
    api = FakeApi(Answer(200, SHOP))
    api.session.write(Write("delete", NAMESPACE, "shop", body={"propagationPolicy": "Foreground"}))
    assert api.requests[0].body == {"propagationPolicy": "Foreground"}


def test_write_all_gives_the_results_in_the_order_of_the_writes() -> None:
    def respond(request: Request) -> Reply:
        return Answer(200, {"metadata": {"name": request.path.rpartition("/")[2]}})

    results = FakeApi(respond=respond).session.write_all([_patch(f"n{number}") for number in range(30)])
    assert results == [{"metadata": {"name": f"n{number}"}} for number in range(30)]


def test_write_all_of_nothing_asks_nothing() -> None:
    api = FakeApi()
    assert api.session.write_all([]) == []
    assert api.requests == []


def _refuse_from(name: str) -> Callable[[Request], Reply]:
    def respond(request: Request) -> Reply:
        return refusal(422, "Invalid", "no") if request.path.endswith(f"/{name}") else Answer(200, SHOP)

    return respond


def test_write_all_begins_nothing_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "WRITERS", 1)
    api = FakeApi(respond=_refuse_from("n2"))
    with pytest.raises(MeshError) as caught:
        api.session.write_all([_patch(f"n{number}") for number in range(6)])
    assert caught.value.message == (
        f"{CLUSTER} refused to patch Namespace n2 (422 Invalid): no\n2 of 6 writes were made, 3 were not begun; run again to go on where this stopped."
    )
    assert len(api.requests) == 3


def test_a_single_write_that_fails_needs_no_tally() -> None:
    with pytest.raises(MeshError) as caught:
        FakeApi(respond=_refuse_from("n0")).session.write_all([_patch("n0")])
    assert caught.value.message == f"{CLUSTER} refused to patch Namespace n0 (422 Invalid): no"


# permissions


def _allow(*verbs: str) -> Callable[[Request], Reply]:
    def respond(request: Request) -> Reply:
        return Answer(201, {"status": {"allowed": request.body["spec"]["resourceAttributes"]["verb"] in verbs}})

    return respond


def _asked(api: FakeApi) -> list[dict[str, Any]]:
    return [request.body["spec"]["resourceAttributes"] for request in api.requests]


def test_refused_asks_once_for_each_verb_kind_and_namespace() -> None:
    api = FakeApi(respond=_allow("patch", "delete"))
    writes = [
        _patch("shop"),
        _patch("store"),
        _patch("cart", SERVICE, "shop"),
        _patch("reviews", SERVICE, "shop"),
        _patch("cart", SERVICE, "store"),
        Write("apply", SERVICE, "other", "store"),
        Write("delete", SERVICE, "cart", "store"),
    ]
    assert api.session.refused(writes) == []
    assert [(one["verb"], one["resource"], one["namespace"], one["name"]) for one in _asked(api)] == [
        ("patch", "namespaces", "", "shop"),
        ("patch", "services", "shop", "cart"),
        ("patch", "services", "store", "cart"),
        ("delete", "services", "store", "cart"),
    ]
    assert {str(request) for request in api.requests} == {"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}


@pytest.mark.parametrize(
    ("write", "message"),
    [
        pytest.param(
            Write("apply", GATEWAY, "waypoint", "shop"),
            "does not let this user patch gateways in namespace shop (needed to apply Gateway shop/waypoint): "
            "grant the verb patch on gateways.gateway.networking.k8s.io and run again; nothing was changed.",
            id="apply-is-a-patch",
        ),
        pytest.param(
            _patch("shop"),
            "does not let this user patch namespaces at cluster scope (needed to patch Namespace shop): "
            "grant the verb patch on namespaces and run again; nothing was changed.",
            id="cluster-scope-and-core-group",
        ),
        pytest.param(
            Write("delete", CUSTOM_RESOURCE_DEFINITION, "a.b"),
            "does not let this user delete customresourcedefinitions at cluster scope (needed to delete CustomResourceDefinition a.b): "
            "grant the verb delete on customresourcedefinitions.apiextensions.k8s.io and run again; nothing was changed.",
            id="delete",
        ),
    ],
)
def test_refused_says_what_to_grant(write: Write, message: str) -> None:
    assert FakeApi(respond=_allow()).session.refused([write]) == [f"{CLUSTER} {message}"]


def test_nothing_to_write_nothing_to_ask() -> None:
    api = FakeApi()
    assert api.session.refused([]) == []
    assert api.requests == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param((GATEWAY, "waypoint", "shop"), "Gateway shop/waypoint", id="object"),
        pytest.param((NAMESPACE, "shop"), "Namespace shop", id="cluster-scoped-object"),
        pytest.param((POD, None, "shop"), "pods in namespace shop", id="list"),
        pytest.param((VALIDATING_WEBHOOK,), "validatingwebhookconfigurations", id="list-at-cluster-scope"),
    ],
)
def test_describe(arguments: tuple[Any, ...], text: str) -> None:
    assert describe(*arguments) == text


def test_the_field_manager_can_be_chosen() -> None:
    api = FakeApi(Answer(200, SHOP))
    session = ApiSession(api.transport, name="twin", pause=api.pauses.append, field_manager="twin")  # type: ignore[arg-type]
    session.write(_patch("shop"))
    assert api.requests[0].query == {"fieldManager": "twin"}
