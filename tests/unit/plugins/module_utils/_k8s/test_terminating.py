"""A namespace that is being deleted takes nothing new: whatever would be written into it is refused before the first write, with what holds it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import CONFIG_MAP, GATEWAY, NAMESPACE, SERVICE
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.objects import Object, derived, namespace_of

MODULES = Path(__file__).parents[5] / "plugins" / "modules"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

# As the namespace controller leaves a Namespace with a ConfigMap that a finalizer holds.
TERMINATING = derived(
    namespace_of("shop"),
    {
        "metadata": {"deletionTimestamp": "2026-11-20T23:14:46Z"},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "phase": "Terminating",
            "conditions": [
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "All resources successfully discovered"},
                {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "All content successfully deleted"},
                {
                    "type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
                    "message": "Some resources are remaining: configmaps. has 1 resource instances",
                },
                {
                    "type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
                    "message": "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
                },
            ],
        },
    },
)  # fmt: skip
HELD = (
    "NamespaceContentRemaining: Some resources are remaining: configmaps. has 1 resource instances; NamespaceFinalizersRemaining: Some content in the "
    "namespace has finalizers remaining: example.com/hold in 1 resource instances."
)
APPLY = Write("apply", GATEWAY, "waypoint", "shop", {"kind": "Gateway"}, creates=True)


def cluster(*namespaces: Object, readable: bool = True) -> FakeApi:
    def respond(request: Request) -> Answer:
        if request.path == REVIEWS:
            return Answer(201, {"status": {"allowed": True}})
        if request.path == NAMESPACE.path():
            return listed(*(derived(item, {"spec": None, "status": None}) for item in namespaces))
        found = next((item for item in namespaces if NAMESPACE.path(None, item["metadata"]["name"]) == request.path), None)
        if not readable:
            return refusal(403, "Forbidden", 'namespaces "shop" is forbidden: User "ci" cannot get resource "namespaces" in API group ""', name="shop")
        return Answer(200, found) if found else refusal(404, "NotFound", "namespaces not found", name="shop")

    return FakeApi(respond=respond)


@pytest.mark.parametrize(
    ("write", "needed"),
    [
        (APPLY, "apply Gateway shop/waypoint"),
        (Write("create", CONFIG_MAP, "a", "shop", {"data": {"a": "b"}}), "create ConfigMap shop/a"),
        (Write("patch", NAMESPACE, "shop", None, {"metadata": {"labels": {"istio.io/dataplane-mode": "ambient"}}}), "patch Namespace shop"),
        (Write("patch", SERVICE, "a", "shop", {"metadata": {"labels": {"istio.io/use-waypoint": "w", "other": None}}}), "patch Service shop/a"),
    ],
    ids=["apply", "create", "enroll", "bind"],
)
def test_what_adds_to_a_namespace_that_is_being_deleted_is_refused_with_what_holds_it(write: Write, needed: str) -> None:
    api = cluster(TERMINATING)
    api.session.list(NAMESPACE, metadata_only=True)
    (sentence,) = api.session.refused([write])
    assert sentence == (
        f"Namespace shop of cluster {api.session.cluster} is being deleted since 2026-11-20T23:14:46Z and takes nothing new (needed to {needed}): "
        f"wait until it is gone, and create it again. What holds it: {HELD}"
    )


@pytest.mark.parametrize(
    "write",
    [
        Write("delete", GATEWAY, "waypoint", "shop"),
        Write("patch", NAMESPACE, "shop", None, {"metadata": {"labels": {"istio.io/dataplane-mode": None}}}),
        Write("patch", SERVICE, "a", "shop", {"metadata": {"labels": {"istio.io/use-waypoint": None}}}),
        Write("apply", GATEWAY, "waypoint", "store", {"kind": "Gateway"}),
        Write("patch", NAMESPACE, "store", None, {"metadata": {"labels": {"istio.io/dataplane-mode": "ambient"}}}),
    ],
    ids=["delete", "leave", "unbind", "elsewhere", "enroll-elsewhere"],
)
def test_what_leaves_it_or_is_written_elsewhere_is_not_refused_and_costs_nothing(write: Write) -> None:
    api = cluster(TERMINATING, namespace_of("store"))
    api.session.list(NAMESPACE, metadata_only=True)
    before = len(api.requests)
    assert api.session.refused([write]) == []
    assert {request.path for request in api.requests[before:]} <= {REVIEWS}


def test_a_namespace_is_named_once_however_much_would_be_written_into_it() -> None:
    api = cluster(TERMINATING)
    api.session.list(NAMESPACE)
    (sentence,) = api.session.refused([APPLY, Write("apply", CONFIG_MAP, "a", "shop", {"kind": "ConfigMap"})])
    assert "(needed to apply Gateway shop/waypoint and 1 more)" in sentence


def test_a_namespace_that_came_back_in_the_meantime_is_not_refused() -> None:
    states = iter(
        [listed(TERMINATING), Answer(200, namespace_of("shop")), Answer(201, {"status": {"allowed": True}}), Answer(201, {"status": {"allowed": True}})]
    )
    api = FakeApi(respond=lambda _request: next(states))
    api.session.list(NAMESPACE)
    assert api.session.refused([APPLY]) == []


def test_one_that_was_not_listed_is_read_on_request() -> None:
    assert "install release shop/a" in cluster(TERMINATING).session.refuse_terminating([("shop", "install release shop/a")], read=True)[0]
    assert cluster().session.refuse_terminating([("shop", "install release shop/a")], read=True) == []
    assert cluster(TERMINATING, readable=False).session.refuse_terminating([("shop", "install release shop/a")], read=True) == []


@pytest.mark.parametrize("path", sorted(MODULES.glob("*.py")), ids=lambda path: path.stem)
def test_every_module_that_writes_asks_first(path: Path) -> None:
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    if "mesh_module" in calls and {"session.write", "session.write_all", "apply_plan", "apply_writes"} & set(calls):
        assert "session.refused" in calls, f"{path.name} writes to a cluster: what would be refused must be asked before"
