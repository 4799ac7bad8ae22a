from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_pod_identity.normalize import AccountRef, Association, normalize_association
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_pod_identity.plan import AssociationChange, plan_associations
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_pod_identity.refusals import find_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_pod_identity.spec import AssociationSpec, parse_spec, validate_specs

REF = AccountRef("shop", "reports")
ROLE, OTHER, TARGET = (f"arn:aws:iam::123456789012:role/{name}" for name in ("reports", "other", "target"))
EXISTING = Association(REF, ROLE, tags={"t": "1"}, id="a-1", arn="arn:a-1")
ITEM = {
    "namespace": "shop",
    "service_account": "reports",
    "state": "present",
    "role_arn": ROLE,
    "target_role_arn": None,
    "disable_session_tags": None,
    "tags": None,
}


def _plan(spec: AssociationSpec, current: Association | None, *, purge_tags: bool = True) -> AssociationChange:
    (change,) = plan_associations([spec], {REF: current} if current else {}, purge_tags=purge_tags)
    return change


@pytest.mark.parametrize(
    ("spec", "current", "sent"),
    [
        pytest.param(AssociationSpec(REF, role=ROLE), EXISTING, {}, id="same"),
        pytest.param(AssociationSpec(REF, role=OTHER), EXISTING, {"roleArn": OTHER}, id="role"),
        pytest.param(AssociationSpec(REF, role=ROLE, target_role=TARGET), EXISTING, {"targetRoleArn": TARGET}, id="target-role"),
        pytest.param(AssociationSpec(REF, role=ROLE), replace(EXISTING, target_role=TARGET, disable_session_tags=True), {}, id="left-as-it-is"),
        pytest.param(AssociationSpec(REF, role=ROLE, target_role=""), replace(EXISTING, target_role=TARGET), {"targetRoleArn": ""}, id="target-role-removed"),
        pytest.param(AssociationSpec(REF, role=ROLE, disable_session_tags=True), EXISTING, {"disableSessionTags": True}, id="session-tags"),
        pytest.param(AssociationSpec(REF, role=ROLE, disable_session_tags=False), EXISTING, {}, id="session-tags-as-they-are"),
    ],
)
def test_what_an_update_sends(spec: AssociationSpec, current: Association, sent: dict[str, Any]) -> None:
    change = _plan(spec, current)
    assert change.request == ({"associationId": "a-1", **sent} if sent else {})
    assert change.action == ("updated" if sent else "unchanged")


def test_what_a_creation_sends() -> None:
    assert _plan(AssociationSpec(REF, role=ROLE), None).request == {"namespace": "shop", "serviceAccount": "reports", "roleArn": ROLE}
    assert _plan(AssociationSpec(REF, role=ROLE, target_role=TARGET, disable_session_tags=True, tags={"n": 1}), None).request == {
        "namespace": "shop",
        "serviceAccount": "reports",
        "roleArn": ROLE,
        "targetRoleArn": TARGET,
        "disableSessionTags": True,
        "tags": {"n": "1"},
    }


def test_tags_are_changed_apart_from_the_rest() -> None:
    change = _plan(AssociationSpec(REF, role=ROLE, tags={"n": "1"}), EXISTING)
    assert (change.action, change.request, change.tags) == ("updated", {}, ({"n": "1"}, ["t"]))


def test_purging_spares_what_addons_own() -> None:
    owned = Association(AccountRef("kube-system", "ebs"), id="a-2", owner="arn:addon")
    other = Association(AccountRef("aaa", "x"), role=ROLE, id="a-3")
    present = {one.ref: one for one in (owned, other, EXISTING)}
    specs = [AssociationSpec(REF, role=ROLE)]
    changes = plan_associations(specs, present, purge=True)
    assert [(str(change.ref), change.action) for change in changes] == [("shop/reports", "unchanged"), ("aaa/x", "deleted"), ("kube-system/ebs", "kept")]
    assert [str(change.ref) for change in plan_associations(specs, present)] == ["shop/reports"]


def test_what_an_addon_owns_is_not_changed_behind_its_back() -> None:
    owned = replace(EXISTING, owner="arn:addon")
    assert find_refusals([_plan(AssociationSpec(REF, role=ROLE), owned)]) == []
    for spec in (AssociationSpec(REF, role=OTHER), AssociationSpec(REF, present=False)):
        (refusal,) = find_refusals([_plan(spec, owned)])
        assert refusal == (
            "The association of service account shop/reports belongs to the add-on arn:addon: change it there (pod_identity_associations of "
            "meshwright.ambient.eks_addon), or remove it from this task."
        )


@pytest.mark.parametrize(
    ("items", "message"),
    [
        pytest.param([{}], "", id="fine"),
        pytest.param([{"state": "absent", "role_arn": None}], "", id="absent-needs-no-role"),
        pytest.param([{}, {}], "Service account shop/reports is listed more than once in this task", id="twice"),
        pytest.param([{"namespace": "Shop"}], "Service account Shop/reports: this is not a valid name of a service account", id="namespace"),
        pytest.param([{"service_account": "a b"}], "Service account shop/a b: this is not a valid name of a service account", id="name"),
        pytest.param([{"role_arn": "reports"}], "role_arn is 'reports', which is not the ARN of an IAM role", id="role"),
        pytest.param([{"role_arn": "arn:aws:iam::123456789012:user/a"}], "which is not the ARN of an IAM role", id="user"),
        pytest.param([{"target_role_arn": "x"}], "target_role_arn is 'x', which is not the ARN of an IAM role", id="target-role"),
        pytest.param([{"target_role_arn": ""}], "", id="no-target-role"),
    ],
)
def test_validation_errors(items: list[dict[str, Any]], message: str) -> None:
    refusals = validate_specs([parse_spec({**ITEM, **item}) for item in items])
    assert len(refusals) == bool(message), refusals
    assert message in "".join(refusals)


def test_parse_association_reads_what_eks_describes() -> None:
    described = {
        "namespace": "shop",
        "serviceAccount": "reports",
        "roleArn": ROLE,
        "targetRoleArn": TARGET,
        "disableSessionTags": True,
        "tags": {"t": "1"},
        "associationId": "a-1",
        "associationArn": "arn:a-1",
        "ownerArn": "arn:addon",
    }
    assert normalize_association(described) == Association(REF, ROLE, TARGET, True, {"t": "1"}, "a-1", "arn:a-1", "arn:addon")


TAGS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]), max_size=3)
ROLES = st.sampled_from([ROLE, OTHER])
SPECS = st.builds(
    AssociationSpec,
    st.just(REF),
    present=st.booleans(),
    role=ROLES,
    target_role=st.sampled_from([None, "", TARGET]),
    disable_session_tags=st.none() | st.booleans(),
    tags=st.none() | TAGS,
)
CURRENT = st.none() | st.builds(
    Association, st.just(REF), ROLES, target_role=st.sampled_from(["", TARGET]), disable_session_tags=st.booleans(), tags=TAGS, id=st.just("a-1")
)


def _carried_out(change: AssociationChange, current: Association | None) -> Association | None:
    """What EKS makes of a change, message by its documentation and not by the plan."""
    if change.action == "deleted" or (current is None and change.action != "created"):
        return None
    base = current or Association(change.ref, id="a-9")
    sent = change.request
    return replace(
        base,
        role=sent.get("roleArn", base.role),
        target_role=sent.get("targetRoleArn", base.target_role),
        disable_session_tags=sent.get("disableSessionTags", base.disable_session_tags),
        tags={key: value for key, value in {**base.tags, **sent.get("tags", {}), **change.tags.set}.items() if key not in change.tags.remove},
    )


@given(SPECS, CURRENT, st.booleans())
def test_a_plan_that_was_carried_out_is_empty(spec: AssociationSpec, current: Association | None, purge_tags: bool) -> None:
    change = _plan(spec, current, purge_tags=purge_tags)
    after = _carried_out(change, current)
    again = _plan(spec, after, purge_tags=purge_tags)
    assert again.action == "unchanged", (change, again)
    assert again.before == change.after
