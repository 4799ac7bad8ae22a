from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError, NotServed, ResourceExpired, Unreachable
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s import session as session_module
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.refusals import ATTEMPTS
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.session import RETRY_SECONDS, ApiSession
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write, title_of
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    GATEWAY,
    NAMESPACE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
    Kind,
)
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


def test_a_list_of_metadata_asks_for_nothing_else() -> None:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "cart", "namespace": "shop"}}
    answer = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "5"}, "items": [partial]}
    api = FakeApi(Answer(200, answer), listed())
    (found,) = api.session.list(DEPLOYMENT, "shop", metadata_only=True).items
    assert found == {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": partial["metadata"]}, (
        "the objects are Deployments, whatever the list calls them"
    )
    api.session.list(DEPLOYMENT, "shop")
    assert [request.accept for request in api.requests] == ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ""]


def test_each_page_is_trimmed_before_the_next_is_read() -> None:
    pods = [{"metadata": {"name": name}} for name in "abc"]
    pages = iter([listed(*pods[:2], page_token="more"), listed(pods[2])])
    done: list[str] = []

    def respond(_request: Request) -> Reply:
        done.append("page")
        return next(pages)

    def trim(item: dict[str, Any]) -> dict[str, Any]:
        assert (item["kind"], item["apiVersion"]) == ("Pod", "v1"), "trim gets to know what the object is"
        done.append(item["metadata"]["name"])
        return {"only": item["metadata"]["name"]}

    found = FakeApi(respond=respond).session.list(POD, trim=trim)
    assert done == ["page", "a", "b", "page", "c"], "what is not needed must go before the next page comes"
    assert found.items == [{"only": name} for name in "abc"]


def test_an_empty_list() -> None:
    api = FakeApi(Answer(200, {"metadata": {"resourceVersion": "5"}, "items": None}))
    found = api.session.list(POD)
    assert (found.items, found.resource_version) == ([], "5")
    assert str(api.requests[0]) == "GET /api/v1/pods"


EXPIRED = refusal(410, "Expired", "The provided continue parameter is too old")


def test_a_list_that_expires_between_pages_is_begun_again() -> None:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in "abc"]
    api = FakeApi(listed(*pods[:2], page_token="old"), EXPIRED, listed(pods[0], page_token="new"), listed(pods[2]))
    assert api.session.list(POD).items == [pods[0], pods[2]], "nothing of the first try may be left, nothing may be there twice"
    assert [request.query.get("continue") for request in api.requests] == [None, "old", None, "new"]


@pytest.mark.parametrize(
    "answers",
    [pytest.param([listed(page_token="old"), EXPIRED] * 2, id="twice"), pytest.param([EXPIRED], id="on-the-first-page")],
)
def test_a_list_that_expires_again(answers: list[Answer]) -> None:
    with pytest.raises(ResourceExpired) as caught:
        FakeApi(*answers).session.list(POD)
    assert caught.value.message == f"{CLUSTER} no longer has the requested resource version to list pods: list again."


# refusals


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            refusal(401, "Unauthorized", "Unauthorized"),
            "did not accept the credentials to read Gateway shop/waypoint (401 Unauthorized): "
            "the token or certificate is missing, wrong or expired, or the cluster does not know its owner (in EKS: the owner has no access entry); "
            "log in again or renew the kubeconfig.",
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
        pytest.param(Answer(409, "[]"), "refused to read Gateway shop/waypoint (409 error): []", id="json-that-is-no-status-object"),
        pytest.param(Answer(418, ""), "refused to read Gateway shop/waypoint (418 error): no message", id="empty"),
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
            'refused to apply Gateway shop/waypoint (409 AlreadyExists): gateways "waypoint" already exists. '
            "Something else has created it in the meantime: run again.",
            id="already-there",
        ),
        pytest.param(
            refusal(404, "NotFound", 'namespaces "shop" not found', name="shop", kind="namespaces"),
            'refused to apply Gateway shop/waypoint (404 NotFound): namespaces "shop" not found. Create the namespace first, or correct its name.',
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

BUSY = refusal(429, "TooManyRequests", "busy")
CUT = TransportError("Connection reset by peer")


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        pytest.param([refusal(429, "TooManyRequests", "busy", {"Retry-After": "3"})], [3.0], id="as-long-as-the-server-says"),
        pytest.param([refusal(503, "ServiceUnavailable", "starting", {"Retry-After": "0"})], [0.0], id="at-once-when-the-server-says-so"),
        pytest.param([BUSY] * 3, [0.4, 0.8, 1.6], id="longer-each-time-when-it-says-nothing"),
        pytest.param([refusal(429, "TooManyRequests", "busy", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})], [0.4], id="a-date-is-not-seconds"),
        pytest.param([CUT], [0.4], id="connection-cut"),
        pytest.param([Answer(200, broken="Connection reset by peer")], [0.4], id="cut-while-the-body-is-read"),
        pytest.param([Answer(500, "oops"), Answer(502, "bad gateway"), Answer(504, "late")], [0.4, 0.8, 1.6], id="errors-of-the-server"),
        pytest.param([refusal(500, "InternalError", "oops", {"Retry-After": "2"})], [2.0], id="an-error-that-says-when-to-come-again"),
    ],
)
def test_a_read_is_tried_again(answers: list[Reply], pauses: list[float]) -> None:
    api = FakeApi(*answers, Answer(200, SHOP))
    assert api.session.get(NAMESPACE, "shop") == SHOP
    assert api.pauses == pytest.approx(pauses)


def test_a_page_of_a_list_that_breaks_off_is_read_again() -> None:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in "ab"]
    broken = Answer(200, broken="Connection reset by peer")
    api = FakeApi(broken, listed(pods[0], page_token="more"), broken, listed(pods[1]))
    assert api.session.list(POD).items == pods, "a page that came in two tries must be there, and only once"
    assert [request.query.get("continue") for request in api.requests] == [None, None, "more", "more"]


@pytest.mark.parametrize(
    "failure",
    [pytest.param(Answer(status, "oops"), id=str(status)) for status in (500, 502, 504)]
    + [pytest.param(CUT, id="cut"), pytest.param(Answer(200, broken="Connection reset by peer"), id="cut-in-the-body")],
)
@pytest.mark.parametrize("call", ["get", "patch"])
def test_an_error_of_the_server_is_met_with_four_tries(failure: Reply, call: str) -> None:
    api = FakeApi(respond=lambda _request: failure)
    with pytest.raises(ApiError):
        api.session.get(NAMESPACE, "shop") if call == "get" else api.session.write(_patch("shop"))
    assert len(api.requests) == ATTEMPTS == 4


MOST_REQUESTS = 200


def _always(failure: Answer) -> FakeApi:
    """An API server that fails in one way for ever; a test that asks without an end is stopped."""

    def respond(_request: Request) -> Reply:
        if len(api.requests) > MOST_REQUESTS:
            pytest.fail(f"the session has asked {MOST_REQUESTS} times and paused {sum(api.pauses):g} s: it would never give up")
        return failure

    api = FakeApi(respond=respond)
    return api


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        pytest.param({"Retry-After": "1"}, [1.0] * 60, id="each-second"),
        pytest.param({"Retry-After": "7"}, [7.0] * 8, id="not-beyond-the-limit"),
        pytest.param({"Retry-After": "60"}, [60.0], id="just-the-limit"),
        pytest.param({"Retry-After": "61"}, [], id="later-than-the-limit"),
        pytest.param({}, [0.4 * 2**number for number in range(7)], id="unsaid"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_until_the_pauses_are_used_up(status: int, headers: dict[str, str], pauses: list[float]) -> None:
    api = _always(refusal(status, "Busy", "come again", headers))
    with pytest.raises(ApiError, match=rf"\({status} Busy\): come again"):
        api.session.get(NAMESPACE, "shop")
    assert api.pauses == pytest.approx(pauses)
    assert len(api.requests) == len(pauses) + 1
    assert sum(api.pauses) <= RETRY_SECONDS == 60


def test_a_busy_server_that_says_come_at_once_is_given_up_as_well() -> None:
    api = _always(refusal(503, "ServiceUnavailable", "starting", {"Retry-After": "0"}))
    with pytest.raises(ApiError, match="starting"):
        api.session.get(NAMESPACE, "shop")


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(refusal(429, "TooManyRequests", "busy", {"Retry-After": "3"}), id="busy"),
        pytest.param(Answer(500, "oops"), id="error-of-the-server"),
        pytest.param(CUT, id="cut"),
        pytest.param(Answer(200, broken="Connection reset by peer"), id="cut-in-the-body"),
    ],
)
def test_a_list_that_does_not_persist_raises_at_once(failure: Reply) -> None:
    api = FakeApi(failure, listed())
    with pytest.raises(ApiError) as caught:
        api.session.list(POD, persist=False)
    assert (len(api.requests), api.pauses) == (1, [])
    assert caught.value.retry_after == (3.0 if caught.value.status == 429 else None), "who asks again must know when to"


@pytest.mark.parametrize(
    ("write", "failure", "tries"),
    [
        pytest.param(_patch("shop"), CUT, 2, id="a-patch-can-be-sent-twice"),
        pytest.param(Write("create", NAMESPACE, "shop", body=SHOP), CUT, 1, id="a-create-cannot"),
        pytest.param(Write("delete", NAMESPACE, "shop"), CUT, 1, id="a-delete-cannot"),
        pytest.param(Write("create", NAMESPACE, "shop", body=SHOP), refusal(503, "ServiceUnavailable", "starting"), 2, id="but-when-it-was-turned-away"),
        pytest.param(Write("delete", NAMESPACE, "shop"), BUSY, 2, id="a-delete-too"),
        pytest.param(_patch("shop"), TransportError("Connection refused"), 1, id="nobody-listens"),
        pytest.param(_patch("shop"), TransportError("certificate verify failed: unable to get local issuer certificate"), 1, id="wrong-ca"),
        pytest.param(_patch("shop"), refusal(500, "InternalError", "oops"), 2, id="an-error-of-the-server"),
        pytest.param(Write("apply", GATEWAY, "a", "shop", {}), Answer(502, ""), 2, id="an-apply-after-an-error-of-the-server"),
        pytest.param(Write("create", NAMESPACE, "shop", body=SHOP), refusal(500, "InternalError", "oops"), 1, id="a-create-after-an-error-of-the-server"),
        pytest.param(Write("delete", NAMESPACE, "shop"), Answer(504, "late"), 1, id="a-delete-after-an-error-of-the-server"),
        pytest.param(_patch("shop"), refusal(501, "NotImplemented", "no"), 1, id="what-the-server-cannot-do"),
        pytest.param(_patch("shop"), refusal(422, "Invalid", "no"), 1, id="what-is-wrong"),
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


# credentials that run out

UNAUTHORIZED = refusal(401, "Unauthorized", "Unauthorized")
CALLS: list[Any] = [
    pytest.param(lambda session: session.get(NAMESPACE, "shop"), id="get"),
    pytest.param(lambda session: session.write(Write("create", NAMESPACE, "shop", body=SHOP)), id="create"),
    pytest.param(lambda session: session.write(Write("delete", NAMESPACE, "shop")), id="delete"),
    pytest.param(lambda session: session.open_watch(POD, None, query=[], timeout=(1.0, 1.0)), id="watch"),
]


@pytest.mark.parametrize("call", CALLS)
def test_refused_credentials_are_renewed_and_the_request_sent_once_more(call: Callable[[ApiSession], object]) -> None:
    api = FakeApi(UNAUTHORIZED, Answer(200, SHOP))
    api.transport.renew = lambda: True
    call(api.session)
    first, second = api.requests
    assert (str(first), first.query, first.body) == (str(second), second.query, second.body), "it must be the same request"
    assert api.pauses == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("others", "requests"), [pytest.param(False, 1, id="no-others"), pytest.param(True, 2, id="others-refused-too")])
def test_credentials_that_stay_refused_are_reported_in_one_sentence(call: Callable[[ApiSession], object], others: bool, requests: int) -> None:
    api = FakeApi(respond=lambda _request: UNAUTHORIZED)
    api.transport.renew = lambda: others
    with pytest.raises(ApiError, match=r"did not accept the credentials to .* \(401 Unauthorized\): .* log in again or renew the kubeconfig\.$") as caught:
        call(api.session)
    assert caught.value.status == 401
    assert len(api.requests) == requests


def test_only_refused_credentials_are_renewed() -> None:
    api = FakeApi(
        refusal(403, "Forbidden", 'namespaces "shop" is forbidden: User "ci" cannot get resource "namespaces" in API group "" in the namespace "shop"')
    )
    api.transport.renew = lambda: pytest.fail("403 speaks of permissions: other credentials are not looked for")
    with pytest.raises(ApiError, match="grant this permission"):
        api.session.get(NAMESPACE, "shop")


# answers that are none


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(200, "<html>Sign in</html>"), id="a-page"),
        pytest.param(Answer(200, ""), id="nothing"),
        pytest.param(Answer(302, "", {"Location": "https://login.example.org"}), id="sent-elsewhere"),
    ],
)
def test_what_is_no_api_server_is_reported_in_a_sentence(answer: Answer) -> None:
    """A kubeconfig may name the address of a login page, or of a proxy in front of the cluster."""
    api = FakeApi(respond=lambda _request: answer)
    with pytest.raises(ApiError, match=r"^Cluster prod \(https://api\.example\.org\) "):
        api.session.get(NAMESPACE, "shop")


# writing

MANAGER = {"fieldManager": "meshwright"}
JUDGED_ONLY = {"dryRun": "All", "fieldValidation": "Strict"}


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
        pytest.param(
            Write("apply", NAMESPACE, "shop", None, {}, dry_run=True),
            "PATCH /api/v1/namespaces/shop",
            MANAGER | JUDGED_ONLY,
            "application/apply-patch+yaml",
            id="apply-dry-run",
        ),
        pytest.param(
            Write("create", POD, "cart", "shop", {}, dry_run=True),
            "POST /api/v1/namespaces/shop/pods",
            MANAGER | JUDGED_ONLY,
            "application/json",
            id="create-dry-run",
        ),
        pytest.param(
            Write("patch", NAMESPACE, "shop", None, {}, dry_run=True),
            "PATCH /api/v1/namespaces/shop",
            MANAGER | JUDGED_ONLY,
            "application/merge-patch+json",
            id="patch-dry-run",
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


def test_a_dry_run_of_a_delete_deletes_nothing() -> None:
    api = FakeApi(Answer(200, SHOP))
    api.session.write(Write("delete", NAMESPACE, "shop", dry_run=True))
    # Beside a body, the API server ignores the options of the query.
    assert api.requests[0].body["dryRun"] == ["All"], "the namespace would be gone"


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
        f"{CLUSTER} refused to patch Namespace n2 (422 Invalid): no\n2 of 6 writes were completed, 3 were not started; run again to continue from here."
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


WRITES = [
    _patch("shop"),
    _patch("store"),
    _patch("cart", SERVICE, "shop"),
    _patch("reviews", SERVICE, "shop"),
    _patch("cart", SERVICE, "store"),
    Write("apply", SERVICE, "other", "store"),
    Write("delete", SERVICE, "cart", "store"),
]


def test_refused_asks_once_for_each_verb_and_kind_of_who_may_write_everywhere() -> None:
    api = FakeApi(respond=_allow("patch", "delete"))
    assert api.session.refused(WRITES) == []
    assert [(one["verb"], one["resource"], one["namespace"], one["name"]) for one in _asked(api)] == [
        ("patch", "namespaces", "", "shop"),
        ("patch", "services", "", ""),
        ("delete", "services", "store", "cart"),
    ]
    assert {str(request) for request in api.requests} == {"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}


def test_refused_asks_for_each_namespace_of_who_may_write_only_in_some() -> None:
    def respond(request: Request) -> Reply:
        asked = request.body["spec"]["resourceAttributes"]
        return Answer(201, {"status": {"allowed": asked["resource"] == "namespaces" or asked["namespace"] == "shop"}})

    api = FakeApi(respond=respond)
    (sentence,) = api.session.refused(WRITES[:6])
    assert sentence == (
        f"{CLUSTER} does not allow this user to patch services in namespace store (needed to patch Service store/cart): "
        "grant the verb patch on services and run again."
    )
    assert [(one["resource"], one["namespace"], one["name"]) for one in _asked(api)] == [
        ("namespaces", "", "shop"),
        ("services", "", ""),
        ("services", "shop", "cart"),
        ("services", "store", "cart"),
    ]


def test_hundreds_of_writes_are_one_question() -> None:
    api = FakeApi(respond=_allow("patch"))
    assert api.session.refused([_patch(f"s{number}", SERVICE, f"n{number}") for number in range(300)]) == []
    assert len(api.requests) == 1


def test_an_apply_of_what_is_not_there_needs_the_right_to_create() -> None:
    api = FakeApi(respond=_allow("patch"))
    (sentence,) = api.session.refused([Write("apply", GATEWAY, "waypoint", "shop", {}, creates=True)])
    assert "does not allow this user to create gateways in namespace shop" in sentence


@pytest.mark.parametrize(
    ("write", "message"),
    [
        pytest.param(
            Write("apply", GATEWAY, "waypoint", "shop"),
            "does not allow this user to patch gateways in namespace shop (needed to apply Gateway shop/waypoint): "
            "grant the verb patch on gateways.gateway.networking.k8s.io and run again.",
            id="apply-is-a-patch",
        ),
        pytest.param(
            _patch("shop"),
            "does not allow this user to patch namespaces at cluster scope (needed to patch Namespace shop): grant the verb patch on namespaces and run again.",
            id="cluster-scope-and-core-group",
        ),
        pytest.param(
            Write("delete", CUSTOM_RESOURCE_DEFINITION, "a.b"),
            "does not allow this user to delete customresourcedefinitions at cluster scope (needed to delete CustomResourceDefinition a.b): "
            "grant the verb delete on customresourcedefinitions.apiextensions.k8s.io and run again.",
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


# the server's own word

RESOURCES = {
    "resources": [
        {"name": "volumes/status", "kind": "Volume", "namespaced": True},
        {"name": "volumes", "kind": "Volume", "namespaced": True},
        {"name": "classes", "kind": "Class", "namespaced": False},
    ]
}


@pytest.mark.parametrize(
    ("api_version", "name", "path", "expected"),
    [
        pytest.param("store.example.org/v1", "Volume", "/apis/store.example.org/v1", ("volumes", True), id="namespaced"),
        pytest.param("store.example.org/v1", "Class", "/apis/store.example.org/v1", ("classes", False), id="cluster-scoped"),
        pytest.param("v1", "Volume", "/api/v1", ("volumes", True), id="core-group"),
    ],
)
def test_a_kind_that_the_collection_does_not_know_is_asked_for(api_version: str, name: str, path: str, expected: tuple[str, bool]) -> None:
    api = FakeApi(Answer(200, RESOURCES))
    assert api.session.find_kind(api_version, name) == Kind(api_version, name, *expected)
    assert [str(request) for request in api.requests] == [f"GET {path}"]


@pytest.mark.parametrize("answer", [pytest.param(PLAIN_404, id="no-such-group"), pytest.param(Answer(200, RESOURCES), id="no-such-kind")])
def test_a_kind_that_nobody_serves(answer: Answer) -> None:
    with pytest.raises(NotServed) as caught:
        FakeApi(answer).session.find_kind("store.example.org/v1", "Bucket")
    assert (
        caught.value.message
        == f"{CLUSTER} does not serve Bucket (store.example.org/v1): install its CustomResourceDefinition, or correct api_version and kind."
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(Answer(200, "ok"), (200, "ok"), id="it-answers"),
        pytest.param(Answer(503, "no endpoints available"), (503, "no endpoints available"), id="it-does-not"),
        pytest.param(Answer(401, "who are you"), (401, "who are you"), id="it-refuses"),
        pytest.param(TransportError("timed out"), (0, "timed out"), id="no-answer"),
        pytest.param(Answer(200, broken="Connection reset by peer"), (0, "Connection reset by peer"), id="half-an-answer"),
    ],
)
def test_probe(reply: Reply, expected: tuple[int, str]) -> None:
    api = FakeApi(reply)
    assert api.session.probe("/api/v1/namespaces/a/services/https:b:443/proxy/", (1.0, 1.0)) == expected
    assert [str(request) for request in api.requests] == ["GET /api/v1/namespaces/a/services/https:b:443/proxy/"]
    assert api.pauses == [], "a probe asks once"


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
    assert title_of(*arguments) == text


def test_the_field_manager_can_be_chosen() -> None:
    api = FakeApi(Answer(200, SHOP))
    session = ApiSession(api.transport, name="twin", pause=api.pauses.append, field_manager="twin")  # type: ignore[arg-type]
    session.write(_patch("shop"))
    assert api.requests[0].query == {"fieldManager": "twin"}


@pytest.mark.parametrize(
    ("write", "answer", "written"),
    [
        pytest.param(Write("create", GATEWAY, "waypoint", "shop", {}), Answer(201, {"metadata": {}}), True, id="created"),
        pytest.param(Write("create", GATEWAY, "waypoint", "shop", {}, dry_run=True), Answer(201, {"metadata": {}}), False, id="dry-run"),
        pytest.param(Write("delete", GATEWAY, "waypoint", "shop"), Answer(200, {"kind": "Status"}), True, id="deleted"),
        pytest.param(Write("delete", GATEWAY, "waypoint", "shop"), refusal(404, "NotFound", "gone", name="waypoint"), False, id="gone-already"),
    ],
)
def test_a_session_knows_whether_it_has_written(write: Write, answer: Answer, written: bool) -> None:
    api = FakeApi(answer)
    api.session.write(write)
    assert api.session.has_written is written
