"""What the inventory demands of IAM roles, their path and their permissions boundary, holds for each one that any role of the collection creates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._iam.eks_roles import cluster_roles
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.eks import validate_eks
from ansible_collections.meshwright.ambient.plugins.module_utils._karpenter.identity import karpenter_identity
from generate.declarations import role_variables
from tests.unit.module_arguments import calls_in
from twin.paths import REPOSITORY

FILES = sorted((REPOSITORY / "roles").glob("*/tasks/*.yml"))
CALLS = [(path.parts[-3], call) for path in FILES for call in calls_in(path) if call.module == "amazon.aws.iam_role"]
PATH, BOUNDARY = "/platform/", "arn:aws:iam::123456789012:policy/boundary"


def test_iam_roles_are_created_by_these_roles() -> None:
    assert {role for role, _call in CALLS} == {"alb_controller", "eks", "karpenter"}


@pytest.mark.parametrize(("role", "call"), CALLS, ids=lambda value: value if isinstance(value, str) else Path(value.place.partition(":")[0]).stem)
def test_each_task_that_creates_an_iam_role_gives_it_path_and_boundary(role: str, call: Any) -> None:
    # What iam_plan returns for each role is what it was given, so that both are those of the items.
    assert call.arguments.get("path") == "{{ item.path }}"
    assert call.arguments.get("boundary") == "{{ item.boundary | default(omit, true) }}"
    defaults = {name: options.get("default") for name, options in role_variables()[role].items()}
    if role == "eks":
        assert (defaults["eks_role_path"], defaults["eks_permissions_boundary"]) == ("/", "")
    else:
        assert defaults[f"{role}_role_path"] == "{{ eks_role_path | default('/') }}", "the path of the cluster's roles holds for it as well"
        assert defaults[f"{role}_permissions_boundary"] == "{{ eks_permissions_boundary | default('') }}"


PLANS = [(role, call) for path in FILES for call in calls_in(path) if call.module == "meshwright.ambient.iam_plan" for role in [path.parts[-3]]]


@pytest.mark.parametrize(("role", "call"), PLANS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_plan_of_iam_roles_knows_path_and_boundary(role: str, call: Any) -> None:
    planned = call.arguments.get("roles")
    if isinstance(planned, list):
        assert all({"path", "boundary"} <= set(item) for item in planned)
    else:
        assert role in ("eks", "karpenter"), "its roles come from a filter, which has to be tested here"


def test_the_roles_of_cluster_nodes_and_karpenter_have_path_and_boundary() -> None:
    eks = {name: options.get("default") for name, options in role_variables()["eks"].items()} | {
        "eks_region": "eu-central-1", "eks_cluster_name": "second", "eks_role_path": PATH, "eks_permissions_boundary": BOUNDARY, "eks_tags": {},
    }  # fmt: skip
    karpenter = {
        "karpenter_cluster_name": "second", "karpenter_region": "eu-central-1", "karpenter_identity": "pod_identity", "karpenter_role_arn": "",
        "karpenter_node_role_arn": "", "karpenter_node_policies": [], "karpenter_role_path": PATH, "karpenter_permissions_boundary": BOUNDARY,
        "karpenter_tags": {}, "karpenter_namespace": "kube-system", "karpenter_service_account": "karpenter", "karpenter_interruptions": True,
        "karpenter_interruption_queue": "", "karpenter_values": {},
    }  # fmt: skip
    of_cluster, of_karpenter = cluster_roles(eks, {"account_id": "123456789012"}), karpenter_identity(karpenter, "123456789012")
    roles = [*of_cluster["roles"], *of_cluster["csi_roles"], *of_karpenter["roles"]]
    assert len(roles) >= 4
    assert {(role["path"], role["boundary"]) for role in roles} == {(PATH, BOUNDARY)}
    arns = [of_cluster["cluster_arn"], of_cluster["node_arn"], of_karpenter["role_arn"], of_karpenter["node_role_arn"]]
    assert all(arn.startswith(f"arn:aws:iam::123456789012:role{PATH}second-eu-central-1-") for arn in arns)


@pytest.mark.parametrize("name", ["eks_role_path", "alb_controller_role_path", "karpenter_role_path"])
@pytest.mark.parametrize(
    ("path", "valid"),
    [
        ("/", True),
        (PATH, True),
        ("/a/b/", True),
        ("/platform", False),
        ("platform/", False),
        ("platform", False),
        ("/with blank/", False),
        (f"/{'p' * 511}/", False),
    ],
)
def test_a_path_that_iam_does_not_take_is_found_in_the_inventory(name: str, path: str, valid: bool) -> None:
    from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import validate_karpenter

    variables = {name: path, "karpenter_enabled": True}
    found = [error for error in [*validate_eks(variables), *validate_karpenter(variables)] if error.startswith(name)]
    assert found == ([] if valid else [f"{name} has {path!r}: use a path that begins and ends with a slash, such as /platform/."])


@pytest.mark.parametrize(("suffix", "wrong"), [("role_path", "/platform"), ("permissions_boundary", "boundary")])
def test_what_other_roles_take_over_is_one_error(suffix: str, wrong: str) -> None:
    from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.karpenter import validate_karpenter

    def names(**other: str) -> list[str]:
        variables = {"karpenter_enabled": True, **{f"{role}_{suffix}": wrong for role in ("eks", "alb_controller", "karpenter")}, **other}
        return [error.split()[0] for error in [*validate_eks(variables), *validate_karpenter(variables)] if f"_{suffix} has " in error]

    assert names() == [f"eks_{suffix}"]
    assert names(**{f"karpenter_{suffix}": "own"}) == [f"eks_{suffix}", f"karpenter_{suffix}"]
