from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.apply import plan_writes
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.plan import plan_bundle
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.spec import BUNDLE_VERSION, parse_bundle
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.state import read_state
from tests.unit.fake_api import Answer, Cluster, Request, refusal
from tests.unit.objects import derived, named, recorded

GATEWAYS = recorded("customresourcedefinition/gateways_established")
ROUTES = named(GATEWAYS, "httproutes.gateway.networking.k8s.io")
GRPC_ROUTES = named(GATEWAYS, "grpcroutes.gateway.networking.k8s.io")
POLICY = recorded("validatingadmissionpolicy/safe_upgrades")
POLICY_BINDING = recorded("validatingadmissionpolicybinding/safe_upgrades")
BUNDLE = parse_bundle([GATEWAYS, ROUTES, GRPC_ROUTES, POLICY, POLICY_BINDING], "bundle.yaml")


def test_the_writes_follow_what_the_cluster_has() -> None:
    older = derived(ROUTES, {"metadata": {"annotations": {BUNDLE_VERSION: "v1.0.0"}}})
    cluster = Cluster(GATEWAYS, older)

    def other(request: Request) -> Answer:
        return Answer(200, POLICY) if request.path.endswith(f"policies/{POLICY['metadata']['name']}") else refusal(404, "NotFound", "none", name="x")

    cluster.other = other
    plan = plan_bundle(BUNDLE, read_state(cluster.api.session, BUNDLE, upgrade=True), upgrade=True)
    definitions, guards = plan_writes(plan, force=True)
    written = [(write.name.partition(".")[0], write.creates, write.force) for write in definitions]
    assert written == [("grpcroutes", True, True), ("httproutes", False, True)]
    assert [(write.kind.name, write.access_verbs) for write in guards] == [("ValidatingAdmissionPolicyBinding", ("patch", "create"))]
    assert len(cluster.api.requests) == 3


@pytest.mark.parametrize(("version", "reads"), [("v99.0.0", 1), ("v1.0.0", 1), (BUNDLE.version, 3)])
def test_an_admission_policy_that_is_left_out_is_not_read(version: str, reads: int) -> None:
    """Whoever keeps other definitions than the bundle's needs no permission for it, and the cluster may not even serve it."""
    cluster = Cluster(derived(GATEWAYS, {"metadata": {"annotations": {BUNDLE_VERSION: version}}}))
    cluster.other = lambda _request: refusal(404, "NotFound", "none", name="x")
    read_state(cluster.api.session, BUNDLE, upgrade=False)
    assert len(cluster.api.requests) == reads
