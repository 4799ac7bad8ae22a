"""Stand-in for istio-cni's node agent and ztunnel: marks captured pods by the rules of the real agent.

The rules are those of Istio's main branch of the pinned version: cni/pkg/nodeagent/informers.go (reconcilePod),
cni/pkg/util/enablement_selector.go and podutil.go. They are written here on their own, not shared with the collection,
so that the collection's understanding of them is tested against something other than itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from twin.collection import CONFIG_MAP, NAMESPACE, POD, Object, Write
from twin.kwok.session import Known

REDIRECTION = "ambient.istio.io/redirection"
SIDECAR_STATUS = "sidecar.istio.io/status"
AGENT_CONFIG = "istio-cni-config"


@dataclass(frozen=True)
class AgentConfig:
    """What the agent reads from its ConfigMap."""

    namespace: str
    ambient: bool
    excluded_namespaces: frozenset[str]
    selectors: tuple[dict[str, Any], ...]


def read_agent_config(config_map: Object) -> AgentConfig:
    data = config_map.get("data") or {}
    excluded = frozenset(name.strip() for name in data.get("EXCLUDE_NAMESPACES", "").split(",") if name.strip())
    selectors = yaml.safe_load(data.get("AMBIENT_ENABLEMENT_SELECTOR") or "[]") or []
    return AgentConfig(config_map["metadata"]["namespace"], data.get("AMBIENT_ENABLED") == "true", excluded, tuple(selectors))


def plan_marks(known: Known) -> list[list[Write]]:
    """The annotations to set and to remove now, in rounds: what the agent does, then what ztunnel's answer adds."""
    configs = [read_agent_config(item) for item in known.all(CONFIG_MAP) if item["metadata"]["name"] == AGENT_CONFIG]
    if not configs or not configs[0].ambient:
        return []
    config = configs[0]
    pods = known.all(POD)
    agents = {pod["spec"].get("nodeName") for pod in pods if _labels(pod).get("k8s-app") == "istio-cni-node" and _ready(pod)}
    ztunnels = {pod["spec"].get("nodeName") for pod in pods if _labels(pod).get("app") == "ztunnel" and _ready(pod)}
    first: list[Write] = []
    second: list[Write] = []
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node not in agents or not pod.get("status", {}).get("podIP"):
            continue
        namespace = known.get(NAMESPACE, pod["metadata"]["namespace"])
        mark = (pod["metadata"].get("annotations") or {}).get(REDIRECTION)
        if namespace is not None and should_be_captured(pod, _labels(namespace), config):
            if mark is None:
                first.append(_mark(pod, "pending"))
            if mark != "enabled" and node in ztunnels:
                second.append(_mark(pod, "enabled"))
        elif mark is not None:
            first.append(_mark(pod, None))
    return [batch for batch in (first, second) if batch]


def should_be_captured(pod: Object, namespace_labels: dict[str, str], config: AgentConfig) -> bool:
    """CompiledEnablementSelectors.Matches, and the agent's own exclusions."""
    if pod["spec"].get("hostNetwork") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return False
    if SIDECAR_STATUS in (pod["metadata"].get("annotations") or {}):
        return False
    if pod["metadata"]["namespace"] in config.excluded_namespaces:
        return False
    if pod["metadata"]["namespace"] == config.namespace and _labels(pod).get("app") == "ztunnel":
        return False
    return any(
        selects(selector.get("podSelector") or {}, _labels(pod)) and selects(selector.get("namespaceSelector") or {}, namespace_labels)
        for selector in config.selectors
    )


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a Kubernetes LabelSelector matches; an empty one matches everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or ())


def _holds(expression: dict[str, Any], labels: dict[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    if operator == "In":
        return bool(labels.get(key) in values)
    if operator == "NotIn":
        return bool(labels.get(key) not in values)
    return bool((key in labels) == (operator == "Exists"))


def _mark(pod: Object, value: str | None) -> Write:
    metadata = pod["metadata"]
    return Write("patch", POD, metadata["name"], metadata["namespace"], {"metadata": {"annotations": {REDIRECTION: value}}}, subresource="status")


def _labels(item: Object) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


def _ready(pod: Object) -> bool:
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in pod.get("status", {}).get("conditions", ()))
