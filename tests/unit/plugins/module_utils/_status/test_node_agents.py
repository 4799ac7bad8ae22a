from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import DAEMON_SET, SERVICE
from ansible_collections.meshwright.ambient.plugins.module_utils._status.node_agents import judge_node_agent
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import needs_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from tests.unit.objects import Object, derived, recorded

TITLE = "DaemonSet istio-system/ztunnel"
ZTUNNEL = recorded("daemonset/ztunnel_available")
ISTIOD: Object = {"metadata": {"name": "istiod", "namespace": "istio-system"}, "spec": {}}
BLUE: Object = {"metadata": {"name": "istiod-blue", "namespace": "istio-system"}, "spec": {}}


def _ztunnel(**variables: str) -> Object:
    env = [{"name": name, "value": value} for name, value in variables.items()]
    other = {"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return derived(ZTUNNEL, {"spec": {"template": {"spec": {"containers": [{"name": "istio-proxy", "env": [other, *env]}]}}}})


@pytest.mark.parametrize("variable", ["XDS_ADDRESS", "CA_ADDRESS"])
@pytest.mark.parametrize("address", ["istiod.istio-system.svc:15012", "https://istiod.istio-system.svc:15012", "istiod.istio-system.svc.cluster.local:15012"])
def test_an_agent_that_names_no_service_is_not_current(variable: str, address: str) -> None:
    daemon_set = _ztunnel(**{variable: address})
    verdict = judge_node_agent(TITLE, daemon_set, [BLUE])
    assert (verdict.status, verdict.reason) == ("InProgress", "NoControlPlane")
    assert verdict.message == f"its pods connect to Service istio-system/istiod ({variable}), which does not exist"
    assert "revision" in verdict.remedy
    assert not verdict.final
    assert judge_node_agent(TITLE, daemon_set, [BLUE, ISTIOD]).current


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="no-address"),
        pytest.param({"XDS_ADDRESS": "istiod-blue.istio-system.svc:15012", "CA_ADDRESS": "istiod-blue.istio-system.svc:15012"}, id="another-revision"),
        pytest.param({"XDS_ADDRESS": "istiod.control-plane.svc:15012"}, id="another-namespace"),
        pytest.param({"XDS_ADDRESS": "istiod.example.com:15012"}, id="outside-of-the-cluster"),
        pytest.param({"XDS_ADDRESS": "10.0.0.7:15012"}, id="an-address"),
        pytest.param({"CA_ADDRESS": ""}, id="empty"),
        pytest.param({"OTHER_ADDRESS": "gone.istio-system.svc:80"}, id="another-variable"),
    ],
)
def test_an_agent_whose_services_exist_is_judged_by_its_pods(variables: dict[str, str]) -> None:
    assert judge_node_agent(TITLE, _ztunnel(**variables), [BLUE]).message == "3 of 3 nodes have an available pod"
    assert judge_node_agent(TITLE, derived(_ztunnel(**variables), {"status": {"numberAvailable": 1}}), [BLUE]).reason == "LessAvailable"


def test_an_agent_that_is_missing_or_being_deleted_says_so() -> None:
    assert judge_node_agent(TITLE, None, []).status == "NotFound"
    deleted = derived(_ztunnel(XDS_ADDRESS="istiod.istio-system.svc:15012"), {"metadata": {"deletionTimestamp": "2026-11-21T08:00:00Z"}})
    assert judge_node_agent(TITLE, deleted, []).status == "Terminating"


def test_services_are_read_for_ztunnel_alone() -> None:
    assert needs_of(Target("DaemonSet", "ztunnel", "istio-system")) == ((DAEMON_SET, "istio-system"), (SERVICE, "istio-system"))
    assert needs_of(Target("DaemonSet", "istio-cni-node", "istio-system")) == ((DAEMON_SET, "istio-system"),)
