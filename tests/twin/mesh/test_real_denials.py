"""Refusals of a real API server: each names who has refused, with a remedy that can help. The unit tests compose such answers from its source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import config

from tests.polling import until
from tests.twin.conftest import Twin
from twin.collection import CONFIG_MAP, NAMESPACE, POD, ApiError, ApiSession, Object, Transport, Write

SPACE, RESTRICTED, ENDING = "denials", "denials-restricted", "denials-ending"
# What intercepts objects goes on for a moment after it was deleted, so it has namespaces of its own.
GOVERNED, INTERCEPTED = "denials-governed", "denials-intercepted"
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
# Each in the namespace, or about it, and gone with the test.
_QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": SPACE}, "spec": {"hard": {"count/configmaps": "1"}}}
_LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small", "namespace": SPACE},
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]},
}
_POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "denials-need-an-owner"},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_RULE]},
        "validations": [{"expression": "has(object.metadata.labels) && 'owner' in object.metadata.labels"}],
    },
}
_BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "denials-need-an-owner"},
    "spec": {
        "policyName": "denials-need-an-owner",
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": GOVERNED}}},
    },
}
_WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "denials-gone"},
    "webhooks": [
        {
            "name": "gone.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": INTERCEPTED}},
            "clientConfig": {"service": {"name": "policies", "namespace": "nowhere", "path": "/"}},
            "rules": [_RULE],
        }
    ],
}


def _space(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _config_map(name: str = "one", namespace: str = SPACE, **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, **more}


def _pod(namespace: str = SPACE, **container: Any) -> Object:
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "web", "image": "web", **container}]}}


def _create(body: Object, **options: Any) -> Write:
    kind = POD if body["kind"] == "Pod" else CONFIG_MAP
    return Write("create", kind, body["metadata"]["name"], body["metadata"]["namespace"], body, **options)


@pytest.fixture(scope="module")
def spaces(mesh: Twin) -> Iterator[Twin]:
    """Namespaces for these tests; nobody waits until they are gone."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    for item in (*map(_space, (SPACE, GOVERNED, INTERCEPTED, ENDING)), _space(RESTRICTED, **restricted)):
        mesh.session.write(Write("create", NAMESPACE, item["metadata"]["name"], body=item))
    yield mesh
    for name in (SPACE, GOVERNED, INTERCEPTED, ENDING, RESTRICTED):
        mesh.session.write(Write("delete", NAMESPACE, name))


@pytest.fixture
def make(spaces: Twin) -> Iterator[Callable[..., None]]:
    """Creates objects with kubectl, and deletes them after the test."""
    made: list[str] = []

    def create(*items: Object) -> None:
        text = "\n---\n".join(map(json.dumps, items))
        made.append(text)
        done = spaces.run(["kubectl", "apply", "--server-side", "--field-manager=somebody", "-f", _written(spaces, text)])
        assert done.returncode == 0, done.stderr

    yield create
    for text in reversed(made):
        done = spaces.run(["kubectl", "delete", "--ignore-not-found", "-f", _written(spaces, text)])
        assert done.returncode == 0, done.stderr


def _written(mesh: Twin, text: str) -> str:
    path = mesh.paths.home / "denials.yaml"
    path.write_text(text)
    return str(path)


def _refusal(session: ApiSession, write: Write) -> ApiError:
    with pytest.raises(ApiError) as refused:
        session.write(write)
    return refused.value


@pytest.mark.parametrize(
    ("items", "write", "cause", "named"),
    [
        pytest.param([_QUOTA], _create(_config_map("two")), "quota", "ResourceQuota few", id="quota"),
        pytest.param([_LIMITS], _create(_pod(resources={"limits": {"cpu": "2"}})), "limit_range", "the LimitRange of the namespace", id="limits"),
        pytest.param(
            [],
            _create(_pod(RESTRICTED, securityContext={"privileged": True})),
            "pod_security",
            "the standard restricted:latest",
            id="pod-security",
        ),
        pytest.param([_POLICY, _BINDING], _create(_config_map(namespace=GOVERNED)), "policy", "admission policy denials-need-an-owner", id="policy"),
        pytest.param([_WEBHOOK], _create(_config_map(namespace=INTERCEPTED)), "webhook_unavailable", "Service nowhere/policies", id="webhook"),
        pytest.param([], _create(_config_map(namespace="denials-none")), "namespace_missing", "reate the namespace first", id="no-namespace"),
        pytest.param([_config_map()], _create(_config_map()), "already_exists", "in the meantime", id="exists"),
        pytest.param(
            [_config_map(data={"a": "theirs"})],
            Write("apply", CONFIG_MAP, "one", SPACE, _config_map(data={"a": "ours"})),
            "field_conflict",
            'conflict with "somebody": .data.a. Leave the field to its owner, or set force_conflicts to take it over',
            id="conflict",
            marks=pytest.mark.requirement("A14"),
        ),
        pytest.param(
            [_config_map(data={"a": "b"}, immutable=True)],
            Write("apply", CONFIG_MAP, "one", SPACE, _config_map(data={"a": "c"}), force=True),
            "immutable",
            "eep the value, or delete the object",
            id="immutable",
        ),
        pytest.param(
            [],
            Write("apply", CONFIG_MAP, "one", SPACE, _config_map(other="field"), dry_run=True),
            "unknown_field",
            "does not have the field .other",
            id="unknown-field",
        ),
        pytest.param(
            [_config_map()],
            Write("patch", CONFIG_MAP, "one", SPACE, {"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}),
            "modified",
            "run again",
            id="modified",
        ),
    ],
)
def test_who_refuses_is_named(mesh: Twin, make: Callable[..., None], items: list[Object], write: Write, cause: str, named: str) -> None:
    if items:
        make(*items)

    # A policy, a webhook and a quota count once the API server has noticed them; what is admitted before goes again.
    def refused() -> ApiError | None:
        try:
            mesh.session.write(write)
        except ApiError as error:
            return error
        mesh.session.write(Write("delete", write.kind, write.name, write.namespace))
        return None

    error = until(refused, f"{write} to be refused")
    assert error.cause == cause, f"{error.status} {error.server_message}"
    assert named in error.message, error.message


def test_a_namespace_that_terminates_is_named(mesh: Twin, make: Callable[..., None]) -> None:
    held = _config_map("held", ENDING)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    make(held)
    mesh.session.write(Write("delete", NAMESPACE, ENDING))
    try:
        error = _refusal(mesh.session, _create(_config_map(namespace=ENDING)))
        assert error.cause == "namespace_terminating", error.server_message
        assert f"ait until namespace {ENDING} is gone" in error.message
    finally:
        mesh.session.write(Write("patch", CONFIG_MAP, "held", ENDING, {"metadata": {"finalizers": None}}))


def test_a_missing_permission_is_one(spaces: Twin) -> None:
    client = config.new_client_from_config(config_file=str(spaces.paths.kubeconfig))
    client.set_default_header("Impersonate-User", "eve")
    error = _refusal(ApiSession(Transport(client), name="eve", pause=lambda _seconds: None), _create(_config_map()))
    assert error.cause == "rbac", error.server_message
    assert "grant this permission to the user and run again" in error.message
