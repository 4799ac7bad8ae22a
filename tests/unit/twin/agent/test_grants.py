from __future__ import annotations

from typing import Any

import pytest

from twin.agent.grants import ROLE_BINDING, plan_grants
from twin.aws.cluster_provider import Grant
from twin.aws.twin_provider import grants_object
from twin.collection import CONFIG_MAP, NAMESPACE, Listed, Object, Scope
from twin.kwok.session import Known

VIEW = "eks:policy:AmazonEKSViewPolicy"


def _known(grants: list[Grant] | None, namespaces: list[str], bindings: list[Object] | None = None) -> Known:
    known = Known()
    known.take(Listed(Scope(CONFIG_MAP), [] if grants is None else [grants_object(grants)]))
    known.take(Listed(Scope(NAMESPACE), [{"metadata": {"name": name}} for name in namespaces]))
    known.take(Listed(Scope(ROLE_BINDING), bindings or []))
    return known


def _grant(namespace: str, policy: str = "AmazonEKSViewPolicy") -> Grant:
    return Grant(f"eks:policy:{policy}:{namespace}", policy, namespace)


def _planned(known: Known) -> list[tuple[str, str, str | None]]:
    return [(write.verb, write.name, write.namespace) for write in plan_grants(known)]


@pytest.mark.parametrize(
    ("grants", "namespaces", "planned"),
    [
        pytest.param(None, ["shop"], [], id="no-eks-cluster"),
        pytest.param([], ["shop"], [], id="nothing-granted"),
        pytest.param([_grant("shop")], ["other", "shop"], [("apply", f"{VIEW}:shop", "shop")], id="its-namespace-only"),
        pytest.param([_grant("shop")], ["other"], [], id="a-namespace-to-come"),
        pytest.param(
            [_grant("team-*")],
            ["team-a", "team-b", "teams"],
            [("apply", f"{VIEW}:team-*", "team-a"), ("apply", f"{VIEW}:team-*", "team-b")],
            id="a-pattern",
        ),
        pytest.param([_grant("shop", "AmazonEKSAutoNodePolicy")], ["shop"], [], id="a-policy-that-is-no-role"),
    ],
)
def test_what_is_bound(grants: list[Grant] | None, namespaces: list[str], planned: list[tuple[str, str, str]]) -> None:
    assert _planned(_known(grants, namespaces)) == planned


@pytest.mark.parametrize(
    ("policy", "role"),
    [
        ("AmazonEKSAdminPolicy", "admin"),
        ("AmazonEKSAdminViewPolicy", "eks:policy:AmazonEKSAdminViewPolicy"),
        ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
        ("AmazonEKSEditPolicy", "edit"),
        ("AmazonEKSViewPolicy", "view"),
    ],
)
def test_the_role_is_the_one_that_the_policy_was_modelled_on(policy: str, role: str) -> None:
    (write,) = plan_grants(_known([_grant("shop", policy)], ["shop"]))
    body: Any = write.body
    assert body["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    assert [(each["kind"], each["name"]) for each in body["subjects"]] == [("Group", f"eks:policy:{policy}:shop")]


def test_what_is_bound_already_stays_and_what_was_taken_back_goes() -> None:
    bindings = [write.body for write in plan_grants(_known([_grant("shop"), _grant("shop", "AmazonEKSEditPolicy")], ["shop"]))]
    foreign = {"metadata": {"name": "someone-elses", "namespace": "shop"}}
    known = _known([_grant("shop")], ["shop"], [*filter(None, bindings), foreign])
    assert _planned(known) == [("delete", "eks:policy:AmazonEKSEditPolicy:shop", "shop")]


def test_a_namespace_that_is_going_is_left_alone() -> None:
    known = _known([_grant("shop")], [])
    known.take(Listed(Scope(NAMESPACE), [{"metadata": {"name": "shop", "deletionTimestamp": "2026-11-21T05:00:00Z"}}]))
    assert _planned(known) == []
