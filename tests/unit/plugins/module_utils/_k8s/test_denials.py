"""Every denial names who has refused, with a remedy that can help.

Those that a cluster can be brought to give were recorded by tests/twin/mesh/test_real_denials.py, which also compares the record with what the API server
of the twin says. The others are shaped as the API server's own source composes them; see the docstring of denials.py.
"""

# ruff: noqa: E501
# What a server says is not broken over lines.

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.denials import find_denial
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import DEPLOYMENT, GATEWAY
from tests.unit.fake_api import Answer, FakeApi, refusal
from twin.tools.catalogue import KUBERNETES_VERSION

# Those that the API server of the twin has (pkg/kubeapiserver/options/plugins.go, DefaultOffAdmissionPlugins; kwokctl adds and takes away none).
ADMISSION_PLUGINS = {
    "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction", "ClusterTrustBundleAttest", "DefaultIngressClass", "DefaultStorageClass",
    "DefaultTolerationSeconds", "JobValidation", "LimitRanger", "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "NamespaceLifecycle",
    "NodeDeclaredFeatureValidator", "PersistentVolumeClaimResize", "PodGroupProtection", "PodGroupWorkloadExists", "PodResizeValidator", "PodSecurity",
    "PodTopologyLabels", "Priority", "ResourceQuota", "RuntimeClass", "ServiceAccount", "StorageObjectInUseProtection", "TaintNodesByCondition",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook",
}  # fmt: skip
# Those that only set something in what users write.
NEVER_REFUSE = {"DefaultIngressClass", "DefaultTolerationSeconds", "PodGroupProtection", "StorageObjectInUseProtection", "TaintNodesByCondition"}

POD = 'pods "web-1" is forbidden: '
NO_PERMISSION = "a permission would not help"
RULE = "it is a rule of the API server and no missing permission, so change what it names"


@dataclass
class Row:
    """What the API server answers, and what is said about it."""

    by: str
    code: int
    reason: str
    message: str
    cause: str
    remedy: str
    name: str = ""


ADMISSION = [
    Row(
        "NamespaceLifecycle", 403, "Forbidden",
        'gateways.gateway.networking.k8s.io "waypoint" is forbidden: unable to create new content in namespace shop because it is being terminated',
        "namespace_terminating", "wait until namespace shop is gone and create it again (kubectl get namespace shop -o jsonpath='{.status.conditions}' says what holds it)", "shop",
    ),
    Row("NamespaceLifecycle", 404, "NotFound", 'namespaces "shop" not found', "namespace_missing", "Create the namespace first", "shop"),
    Row("NamespaceLifecycle", 403, "Forbidden", 'namespaces "default" is forbidden: this namespace may not be deleted', "protected_namespace", "choose another namespace"),
    Row(
        "LimitRanger", 403, "Forbidden", f"{POD}[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi]",
        "limit_range", "set resources that the LimitRange of the namespace allows",
    ),
    Row("LimitRanger", 403, "Forbidden", f"{POD}minimum cpu usage per Container is 100m.  No request is specified", "limit_range", "LimitRange"),
    Row("LimitRanger", 403, "Forbidden", f"{POD}cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000", "limit_range", "LimitRange"),
    Row("ServiceAccount", 403, "Forbidden", f'{POD}error looking up service account shop/web: serviceaccount "web" not found', "service_account", "create ServiceAccount shop/web first", "shop/web"),
    Row("PodSecurity", 403, "Forbidden",
        f'{POD}violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set ...)',
        "pod_security", "change what violates the standard restricted:latest", "restricted:latest"),
    Row("Priority", 403, "Forbidden", f"{POD}no PriorityClass with name urgent was found", "priority_class", "create PriorityClass urgent first", "urgent"),
    Row("Priority", 403, "Forbidden", 'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one default can exist',
        "priority_class", "set globalDefault of PriorityClass a to false", "a"),
    Row("Priority", 403, "Forbidden",
        f"{POD}the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name",
        "priority_class", "omit priority and preemptionPolicy"),
    Row("RuntimeClass", 403, "Forbidden", f'{POD}pod rejected: RuntimeClass "gvisor" not found', "runtime_class", "create RuntimeClass gvisor first", "gvisor"),
    Row("RuntimeClass", 403, "Forbidden", f"{POD}pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead", "runtime_class", "omit overhead"),
    Row("DefaultStorageClass", 403, "Forbidden", 'persistentvolumeclaims "data" is forbidden: storageclass lister failed', "", RULE),
    Row("PersistentVolumeClaimResize", 403, "Forbidden", 'persistentvolumeclaims "data" is forbidden: Only bound persistent volume claims can be expanded',
        "volume_resize", "keep the size, or wait until the claim is bound"),
    Row("CertificateApproval", 403, "Forbidden",
        'certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kubelet-serving"',
        "rbac", "grant this permission to the user and run again"),
    Row("CertificateSigning", 403, "Forbidden",
        'certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to sign requests with signerName "kubernetes.io/kubelet-serving"',
        "rbac", "grant this permission"),
    Row("ClusterTrustBundleAttest", 403, "Forbidden",
        'clustertrustbundles.certificates.k8s.io "a" is forbidden: user not permitted to attest for signerName "example.com/ca"', "rbac", "grant this permission"),
    Row("CertificateSubjectRestriction", 403, "Forbidden",
        'certificatesigningrequests.certificates.k8s.io "a" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
        "", RULE),
    Row("PodTopologyLabels", 403, "Forbidden", f"{POD}not yet ready to handle request", "not_ready", "run again in a moment"),
    Row("PodGroupWorkloadExists", 403, "Forbidden", 'podgroups.scheduling.k8s.io "a" is forbidden: PodGroup rejected: Workload "b" not found', "", RULE),
    Row("NodeDeclaredFeatureValidator", 403, "Forbidden", f'{POD}pod update requires features X which are not available on node "n"', "", RULE),
    Row("JobValidation", 403, "Forbidden", 'jobs.batch "a" is forbidden: cannot change parallelism for a Job referencing gang-scheduled PodGroup "b"', "", RULE),
    Row("PodResizeValidator", 403, "Forbidden", f"{POD}node didn't have enough allocatable resources: cpu, requested: 9", "", RULE),
    Row(
        "ValidatingAdmissionPolicy", 403, "Forbidden",
        "gateways.gateway.networking.k8s.io \"waypoint\" is forbidden: ValidatingAdmissionPolicy 'tenants-need-a-cost-center' with binding 'tenants' "
        "denied request: every Gateway needs the label cost-center",
        "policy", f"satisfy admission policy tenants-need-a-cost-center, or ask its owner to change it; {NO_PERMISSION}", "tenants-need-a-cost-center",
    ),
    Row("ValidatingAdmissionPolicy", 422, "Invalid",
        "gateways.gateway.networking.k8s.io \"waypoint\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: failed expression: false",
        "policy", "Satisfy admission policy a", "a"),
    Row("ValidatingAdmissionPolicy", 401, "Unauthorized",
        "gateways.gateway.networking.k8s.io \"waypoint\" is forbidden: ValidatingAdmissionPolicy 'a' denied request: User \"ci\" cannot do this",
        "policy", "Satisfy admission policy a", "a"),
    Row("MutatingAdmissionPolicy", 500, "InternalError", "Internal error occurred: policy 'a' with binding 'b' denied request: no such key: labels",
        "policy", "Satisfy admission policy a", "a"),
    Row("ValidatingAdmissionWebhook", 403, "Forbidden",
        'admission webhook "validate.kyverno.svc-fail" denied the request: resource Gateway/shop/waypoint was blocked due to the following policies',
        "webhook", f"change what webhook validate.kyverno.svc-fail objects to, or ask its owner; {NO_PERMISSION}", "validate.kyverno.svc-fail"),
    Row("ValidatingAdmissionWebhook", 403, "Forbidden",
        'admission webhook "validation.gatekeeper.sh" denied the request: [cost-center] User "ci" cannot create this, exceeded quota: a, b',
        "webhook", "change what webhook validation.gatekeeper.sh objects to", "validation.gatekeeper.sh"),
    Row("ValidatingAdmissionWebhook", 400, "BadRequest", 'admission webhook "validation.istio.io" denied the request: configuration is invalid: no hosts',
        "webhook", "Change what webhook validation.istio.io objects to", "validation.istio.io"),
    Row("ValidatingAdmissionWebhook", 401, "Unauthorized", 'admission webhook "a.example.com" denied the request: no', "webhook", "webhook a.example.com"),
    Row("ValidatingAdmissionWebhook", 404, "NotFound", 'admission webhook "a.example.com" denied the request: team not found', "webhook", "webhook a.example.com"),
    Row("ValidatingAdmissionWebhook", 410, "Gone", 'admission webhook "a.example.com" denied the request: gone', "webhook", "webhook a.example.com"),
    Row("ValidatingAdmissionWebhook", 400, "BadRequest", 'admission webhook "a.example.com" does not support dry run', "webhook_dry_run", "NoneOnDryRun"),
    Row("ValidatingAdmissionWebhook", 500, "InternalError",
        'Internal error occurred: failed calling webhook "validation.istio.io": failed to call webhook: '
        'Post "https://istiod.istio-system.svc:443/validate?timeout=10s": no endpoints available for service "istiod"',
        "webhook_unavailable", "Webhook validation.istio.io does not answer: check that the pods of Service istio-system/istiod run", "validation.istio.io"),
    Row("MutatingAdmissionWebhook", 500, "InternalError",
        'Internal error occurred: failed calling webhook "mservice.elbv2.k8s.aws": failed to call webhook: '
        'Post "https://aws-load-balancer-webhook-service.kube-system.svc:443/mutate-v1-service?timeout=10s": context deadline exceeded',
        "webhook_unavailable", "check that the pods of Service kube-system/aws-load-balancer-webhook-service run", "mservice.elbv2.k8s.aws"),
    Row("MutatingAdmissionWebhook", 500, "InternalError",
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://a.b.svc:443/?timeout=10s": '
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "webhook_unavailable", "Webhook a.example.com has another certificate than its configuration expects", "a.example.com"),
    Row("MutatingAdmissionWebhook", 504, "Timeout", "Timeout: request did not complete within requested timeout - context deadline exceeded",
        "timeout", "A webhook or the storage of the API server is slow"),
    Row("ResourceQuota", 403, "Forbidden", f"{POD}exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10",
        "quota", f"raise ResourceQuota compute of the namespace, or delete some of what it counts; {NO_PERMISSION}", "compute"),
    Row("ResourceQuota", 403, "Forbidden", f"{POD}failed quota: compute: must specify limits.cpu for: web; limits.memory for: web",
        "quota", "set what ResourceQuota compute requires", "compute"),
    Row("ResourceQuota", 403, "Forbidden", f"{POD}insufficient quota to consume: pods", "quota", "ask its administrator for one"),
    Row("ResourceQuota", 403, "Forbidden", f"{POD}status unknown for quota: compute, resources: pods", "quota_not_counted", "run again when the quota controller",
        "compute"),
    Row("ResourceQuota", 500, "InternalError", "Internal error occurred: resource quota evaluation timed out", "timeout", "run again"),
    Row("ResourceQuota", 409, "Conflict",
        'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified; please apply your changes to the latest version and try again',
        "modified", "run again"),
]  # fmt: skip

OTHERS = [
    Row("RBAC", 403, "Forbidden",
        'gateways.gateway.networking.k8s.io "waypoint" is forbidden: User "ci" cannot patch resource "gateways" in API group "gateway.networking.k8s.io" '
        'in the namespace "shop"', "rbac", "grant this permission to the user and run again", "ci"),
    Row("RBAC", 403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/healthz"', "anonymous", "complete the user of the kubeconfig", "system:anonymous"),
    Row("RBAC", 403, "Forbidden",
        'pods is forbidden: User "a" cannot list resource "pods" in API group "" at the cluster scope: requires one of ["container.pods.list"] permission(s).',
        "rbac", "grant this permission", "a"),
    Row("RBAC", 403, "Forbidden",
        'clusterroles.rbac.authorization.k8s.io "istiod" is forbidden: user "ci" (groups=["system:authenticated"]) is attempting to grant RBAC permissions '
        'not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}', "escalation", "or the verb escalate", "ci"),
    Row("OwnerReferencesPermissionEnforcement", 403, "Forbidden",
        "configmaps \"a\" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
        "rbac", "grant this permission"),
    Row("DenyServiceExternalIPs", 403, "Forbidden", 'services "a" is forbidden: Use of external IPs is denied by admission control', "external_ips", "omit externalIPs"),
    Row("NamespaceExists", 404, "NotFound", 'namespaces "shop" not found', "namespace_missing", "Create the namespace first", "shop"),
    Row("PodNodeSelector", 403, "Forbidden", f"{POD}pod node label selector conflicts with its namespace node label selector", "node_selector",
        "scheduler.alpha.kubernetes.io/node-selector"),
    Row("PodNodeSelector", 403, "Forbidden", f"{POD}pod node label selector labels conflict with its namespace whitelist", "node_selector", "ask the administrator"),
    Row("PodTolerationRestriction", 403, "Forbidden",
        f"{POD}pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist", "tolerations", "tolerationsWhitelist"),
    Row("LimitPodHardAntiAffinityTopology", 403, "Forbidden",
        f"{POD}affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed", "anti_affinity",
        "prefer the anti-affinity", "zone"),
    Row("ImagePolicyWebhook", 403, "Forbidden", f"{POD}image policy webhook backend denied one or more images: unsigned", "image_policy", "use images that"),
    Row("LimitRanger", 403, "Forbidden", f"{POD}unable to CREATE pods at this time because there was an error enforcing limit ranges", "limit_range", "run again"),
    Row("server-side apply", 409, "Conflict", 'Apply failed with 1 conflict: conflict with "helm" using v1: .spec.listeners',
        "field_conflict", "Leave the field to its owner, or set force_conflicts to take it over"),
    Row("server-side apply", 409, "Conflict", 'Apply failed with 2 conflicts: conflicts with "helm" using v1:\n- .spec.listeners\n- .metadata.labels.a',
        "field_conflict", "set force_conflicts"),
    Row("store", 409, "AlreadyExists", 'gateways.gateway.networking.k8s.io "waypoint" already exists', "already_exists", "run again"),
    Row("store", 409, "AlreadyExists", 'object is being deleted: gateways.gateway.networking.k8s.io "waypoint" already exists',
        "being_deleted", "Wait until the old object is gone, and check which finalizers hold it"),
    Row("store", 409, "Conflict", 'Operation cannot be fulfilled on deployments.apps "a": the object has been modified; please apply your changes to the '
        "latest version and try again", "modified", "run again"),
    Row("store", 409, "Conflict", 'Operation cannot be fulfilled on namespaces "shop": The system is ensuring all content is removed from this namespace.  '
        "Upon completion, this namespace will automatically be purged by the system.", "namespace_terminating", "Wait until namespace shop is gone", "shop"),
    Row("schema", 400, "BadRequest", 'Gateway in version "v1" cannot be handled as a Gateway: strict decoding error: unknown field "spec.other"',
        "unknown_field", "does not have the field spec.other", "spec.other"),
    Row("schema", 500, "InternalError",
        "failed to create typed patch object (shop/waypoint; gateway.networking.k8s.io/v1, Kind=Gateway): .spec.other: field not declared in schema",
        "unknown_field", "does not have the field .spec.other", ".spec.other"),
    Row("validation", 422, "Invalid", 'Deployment.apps "a" is invalid: spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
        "immutable", "Keep the value, or delete the object so that it is created again"),
    Row("validation", 422, "Invalid", 'StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
        "immutable", "Keep the value"),
    Row("validation", 422, "Invalid",
        'CustomResourceDefinition.apiextensions.k8s.io "grpcroutes.gateway.networking.k8s.io" is invalid: status.storedVersions[0]: Invalid value: "v1alpha2": '
        "missing from spec.versions; v1alpha2 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data "
        "remains persisted in v1alpha2 and removes v1alpha2 from status.storedVersions",
        "stored_version", "Objects may still be stored in version v1alpha2, which the new definition does not have: if there are none, delete the old definition", "v1alpha2"),
    Row("validation", 422, "Invalid", 'Gateway.gateway.networking.k8s.io "a" is invalid: spec.listeners: Too many: 65: must have at most 64 items', "", ""),
    Row("conversion", 500, "InternalError",
        'conversion webhook for gateway.networking.k8s.io/v1, Kind=Gateway failed: Post "https://a.b.svc:443/convert?timeout=30s": service "a" not found',
        "conversion", "Check the pods behind the conversion webhook", "gateway.networking.k8s.io/v1, Kind=Gateway"),
    Row("storage", 500, "Unknown", "etcdserver: leader changed", "storage", "Check etcd, and run again"),
    Row("other", 500, "InternalError", "Internal error occurred: something else", "", "Check the API server and its log, and run again"),
]  # fmt: skip


def refused(row: Row, **details: Any) -> ApiError:
    api = FakeApi(*[refusal(row.code, row.reason, row.message, **details)] * 9)
    with pytest.raises(ApiError) as raised:
        api.session.write(Write("apply", GATEWAY, "waypoint", "shop", {}))
    return raised.value


@pytest.mark.parametrize("row", [*ADMISSION, *OTHERS], ids=lambda row: f"{row.by}-{row.code}-{row.cause or 'unnamed'}")
def test_a_refusal_says_who_refuses_and_what_can_help(row: Row) -> None:
    error = refused(row, **({"name": "shop", "kind": "namespaces"} if row.cause == "namespace_missing" else {}))
    assert error.cause == row.cause
    assert row.remedy in error.message
    assert " ".join(row.message.rstrip(".").split()) in error.message, "what the server says is quoted"
    assert ("grant this permission" in error.message) is (row.cause == "rbac"), "a permission helps only where one is missing"
    if row.name:
        denial = find_denial(error.server_message)
        assert denial is not None
        assert denial.name == row.name


def test_each_admission_plugin_of_the_twins_api_server_has_a_row() -> None:
    assert KUBERNETES_VERSION.startswith("v1.36."), "compare the plugins that are on by default, and what they say, with the new version"
    assert {row.by for row in ADMISSION} | NEVER_REFUSE == ADMISSION_PLUGINS


def test_a_403_of_something_else_than_an_api_server_asks_for_no_permission() -> None:
    with pytest.raises(ApiError, match=r"\(<html>Forbidden</html>\): a proxy has answered, so check the way to it") as raised:
        FakeApi(Answer(403, "<html>Forbidden</html>")).session.list(DEPLOYMENT)
    assert "permission" not in raised.value.message


def test_a_policy_that_answers_401_is_no_question_of_the_credentials() -> None:
    row = next(row for row in ADMISSION if row.code == 401)
    assert "log in again" not in refused(row).message


# What the API server of the twin has said, by the situations of tests/twin/mesh/test_real_denials.py.
RECORDED = json.loads((Path(__file__).parents[3] / "fixtures" / "denials" / "recorded.json").read_text())
SAID = {
    "certificate-for-masters": ("", RULE),
    "conflict": ("field_conflict", "set force_conflicts to take it over"),
    "escalation": ("escalation", "or the verb escalate"),
    "exists": ("already_exists", "run again"),
    "immutable": ("immutable", "eep the value, or delete the object"),
    "least": ("limit_range", "the LimitRange of the namespace"),
    "limits": ("limit_range", "the LimitRange of the namespace"),
    "modified": ("modified", "run again"),
    "mutation": ("policy", "admission policy denials-set-an-owner"),
    "namespace-that-ends": ("namespace_terminating", "wait until namespace denials-ending is gone"),
    "namespace-that-stays": ("protected_namespace", "choose another namespace"),
    "no-namespace": ("namespace_missing", "create the namespace first"),
    "permission": ("rbac", "grant this permission"),
    "pod-security": ("pod_security", "the standard restricted:latest"),
    "policy": ("policy", "admission policy denials-need-an-owner"),
    "priority-class": ("priority_class", "create PriorityClass urgent first"),
    "quota": ("quota", "raise ResourceQuota few"),
    "quota-that-requires": ("quota", "set what ResourceQuota compute requires"),
    "ratio": ("limit_range", "the LimitRange of the namespace"),
    "runtime-class": ("runtime_class", "create RuntimeClass gvisor first"),
    "second-default-priority": ("priority_class", "set globalDefault of PriorityClass denials-a to false"),
    "service-account": ("service_account", "create ServiceAccount denials/nobody first"),
    "unbound-claim": ("immutable", "eep the value, or delete the object"),
    "unknown-field": ("unknown_field", "does not have the field .other"),
    "webhook": ("webhook_unavailable", "check that the pods of Service nowhere/policies run"),
    "webhook-of-istio": ("webhook", "change what webhook "),
}


@pytest.mark.parametrize("situation", sorted(RECORDED))
def test_what_a_real_api_server_has_said_is_understood(situation: str) -> None:
    answer, (cause, remedy) = RECORDED[situation], SAID[situation]
    api = FakeApi(*[refusal(answer["code"], answer["reason"], answer["message"], **({"name": "a"} if answer["code"] == 404 else {}))] * 9)
    with pytest.raises(ApiError) as raised:
        api.session.write(Write("apply", GATEWAY, "waypoint", "shop", {}))
    assert raised.value.cause == cause
    assert remedy.lower() in raised.value.message.lower()


def test_every_situation_is_recorded() -> None:
    assert set(RECORDED) == set(SAID)
