from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import TransportError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import Listed, Scope
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import BY_NAME
from ansible_collections.meshwright.ambient.plugins.module_utils._status.control_plane import IGNORES_FAILURES
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.verdict import Verdict
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.causes import with_causes
from ansible_collections.meshwright.ambient.plugins.module_utils._wait.object_cache import ObjectCache
from tests.unit.fake_api import Answer, Cluster, Reply, Request, refusal
from tests.unit.objects import Object, derived, named, recorded, with_condition

WAYPOINT = Target("waypoint", "waypoint", "bookinfo")
DEPLOYMENT_OF_WAYPOINT = Target("Deployment", "waypoint", "bookinfo")
ENROLLMENT = Target("enrollment", namespace="bookinfo")
ISTIOD = recorded("deployment/istiod_available")
DEPLOYMENT = recorded("deployment/waypoint_available")
POD = derived(
    named(recorded("pod/captured"), "waypoint-58b67b7c74-x", "bookinfo"), {"metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}}
)
PULLING = derived(
    with_condition(POD, "Ready", status="False"),
    {"status": {"containerStatuses": [{"name": "istio-proxy", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "denied"}}}]}},
)
PULL = "pod waypoint-58b67b7c74-x: container istio-proxy is waiting, ImagePullBackOff (denied)"
VERDICT = Verdict("InProgress", "LessAvailable", "0 of 1 pods are available", "Look at its pods.")
MESSAGE = VERDICT.message


def _event(reason: str, name: str, at: str = "2026-11-21T08:00:00Z", kind: str = "Pod", namespace: str = "bookinfo", **fields: Any) -> Object:
    event = {
        "kind": "Event",
        "metadata": {"name": f"{name}.{at}.{reason}", "namespace": namespace},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace},
        "reason": reason,
        "message": "it did",
        "lastTimestamp": at,
    }
    return event | fields


def _cache(*objects: Object) -> ObjectCache:
    """What the wait has read: all but pods and events, which are read only for the causes."""
    cache = ObjectCache()
    for name in sorted({item["kind"] for item in objects} - {"Pod", "Event"}):
        cache.apply_event(Listed(Scope(BY_NAME[name]), [item for item in objects if item["kind"] == name]))
    return cache


def _explained(*objects: Object, target: Target = WAYPOINT, verdict: Verdict = VERDICT, **answers: Reply) -> Verdict:
    """The verdict on one target, with its causes."""
    ((same, explained),) = with_causes(Cluster(*objects, **answers).api.session, ((target, verdict),), _cache(*objects))
    assert same is target
    return explained


# pods


def test_the_pods_below_report_the_cause() -> None:
    verdict = _explained(DEPLOYMENT, PULLING, ISTIOD)
    assert verdict.message == f"{MESSAGE} ({PULL})"
    assert verdict.details == {"cause": PULL}
    assert (verdict.status, verdict.reason, verdict.remedy) == (VERDICT.status, VERDICT.reason, VERDICT.remedy), "a cause explains, it does not judge"


def test_pods_of_others_are_no_cause() -> None:
    other = derived(named(PULLING, "other"), {"metadata": {"labels": {"gateway.networking.k8s.io/gateway-name": "other"}}})
    elsewhere = named(PULLING, "waypoint-x", "shop")
    assert _explained(DEPLOYMENT, POD, other, elsewhere, ISTIOD).message == MESSAGE


def test_a_workload_without_a_pod() -> None:
    assert _explained(DEPLOYMENT, ISTIOD).message == f"{MESSAGE} (it has no pod)"


def test_a_control_plane_is_explained_by_the_pods_of_its_own_istiod() -> None:
    not_ready = with_condition(recorded("pod/istiod_ready"), "Ready", status="False")
    pod = derived(not_ready, {"metadata": {"labels": {"istio": "pilot"}}, "status": {"containerStatuses": []}})
    stable = derived(named(ISTIOD, "istiod-stable"), {"spec": {"selector": {"matchLabels": {"istio": None, "istio.io/rev": "stable"}}}})
    cause = "pod istiod-59976c6557-gkmf8: its readiness probe is failing since 2026-11-20T23:14:41Z"
    for name in ("", "default"):
        assert cause in _explained(ISTIOD, stable, pod, target=Target("control_plane", name, "istio-system")).message
    assert "it has no pod" in _explained(ISTIOD, stable, pod, target=Target("control_plane", "stable", "istio-system")).message


def test_who_is_well_is_not_explained() -> None:
    cluster = Cluster(DEPLOYMENT, PULLING)
    pairs = ((WAYPOINT, Verdict("Current", message="fine")),)
    assert with_causes(cluster.api.session, pairs, _cache(DEPLOYMENT)) == pairs
    assert cluster.api.requests == [], "there was nothing to ask for"


# warnings


def test_the_newest_warnings_about_it_are_reported_once_each() -> None:
    events = [
        _event("Failed", "waypoint-58b67b7c74-x", "2026-11-21T08:00:03Z"),
        _event("Failed", "waypoint-58b67b7c74-x", "2026-11-21T08:00:02Z"),
        _event("BackOff", "waypoint-58b67b7c74-x", "2026-11-21T08:00:01Z"),
        _event("Old", "waypoint-58b67b7c74-x", "2026-11-21T07:00:00Z"),
    ]
    verdict = _explained(DEPLOYMENT, PULLING, ISTIOD, *events)
    assert verdict.message == f"{MESSAGE} ({PULL}; newest warnings: Failed: it did; BackOff: it did)"
    assert verdict.details == {"cause": PULL, "events": ["Failed: it did", "BackOff: it did"]}


@pytest.mark.parametrize(
    ("event", "target", "reported"),
    [
        pytest.param(_event("Failed", "waypoint-58b67b7c74-x"), WAYPOINT, True, id="its-pod"),
        pytest.param(_event("Failed", "details-v1-x"), WAYPOINT, False, id="pod-of-another"),
        pytest.param(_event("FailedCreate", "waypoint-58b67b7c74", kind="ReplicaSet"), WAYPOINT, True, id="a-quota-reported-on-the-replica-set"),
        pytest.param(_event("FailedCreate", "waypoint-58b67b7c74", kind="ReplicaSet"), DEPLOYMENT_OF_WAYPOINT, True, id="the-same-of-a-deployment"),
        pytest.param(_event("FailedCreate", "waypoint-two-58b67b7c74", kind="ReplicaSet"), WAYPOINT, False, id="replica-set-of-a-longer-name"),
        pytest.param(_event("ProgressDeadline", "waypoint", kind="Deployment"), WAYPOINT, True, id="its-deployment"),
        pytest.param(_event("FailedGetResourceMetric", "waypoint", kind="HorizontalPodAutoscaler"), WAYPOINT, False, id="its-autoscaler"),
        pytest.param(
            _event("FailedGetResourceMetric", "waypoint", kind="HorizontalPodAutoscaler"), DEPLOYMENT_OF_WAYPOINT, False, id="the-same-of-a-deployment-2"
        ),
        pytest.param(_event("FailedCreatePodSandBox", "details-v1-x"), ENROLLMENT, True, id="the-cni-refuses-a-pod"),
        pytest.param(_event("FailedCreatePodSandBox", "details-v1-x", namespace="shop"), ENROLLMENT, False, id="the-cni-refuses-a-pod-elsewhere"),
        pytest.param(_event("Failed", "waypoint", kind="Service"), WAYPOINT, False, id="a-service-of-the-same-name"),
    ],
)
def test_whose_warnings_are_reported(event: Object, target: Target, reported: bool) -> None:
    message = _explained(DEPLOYMENT, POD, ISTIOD, event, target=target).message
    assert message == (f"{MESSAGE} (newest warnings: {event['reason']}: it did)" if reported else MESSAGE)


def test_warnings_without_a_last_time_are_as_new_as_they_are() -> None:
    """Components that use events.k8s.io say eventTime, and leave lastTimestamp empty."""
    events = [
        _event("Old", "waypoint-58b67b7c74-x", "2026-11-21T08:00:00Z"),
        _event("Older", "waypoint-58b67b7c74-x", "2026-11-21T07:00:00Z"),
        _event("New", "waypoint-58b67b7c74-x", lastTimestamp=None, eventTime="2026-11-21T09:00:00.000000Z"),
    ]
    assert (_explained(DEPLOYMENT, POD, ISTIOD, *events).details or {})["events"] == ["New: it did", "Old: it did"]


# istiod


@pytest.mark.parametrize(
    ("istiods", "cause"),
    [
        pytest.param([], "istiod is the cause: no istiod is installed", id="none"),
        pytest.param(
            [with_condition(ISTIOD, "Available", status="False")],
            "istiod is the cause: Deployment istio-system/istiod has no available pod",
            id="not-available",
        ),
        pytest.param([ISTIOD], "", id="well"),
        pytest.param(
            [ISTIOD, with_condition(named(ISTIOD, "istiod-next"), "Available", status="False")],
            "of several istiods, Deployment istio-system/istiod-next has no available pod",
            id="another-one",
        ),
    ],
)
def test_a_dead_istiod_is_named_to_who_waits_for_its_work(istiods: list[Object], cause: str) -> None:
    assert _explained(DEPLOYMENT, POD, *istiods).message == (f"{MESSAGE} ({cause})" if cause else MESSAGE)
    assert _explained(DEPLOYMENT, POD, *istiods, target=DEPLOYMENT_OF_WAYPOINT).message == MESSAGE, "a Deployment does not wait for istiod"


# what it costs, and what cannot be read


def test_the_causes_of_many_are_read_with_one_list_of_each_kind() -> None:
    targets = [Target("Deployment", f"d{number}", place) for number in range(50) for place in ("bookinfo", "shop")]
    deployments = [named(DEPLOYMENT, target.name, target.namespace) for target in targets]
    cluster = Cluster(*deployments, PULLING, named(PULLING, "waypoint-y", "shop"))
    explained = with_causes(cluster.api.session, (*((target, VERDICT) for target in targets), (WAYPOINT, VERDICT)), _cache(*deployments))
    assert Counter(request.path for request in cluster.api.requests) == {"/api/v1/pods": 1, "/api/v1/events": 1, "/apis/apps/v1/deployments": 1}
    assert all("ImagePullBackOff" in verdict.message for _target, verdict in explained[:-1])
    (events,) = (request for request in cluster.api.requests if request.path.endswith("events"))
    assert events.query["fieldSelector"] == "type=Warning"


def test_the_causes_in_one_namespace_are_read_in_this_namespace() -> None:
    cluster = Cluster(DEPLOYMENT, PULLING)
    with_causes(cluster.api.session, ((DEPLOYMENT_OF_WAYPOINT, VERDICT), (WAYPOINT, Verdict("Current"))), _cache(DEPLOYMENT))
    assert sorted(request.path for request in cluster.api.requests) == ["/api/v1/namespaces/bookinfo/events", "/api/v1/namespaces/bookinfo/pods"]


FAILURES: list[Any] = [
    pytest.param(refusal(403, "Forbidden", "no"), id="forbidden"),
    pytest.param(TransportError("timed out"), id="no-answer"),
    pytest.param(Answer(500, "oops"), id="error"),
    pytest.param(refusal(429, "TooManyRequests", "busy", {"Retry-After": "30"}), id="busy"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_what_cannot_be_read_leaves_the_verdict(failure: Reply) -> None:
    assert _explained(DEPLOYMENT, ISTIOD, Pod=failure).message == MESSAGE, "pods that cannot be read must not be reported as missing"
    assert _explained(DEPLOYMENT, ISTIOD, Event=failure).message == f"{MESSAGE} (it has no pod)"
    assert _explained(DEPLOYMENT, POD, Deployment=failure).message == MESSAGE


@pytest.mark.parametrize("failure", FAILURES)
def test_what_cannot_be_read_is_not_asked_for_again(failure: Reply) -> None:
    """The wait is over: what is read here must not make it last longer."""
    cluster = Cluster(DEPLOYMENT, Pod=failure, Event=failure, Deployment=failure)
    with_causes(cluster.api.session, ((WAYPOINT, VERDICT),), _cache(DEPLOYMENT))
    assert (len(cluster.api.requests), cluster.api.pauses) == (3, [])


def test_the_details_that_a_verdict_has_are_kept() -> None:
    verdict = Verdict("InProgress", "LessAvailable", MESSAGE, details={"address": "10.0.0.1"})
    assert _explained(DEPLOYMENT, PULLING, ISTIOD, verdict=verdict).details == {"address": "10.0.0.1", "cause": PULL}


# what istiod would create, and may not


GATEWAY = recorded("gateway/waypoint_programmed")
UNPROGRAMMED = Verdict("InProgress", "AddressNotUsable", "Programmed is False", "Its Service or port was not found.")
DENIED = "deployments.apps \"waypoint\" is forbidden: ValidatingAdmissionPolicy 'need-team' with binding 'b' denied request: label team is missing"
INJECTOR = "/api/v1/namespaces/istio-system/configmaps/istio-sidecar-injector"
CONFIG = {"data": {"config": "templates: {waypoint: a, kube-gateway: b}", "values": '{"global": {"hub": "example.com/istio", "tag": "1"}}'}}
NO_CONFIG = refusal(404, "NotFound", 'configmaps "istio-sidecar-injector" not found', name="istio-sidecar-injector", kind="configmaps")


def _created(*objects: Object, verdict: Verdict = UNPROGRAMMED, targets: tuple[Target, ...] = (WAYPOINT,), **answers: Reply) -> tuple[Verdict, list[Request]]:
    """The verdict on a waypoint with its causes, and the dry runs; answers by the kind that is created, and of the injector configuration."""
    cluster = Cluster(ISTIOD, *objects)

    def other(request: Request) -> Reply:
        if str(request) == f"GET {INJECTOR}":
            return answers.get("Injector", Answer(200, CONFIG))
        return refusal(404, "NotFound", f"nobody serves {request.path}", name="x")

    cluster.other = other
    respond = cluster.api.transport._next

    def decide(request: Request) -> Reply:
        if request.method == "POST":
            return answers.get(str((request.body or {}).get("kind")), Answer(201, request.body))
        return respond(request)

    cluster.api.transport._next = decide
    explained = with_causes(cluster.api.session, tuple((target, verdict) for target in targets), _cache(*objects))
    return explained[0][1], [request for request in cluster.api.requests if request.method == "POST"]


def test_a_policy_that_refuses_what_istiod_creates_is_the_cause() -> None:
    verdict, tried = _created(GATEWAY, Deployment=refusal(422, "Invalid", DENIED))
    assert verdict.message == f"Programmed is False (the API server refuses Deployment bookinfo/waypoint, as istiod would create it: {DENIED})"
    assert verdict.remedy == "Satisfy admission policy need-team, or ask its owner to change it; a permission would not help."
    assert (verdict.status, verdict.reason) == ("InProgress", "AddressNotUsable")
    assert all(request.dry_run for request in tried)
    assert sorted(request.body["kind"] for request in tried) == ["Deployment", "Service", "ServiceAccount"]
    (deployment,) = (request.body for request in tried if request.body["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/istio/proxyv2:1"


@pytest.mark.parametrize(
    ("objects", "verdict"),
    [
        pytest.param([GATEWAY, DEPLOYMENT, named(recorded("service/of_waypoint"), "waypoint", "bookinfo")], UNPROGRAMMED, id="all-exists"),
        pytest.param([GATEWAY], Verdict("InProgress", "Pending", "nobody has looked", "x"), id="istiod-has-not-looked"),
        pytest.param([derived(GATEWAY, {"spec": {"addresses": [{"type": "Hostname", "value": "a.b"}]}})], UNPROGRAMMED, id="istiod-creates-nothing"),
        pytest.param([], UNPROGRAMMED, id="no-gateway"),
    ],
)
def test_nothing_is_tried_that_istiod_would_not_create(objects: list[Object], verdict: Verdict) -> None:
    assert _created(*objects, verdict=verdict)[1] == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refusal(403, "Forbidden", 'deployments.apps is forbidden: User "eve" cannot create resource "deployments"'), id="not-allowed"),
        pytest.param(refusal(409, "AlreadyExists", 'deployments.apps "waypoint" already exists'), id="made-in-the-meantime"),
        pytest.param(TransportError("timed out"), id="no-answer"),
    ],
)
def test_what_cannot_be_tried_is_no_cause(answer: Reply) -> None:
    verdict, _tried = _created(GATEWAY, Deployment=answer)
    assert (verdict.message, verdict.remedy) == (UNPROGRAMMED.message, UNPROGRAMMED.remedy)


def test_of_many_waypoints_that_differ_in_their_name_one_is_tried() -> None:
    gateways = [named(GATEWAY, f"waypoint-{number}") for number in range(30)]
    targets = tuple(Target("waypoint", item["metadata"]["name"], "bookinfo") for item in gateways)
    cluster_wide, tried = _created(*gateways, targets=targets)
    assert (len(tried), cluster_wide.message) == (3, UNPROGRAMMED.message)
    parameters = {"spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "own"}}}}
    assert len(_created(gateways[0], derived(gateways[1], parameters), targets=targets[:2])[1]) == 6, "their ConfigMaps may differ"


def test_what_is_refused_of_one_explains_all_that_are_like_it() -> None:
    gateways = [named(GATEWAY, f"waypoint-{number}") for number in range(3)]
    targets = tuple(Target("waypoint", item["metadata"]["name"], "bookinfo") for item in gateways)
    cluster = Cluster(ISTIOD, *gateways)
    cluster.other = lambda _request: Answer(200, CONFIG)
    respond = cluster.api.transport._next
    denied = refusal(422, "Invalid", DENIED)
    cluster.api.transport._next = lambda request: denied if request.method == "POST" and request.body["kind"] == "Deployment" else respond(request)
    explained = with_causes(cluster.api.session, tuple((target, UNPROGRAMMED) for target in targets), _cache(*gateways))
    assert ["the API server refuses Deployment" in verdict.message for _target, verdict in explained] == [True] * 3


@pytest.mark.parametrize(
    ("config_map", "problem"),
    [
        pytest.param(NO_CONFIG, "does not exist, from which istiod renders waypoints and gateways", id="absent"),
        pytest.param(
            Answer(200, {"data": {"config": "templates: {kube-gateway: b}"}}),
            "has no template waypoint, so istiod creates nothing for Gateways of this class",
            id="no-template",
        ),
    ],
)
def test_without_its_templates_istiod_is_the_cause(config_map: Answer, problem: str) -> None:
    verdict, tried = _created(GATEWAY, Injector=config_map)
    assert verdict.message == f"Programmed is False (istiod is the cause: ConfigMap istio-system/istio-sidecar-injector {problem})"
    assert verdict.remedy.startswith("Run site.yml --tags istio")
    assert tried == [], "an istiod without templates creates nothing that could be refused"
    assert _created(GATEWAY, Injector=refusal(403, "Forbidden", "no"))[0].message == UNPROGRAMMED.message


# what istiod verifies its webhook by


CONTROL_PLANE = Target("control_plane", "", "istio-system")
IGNORING = Verdict("InProgress", "WebhookNotServing", f"ValidatingWebhookConfiguration a: webhook b {IGNORES_FAILURES}: not verified", "Search the log.")
SCHEMA = 'Gateway.networking.istio.io "invalid-gateway" is invalid: spec.servers: Required value'


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(refusal(422, "Invalid", SCHEMA), f"refused before the webhook is called: {SCHEMA}", id="schema"),
        pytest.param(
            refusal(403, "Forbidden", "gateways is forbidden: exceeded quota: few, requested: a=1, used: a=1, limited: a=1"), "exceeded quota", id="quota"
        ),
        pytest.param(refusal(400, "BadRequest", 'admission webhook "rev.validation.istio.io" denied the request: always'), "", id="its-own-webhook"),
        pytest.param(refusal(403, "Forbidden", 'gateways is forbidden: User "eve" cannot create resource "gateways"'), "", id="not-allowed"),
        pytest.param(refusal(404, "NotFound", "the server could not find the requested resource"), "", id="no-definition"),
        pytest.param(Answer(201, {}), "", id="nobody-refuses"),
        pytest.param(TransportError("timed out"), "", id="no-answer"),
    ],
)
def test_a_schema_error_is_not_called_the_webhooks(answer: Reply, cause: str) -> None:
    """istiod says only in its log that its invalid object was "rejected for the wrong reason"."""
    verdict, tried = _created(verdict=IGNORING, targets=(CONTROL_PLANE,), Gateway=answer)
    assert (cause in verdict.message) if cause else (verdict.message == IGNORING.message)
    assert (verdict.remedy != IGNORING.remedy) is bool(cause)
    assert [(request.body["metadata"]["name"], request.dry_run) for request in tried] == [("invalid-gateway", True)]


def test_nothing_is_tried_for_a_control_plane_that_lacks_something_else() -> None:
    assert _created(verdict=VERDICT, targets=(CONTROL_PLANE,))[1] == []
