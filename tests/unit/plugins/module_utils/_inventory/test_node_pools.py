"""Node pools that their definition or Karpenter would refuse are reported before; Karpenter says it in a condition of the pool, whose nodes never come."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import karpenter_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._karpenter.render import node_pool_manifests
from tests.unit.inventories import WHOLE
from tests.unit.inventory_values import converted
from tests.unit.mutations import mutations

FAMILY = "karpenter.k8s.aws/instance-family"
ROLE = "arn:aws:iam::123456789012:role/nodes"


def pool(**options: Any) -> dict[str, Any]:
    return {**WHOLE, "karpenter_node_pools": [{"name": "general", **options}]}


def requirement(**fields: Any) -> dict[str, Any]:
    return pool(requirements=[{"key": FAMILY, "operator": "In", "values": ["m7i"], **fields}])


def budget(**fields: Any) -> dict[str, Any]:
    return pool(disruption={"budgets": [fields]})


# An inventory, and what the only sentence about it says.
WRONG: list[tuple[dict[str, Any], str]] = [
    (requirement(operator="in"), "requirements[0].operator is 'in', which is not one of its choices: did you mean In?"),
    (requirement(operator="Equals"), "requirements[0].operator is 'Equals', which is not one of its choices: use one of In,"),
    (requirement(values=[]), "has the operator In, which needs values"),
    (requirement(operator="Exists"), "has the operator Exists, which ignores values: remove them, or set operator to In."),
    (requirement(operator="Gt", values=["4", "5"]), "has the operator Gt, which compares with one whole number"),
    (requirement(operator="Lt", values=["four"]), "has the operator Lt, which compares with one whole number"),
    (requirement(operator="Gte", values=["-1"]), "has the operator Gte, which compares with one whole number"),
    (requirement(minValues=2), "requirements[0].minValues is 2, but there is 1 value"),
    (requirement(minValues=0), "requirements[0].minValues must be a number from 1 to 50."),
    (requirement(key=None), "requirements[0] has no key"),
    (requirement(values="m7i"), "requirements[0].values must be a list"),
    (requirement(values=["m 7"]), "requirements[0].values[0] is 'm 7'"),
    (requirement(key="karpenter.sh/nodepool"), "requirements[0] has karpenter.sh/nodepool, which Karpenter sets itself"),
    (requirement(key="kubernetes.io/hostname"), "requirements[0] has kubernetes.io/hostname, which Karpenter sets itself"),
    (requirement(key="karpenter.k8s.aws/instance-famly"), "did you mean karpenter.k8s.aws/instance-family?"),
    (requirement(key="karpenter.sh/capacity-type", values=["ondemand"]), "requirements[0].values has 'ondemand': did you mean on-demand?"),
    (requirement(key="kubernetes.io/arch", values=["x86_64"]), "requirements[0].values has 'x86_64': kubernetes.io/arch is amd64 or arm64."),
    (requirement(key="topology.kubernetes.io/zone", values=["eu-west-1a"]), "names eu-west-1a, which is not in the region eu-central-1."),
    (pool(labels={"karpenter.sh/nodepool": "general"}), "labels has karpenter.sh/nodepool, which Karpenter sets itself"),
    (pool(labels={"kubernetes.io/hostname": "a"}), "labels has kubernetes.io/hostname"),
    (pool(limits={"cpu": "many"}), "limits.cpu is 'many': use a quantity"),
    (pool(limits={"memory": "1000GB"}), "limits.memory is '1000GB'"),
    (pool(limits={"memory": "400m"}), "less than one byte: m stands for a thousandth, so write 400Mi."),
    (pool(limits={"memmory": "400Gi"}), "limits has 'memmory', of which no node has any: did you mean memory?"),
    (pool(disruption={"consolidationPolicy": "WhenUnderutilized"}), "did you mean WhenEmptyOrUnderutilized?"),
    (pool(disruption={"consolidateAfter": "5 minutes"}), "disruption.consolidateAfter is '5 minutes'"),
    (pool(disruption={"consolidateAfter": 30}), "disruption.consolidateAfter is 30: use a duration"),
    (pool(disruption={"consolidationPolcy": "WhenEmpty"}), "disruption has the key 'consolidationPolcy', which is unknown: did you mean consolidationPolicy?"),
    (pool(disruption={"budgets": {"nodes": "1"}}), "disruption.budgets must be a list"),
    (budget(nodes="10 %"), "budgets[0].nodes is '10 %'"),
    (budget(nodes="110%"), "budgets[0].nodes is '110%'"),
    (budget(nodes="0", schedule="0 9 * * mon-fri"), "has only one of schedule and duration"),
    (budget(nodes="0", schedule="9:00", duration="8h"), "budgets[0].schedule is '9:00'"),
    (budget(nodes="0", schedule="@daily", duration="30s"), "budgets[0].duration is '30s': use hours and minutes"),
    (budget(nodes="0", reasons=["underutilized"]), "budgets[0].reasons[0] is 'underutilized', which is not one of its choices: did you mean Underutilized?"),
    (pool(termination_grace_period="Never"), "termination_grace_period is 'Never'"),
    (pool(taints=[{"effect": "NoSchedule"}]), "taints[0] has no key"),
    (pool(taints=[{"key": "a", "value": "b c", "effect": "NoSchedule"}]), "taints[0].value is 'b c'"),
    (
        pool(taints=[{"key": "a", "effect": "NoSchedule"}], startup_taints=[{"key": "a", "effect": "NoSchedule"}]),
        "startup_taints[0] is a with NoSchedule, which",
    ),
    (pool(subnet_ids=["subnet-x y"]), "karpenter_node_pools[0].subnet_ids has 'subnet-x y'"),
    (pool(security_group_ids=["default"]), "karpenter_node_pools[0].security_group_ids has 'default'"),
    (pool(instance_types=["m7i"]), "karpenter_node_pools[0].instance_types has 'm7i': use types such as m7i.large."),
    (pool(node_class="General_1"), "karpenter_node_pools[0].node_class is 'General_1'"),
    (pool(tags={"karpenter.sh/nodepool": "a"}), "tags has 'karpenter.sh/nodepool', which Karpenter sets itself"),
    (pool(ami_alias="windows2022@v1.0.0"), "so write windows2022@latest."),
    (pool(spec={"limits": {"cpu": "x"}}), "spec.limits.cpu is 'x'"),
    (
        pool(spec={"template": {"spec": {"requirements": [{"key": FAMILY, "operator": "Is", "values": ["a"]}]}}}),
        "spec.template.spec.requirements[0].operator is 'Is'",
    ),
    ({**WHOLE, "karpenter_node_policies": ["AmazonSSMManagedInstanceCore"]}, "karpenter_node_policies has 'AmazonSSMManagedInstanceCore'"),
    ({**WHOLE, "karpenter_resources": {"requests": {"memory": "1GB"}}}, "karpenter_resources.requests.memory is '1GB'"),
    ({**WHOLE, "karpenter_tags": {"kubernetes.io/cluster/shop": "owned"}}, "karpenter_tags has 'kubernetes.io/cluster/shop'"),
]

RIGHT: list[dict[str, Any]] = [
    requirement(),
    requirement(operator="NotIn"),
    requirement(operator="Exists", values=None),
    requirement(operator="Exists", values=[]),
    requirement(key="karpenter.k8s.aws/instance-generation", operator="Gt", values=[4]),
    requirement(key="karpenter.k8s.aws/instance-cpu", operator="Lte", values=["64"]),
    # Of a newer version.
    requirement(key="karpenter.k8s.aws/something-of-tomorrow"),
    requirement(values=["m7i", "m7a"], minValues=2),
    requirement(key="karpenter.sh/capacity-type", values=["spot", "on-demand"]),
    requirement(key="team.example.com/kind", values=["a"]),
    requirement(key="topology.kubernetes.io/zone", values=["eu-central-1a"]),
    pool(labels={"karpenter.sh/capacity-type": "spot", "team": "shop", "node.kubernetes.io/role": "mesh"}),
    pool(limits={"cpu": 100, "memory": "400Gi", "nodes": 5, "nvidia.com/gpu": 2}),
    pool(limits={"cpu": "0"}),
    pool(disruption={"consolidationPolicy": "WhenEmpty", "consolidateAfter": "1h30m"}),
    pool(disruption={"consolidateAfter": "Never"}),
    budget(nodes=10),
    budget(nodes="100%", reasons=["Empty", "Drifted"]),
    budget(nodes="0", schedule="0 9 * * mon-fri", duration="8h"),
    budget(nodes="0", schedule="@daily", duration="1h30m"),
    pool(termination_grace_period="48h", expire_after="Never"),
    pool(taints=[{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]),
    pool(instance_types=["m7i.large", "u-6tb1.metal"], instance_categories=["m", "c"]),
    pool(ami_alias="windows2022@latest"),
    pool(tags={"team": "shop", "kubernetes.io/description": "a"}),
    {**WHOLE, "karpenter_node_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG, ids=[sentence for _variables, sentence in WRONG])
def test_what_karpenter_would_refuse_is_one_error(variables: dict[str, Any], sentence: str) -> None:
    errors = find_errors(converted(variables))
    assert len(errors) == 1, errors
    assert errors[0].startswith("karpenter_")
    assert sentence in errors[0]


@pytest.mark.parametrize("variables", RIGHT, ids=range(len(RIGHT)))
def test_what_karpenter_takes_passes(variables: dict[str, Any]) -> None:
    assert find_errors(converted(variables)) == []


@pytest.mark.parametrize("key", ["requirements", "disruption", "taints", "limits", "labels", "spec"])
def test_whatever_is_written_ends_in_a_sentence_or_passes(key: str) -> None:
    items = [variables["karpenter_node_pools"][0] for variables, _sentence in WRONG] + [variables["karpenter_node_pools"][0] for variables in RIGHT]
    for item in [item for item in items if key in item][:6]:
        for changed in mutations(item[key]):
            for error in find_errors(converted(pool(**{**item, key: changed}))):
                assert error.startswith("karpenter_node_pools"), error


def test_a_number_of_nodes_in_a_budget_reaches_karpenter_as_the_text_that_it_must_be() -> None:
    given = converted(budget(nodes=10)).values["karpenter_node_pools"]
    (found,) = (
        manifest
        for manifest in node_pool_manifests(given, node_role=ROLE, subnet_ids=[], security_group_ids=[], startup_taint=True, ami_alias="al2023@latest", tags={})
        if manifest["kind"] == "NodePool"
    )
    assert found["spec"]["disruption"]["budgets"] == [{"nodes": "10"}]


def test_the_role_of_managed_node_groups_is_a_warning() -> None:
    shared = {**WHOLE, "eks_node_role_arn": ROLE, "karpenter_node_role_arn": ROLE}
    assert find_errors(converted(shared)) == []
    (warning,) = karpenter_warnings(converted(shared).values)
    assert warning.startswith(f"karpenter_node_role_arn is {ROLE}, as is eks_node_role_arn")
    assert karpenter_warnings(converted({**shared, "karpenter_node_role_arn": f"{ROLE}-karpenter"}).values) == []
