"""Refusals of a real API server: each names who has refused, with a remedy that can help.

What it answers is recorded, and the unit tests go on from there: MESHWRIGHT_RECORD=1 writes the record anew, for another version of Kubernetes.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import config

from tests.polling import until
from tests.twin.conftest import Twin
from twin.collection import CONFIG_MAP, NAMESPACE, POD, ApiError, ApiSession, Kind, Object, Transport, Write
from twin.paths import REPOSITORY

RECORD = REPOSITORY / "tests" / "unit" / "fixtures" / "denials" / "recorded.json"
SPACE, RESTRICTED, ENDING, QUOTED = "denials", "denials-restricted", "denials-ending", "denials-quoted"
_KINDS = {
    kind.name: kind
    for kind in (
        POD,
        CONFIG_MAP,
        Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        Kind("networking.istio.io/v1", "VirtualService", "virtualservices"),
        Kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False),
        Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False),
        Kind("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests", namespaced=False),
    )
}
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
_MINIMUM = {**_LIMITS, "metadata": {"name": "least", "namespace": SPACE}, "spec": {"limits": [{"type": "Container", "min": {"cpu": "100m"}}]}}
_RATIO = {
    **_LIMITS,
    "metadata": {"name": "ratio", "namespace": SPACE},
    "spec": {"limits": [{"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}]},
}
_COMPUTE = {**_QUOTA, "metadata": {"name": "compute", "namespace": QUOTED}, "spec": {"hard": {"requests.cpu": "1"}}}
_PRIORITY = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "denials-a"}, "value": 1, "globalDefault": True}
_CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": SPACE},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}},
}
_MUTATION = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": "denials-set-an-owner"},
    "spec": {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [_RULE]},
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {'owner': object.metadata.labels['team']}}}"},
            }
        ],
    },
}
_MUTATION_BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": "denials-set-an-owner"},
    "spec": {
        "policyName": "denials-set-an-owner",
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "denials-mutated"}}},
    },
}
_ROUTE = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": SPACE}, "spec": {"hosts": ["a", "a"]}}
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


def _pod_of(**spec: Any) -> Object:
    pod = _pod()
    return {**pod, "spec": {**pod["spec"], **spec}}


def _request_for_masters() -> Object:
    """A request for a certificate by which everything is allowed."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"), x509.NameAttribute(NameOID.COMMON_NAME, "eve")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    text = base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": text, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}
    return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "denials"}, "spec": spec}


def _create(body: Object, **options: Any) -> Write:
    return Write("create", _KINDS[body["kind"]], body["metadata"]["name"], body["metadata"].get("namespace"), body, **options)


def compare_with_record(situation: str, error: ApiError) -> None:
    """The answer is the recorded one, on which the unit tests of denials rest."""
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    # How much of a quota is used depends on what controllers have put into the namespace by then.
    message = re.sub(r"(used: \S+)=\d+", r"\1=1", error.server_message)
    answer = {"code": error.status, "reason": error.reason, "message": message}
    if os.environ.get("MESHWRIGHT_RECORD"):
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps({**recorded, situation: answer}, indent=2, sort_keys=True) + "\n")
        return
    assert recorded.get(situation) == answer, "the API server has other words than the record: read them, and set MESHWRIGHT_RECORD=1 to record them"


@pytest.fixture(scope="module")
def spaces(mesh: Twin) -> Iterator[Twin]:
    """Namespaces for these tests; nobody waits until they are gone."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    for item in (*map(_space, (SPACE, GOVERNED, INTERCEPTED, ENDING, QUOTED, "denials-mutated")), _space(RESTRICTED, **restricted)):
        mesh.session.write(Write("create", NAMESPACE, item["metadata"]["name"], body=item))
    yield mesh
    for name in (SPACE, GOVERNED, INTERCEPTED, ENDING, RESTRICTED, QUOTED, "denials-mutated"):
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
        pytest.param([_MINIMUM], _create(_pod(resources={"requests": {"cpu": "50m"}})), "limit_range", "the LimitRange of the namespace", id="least"),
        pytest.param(
            [_RATIO],
            _create(_pod(resources={"requests": {"cpu": "1"}, "limits": {"cpu": "4"}})),
            "limit_range",
            "the LimitRange of the namespace",
            id="ratio",
        ),
        pytest.param([_COMPUTE], _create(_pod(QUOTED)), "quota", "set what ResourceQuota compute requires", id="quota-that-requires"),
        pytest.param([], _create(_pod_of(serviceAccountName="nobody")), "service_account", "create ServiceAccount denials/nobody", id="service-account"),
        pytest.param([], _create(_pod_of(priorityClassName="urgent")), "priority_class", "create PriorityClass urgent", id="priority-class"),
        pytest.param(
            [_PRIORITY],
            _create({**_PRIORITY, "metadata": {"name": "denials-b"}}, dry_run=True),
            "priority_class",
            "set globalDefault of PriorityClass denials-a",
            id="second-default-priority",
        ),
        pytest.param([], _create(_pod_of(runtimeClassName="gvisor")), "runtime_class", "create RuntimeClass gvisor", id="runtime-class"),
        pytest.param(
            [_CLAIM],
            Write("patch", _KINDS["PersistentVolumeClaim"], "data", SPACE, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}),
            "immutable",
            "eep the value, or delete the object",
            id="unbound-claim",
        ),
        pytest.param([_MUTATION, _MUTATION_BINDING], _create(_config_map(namespace="denials-mutated")), "policy", "policy denials-set-an-owner", id="mutation"),
        pytest.param([], _create(_ROUTE, dry_run=True), "webhook", "what webhook ", id="webhook-of-istio"),
        pytest.param([], _create(_request_for_masters(), dry_run=True), "", "it is a rule of the API server", id="certificate-for-masters"),
        pytest.param([], Write("delete", NAMESPACE, "default", dry_run=True), "protected_namespace", "choose another namespace", id="namespace-that-stays"),
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
def test_who_refuses_is_named(
    request: pytest.FixtureRequest, mesh: Twin, make: Callable[..., None], items: list[Object], write: Write, cause: str, named: str
) -> None:
    if items:
        make(*items)

    # A policy, a webhook and a quota count once the API server has noticed them; what is admitted before goes again.
    def refused() -> ApiError | None:
        try:
            mesh.session.write(write)
        except ApiError as error:
            return error
        if write.verb == "delete" or write.dry_run:
            return None
        mesh.session.write(Write("delete", write.kind, write.name, write.namespace))
        return None

    error = until(refused, f"{write} to be refused")
    assert error.cause == cause, f"{error.status} {error.server_message}"
    assert named in error.message, error.message
    compare_with_record(request.node.callspec.id, error)


def test_a_namespace_that_terminates_is_named(mesh: Twin, make: Callable[..., None]) -> None:
    held = _config_map("held", ENDING)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    make(held)
    mesh.session.write(Write("delete", NAMESPACE, ENDING))
    try:
        error = _refusal(mesh.session, _create(_config_map(namespace=ENDING)))
        assert error.cause == "namespace_terminating", error.server_message
        assert f"ait until namespace {ENDING} is gone" in error.message
        compare_with_record("namespace-that-ends", error)
        # A role that writes by other modules says it as well.
        done = mesh.play("site.yml", "--tags", "bookinfo", "--check", "-e", f"bookinfo_namespace={ENDING}")
        assert done.returncode != 0
        assert f"Namespace {ENDING} of cluster sandbox is being deleted and takes nothing new" in " ".join(done.stdout.split()), done.stdout[-3000:]
    finally:
        mesh.session.write(Write("patch", CONFIG_MAP, "held", ENDING, {"metadata": {"finalizers": None}}))


def test_a_missing_permission_is_one(spaces: Twin) -> None:
    client = config.new_client_from_config(config_file=str(spaces.paths.kubeconfig))
    client.set_default_header("Impersonate-User", "eve")
    error = _refusal(ApiSession(Transport(client), name="eve", pause=lambda _seconds: None), _create(_config_map()))
    assert error.cause == "rbac", error.server_message
    assert "grant this permission to the user and run again" in error.message
    compare_with_record("permission", error)


def test_who_grants_more_than_it_has_is_no_missing_permission_of_its_own(spaces: Twin, make: Callable[..., None]) -> None:
    rules = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["create"]}]
    group = "rbac.authorization.k8s.io"
    make(
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "denials-mallory"}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "denials-mallory"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "denials-mallory"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "mallory"}],
        },
    )
    client = config.new_client_from_config(config_file=str(spaces.paths.kubeconfig))
    client.set_default_header("Impersonate-User", "mallory")
    session = ApiSession(Transport(client), name="mallory", pause=lambda _seconds: None)
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "denials-more"}, "rules": everything}

    def refused() -> ApiError | None:
        error = _refusal(session, _create(role, dry_run=True))
        return error if error.cause != "rbac" else None

    error = until(refused, "the binding to be in effect")
    assert error.cause == "escalation", error.server_message
    compare_with_record("escalation", error)
