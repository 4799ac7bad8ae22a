from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks.access_plan import (
    Entry,
    EntryChange,
    EntryWish,
    find_protected,
    needs_policies,
    parse_entry,
    parse_wish,
    plan_entries,
    refuse_changes,
    refuse_wishes,
)

ROLE, USER = "arn:aws:iam::123456789012:role/team/shop", "arn:aws:iam::123456789012:user/ada"
EDIT, VIEW, ADMIN = (f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy" for name in ("Edit", "View", "ClusterAdmin"))
OFFERED = {arn.rpartition("/")[2]: arn for arn in (EDIT, VIEW, ADMIN)}
ENTRY = Entry(ROLE, username="shop", groups=frozenset({"a"}), policies={EDIT: ("shop",)}, tags={"t": "1"}, arn="arn:entry")
ITEM = {"principal_arn": ROLE, "state": "present", "type": None, "username": None, "kubernetes_groups": None, "policies": None, "tags": None}


def _item(**fields: Any) -> dict[str, Any]:
    policies = fields.get("policies")
    return {**ITEM, **fields, "policies": None if policies is None else [{"namespaces": [], **one} for one in policies]}


def _plan(wish: EntryWish, current: Entry | None, **options: Any) -> EntryChange:
    (change,) = plan_entries([wish], {wish.principal: current} if current else {}, OFFERED, **options)
    return change


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        pytest.param(EntryWish(ROLE), ({}, {}, ()), id="nothing-wished"),
        pytest.param(EntryWish(ROLE, groups=frozenset({"b", "a"})), ({"kubernetesGroups": ["a", "b"]}, {}, ()), id="groups"),
        pytest.param(EntryWish(ROLE, groups=frozenset()), ({"kubernetesGroups": []}, {}, ()), id="no-groups"),
        pytest.param(EntryWish(ROLE, username="ada"), ({"username": "ada"}, {}, ()), id="username"),
        pytest.param(EntryWish(ROLE, policies=(("AmazonEKSEditPolicy", ("shop",)),)), ({}, {}, ()), id="policy-by-name"),
        pytest.param(EntryWish(ROLE, policies=((EDIT, ("shop",)),)), ({}, {}, ()), id="policy-by-arn"),
        pytest.param(EntryWish(ROLE, policies=((EDIT, ()),)), ({}, {EDIT: ()}, ()), id="another-scope"),
        pytest.param(EntryWish(ROLE, policies=(("AmazonEKSViewPolicy", ()),)), ({}, {VIEW: ()}, (EDIT,)), id="another-policy"),
        pytest.param(EntryWish(ROLE, policies=()), ({}, {}, (EDIT,)), id="no-policies"),
    ],
)
def test_what_an_update_sends(wish: EntryWish, expected: tuple[Any, ...]) -> None:
    change = _plan(wish, ENTRY)
    assert (change.request, change.associate, change.dissociate) == expected
    assert change.action == ("updated" if any(expected) else "unchanged")


def test_policies_stay_without_purging_them() -> None:
    change = _plan(EntryWish(ROLE, policies=((VIEW, ()),)), ENTRY, purge_policies=False)
    assert (change.associate, change.dissociate) == ({VIEW: ()}, ())


def test_what_a_creation_sends() -> None:
    wish = EntryWish(ROLE, username="ada", groups=frozenset({"b", "a"}), policies=(("AmazonEKSViewPolicy", ()), (EDIT, ("x", "y"))), tags={"n": 1})
    change = _plan(wish, None)
    assert change.action == "created"
    assert change.request == {"type": "STANDARD", "kubernetesGroups": ["a", "b"], "username": "ada", "tags": {"n": "1"}}
    assert change.associate == {EDIT: ("x", "y"), VIEW: ()}
    assert _plan(EntryWish(ROLE, type="EC2_LINUX"), None).request == {"type": "EC2_LINUX"}


def test_a_policy_of_a_cluster_that_is_not_there_yet_gets_the_arn_that_it_would_have() -> None:
    (change,) = plan_entries([EntryWish(ROLE, policies=(("AmazonEKSViewPolicy", ()),))], {}, partition="aws-cn")
    assert list(change.associate) == ["arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"]


SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"


@pytest.mark.parametrize(
    ("items", "told"),
    [
        pytest.param([_item()], [], id="fine"),
        pytest.param([_item(principal_arn="arn:aws-us-gov:iam::123456789012:root")], [], id="account"),
        pytest.param([_item(policies=[{"policy": "AmazonEKSViewPolicy", "namespaces": ["shop", "team-*", "*-dev"]}])], [], id="scopes"),
        pytest.param([_item(), _item()], [f"{ROLE} is named more than once in this task, and a principal can have one access entry"], id="twice"),
        pytest.param([_item(principal_arn="shop")], ["Access entry of shop: this is no ARN of an IAM principal"], id="no-arn"),
        pytest.param(
            [_item(principal_arn="arn:aws:sts::123456789012:assumed-role/shop/ada")],
            ["write the role, arn:aws:iam::123456789012:role/shop with its path, if it has one."],
            id="session",
        ),
        pytest.param(
            [_item(principal_arn=SSO)],
            ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_Admin_0123456789abcdef with the region"],
            id="session-of-identity-center",
        ),
        pytest.param(
            [_item(kubernetes_groups=["system:masters", "ok"])], ["group system:masters is Kubernetes' own", "AmazonEKSClusterAdminPolicy"], id="masters"
        ),
        pytest.param([_item(kubernetes_groups=["system:nodes"])], ["group system:nodes is Kubernetes' own"], id="group"),
        pytest.param([_item(kubernetes_groups=[" "])], ["a group without a name binds nothing"], id="empty-group"),
        pytest.param([_item(username="eks:me")], ["username eks:me begins with a word that is reserved (system:, eks:, aws:, amazon:, iam:)"], id="username"),
        pytest.param([_item(type="EC2_LINUX", kubernetes_groups=["a"])], ["EKS itself decides user and groups for type EC2_LINUX"], id="groups-of-nodes"),
        pytest.param([_item(type="EC2_LINUX", principal_arn=USER)], ["type EC2_LINUX is for nodes, which have a role, and this is none"], id="user-as-node"),
        pytest.param([_item(type="FARGATE_LINUX", policies=[{"policy": VIEW}])], ["type FARGATE_LINUX takes no access policies"], id="policies-of-nodes"),
        pytest.param([_item(type="EC2", policies=[{"policy": "AmazonEKSAutoNodePolicy"}])], [], id="auto-mode-has-a-policy"),
        pytest.param(
            [_item(policies=[{"policy": VIEW, "namespaces": ["a"]}, {"policy": "AmazonEKSViewPolicy"}])],
            ["policy AmazonEKSViewPolicy is named more than once, and can have one scope: put all namespaces into one item."],
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
def test_refused_wishes(items: list[dict[str, Any]], told: list[str]) -> None:
    refusals = refuse_wishes([parse_wish(item) for item in items])
    assert len(refusals) == bool(told), refusals
    for words in told:
        assert words in refusals[0]


@pytest.mark.parametrize(
    ("wish", "current", "offered", "told"),
    [
        pytest.param(EntryWish(ROLE, type="STANDARD"), ENTRY, None, "", id="same-type"),
        pytest.param(EntryWish(ROLE, type="EC2_LINUX"), ENTRY, None, "is of type STANDARD, and EKS cannot make it EC2_LINUX", id="another-type"),
        pytest.param(
            EntryWish(ROLE, policies=((VIEW, ()),)),
            replace(ENTRY, type="EC2_LINUX"),
            OFFERED,
            "of type EC2_LINUX, which takes no access policies",
            id="of-nodes",
        ),
        pytest.param(
            EntryWish(ROLE, policies=(("Admin", ()),)), None, OFFERED, "EKS has no access policy Admin: choose one of AmazonEKSC", id="unknown-policy"
        ),
        pytest.param(EntryWish(ROLE, policies=(("Admin", ()),)), None, None, "", id="nobody-could-be-asked"),
        pytest.param(EntryWish(ROLE, policies=((EDIT, ()),)), ENTRY, {}, "", id="associated-already"),
    ],
)
def test_refused_changes(wish: EntryWish, current: Entry | None, offered: dict[str, str] | None, told: str) -> None:
    refusals = refuse_changes([wish], {ROLE: current} if current else {}, offered)
    assert len(refusals) == bool(told), refusals
    assert told in "".join(refusals)


def test_eks_is_asked_for_its_policies_only_for_one_that_is_not_associated() -> None:
    assert not needs_policies([EntryWish(ROLE, policies=(("AmazonEKSEditPolicy", ()),)), EntryWish(USER)], {ROLE: ENTRY})
    assert needs_policies([EntryWish(ROLE, policies=((VIEW, ()),))], {ROLE: ENTRY})
    assert not needs_policies([EntryWish(ROLE, present=False, policies=((VIEW, ()),))], {})


CREATED = 1_000_000.0
PURGE = [
    pytest.param(Entry("arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"), "it is EKS' own", id="service-linked"),
    pytest.param(Entry(ROLE, username="eks:node-manager"), "it is EKS' own", id="user-of-eks"),
    pytest.param(Entry(ROLE, type="EC2_LINUX"), "nodes need it (type EC2_LINUX)", id="nodes"),
    pytest.param(Entry("arn:aws:iam::123456789012:role/ci/deploy"), "this run itself comes in by it", id="caller"),
    pytest.param(Entry(ROLE, policies={ADMIN: ()}, created=CREATED + 20), "it is that of the cluster's creator", id="creator"),
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
    present = {name: Entry(name) for name in ("c", "b", "a", ROLE)}
    changes = plan_entries([EntryWish(ROLE)], present, purge=True, protected={"b": "why", ROLE: "why"})
    assert [(change.principal, change.action, change.reason) for change in changes] == [
        (ROLE, "unchanged", ""),
        ("a", "deleted", ""),
        ("b", "kept", "why"),
        ("c", "deleted", ""),
    ]
    assert [change.changed for change in changes] == [False, True, False, True]
    (deleted,) = plan_entries([EntryWish("b", present=False)], {"b": Entry("b")}, purge=True, protected={"b": "why"})
    assert deleted.action == "deleted"


def test_parse_entry_reads_what_eks_describes() -> None:
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
    assert parse_entry(described, associated) == replace(ENTRY, created=CREATED)
    assert parse_entry({"principalArn": ROLE}, [{"policyArn": VIEW, "accessScope": {"type": "cluster", "namespaces": []}}]) == Entry(ROLE, policies={VIEW: ()})


SCOPES = st.sampled_from([(), ("a",), ("a", "b")])
POLICIES = st.dictionaries(st.sampled_from([EDIT, VIEW, ADMIN]), SCOPES)
GROUPS = st.frozensets(st.sampled_from("abc"))
TAGS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]), max_size=3)
WISHES = st.builds(
    EntryWish,
    st.just(ROLE),
    present=st.booleans(),
    username=st.sampled_from([None, "ada", "shop"]),
    groups=st.none() | GROUPS,
    policies=st.none() | POLICIES.map(lambda policies: tuple((arn.rpartition("/")[2], scope) for arn, scope in policies.items())),
    tags=st.none() | TAGS,
)
PRESENT = st.none() | st.builds(Entry, st.just(ROLE), username=st.sampled_from(["ada", "shop"]), groups=GROUPS, policies=POLICIES, tags=TAGS)


def _carried_out(change: EntryChange, current: Entry | None) -> Entry | None:
    """What EKS makes of a change, told by its documentation and not by the plan."""
    if change.action == "deleted":
        return None
    if current is None and change.action != "created":
        return None
    base = current or Entry(change.principal, change.request["type"], change.request.get("username", "chosen by EKS"))
    return replace(
        base,
        username=change.request.get("username", base.username),
        groups=frozenset(change.request.get("kubernetesGroups", base.groups)),
        policies={arn: scope for arn, scope in {**base.policies, **change.associate}.items() if arn not in change.dissociate},
        tags={key: value for key, value in {**base.tags, **change.request.get("tags", {}), **change.tags.set}.items() if key not in change.tags.remove},
    )


@given(WISHES, PRESENT, st.booleans(), st.booleans())
def test_a_plan_that_was_carried_out_is_empty(wish: EntryWish, current: Entry | None, purge_policies: bool, purge_tags: bool) -> None:
    change = _plan(wish, current, purge_policies=purge_policies, purge_tags=purge_tags)
    after = _carried_out(change, current)
    again = _plan(wish, after, purge_policies=purge_policies, purge_tags=purge_tags)
    assert again.action == "unchanged", (change, again)
    assert {**again.before, "username": ""} == {**change.after, "username": ""} or after is None
