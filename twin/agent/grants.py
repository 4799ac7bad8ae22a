"""Stand-in for EKS' authorizer: binds the roles of access policies that count in single namespaces only."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from twin.collection import CONFIG_MAP, NAMESPACE, Kind, Object, Write
from twin.kwok.session import Known

# The ConfigMap in kube-system in which the account writes what is to be bound; an EKS cluster without such policies has none.
GRANTS = "eks-access-policies"
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")

_LABEL = {"eks.amazonaws.com/component": "access-policy"}
_RBAC = "rbac.authorization.k8s.io"


def plan_grants(known: Known) -> list[Write]:
    """The RoleBindings to make and to remove now.

    EKS lets a policy count in a namespace of any time to come, and in all whose names a pattern fits; a RoleBinding needs the
    namespace to be there.
    """
    config_map = known.get(CONFIG_MAP, GRANTS, "kube-system")
    if config_map is None:
        return []
    grants: list[dict[str, str]] = json.loads((config_map.get("data") or {}).get("grants") or "[]")
    desired = {
        (namespace["metadata"]["name"], grant["group"]): _binding(namespace["metadata"]["name"], grant)
        for namespace in known.all(NAMESPACE)
        if "deletionTimestamp" not in namespace["metadata"]
        for grant in grants
        if fnmatchcase(namespace["metadata"]["name"], grant["namespace"])
    }
    bound = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in known.all(ROLE_BINDING) if _is_ours(item)}
    missing = [Write("apply", ROLE_BINDING, name, namespace, desired[namespace, name], force=True) for namespace, name in sorted(desired.keys() - bound)]
    return [*missing, *(Write("delete", ROLE_BINDING, name, namespace) for namespace, name in sorted(bound - desired.keys()))]


def _binding(namespace: str, grant: dict[str, str]) -> Object:
    subject: dict[str, Any] = {"apiGroup": _RBAC, "kind": "Group", "name": grant["group"]}
    return {
        "apiVersion": ROLE_BINDING.api_version,
        "kind": ROLE_BINDING.name,
        # Its group says policy and scope.
        "metadata": {"name": grant["group"], "namespace": namespace, "labels": dict(_LABEL)},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": grant["role"]},
        "subjects": [subject],
    }


def _is_ours(binding: Object) -> bool:
    return bool(_LABEL.items() <= (binding["metadata"].get("labels") or {}).items())
