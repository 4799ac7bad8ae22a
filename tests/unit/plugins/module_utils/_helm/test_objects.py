"""The objects of a release, found in what its chart has rendered."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.objects import ObjectRef, objects_of

BLOCK = """# Source: istiod/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  labels:
    name: not-this
  # a comment
  name: istiod
  namespace: istio-system
spec:
  ports:
    - name: grpc
"""
QUOTED = """apiVersion: "apps/v1"
kind: 'DaemonSet'
metadata:
    name: "ztunnel"
    labels: {}
spec: {}
"""
COMMENTED = """apiVersion: rbac.authorization.k8s.io/v1 # the group
kind: Role # not of the cluster
metadata:
  name: leader
  namespace: kube-system # leader election
"""
FLOW = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, labels: {a: b}}\n"
JSON = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json", "namespace": "other"}}\n'
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\n"


@pytest.mark.parametrize(
    ("document", "ref"),
    [
        pytest.param(BLOCK, ObjectRef("v1", "Service", "istio-system", "istiod"), id="block"),
        pytest.param(QUOTED, ObjectRef("apps/v1", "DaemonSet", "shop", "ztunnel"), id="quoted"),
        pytest.param(COMMENTED, ObjectRef("rbac.authorization.k8s.io/v1", "Role", "kube-system", "leader"), id="comments"),
        pytest.param(FLOW, ObjectRef("v1", "ConfigMap", "shop", "istio"), id="flow"),
        pytest.param(JSON, ObjectRef("v1", "ConfigMap", "other", "json"), id="json"),
    ],
)
def test_an_object_is_found_however_it_is_written(document: str, ref: ObjectRef) -> None:
    assert objects_of(document, "shop") == [ref]


def test_each_document_is_an_object_and_what_passes_is_left_out() -> None:
    found = objects_of("---\n# nothing\n---\n" + "---\n".join([BLOCK, JOB, QUOTED]) + "\n---\n\n", "shop")
    assert [ref.name for ref in found] == ["istiod", "ztunnel"]


def test_a_list_is_its_items() -> None:
    document = """apiVersion: v1
kind: List
metadata:
  name: ingress-class
items:
  - apiVersion: elbv2.k8s.aws/v1beta1
    kind: IngressClassParams
    metadata: {name: alb}
  - apiVersion: networking.k8s.io/v1
    kind: IngressClass
    metadata: {name: alb}
"""
    assert [(ref.kind, ref.name) for ref in objects_of(document, "shop")] == [("IngressClassParams", "alb"), ("IngressClass", "alb")]
