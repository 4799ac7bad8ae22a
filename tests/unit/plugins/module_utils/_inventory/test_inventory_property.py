"""Whatever stands in an inventory, there is a sentence that names the variable, or a plan; and two spellings of one inventory are one inventory.

E(MESHWRIGHT_INVENTORIES) sets how many inventories each test draws.
"""

from __future__ import annotations

import os
import re
from typing import Any

from hypothesis import HealthCheck, event, example, given, settings

from ansible_collections.meshwright.ambient.plugins.filter.eks import eks_addons, eks_iam_roles, eks_nodegroups
from ansible_collections.meshwright.ambient.plugins.filter.ingress import ingress_certificates, ingress_items
from ansible_collections.meshwright.ambient.plugins.filter.istio import argocd_application
from ansible_collections.meshwright.ambient.plugins.filter.karpenter import karpenter_identity_of, karpenter_manifests
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.istio import istio_releases
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.backends import with_backends
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.chart_gateways import chart_gateway_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import karpenter_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.references import undeclared_waypoints
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.validation import find_errors
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.values import Converted, is_template
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS, parse_waypoint
from tests.unit.inventories import ALL, WHOLE, inventories, spelled_inventories
from tests.unit.inventory_values import converted

EXAMPLES = int(os.environ.get("MESHWRIGHT_INVENTORIES", "2000"))
# Each example is independent of the machine's load, and the same in every run unless more are asked for.
DRAWN = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 2000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
WORDS_OF_PYTHON = re.compile(r"NoneType|<class|object has no|Traceback|\bdict\b|\bint\(\)|unhashable|unable to convert|not subscriptable")
# What other variables refer to, where the inventory leaves the templates of defaults to Ansible.
EMPTY: dict[str, Any] = {"bool": True, "dict": {}, "list": [], "str": ""}
RESOLVED = {name: EMPTY[option["type"]] for name, option in ALL.items() if is_template(option.get("default"))}
RESOLVED |= {"eks_cluster_name": "shop", "karpenter_cluster_name": "shop", "karpenter_region": "eu-central-1", "karpenter_identity": "pod_identity"}
ROLE = "arn:aws:iam::123456789012:role/nodes"


def plan(result: Converted) -> list[Any]:
    """What the roles make of the variables: the releases, manifests and requests that do not depend on a cluster."""
    values = with_backends({**RESOLVED, **result.values})
    edge = parse_ingress_lists({name: values[f"ingress_{name}"] for name in ("gateways", "albs", "routes", "classic_gateways")})
    releases = istio_releases(values)
    lists = {name: values[f"ingress_{name}"] for name in ("gateways", "albs", "routes", "classic_gateways")}
    planned: list[Any] = [
        undeclared_waypoints(values),
        chart_gateway_warnings(values),
        releases,
        [(item.main, item.others) for item in edge.all],
        ingress_certificates(lists["albs"], lists["gateways"]),
        [parse_waypoint({**dict.fromkeys(OPTIONS), **item}) for item in result.complete.get("mesh_waypoints") or ()],
        [ingress_items({**lists, "releases": values["istio_gateways"]}, [], "shop")] if not ingress_certificates(lists["albs"], lists["gateways"]) else [],
    ]
    if values["istio_delivery"] == "argocd":
        planned.append(argocd_application(releases["istiod"], values["istio_argocd"]))
    if values["eks_enabled"]:
        planned += [
            eks_iam_roles(values, {"account_id": "123456789012"}),
            eks_nodegroups(values, ROLE, ["subnet-1"]),
            eks_addons(values, True),
            eks_addons(values, False, ROLE),
        ]
    if values["karpenter_enabled"]:
        planned += [karpenter_identity_of(values, "123456789012"), karpenter_manifests(values, ROLE), karpenter_warnings(values)]
    return planned


@DRAWN
@given(inventories())
@example({"mesh_services": None, "eks_region": None})
@example(WHOLE)
def test_there_is_a_sentence_that_names_the_variable_or_a_plan(inventory: dict[str, Any]) -> None:
    result = converted(inventory)
    errors = find_errors(result)
    for error in errors:
        assert any(name in error for name in ALL), error
        assert not WORDS_OF_PYTHON.search(error), error
        assert "\n" not in error
    for error in result.errors:
        assert error.startswith(tuple(inventory)), error
    event("a plan" if not errors else "sentences")
    if not errors:
        assert plan(result)


def test_the_whole_inventory_is_right() -> None:
    assert find_errors(converted(WHOLE)) == []


@DRAWN
@given(spelled_inventories())
def test_two_spellings_of_one_inventory_are_one(inventory: tuple[dict[str, Any], dict[str, Any]]) -> None:
    written, otherwise = (converted(variables) for variables in inventory)
    assert otherwise == written
    assert find_errors(otherwise) == find_errors(written)
