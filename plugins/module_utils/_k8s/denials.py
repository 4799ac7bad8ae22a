# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who has refused a request, and what helps: the status of an answer does not say it, its message does.

403 is the answer of RBAC, and of every admission plugin, for which a permission would change nothing. A webhook may even choose the status.
Source: kubernetes 1.36, plugin/pkg/admission, and of its staging repositories apiserver (pkg/admission, pkg/endpoints/handlers/responsewriters,
pkg/util/webhook), apiextensions-apiserver (pkg/apis/apiextensions/validation), apimachinery (pkg/api/errors, pkg/util/managedfields) and
pod-security-admission.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NO_PERMISSION = "a permission would not help"


@dataclass(frozen=True)
class Denial:
    """Why a request was refused.

    Attributes:
        cause: a stable word, such as C(rbac), C(quota), C(policy), C(webhook) or C(namespace_terminating).
        name: what has refused, such as the name of a policy or quota; empty if that has no name.
        remedy: what helps, as a clause.
    """

    cause: str
    name: str
    remedy: str


# In this order, because what a webhook or a policy says may read like anything below it.
_RULES: tuple[tuple[str, str, str], ...] = (
    ("webhook", r'admission webhook "(?P<name>[^"]+)" denied the request', f"change what webhook {{name}} objects to, or ask its owner; {_NO_PERMISSION}"),
    (
        "webhook_dry_run",
        r'admission webhook "(?P<name>[^"]+)" does not support dry run',
        "webhook {name} declares side effects, so nothing that it is called for can be tried in advance: ask its owner to declare sideEffects NoneOnDryRun",
    ),
    (
        "policy",
        r"""(?:ValidatingAdmissionPolicy|policy) ['"](?P<name>[^'"]+)['"](?: with binding '[^']+')? denied request""",
        f"satisfy admission policy {{name}}, or ask its owner to change it; {_NO_PERMISSION}",
    ),
    (
        "namespace_terminating",
        r"in namespace (?P<name>\S+) because it is being terminated|namespaces \"(?P<name2>[^\"]+)\": The system is ensuring all content is removed",
        "wait until namespace {name} is gone and create it again (kubectl get namespace {name} -o jsonpath='{{.status.conditions}}' says what holds it)",
    ),
    (
        "escalation",
        r'user "(?P<name>[^"]*)" .*is attempting to grant RBAC permissions not currently held',
        "give the user the permissions that it is to grant, or the verb escalate (for a binding, bind) on these roles",
    ),
    (
        "anonymous",
        r'(?:^|forbidden: )User "(?P<name>system:anonymous)" cannot ',
        "the request had no credentials, so complete the user of the kubeconfig, and never grant permissions to anonymous users",
    ),
    ("rbac", r'(?:^|forbidden: )User "(?P<name>.*?)" cannot ', "grant this permission to the user and run again"),
    (
        "rbac",
        r"user not permitted to (?:approve|attest|sign)|cannot set an ownerRef on a resource you can't delete|cannot set blockOwnerDeletion if",
        "grant this permission to the user and run again",
    ),
    ("quota", r"exceeded quota: (?P<name>[^,]+),", f"raise ResourceQuota {{name}} of the namespace, or delete some of what it counts; {_NO_PERMISSION}"),
    ("quota", r"failed quota: (?P<name>[^:]+): ", "set what ResourceQuota {name} requires, or have a LimitRange of the namespace set it by default"),
    ("quota_not_counted", r"status unknown for quota: (?P<name>[^,]+)", "run again when the quota controller has counted ResourceQuota {name}"),
    ("quota", r"insufficient quota to ", "the cluster admits this only in a namespace whose ResourceQuota covers it: ask its administrator for one"),
    (
        "pod_security",
        r'violates PodSecurity "(?P<name>[^"]+)"',
        "change what violates the standard {name}, or the label pod-security.kubernetes.io/enforce of the namespace",
    ),
    (
        "limit_range",
        r"(?:minimum|maximum) \S+ usage per |max limit to request ratio per ",
        "set resources that the LimitRange of the namespace allows, or change that",
    ),
    (
        "limit_range",
        r"there was an error enforcing limit ranges",
        "run again: the API server could not read the LimitRanges of the namespace",
    ),
    (
        "service_account",
        r"error looking up service account (?P<name>[^\s:]+):",
        "create ServiceAccount {name} first, or correct the name that the pod gives",
    ),
    ("priority_class", r"no PriorityClass with name (?P<name>\S+) was found", "create PriorityClass {name} first, or correct priorityClassName"),
    (
        "priority_class",
        r"PriorityClass (?P<name>\S+) is already marked as default",
        "set globalDefault of PriorityClass {name} to false first, or do not set it here",
    ),
    (
        "priority_class",
        r"must not be provided in pod spec; priority admission controller computed",
        "omit priority and preemptionPolicy, which follow from priorityClassName",
    ),
    ("runtime_class", r'RuntimeClass "(?P<name>[^"]+)" not found', "create RuntimeClass {name} first, or correct runtimeClassName"),
    (
        "runtime_class",
        r"Overhead doesn't match RuntimeClass's defined Overhead|Pod Overhead set without corresponding RuntimeClass|conflict: runtimeClass\.scheduling",
        "omit overhead, and what of nodeSelector the RuntimeClass sets otherwise",
    ),
    (
        "node_selector",
        r"pod node label selector (?:labels )?conflicts? with its namespace",
        (
            "omit from nodeSelector what the annotation scheduler.alpha.kubernetes.io/node-selector of the namespace, or the configuration of the API server, "
            "says otherwise, or ask the administrator"
        ),
    ),
    (
        "tolerations",
        r"pod tolerations .*conflict with its (?P<name>\S+) whitelist",
        "omit the tolerations that the namespace does not allow (its annotation scheduler.alpha.kubernetes.io/tolerationsWhitelist), or ask its administrator",
    ),
    (
        "anti_affinity",
        r"affinity\.PodAntiAffinity\.RequiredDuringScheduling has TopologyKey (?P<name>\S+) but only key",
        "prefer the anti-affinity instead of requiring it, or set its topologyKey to kubernetes.io/hostname",
    ),
    (
        "image_policy",
        r"image policy webhook backend denied one or more images|one or more images rejected by webhook backend",
        f"use images that the cluster's image policy allows, or ask its administrator; {_NO_PERMISSION}",
    ),
    ("external_ips", r"Use of external IPs is denied by admission control", "omit externalIPs, and use a load balancer or a node port"),
    (
        "volume_resize",
        r"Only bound persistent volume claims can be expanded|only dynamically provisioned pvc can be resized",
        "keep the size, or wait until the claim is bound to a volume of a StorageClass with allowVolumeExpansion",
    ),
    ("protected_namespace", r"this namespace may not be deleted", "choose another namespace: Kubernetes itself needs this one"),
    ("not_ready", r"not yet ready to handle request", "the API server is still starting: run again in a moment"),
    ("field_conflict", r"Apply failed with \d+ conflicts?: ", "leave the field to its owner, or set force_conflicts to take it over"),
    ("being_deleted", r"object is being deleted: ", "wait until the old object is gone, and check which finalizers hold it"),
    ("already_exists", r" already exists$", "something else has created it in the meantime: run again"),
    ("modified", r"the object has been modified|Precondition failed|uid mismatch", "it was changed or replaced at the same moment: run again"),
    ("namespace_missing", r'^namespaces "(?P<name>[^"]+)" not found', "create the namespace first, or correct its name"),
    (
        "unknown_field",
        r'unknown field "(?P<name>[^"]+)"|(?P<name2>\.\S+): field not declared in schema',
        "the definition of this kind in the cluster does not have the field {name}: upgrade it, or omit what sets the field",
    ),
    (
        "stored_version",
        r"; (?P<name>\S+) was previously a storage version, and must remain in spec.versions",
        (
            "objects may still be stored in version {name}, which the new definition does not have: if there are none, delete the old definition; otherwise "
            "apply definitions first that have {name} and store another version, write every object again (kubectl get -o json | kubectl replace -f -), and "
            "take {name} out of the definition's status.storedVersions (kubectl patch --subresource=status)"
        ),
    ),
    (
        "immutable",
        r"field is immutable|spec is immutable after creation|updates to \w+ spec for fields other than",
        "keep the value, or delete the object so that it is created again",
    ),
    ("webhook_unavailable", r'failed calling webhook "(?P<name>[^"]+)"', "{webhook}"),
    ("conversion", r"conversion webhook for (?P<name>.+?) (?:failed|returned)", "check the pods behind the conversion webhook of its CustomResourceDefinition"),
    ("timeout", r"^Timeout: |evaluation timed out", "a webhook or the storage of the API server is slow: check them, and run again"),
    ("storage", r"etcdserver: ", "check etcd, and run again"),
)
_COMPILED = tuple((cause, re.compile(pattern), remedy) for cause, pattern, remedy in _RULES)
_SERVICE = re.compile(r"https://(?P<service>[^./:\"]+)\.(?P<namespace>[^./:\"]+)\.svc[:/?\"]")


def find_denial(message: str) -> Denial | None:
    """Who has refused, by the message of an answer (or one that quotes it, such as Helm's); None if the message does not say so."""
    for cause, pattern, remedy in _COMPILED:
        found = pattern.search(message)
        if found:
            name = next((text for group, text in found.groupdict().items() if text), "")
            return Denial(cause, name, remedy.format(name=name, webhook=_unavailable(name, message)))
    return None


def _unavailable(webhook: str, message: str) -> str:
    """What to do about a webhook that cannot be called: none of it is a question of the request."""
    service = _SERVICE.search(message)
    place = f"Service {service['namespace']}/{service['service']}" if service else "what it calls"
    if "x509" in message or "certificate" in message:
        return f"webhook {webhook} has another certificate than its configuration expects: restart the pods of {place}, which write its caBundle"
    return (
        f"webhook {webhook} does not answer: check that the pods of {place} run and that the API server reaches them; "
        "if what it belongs to is no longer installed, delete its webhook configuration"
    )


__all__ = ("Denial", "find_denial")
