from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._checks.ages import seconds_of
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.control_plane import CHECKS as OF_CONTROL_PLANE
from ansible_collections.meshwright.ambient.plugins.module_utils._checks.webhooks import CHECKS
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
)
from tests.unit.checked_mesh import (
    HOME,
    MOMENTS_AGO,
    NOW,
    Mesh,
    added,
    changed,
    found_in,
    healthy,
    injector,
    istiod_of,
    item_of,
    namespace_of,
    pod_of,
    serious,
    service_of,
    shown,
    slice_of,
    without,
)
from tests.unit.objects import Object, derived, named

CA = injector()["webhooks"][0]["clientConfig"]["caBundle"]
ENDS = seconds_of("2036-11-18T01:39:02Z") or 0
PODS = {"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}
BALANCER = ("aws-load-balancer-webhook-service", "kube-system")


def hook_of(service: tuple[str, str], *rules: Object, name: str = "guard.example.com", **more: Any) -> Object:
    client = {"service": {"name": service[0], "namespace": service[1], "path": "/validate"}, "caBundle": CA}
    return {"name": name, "clientConfig": client, "rules": list(rules or (PODS,)), **more}


def guard_of(name: str, *hooks: Object, kind: Any = VALIDATING_WEBHOOK, created: str = "2026-11-20T00:00:00Z") -> Object:
    return item_of(kind, name, created=created, webhooks=list(hooks))


def rule_of(group: str, resource: str, *operations: str) -> Object:
    return {"operations": list(operations or ("CREATE", "UPDATE")), "apiGroups": [group], "apiVersions": ["*"], "resources": [resource]}


def injector_of(revision: str, service: str, **labels: str) -> Object:
    """The injection webhooks of a revision or tag, as the chart makes them."""
    mine = {**PODS, "apiVersions": ["v1"]}
    wanted = {"key": "istio.io/rev", "operator": "In", "values": [revision]}
    apart = {"key": "istio-injection", "operator": "DoesNotExist"}
    never = {"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}
    absent = {"key": "istio.io/rev", "operator": "DoesNotExist"}
    client = {"service": {"name": service, "namespace": HOME, "path": "/inject", "port": 443}, "caBundle": CA}
    by_namespace = {"namespaceSelector": {"matchExpressions": [wanted, apart]}, "objectSelector": {"matchExpressions": [never]}}
    by_object = {"namespaceSelector": {"matchExpressions": [absent, apart]}, "objectSelector": {"matchExpressions": [never, wanted]}}
    return item_of(
        MUTATING_WEBHOOK,
        f"istio-revision-tag-{revision}",
        labels={"istio.io/tag": revision, **labels},
        webhooks=[
            {"name": "rev.namespace.sidecar-injector.istio.io", "clientConfig": client, "rules": [mine], **by_namespace},
            {"name": "rev.object.sidecar-injector.istio.io", "clientConfig": client, "rules": [mine], **by_object},
        ],
    )


def test_a_healthy_mesh_has_no_findings() -> None:
    assert not shown(found_in(CHECKS, healthy()))


@pytest.mark.parametrize(
    ("hook", "severity", "words"),
    [
        (hook_of(BALANCER, rule_of("", "services", "CREATE")), "error", "so that nobody can create services"),
        (hook_of(BALANCER, rule_of("apps", "deployments")), "error", "nobody can create or update deployments.apps"),
        (hook_of(BALANCER, rule_of("gateway.networking.k8s.io", "gateways")), "error", "gateways.gateway.networking.k8s.io"),
        (hook_of(BALANCER, rule_of("*", "*", "*")), "error", "nobody can write everything"),
        (hook_of(BALANCER, rule_of("networking.istio.io", "*")), "error", "everything of networking.istio.io"),
        (hook_of(BALANCER, rule_of("shop.example.com", "orders")), "warning", "nobody can create or update orders.shop.example.com"),
        (hook_of(BALANCER, rule_of("shop.example.com", "services")), "warning", "services.shop.example.com"),
        (hook_of(BALANCER, rule_of("", "pods/exec", "CONNECT")), "warning", "nobody can connect to pods/exec"),
        (hook_of(BALANCER, namespaceSelector={"matchLabels": {"team": "none"}}), "warning", "which are none now"),
        (hook_of(BALANCER, namespaceSelector={"matchLabels": {"istio-injection": "enabled"}}), "error", "create pods in namespace legacy"),
        (hook_of(BALANCER, objectSelector={"matchLabels": {"app": "cart"}}), "error", "create pods with the labels"),
        (hook_of(BALANCER, objectSelector={"matchLabels": {"app": "nobody"}}), "warning", "create pods with the labels"),
        (hook_of(BALANCER, rule_of("", "nodes"), namespaceSelector={"matchLabels": {"team": "none"}}), "error", "update nodes"),
        (hook_of(BALANCER, rule_of("", "services"), failurePolicy="Ignore"), "info", "its failurePolicy is Ignore"),
    ],
)
def test_a_webhook_whose_service_does_not_exist(hook: Object, severity: str, words: str) -> None:
    (finding,) = found_in(CHECKS, added(healthy(), guard_of("guard", hook)))
    assert shown([finding]) == [("MW3101", severity, "ValidatingWebhookConfiguration guard")]
    assert "Service kube-system/aws-load-balancer-webhook-service, which its webhook guard.example.com calls, does not exist" in finding.problem.message
    assert words in finding.problem.message


def test_a_webhook_without_a_ready_endpoint_or_with_a_wrong_port() -> None:
    mesh = added(healthy(), guard_of("guard", hook_of(BALANCER)), service_of(*BALANCER, {"app": "lbc"}, 443), slice_of(*BALANCER, ready=False))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3101", "error", "ValidatingWebhookConfiguration guard")]
    assert "has no ready endpoint" in finding.problem.message
    assert not found_in(CHECKS, added(mesh, slice_of(*BALANCER)))
    (finding,) = found_in(CHECKS, added(mesh, service_of(*BALANCER, {"app": "lbc"}, 9443)))
    assert "has no port 443" in finding.problem.message


def test_what_is_just_being_installed_or_restarted_is_no_fault() -> None:
    assert not found_in(CHECKS, added(healthy(), guard_of("guard", hook_of(BALANCER), created=MOMENTS_AGO)))
    mesh = added(healthy(), guard_of("guard", hook_of(BALANCER)), service_of(*BALANCER, {"app": "lbc"}, 443))
    starting = pod_of("lbc-1", "kube-system", labels={"app": "lbc"}, ready=False, created=MOMENTS_AGO)
    assert not found_in(CHECKS, added(mesh, starting))
    assert found_in(CHECKS, added(mesh, pod_of("lbc-1", "kube-system", labels={"app": "lbc"}, ready=False, waiting="CrashLoopBackOff", created=MOMENTS_AGO)))


def test_a_webhook_that_is_called_by_url_or_stands_for_another_host_is_not_judged() -> None:
    outside = {**hook_of(BALANCER), "clientConfig": {"url": "https://127.0.0.1:23443/mutate"}}
    mesh = added(healthy(), guard_of("guard", outside), guard_of("far", hook_of(("far", "ops"))))
    assert not found_in(CHECKS, added(mesh, derived(service_of("far", "ops", None, 443), {"spec": {"type": "ExternalName"}})))


def test_injection_by_a_revision_that_is_gone() -> None:
    leftover = injector_of("canary", "istiod-canary")
    (finding,) = found_in(CHECKS, added(healthy(), leftover))
    assert shown([finding]) == [("MW3101", "warning", "MutatingWebhookConfiguration istio-revision-tag-canary")]
    mesh = added(healthy(), leftover, namespace_of("pay", **{"istio.io/rev": "canary"}))
    (finding,) = found_in(CHECKS, mesh)
    assert shown([finding]) == [("MW3101", "error", "MutatingWebhookConfiguration istio-revision-tag-canary")]
    assert "nobody can create pods in namespace pay" in finding.problem.message
    assert [str(ref) for ref in finding.problem.related] == ["Service istio-system/istiod-canary", "Namespace pay"]


def test_injection_that_is_passed_by() -> None:
    leftover = injector_of("canary", "istiod-canary")
    ignoring = {**leftover, "webhooks": [{**hook, "failurePolicy": "Ignore"} for hook in leftover["webhooks"]]}
    (finding,) = found_in(CHECKS, added(healthy(), ignoring, namespace_of("pay", **{"istio.io/rev": "canary"})))
    assert shown([finding]) == [("MW3101", "warning", "MutatingWebhookConfiguration istio-revision-tag-canary")]
    assert "new pods come up without sidecars" in finding.problem.message


def test_istiod_that_is_down_is_the_cause() -> None:
    mesh = without(changed(healthy(), DEPLOYMENT, "istiod", {"spec": {"replicas": 0}}), POD, "istiod-1")
    mesh = added(mesh, slice_of("istiod", ready=False))
    assert {code for code, *_rest in shown(found_in(CHECKS, mesh))} == {"MW3101"}
    (finding,) = found_in((*OF_CONTROL_PLANE, *CHECKS), mesh)
    assert finding.code == "MW3001"
    assert "MutatingWebhookConfiguration istio-sidecar-injector" in map(str, finding.problem.related)


def test_many_namespaces_are_counted_in_the_message_and_all_related() -> None:
    more = [namespace_of(f"team-{number}") for number in range(40)]
    hook = hook_of(BALANCER, namespaceSelector={"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]})
    (finding,) = found_in(CHECKS, added(healthy(), guard_of("guard", hook), *more))
    assert "in 44 of 45 namespaces" in finding.problem.message
    assert len(finding.problem.related) == 45


# MW3102


@pytest.mark.parametrize(
    ("bundle", "now", "severity", "words"),
    [
        ("", NOW, "error", "has no CA (caBundle), so the API server cannot call it, and nobody can create pods"),
        ("Q0E=", NOW, "error", "has a CA bundle without a certificate"),
        (CA, ENDS + 1, "error", "has a CA that ended on 2036-11-18"),
        (CA, ENDS - 86400, "warning", "has a CA that ends on 2036-11-18, and from then on the API server cannot call it"),
    ],
)
def test_a_ca_that_cannot_be_used(bundle: str, now: float, severity: str, words: str) -> None:
    hook = derived(hook_of(("istiod", HOME)), {"clientConfig": {"caBundle": bundle}})
    mesh = added(without(without(healthy(), MUTATING_WEBHOOK), VALIDATING_WEBHOOK), guard_of("guard", hook))
    (finding,) = found_in(CHECKS, mesh, now)
    assert shown([finding]) == [("MW3102", severity, "ValidatingWebhookConfiguration guard")]
    assert words in finding.problem.message
    assert str(finding.problem.cause) == "Deployment istio-system/istiod"


def test_of_several_webhooks_the_one_that_is_worst_off_is_told() -> None:
    hooks = [derived(hook, {"clientConfig": {"caBundle": None}}) for hook in injector()["webhooks"]]
    (finding,) = found_in(CHECKS, added(healthy(), {**injector(), "webhooks": hooks}))
    assert shown([finding]) == [("MW3102", "error", "MutatingWebhookConfiguration istio-sidecar-injector")]
    words = "its webhook namespace.sidecar-injector.istio.io (and 3 more) has no CA (caBundle), so the API server cannot call it"
    assert finding.problem.message == f"{words}, and nobody can create pods in namespace legacy"
    assert [str(ref) for ref in finding.problem.related] == ["Namespace legacy"]


def test_a_ca_of_what_fails_open_is_a_warning_and_one_without_a_server_is_not_told() -> None:
    hook = derived(hook_of(("istiod", HOME)), {"clientConfig": {"caBundle": ""}, "failurePolicy": "Ignore"})
    gone = derived(hook_of(BALANCER), {"clientConfig": {"caBundle": ""}})
    found = found_in(CHECKS, added(healthy(), guard_of("guard", hook), guard_of("gone", gone)))
    assert shown(found) == [("MW3101", "error", "ValidatingWebhookConfiguration gone"), ("MW3102", "warning", "ValidatingWebhookConfiguration guard")]


def test_what_is_asked_of_an_empty_cluster() -> None:
    mesh: Mesh = {SERVICE: [], NAMESPACE: [], ENDPOINT_SLICE: []}
    assert not found_in(CHECKS, mesh)
    assert not found_in(CHECKS, added({**mesh, VALIDATING_WEBHOOK: []}, item_of(VALIDATING_WEBHOOK, "bare")))


def test_two_products_are_two_findings() -> None:
    found = found_in(CHECKS, added(healthy(), istiod_of("x"), guard_of("one", hook_of(("a", "b"))), named(guard_of("two", hook_of(("c", "d"))), "two")))
    assert serious(found) == [("MW3101", "error", "ValidatingWebhookConfiguration one"), ("MW3101", "error", "ValidatingWebhookConfiguration two")]
