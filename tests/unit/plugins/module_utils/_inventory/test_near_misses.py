"""A misspelled name is reported; a name of the user's own is not, however much it looks like one of the collection's."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.near_misses import find_misspelled
from ansible_collections.meshwright.ambient.plugins.module_utils._near_misses import find_near_miss, nearest
from generate.declarations import role_variables

ALL = {role: options.keys() for role, options in role_variables().items()}
NAMES = sorted({name for options in ALL.values() for name in options})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mesh_waypoint", "mesh_waypoints"),
        ("meshwaypoints", "mesh_waypoints"),
        ("mesh_namepsaces", "mesh_namespaces"),
        ("gateway_api_sorce", "gateway_api_source"),
        ("istio_versions", "istio_version"),
        ("cluster_kubeconfg", "cluster_kubeconfig"),
        ("clster_context", "cluster_context"),
        ("alb_controler_enabled", "alb_controller_enabled"),
        ("karpentr_enabled", "karpenter_enabled"),
        ("bookinfo_enable", "bookinfo_enabled"),
        ("eks_nodegroups", "eks_node_groups"),
        ("esk_region", "eks_region"),
        ("EKS_REGION", "eks_region"),
        ("ingress_gatways", "ingress_gateways"),
    ],
)
def test_a_typo_is_reported_with_the_name_that_was_meant(name: str, meant: str) -> None:
    (error,) = find_misspelled([name], ALL)
    assert error.startswith(f"{name} is not a variable of ")
    assert error.endswith(f": did you mean {meant}?")


@pytest.mark.parametrize(
    "name",
    [
        # Other clouds and products, parts of lists, what is derived from a variable, numbered variables.
        *("aks_region", "gke_region", "aks_version", "cluster_name", "cluster_region", "gateway_version", "region", "version", "environment"),
        *("mesh_namespaces_shop", "mesh_namespaces_base", "istio_istiod_values_common", "my_eks_tags", "shop_mesh_waypoints", "mesh_owner"),
        *("eks_region2", "mesh_timeout_2", "eks_cluster", "eks_cluster_exists", "ingress_result", "ingress_load_balancers"),
        *("ansible_connection", "ansible_python_interpreter", "group_names", "hostvars", "inventory_hostname", "playbook_dir", "omit", "ks_tags"),
    ],
)
def test_a_name_of_the_users_own_is_not_told(name: str) -> None:
    assert find_misspelled([name], ALL) == []


@pytest.mark.parametrize("name", [name for name in NAMES if max(map(len, name.split("_"))) > 3])
def test_each_variable_of_each_role_is_found_with_a_letter_missing(name: str) -> None:
    """Where the word that lacks the letter is long enough to be known all the same."""
    longest = max(name.split("_"), key=len)
    typo = name.replace(longest, longest[:-2] + longest[-1], 1)
    assert find_near_miss(typo, NAMES) == name


def test_no_variable_of_a_role_is_told_beside_the_others() -> None:
    assert find_misspelled(NAMES, ALL) == []


def test_several_are_reported_in_order() -> None:
    assert [error.split(" ")[0] for error in find_misspelled(["mesh_waypoint", "istio_versions"], ALL)] == ["istio_versions", "mesh_waypoint"]


def test_in_a_closed_set_the_most_similar_is_meant() -> None:
    assert nearest("servce", ["service", "workload", ""]) == "service"
    assert nearest("selector", ["service", "workload"]) is None
