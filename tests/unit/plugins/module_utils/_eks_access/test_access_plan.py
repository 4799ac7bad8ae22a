from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_access.normalize import Entry, normalize_entry
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_access.plan import EntryChange, needs_policies, plan_entries
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_access.refusals import find_protected, find_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_access.spec import EntrySpec, parse_spec, validate_specs

ROLE, USER = "arn:aws:iam::123456789012:role/team/shop", "arn:aws:iam::123456789012:user/ada"
EDIT, VIEW, ADMIN = (f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy" for name in ("Edit", "View", "ClusterAdmin"))
OFFERED = {arn.rpartition("/")[2]: arn for arn in (EDIT, VIEW, ADMIN)}
ENTRY = Entry(ROLE, username="shop", groups=frozenset({"a"}), policies={EDIT: ("shop",)}, tags={"t": "1"}, arn="arn:entry")
ITEM = {"principal_arn": ROLE, "state": "present", "type": None, "username": None, "kubernetes_groups": None, "policies": None, "tags": None}


def _item(**fields: Any) -> dict[str, Any]:
    policies = fields.get("policies")
    return {**ITEM, **fields, "policies": None if policies is None else [{"namespaces": [], **one} for one in policies]}


def _plan(spec: EntrySpec, current: Entry | None, **options: Any) -> EntryChange:
    (change,) = plan_entries([spec], {spec.principal: current} if current else {}, OFFERED, **options)
    return change


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(EntrySpec(ROLE), ({}, {}, ()), id="nothing-desired"),
        pytest.param(EntrySpec(ROLE, groups=frozenset({"b", "a"})), ({"kubernetesGroups": ["a", "b"]}, {}, ()), id="groups"),
        pytest.param(EntrySpec(ROLE, groups=frozenset()), ({"kubernetesGroups": []}, {}, ()), id="no-groups"),
        pytest.param(EntrySpec(ROLE, username="ada"), ({"username": "ada"}, {}, ()), id="username"),
        pytest.param(EntrySpec(ROLE, policies=(("AmazonEKSEditPolicy", ("shop",)),)), ({}, {}, ()), id="policy-by-name"),
        pytest.param(EntrySpec(ROLE, policies=((EDIT, ("shop",)),)), ({}, {}, ()), id="policy-by-arn"),
        pytest.param(EntrySpec(ROLE, policies=((EDIT, ()),)), ({}, {EDIT: ()}, ()), id="another-scope"),
        pytest.param(EntrySpec(ROLE, policies=(("AmazonEKSViewPolicy", ()),)), ({}, {VIEW: ()}, (EDIT,)), id="another-policy"),
        pytest.param(EntrySpec(ROLE, policies=()), ({}, {}, (EDIT,)), id="no-policies"),
    ],
)
def test_what_an_update_sends(spec: EntrySpec, expected: tuple[Any, ...]) -> None:
    change = _plan(spec, ENTRY)
    assert (change.request, change.associate, change.disassociate) == expected
    assert change.action == ("updated" if any(expected) else "unchanged")


def test_policies_stay_without_purging_them() -> None:
    change = _plan(EntrySpec(ROLE, policies=((VIEW, ()),)), ENTRY, purge_policies=False)
    assert (change.associate, change.disassociate) == ({VIEW: ()}, ())


def test_what_a_creation_sends() -> None:
    spec = EntrySpec(ROLE, username="ada", groups=frozenset({"b", "a"}), policies=(("AmazonEKSViewPolicy", ()), (EDIT, ("x", "y"))), tags={"n": 1})
    change = _plan(spec, None)
    assert change.action == "created"
    assert change.request == {"type": "STANDARD", "kubernetesGroups": ["a", "b"], "username": "ada", "tags": {"n": "1"}}
    assert change.associate == {EDIT: ("x", "y"), VIEW: ()}
    assert _plan(EntrySpec(ROLE, type="EC2_LINUX"), None).request == {"type": "EC2_LINUX"}


def test_a_policy_of_a_cluster_that_is_not_there_yet_gets_the_arn_that_it_would_have() -> None:
    (change,) = plan_entries([EntrySpec(ROLE, policies=(("AmazonEKSViewPolicy", ()),))], {}, partition="aws-cn")
    assert list(change.associate) == ["arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"]


SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        pytest.param([_item()], [], id="fine"),
        pytest.param([_item(principal_arn="arn:aws-us-gov:iam::123456789012:root")], [], id="account"),
        pytest.param([_item(policies=[{"policy": "AmazonEKSViewPolicy", "namespaces": ["shop", "team-*", "*-dev"]}])], [], id="scopes"),
        pytest.param([_item(), _item()], [f"{ROLE} is listed more than once in this task, but a principal can have only one access entry"], id="twice"),
        pytest.param([_item(principal_arn="shop")], ["Access entry of shop: this is not the ARN of an IAM principal"], id="no-arn"),
        pytest.param(
            [_item(principal_arn="arn:aws:sts::123456789012:assumed-role/shop/ada")],
            ["use arn:aws:iam::123456789012:role/shop with its path, if it has one."],
            id="session",
        ),
        pytest.param(
            [_item(principal_arn=SSO)],
            ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_Admin_0123456789abcdef with the region"],
            id="session-of-identity-center",
        ),
        pytest.param(
            [_item(kubernetes_groups=["system:masters", "ok"])],
            ["group system:masters is reserved for Kubernetes", "AmazonEKSClusterAdminPolicy"],
            id="masters",
        ),
        pytest.param([_item(kubernetes_groups=["system:nodes"])], ["group system:nodes is reserved for Kubernetes"], id="group"),
        pytest.param([_item(kubernetes_groups=[" "])], ["a group with an empty name has no effect"], id="empty-group"),
        pytest.param([_item(username="eks:me")], ["username eks:me begins with a reserved prefix (system:, eks:, aws:, amazon:, iam:)"], id="username"),
        pytest.param(
            [_item(type="EC2_LINUX", kubernetes_groups=["a"])], ["EKS itself sets the username and the groups of type EC2_LINUX"], id="groups-of-nodes"
        ),
        pytest.param([_item(type="EC2_LINUX", principal_arn=USER)], ["type EC2_LINUX is for nodes, but this is not the ARN of a role"], id="user-as-node"),
        pytest.param([_item(type="FARGATE_LINUX", policies=[{"policy": VIEW}])], ["type FARGATE_LINUX cannot have access policies"], id="policies-of-nodes"),
        pytest.param([_item(type="EC2", policies=[{"policy": "AmazonEKSAutoNodePolicy"}])], [], id="auto-mode-has-a-policy"),
        pytest.param(
            [_item(policies=[{"policy": VIEW, "namespaces": ["a"]}, {"policy": "AmazonEKSViewPolicy"}])],
            ["policy AmazonEKSViewPolicy is listed more than once, but can have only one scope: put all namespaces into one item."],
            id="policy-twice",
        ),
        pytest.param(
            [_item(policies=[{"policy": VIEW, "namespaces": ["Shop", "ok", "a_b", ""]}])],
            ["policy AmazonEKSViewPolicy: '', 'Shop', 'a_b' cannot be a namespace"],
            id="namespaces",
        ),
        pytest.param([_item(state="absent", kubernetes_groups=["system:x"])], [], id="what-goes-needs-no-sense"),
    ],
)
def test_validation_errors(items: list[dict[str, Any]], message: list[str]) -> None:
    errors = validate_specs([parse_spec(item) for item in items])
    assert len(errors) == bool(message), errors
    for text in message:
        assert text in errors[0]


@pytest.mark.parametrize(
    ("spec", "current", "offered", "message"),
    [
        pytest.param(EntrySpec(ROLE, type="STANDARD"), ENTRY, None, "", id="same-type"),
        pytest.param(EntrySpec(ROLE, type="EC2_LINUX"), ENTRY, None, "is of type STANDARD, and EKS cannot make it EC2_LINUX", id="another-type"),
        pytest.param(
            EntrySpec(ROLE, policies=((VIEW, ()),)),
            replace(ENTRY, type="EC2_LINUX"),
            OFFERED,
            "of type EC2_LINUX, which cannot have access policies",
            id="of-nodes",
        ),
        pytest.param(
            EntrySpec(ROLE, policies=(("Admin", ()),)), None, OFFERED, "EKS has no access policy Admin: choose one of AmazonEKSC", id="unknown-policy"
        ),
        pytest.param(EntrySpec(ROLE, policies=(("Admin", ()),)), None, None, "", id="nobody-could-be-asked"),
        pytest.param(EntrySpec(ROLE, policies=((EDIT, ()),)), ENTRY, {}, "", id="associated-already"),
    ],
)
def test_what_eks_would_refuse(spec: EntrySpec, current: Entry | None, offered: dict[str, str] | None, message: str) -> None:
    refusals = find_refusals([spec], {ROLE: current} if current else {}, offered)
    assert len(refusals) == bool(message), refusals
    assert message in "".join(refusals)


def test_eks_is_asked_for_its_policies_only_for_one_that_is_not_associated() -> None:
    assert not needs_policies([EntrySpec(ROLE, policies=(("AmazonEKSEditPolicy", ()),)), EntrySpec(USER)], {ROLE: ENTRY})
    assert needs_policies([EntrySpec(ROLE, policies=((VIEW, ()),))], {ROLE: ENTRY})
    assert not needs_policies([EntrySpec(ROLE, present=False, policies=((VIEW, ()),))], {})


CREATED = 1_000_000.0
PURGE = [
    pytest.param(
        Entry("arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"), "it belongs to EKS", id="service-linked"
    ),
    pytest.param(Entry(ROLE, username="eks:node-manager"), "it belongs to EKS", id="user-of-eks"),
    pytest.param(Entry(ROLE, type="EC2_LINUX"), "nodes need it (type EC2_LINUX)", id="nodes"),
    pytest.param(Entry("arn:aws:iam::123456789012:role/ci/deploy"), "this run itself uses it", id="caller"),
    pytest.param(Entry(ROLE, policies={ADMIN: ()}, created=CREATED + 20), "it belongs to the cluster's creator", id="creator"),
    pytest.param(Entry(ROLE, policies={ADMIN: ()}, created=CREATED + 3600), "", id="administrator-of-later"),
    pytest.param(Entry(ROLE, policies={ADMIN: ("shop",)}, created=CREATED + 20), "", id="administrator-of-a-namespace"),
    pytest.param(Entry(ROLE, created=CREATED + 20), "", id="no-administrator"),
    pytest.param(Entry("arn:aws:iam::999999999999:role/deploy"), "", id="same-name-in-another-account"),
]


@pytest.mark.parametrize(("entry", "reason"), PURGE)
def test_who_is_never_purged(entry: Entry, reason: str) -> None:
    caller = "arn:aws:sts::123456789012:assumed-role/deploy/job"
    assert find_protected([entry], caller=caller, cluster_created=CREATED, bootstrapped=True) == ({entry.principal: reason} if reason else {})


def test_only_the_oldest_is_the_creators_and_only_where_there_is_one() -> None:
    creator, second = (Entry(name, policies={ADMIN: ()}, created=CREATED + age) for name, age in ((ROLE, 5), (USER, 300)))
    assert list(find_protected([second, creator], caller="x", cluster_created=CREATED, bootstrapped=True)) == [ROLE]
    assert find_protected([second, creator], caller="x", cluster_created=CREATED, bootstrapped=False) == {}


def test_purging_spares_the_protected_and_what_is_named() -> None:
    current = {name: Entry(name) for name in ("c", "b", "a", ROLE)}
    changes = plan_entries([EntrySpec(ROLE)], current, purge=True, protected={"b": "why", ROLE: "why"})
    assert [(change.principal, change.action, change.reason) for change in changes] == [
        (ROLE, "unchanged", ""),
        ("a", "deleted", ""),
        ("b", "kept", "why"),
        ("c", "deleted", ""),
    ]
    assert [change.changed for change in changes] == [False, True, False, True]
    (deleted,) = plan_entries([EntrySpec("b", present=False)], {"b": Entry("b")}, purge=True, protected={"b": "why"})
    assert deleted.action == "deleted"


def test_an_entry_is_read_from_the_answers_of_eks() -> None:
    described = {
        "principalArn": ROLE,
        "type": "STANDARD",
        "username": "shop",
        "kubernetesGroups": ["a"],
        "tags": {"t": "1"},
        "accessEntryArn": "arn:entry",
        "createdAt": datetime.fromtimestamp(CREATED, UTC),
    }
    associated = [{"policyArn": EDIT, "accessScope": {"type": "namespace", "namespaces": ["shop"]}}]
    assert normalize_entry(described, associated) == replace(ENTRY, created=CREATED)
    assert normalize_entry({"principalArn": ROLE}, [{"policyArn": VIEW, "accessScope": {"type": "cluster", "namespaces": []}}]) == Entry(
        ROLE, policies={VIEW: ()}
    )


SCOPES = st.sampled_from([(), ("a",), ("a", "b")])
POLICIES = st.dictionaries(st.sampled_from([EDIT, VIEW, ADMIN]), SCOPES)
GROUPS = st.frozensets(st.sampled_from("abc"))
TAGS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]), max_size=3)
SPECS = st.builds(
    EntrySpec,
    st.just(ROLE),
    present=st.booleans(),
    username=st.sampled_from([None, "ada", "shop"]),
    groups=st.none() | GROUPS,
    policies=st.none() | POLICIES.map(lambda policies: tuple((arn.rpartition("/")[2], scope) for arn, scope in policies.items())),
    tags=st.none() | TAGS,
)
CURRENT = st.none() | st.builds(Entry, st.just(ROLE), username=st.sampled_from(["ada", "shop"]), groups=GROUPS, policies=POLICIES, tags=TAGS)


def _carried_out(change: EntryChange, current: Entry | None) -> Entry | None:
    """What EKS makes of a change, message by its documentation and not by the plan."""
    if change.action == "deleted":
        return None
    if current is None and change.action != "created":
        return None
    base = current or Entry(change.principal, change.request["type"], change.request.get("username", "chosen by EKS"))
    return replace(
        base,
        username=change.request.get("username", base.username),
        groups=frozenset(change.request.get("kubernetesGroups", base.groups)),
        policies={arn: scope for arn, scope in {**base.policies, **change.associate}.items() if arn not in change.disassociate},
        tags={key: value for key, value in {**base.tags, **change.request.get("tags", {}), **change.tags.set}.items() if key not in change.tags.remove},
    )


@given(SPECS, CURRENT, st.booleans(), st.booleans())
def test_a_plan_that_was_carried_out_is_empty(spec: EntrySpec, current: Entry | None, purge_policies: bool, purge_tags: bool) -> None:
    change = _plan(spec, current, purge_policies=purge_policies, purge_tags=purge_tags)
    after = _carried_out(change, current)
    again = _plan(spec, after, purge_policies=purge_policies, purge_tags=purge_tags)
    assert again.action == "unchanged", (change, again)
    assert {**again.before, "username": ""} == {**change.after, "username": ""} or after is None
