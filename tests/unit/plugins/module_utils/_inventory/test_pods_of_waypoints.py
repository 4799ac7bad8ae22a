"""Resources, places and overlays of a waypoint's pods that the API server would refuse, or that istiod would drop, are reported before."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._limits.quantities import parse_quantity
from tests.unit.inventory_values import converted
from tests.unit.mutations import mutations


def waypoint(**options: Any) -> dict[str, Any]:
    return {"mesh_waypoints": [{"namespace": "shop", **options}]}


def resources(requests: dict[str, Any] | None = None, limits: dict[str, Any] | None = None) -> dict[str, Any]:
    return waypoint(resources={"requests": requests or {}, "limits": limits or {}})


def toleration(**fields: Any) -> dict[str, Any]:
    return waypoint(tolerations=[fields])


def spread(**fields: Any) -> dict[str, Any]:
    return waypoint(topology_spread=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", **fields}])


def nodes(**requirement: Any) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}
    return waypoint(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}})


def pods(kind: str = "podAntiAffinity", **fields: Any) -> dict[str, Any]:
    return waypoint(affinity={kind: {"preferredDuringSchedulingIgnoredDuringExecution": [fields]}})


def overlay(pod: dict[str, Any], **others: Any) -> dict[str, Any]:
    return waypoint(overlays={"deployment": {"spec": {"template": {"spec": pod}}}, **others})


NEAR = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "shop"}}}
POD = "overlays.deployment.spec.template.spec."

# An inventory, and what the only sentence about it says.
WRONG: list[tuple[dict[str, Any], str]] = [
    (resources({"cpu": "lots"}), "resources.requests.cpu is 'lots': use a quantity such as 500m, 2 or 1Gi"),
    (resources({"memory": "1 Gi"}), "resources.requests.memory is '1 Gi'"),
    (resources({"memory": "1GB"}), "resources.requests.memory is '1GB'"),
    (resources({"memory": "512mb"}), "resources.requests.memory is '512mb'"),
    (resources({"memory": "1gi"}), "resources.requests.memory is '1gi'"),
    (resources({"memory": "1K"}), "resources.requests.memory is '1K'"),
    (resources({"cpu": True}), "resources.requests.cpu is true"),
    (resources({"cpu": -1}), "resources.requests.cpu is -1: a quantity cannot be negative."),
    (resources({"memory": "128m"}), "which is less than one byte: m stands for a thousandth, so write 128Mi."),
    (resources({"memory": "128u"}), "which is less than one byte: u stands for a millionth, so write 128Mi."),
    (resources({"memory": "0.5"}), "which is less than one byte: write it with its unit, such as 128Mi."),
    (resources({"memory": "5e-1"}), "which is less than one byte: write it with its unit, such as 128Mi."),
    (resources({"mem": "1Gi"}), "resources.requests has 'mem', which is not a resource of a container"),
    (resources({"memry": "1Gi"}), "did you mean memory?"),
    (resources({"cpu": 2}, {"cpu": "1500m"}), "resources.requests.cpu is 2, which is more than resources.limits.cpu of 1500m"),
    (resources({"memory": "1Gi"}, {"memory": "1G"}), "resources.requests.memory is 1Gi, which is more than"),
    (toleration(key="a", operator="Equals", value="b"), "tolerations[0].operator is 'Equals', which is not one of its choices: did you mean Equal?"),
    (toleration(key="a", effect="noschedule"), "tolerations[0].effect is 'noschedule', which is not one of its choices: did you mean NoSchedule?"),
    (toleration(value="b"), "tolerations[0] has no key"),
    (toleration(key="a", operator="Exists", value="b"), "has the operator Exists and a value"),
    (toleration(key="a", operator="Exists", tolerationSeconds=5), "tolerationSeconds needs the effect NoExecute"),
    (toleration(key="a b", operator="Exists"), "tolerations[0] has the key 'a b'"),
    (toleration(key="a", operater="Exists"), "tolerations[0] has the key 'operater', which is unknown: did you mean operator?"),
    (spread(maxSkew=0), "topology_spread[0].maxSkew is 0: use a number from 1 on."),
    (spread(maxSkew=None), "topology_spread[0].maxSkew is missing"),
    (spread(topologyKey=""), "topology_spread[0] has no topologyKey"),
    (spread(whenUnsatisfiable="DoNotSchedul"), "did you mean DoNotSchedule?"),
    (spread(whenUnsatisfiable=None), "topology_spread[0].whenUnsatisfiable is missing"),
    (spread(minDomains=2), "topology_spread[0].minDomains needs whenUnsatisfiable DoNotSchedule"),
    (waypoint(topology_spread=[spread()["mesh_waypoints"][0]["topology_spread"][0]] * 2), "topology_spread has zone with ScheduleAnyway more than once"),
    (waypoint(affinity={"podAntiAffinty": {}}), "affinity has the key 'podAntiAffinty', which is unknown: did you mean podAntiAffinity?"),
    (nodes(key="a", operator="Equal", values=["b"]), "matchExpressions[0].operator is 'Equal', which is not one of its choices"),
    (nodes(key="a", operator="In"), "has the operator In, which needs values"),
    (nodes(key="a", operator="Exists", values=["b"]), "has the operator Exists, which has no values"),
    (nodes(key="a", operator="Gt", values=["1", "2"]), "has the operator Gt with 2 values: it needs exactly one."),
    (nodes(operator="Exists"), "matchExpressions[0] has no key"),
    (
        waypoint(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"matchExpressions": []}]}}),
        "requiredDuringSchedulingIgnoredDuringExecution needs nodeSelectorTerms",
    ),
    (waypoint(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": NEAR}}), "must be a list of terms"),
    (pods(weight=0, podAffinityTerm=NEAR), "weight is 0: use 1 to 100."),
    (pods(weight=1), "has no podAffinityTerm"),
    (pods(weight=1, podAffinityTerm={"labelSelector": {}}), "has no topologyKey"),
    (waypoint(autoscaling={"max_replicas": 2, "metrics": [{"type": "resource", "resource": {"name": "cpu"}}]}), "metrics[0].type is 'resource', which"),
    (waypoint(autoscaling={"max_replicas": 2, "metrics": [{"type": "Pods"}]}), "metrics[0] is of type Pods, but has no pods"),
    (overlay({"tolerations": [{"key": "a", "effect": "NoSched"}]}), f"{POD}tolerations[0].effect is 'NoSched'"),
    (overlay({"containers": [{"name": "istio-proxy", "resources": {"limits": {"memory": "1GB"}}}]}), f"{POD}containers[0].resources.limits.memory is '1GB'"),
    (overlay({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 0}]}), f"{POD}topologySpreadConstraints[0].maxSkew is 0"),
    (overlay({}, horizontalPodAutoscaler={"spec": {"minReplicas": 3, "maxReplicas": 2}}), "minReplicas is 3, which is more than its maxReplicas of 2"),
    (overlay({}, podDisruptionBudget={"spec": {"minAvailable": 1, "maxUnavailable": 1}}), "has both minAvailable and maxUnavailable"),
    (
        overlay({}, service={"spec": {"type": "Loadbalancer"}}),
        "overlays.service.spec.type is 'Loadbalancer', which is not one of its choices: did you mean LoadBalancer?",
    ),
    (
        {"ingress_gateways": [{"name": "public", "namespace": "edge", "overlays": {"service": {"spec": {"type": "nodeport"}}}}]},
        "ingress_gateways[0] (Gateway edge/public): overlays.service.spec.type is 'nodeport'",
    ),
]

RIGHT: list[dict[str, Any]] = [
    resources({"cpu": "100m", "memory": "128Mi"}, {"cpu": 2, "memory": "1Gi"}),
    resources({"cpu": 0.5, "memory": "1e9", "ephemeral-storage": "1G"}, {"cpu": ".5", "memory": 1073741824}),
    resources({"cpu": "0", "memory": "1000k"}, {"nvidia.com/gpu": 1, "hugepages-2Mi": "2Mi", "memory": "1M"}),
    resources({"memory": "1G"}, {"memory": "1Gi"}),
    toleration(operator="Exists"),
    toleration(key="dedicated", value="mesh"),
    toleration(key="dedicated", operator="Exists", effect="NoExecute", tolerationSeconds=300),
    toleration(key="dedicated", operator="Gt", value="5"),
    # A field of a newer version.
    toleration(key="dedicated", operator="Exists", somethingNew=True),
    spread(labelSelector={"matchLabels": {"a": "b"}}, matchLabelKeys=["pod-template-hash"]),
    spread(whenUnsatisfiable="DoNotSchedule", minDomains=2),
    nodes(key="a", operator="In", values=["b", 1, True]),
    nodes(key="a", operator="Gt", values=["5"]),
    nodes(key="a", operator="DoesNotExist"),
    pods(weight=100, podAffinityTerm=NEAR),
    pods("nodeAffinity", weight=1, preference={"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
    waypoint(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [NEAR]}}),
    overlay({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}, {"topologyKey": "a", "$patch": "delete"}]}),
    overlay({"containers": [{"name": "istio-proxy", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": None}}}]}),
    overlay({"priorityClassName": "system-cluster-critical", "tolerations": [{"operator": "Exists"}]}, service={"spec": {"type": "ClusterIP"}}),
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_what_the_api_server_would_refuse_is_one_error(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith(tuple(variables))
    assert sentence in errors[0]


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_what_it_takes_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []


@pytest.mark.parametrize("key", ["resources", "tolerations", "topology_spread", "affinity", "overlays"])
def test_whatever_is_written_ends_in_a_sentence_or_passes(key: str) -> None:
    examples = [variables["mesh_waypoints"][0] for variables in RIGHT if key in variables["mesh_waypoints"][0]]
    for item in examples:
        for changed in mutations(item[key]):
            for error in find_errors(converted(waypoint(**{**item, key: changed}))):
                assert error.startswith("mesh_waypoints"), error


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1),
        (0.5, Fraction(1, 2)),
        ("1.", 1),
        (".5", Fraction(1, 2)),
        ("100m", Fraction(1, 10)),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1E", 10**18),
        ("1Ei", 2**60),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e-3", Fraction(1, 1000)),
        ("+1", 1),
        ("-1", -1),
        *(
            (written, None)
            for written in ("", "1K", "1mi", "1 Gi", "Gi", "1.5.5", ".", "0x10", "1,5", None, True, [], {"a": 1}, "1_0", "१", "nan", float("inf"))
        ),
    ],
)
def test_a_quantity_is_what_kubernetes_takes_it_for(written: Any, number: Any) -> None:
    assert parse_quantity(written) == number
