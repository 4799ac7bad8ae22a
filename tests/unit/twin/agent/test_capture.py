from __future__ import annotations

from typing import Any

import pytest

from tests.unit.objects import Object, derived, named, namespace_of, recorded
from twin.agent.capture import AgentConfig, plan_marks, read_agent_config, selects, should_be_captured
from twin.collection import CONFIG_MAP, NAMESPACE, POD, Listed, Scope
from twin.kwok.session import Known

MODE, REDIRECTION = "istio.io/dataplane-mode", "ambient.istio.io/redirection"
CONFIG_OBJECT = recorded("configmap/istio_cni_config")
CONFIG = read_agent_config(CONFIG_OBJECT)
ENROLLED = recorded("namespace/enrolled")
ENROLLED_LABELS = ENROLLED["metadata"]["labels"]
CAPTURED = derived(recorded("pod/captured"), {"metadata": {"name": "details"}})
UNMARKED = derived(CAPTURED, {"metadata": {"annotations": None}})
PENDING = derived(CAPTURED, {"metadata": {"annotations": {REDIRECTION: "pending"}}})
AGENT = derived(recorded("pod/agent_ready"), {"spec": {"nodeName": "node-3"}})
ZTUNNEL = derived(recorded("pod/ztunnel_ready"), {"spec": {"nodeName": "node-3"}})


def test_read_agent_config() -> None:
    assert CONFIG.namespace == "istio-system"
    assert CONFIG.ambient
    assert CONFIG.excluded_namespaces == {"kube-system"}
    assert [sorted(selector) for selector in CONFIG.selectors] == [["podSelector"], ["namespaceSelector", "podSelector"]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(None, AgentConfig("istio-system", False, frozenset(), ()), id="empty"),
        pytest.param(
            {"AMBIENT_ENABLED": "false", "EXCLUDE_NAMESPACES": " a ,,b,", "AMBIENT_ENABLEMENT_SELECTOR": ""},
            AgentConfig("istio-system", False, frozenset({"a", "b"}), ()),
            id="sidecars-only",
        ),
    ],
)
def test_read_agent_config_of_less(data: Object | None, expected: AgentConfig) -> None:
    config_map = derived(CONFIG_OBJECT, {"data": None}) | ({"data": data} if data else {})
    assert read_agent_config(config_map) == expected


@pytest.mark.parametrize(
    ("pod", "namespace_labels", "expected"),
    [
        pytest.param(UNMARKED, ENROLLED_LABELS, True, id="by-its-namespace"),
        pytest.param(UNMARKED, {}, False, id="namespace-not-enrolled"),
        pytest.param(derived(UNMARKED, {"metadata": {"labels": {MODE: "ambient"}}}), {}, True, id="pod-opts-in"),
        pytest.param(derived(UNMARKED, {"metadata": {"labels": {MODE: "none"}}}), ENROLLED_LABELS, False, id="pod-opts-out"),
        pytest.param(derived(UNMARKED, {"metadata": {"labels": None}}), ENROLLED_LABELS, True, id="pod-without-labels"),
        pytest.param(derived(UNMARKED, {"spec": {"hostNetwork": True}}), ENROLLED_LABELS, False, id="host-network"),
        pytest.param(derived(UNMARKED, {"status": {"phase": "Succeeded"}}), ENROLLED_LABELS, False, id="succeeded"),
        pytest.param(derived(UNMARKED, {"status": {"phase": "Failed"}}), ENROLLED_LABELS, False, id="failed"),
        pytest.param(derived(UNMARKED, {"metadata": {"annotations": {"sidecar.istio.io/status": ""}}}), ENROLLED_LABELS, False, id="sidecar"),
        pytest.param(derived(UNMARKED, {"metadata": {"namespace": "kube-system"}}), ENROLLED_LABELS, False, id="excluded-namespace"),
        pytest.param(derived(ZTUNNEL, {"metadata": {"labels": {MODE: "ambient"}}}), ENROLLED_LABELS, False, id="ztunnel-itself"),
        pytest.param(
            derived(ZTUNNEL, {"metadata": {"namespace": "shop", "labels": {MODE: None}}}), ENROLLED_LABELS, True, id="called-ztunnel-in-another-namespace"
        ),
    ],
)
def test_should_be_captured(pod: Object, namespace_labels: dict[str, str], expected: bool) -> None:
    assert should_be_captured(pod, namespace_labels, CONFIG) is expected


def test_the_selectors_are_the_charts_value() -> None:
    selective = AgentConfig("istio-system", True, frozenset(), ({"namespaceSelector": {"matchLabels": {"team": "a"}}},))
    assert should_be_captured(UNMARKED, {"team": "a"}, selective)
    assert not should_be_captured(UNMARKED, ENROLLED_LABELS, selective)
    assert not should_be_captured(UNMARKED, ENROLLED_LABELS, AgentConfig("istio-system", True, frozenset(), ()))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param({"key": "app", "operator": "In", "values": ["a"]}, True, id="in"),
        pytest.param({"key": "none", "operator": "In", "values": ["a"]}, False, id="in-missing"),
        pytest.param({"key": "app", "operator": "NotIn", "values": ["a"]}, False, id="not-in"),
        pytest.param({"key": "none", "operator": "NotIn", "values": ["a"]}, True, id="not-in-missing"),
        pytest.param({"key": "app", "operator": "Exists"}, True, id="exists"),
        pytest.param({"key": "none", "operator": "Exists"}, False, id="exists-missing"),
        pytest.param({"key": "app", "operator": "DoesNotExist"}, False, id="does-not-exist"),
        pytest.param({"key": "none", "operator": "DoesNotExist"}, True, id="does-not-exist-missing"),
    ],
)
def test_selects(expression: dict[str, Any], expected: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"app": "a"}) is expected


def _rounds(*pods: Object, namespaces: tuple[Object, ...] = (ENROLLED,), config: Object | None = CONFIG_OBJECT) -> list[list[tuple[str, str | None]]]:
    """The marks planned: for each round, pod and value."""
    known = Known()
    for kind, items in ((POD, pods), (NAMESPACE, namespaces), (CONFIG_MAP, (config,) if config else ())):
        known.take(Listed(Scope(kind), list(items)))
    planned = []
    for writes in plan_marks(known):
        assert all((write.verb, write.kind, write.subresource) == ("patch", POD, "status") for write in writes)
        planned.append([(write.name, (write.body or {})["metadata"]["annotations"][REDIRECTION]) for write in writes])
    return planned


PLAIN = namespace_of("bookinfo")
NOT_READY: Object = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}


@pytest.mark.parametrize(
    ("pods", "namespaces", "expected"),
    [
        pytest.param([AGENT, ZTUNNEL, UNMARKED], [ENROLLED], [[("details", "pending")], [("details", "enabled")]], id="captured-in-two-rounds"),
        pytest.param([AGENT, UNMARKED], [ENROLLED], [[("details", "pending")]], id="no-ztunnel-on-its-node"),
        pytest.param([AGENT, derived(ZTUNNEL, NOT_READY), UNMARKED], [ENROLLED], [[("details", "pending")]], id="ztunnel-not-ready"),
        pytest.param([AGENT, derived(ZTUNNEL, {"spec": {"nodeName": "node-1"}}), UNMARKED], [ENROLLED], [[("details", "pending")]], id="ztunnel-elsewhere"),
        pytest.param([AGENT, ZTUNNEL, PENDING], [ENROLLED], [[("details", "enabled")]], id="ztunnel-came-later"),
        pytest.param([AGENT, ZTUNNEL, CAPTURED], [ENROLLED], [], id="captured-already"),
        pytest.param([AGENT, ZTUNNEL, CAPTURED], [PLAIN], [[("details", None)]], id="leaves"),
        pytest.param([AGENT, CAPTURED], [PLAIN], [[("details", None)]], id="leaves-without-ztunnel"),
        pytest.param([AGENT, ZTUNNEL, CAPTURED], [], [[("details", None)]], id="namespace-gone"),
        pytest.param([AGENT, ZTUNNEL, UNMARKED], [PLAIN], [], id="stays-outside"),
        pytest.param([ZTUNNEL, UNMARKED], [ENROLLED], [], id="no-agent"),
        pytest.param([derived(AGENT, NOT_READY), ZTUNNEL, UNMARKED], [ENROLLED], [], id="agent-not-ready"),
        pytest.param([ZTUNNEL, CAPTURED], [PLAIN], [], id="no-agent-to-let-it-go"),
        pytest.param([AGENT, ZTUNNEL, derived(UNMARKED, {"status": {"podIP": None}})], [ENROLLED], [], id="no-address-yet"),
        pytest.param(
            [AGENT, ZTUNNEL, UNMARKED, named(PENDING, "reviews"), named(CAPTURED, "ratings", "shop")],
            [ENROLLED, namespace_of("shop")],
            [[("details", "pending"), ("ratings", None)], [("details", "enabled"), ("reviews", "enabled")]],
            id="many",
        ),
    ],
)
def test_plan_marks(pods: list[Object], namespaces: list[Object], expected: list[list[tuple[str, str | None]]]) -> None:
    assert _rounds(*pods, namespaces=tuple(namespaces)) == expected


@pytest.mark.parametrize("config", [None, derived(CONFIG_OBJECT, {"data": {"AMBIENT_ENABLED": "false"}})], ids=["not-installed", "not-ambient"])
def test_without_ambient_nothing_is_marked(config: Object | None) -> None:
    assert _rounds(AGENT, ZTUNNEL, UNMARKED, config=config) == []
