from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.health import check_health
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.normalize import Addon, Issue, canonical, normalize_addon, parse_configuration
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.plan import AddonChange, plan_addons
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.refusals import find_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.spec import AddonSpec, parse_spec, validate_specs

ROLE, OTHER_ROLE = "arn:aws:iam::123456789012:role/ebs", "arn:aws:iam::123456789012:role/path/other"
CNI = Addon("vpc-cni", version="v1.20.0", arn="arn:cni", namespace="kube-system")
ITEM = {
    "name": "vpc-cni",
    "state": "present",
    "version": None,
    "configuration_values": None,
    "resolve_conflicts": "none",
    "service_account_role_arn": None,
    "pod_identity_associations": None,
    "namespace": None,
    "tags": None,
}
STAYS = {"addonName": "vpc-cni", "addonVersion": "v1.20.0", "resolveConflicts": "NONE"}


def _plan(spec: AddonSpec, current: Addon | None, version: str = "v1.20.0", **options: bool) -> AddonChange:
    (change,) = plan_addons([spec], {spec.name: current} if current else {}, {spec.name: version}, **options)
    return change


@pytest.mark.parametrize(
    ("spec", "current", "request_"),
    [
        pytest.param(AddonSpec("vpc-cni"), CNI, {}, id="nothing-desired"),
        pytest.param(AddonSpec("vpc-cni", configuration={}), CNI, {}, id="no-configuration-is-an-empty-one"),
        pytest.param(
            AddonSpec("vpc-cni", configuration={"a": {"c": 1, "b": "x"}}), replace(CNI, configuration={"a": {"b": "x", "c": 1.0}}), {}, id="same-meaning"
        ),
        pytest.param(
            AddonSpec("vpc-cni", configuration={"a": True}, resolve_conflicts="preserve"),
            replace(CNI, configuration={"a": 1}),
            {**STAYS, "resolveConflicts": "PRESERVE", "configurationValues": '{"a":true}'},
            id="a-boolean-is-no-number",
        ),
        pytest.param(
            AddonSpec("vpc-cni", configuration={}), replace(CNI, configuration={"a": 1}), {**STAYS, "configurationValues": "{}"}, id="configuration-taken-away"
        ),
        pytest.param(AddonSpec("vpc-cni", role=ROLE), CNI, {**STAYS, "serviceAccountRoleArn": ROLE}, id="role"),
        pytest.param(AddonSpec("vpc-cni", role=""), replace(CNI, role=ROLE), STAYS, id="role-taken-away"),
        pytest.param(
            AddonSpec("vpc-cni", configuration={"a": 2}),
            replace(CNI, role=ROLE, configuration={"a": 1}),
            {**STAYS, "serviceAccountRoleArn": ROLE, "configurationValues": '{"a":2}'},
            id="a-role-that-stays-is-named",
        ),
        pytest.param(
            AddonSpec("vpc-cni", pod_identities={"b": ROLE, "a": ROLE}),
            replace(CNI, pod_identities={"a": ROLE}),
            {**STAYS, "podIdentityAssociations": [{"serviceAccount": "a", "roleArn": ROLE}, {"serviceAccount": "b", "roleArn": ROLE}]},
            id="pod-identities",
        ),
        pytest.param(
            AddonSpec("vpc-cni", pod_identities={}),
            replace(CNI, pod_identities={"a": ROLE}),
            {**STAYS, "podIdentityAssociations": []},
            id="pod-identities-gone",
        ),
        pytest.param(AddonSpec("vpc-cni", pod_identities={}), replace(CNI, pod_identities={}), {}, id="no-pod-identities"),
        pytest.param(AddonSpec("vpc-cni"), replace(CNI, status="UPDATE_FAILED"), STAYS, id="a-failed-update-is-sent-again"),
        pytest.param(AddonSpec("vpc-cni"), replace(CNI, status="DEGRADED"), {}, id="degraded-needs-no-request"),
        pytest.param(AddonSpec("vpc-cni"), replace(CNI, status="CREATING"), {}, id="being-created-as-desired"),
    ],
)
def test_what_an_update_sends(spec: AddonSpec, current: Addon, request_: dict[str, Any]) -> None:
    change = _plan(spec, current)
    assert (change.action, change.request) == ("updated" if request_ else "unchanged", request_)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        pytest.param(None, "created", id="not-there"),
        pytest.param("CREATE_FAILED", "recreated", id="its-creation-has-failed"),
        pytest.param("DELETING", "created", id="it-is-just-going"),
    ],
)
def test_what_a_creation_sends(status: str | None, action: str) -> None:
    spec = AddonSpec("vpc-cni", configuration={"a": 1}, role=ROLE, pod_identities={"a": ROLE}, namespace="cni", tags={"n": 1}, resolve_conflicts="overwrite")
    change = _plan(spec, replace(CNI, status=status) if status else None, "v2")
    assert change.action == action
    assert change.blocked is (status == "DELETING")
    assert change.request == {
        "addonName": "vpc-cni",
        "addonVersion": "v2",
        "resolveConflicts": "OVERWRITE",
        "configurationValues": '{"a":1}',
        "serviceAccountRoleArn": ROLE,
        "podIdentityAssociations": [{"serviceAccount": "a", "roleArn": ROLE}],
        "namespaceConfig": {"namespace": "cni"},
        "tags": {"n": "1"},
    }


def test_a_creation_leaves_out_what_is_not_wished() -> None:
    assert _plan(AddonSpec("vpc-cni"), None).request == STAYS


def test_tags_are_changed_apart_from_the_rest() -> None:
    change = _plan(AddonSpec("vpc-cni", tags={"new": "1"}), replace(CNI, tags={"old": "0", "aws:x": "y"}))
    assert (change.action, change.request, change.tags) == ("updated", {}, ({"new": "1"}, ["old"]))
    assert change.after["tags.aws:x"] == "y"
    assert _plan(AddonSpec("vpc-cni", tags={"new": "1"}), replace(CNI, tags={"new": "1", "old": "0"}), purge_tags=False).action == "unchanged"


@pytest.mark.parametrize(
    ("status", "action"), [(None, "unchanged"), ("ACTIVE", "deleted"), ("DEGRADED", "deleted"), ("DELETE_FAILED", "deleted"), ("DELETING", "unchanged")]
)
def test_an_addon_that_should_not_be_there(status: str | None, action: str) -> None:
    change = _plan(AddonSpec("vpc-cni", present=False), replace(CNI, status=status) if status else None)
    assert (change.action, change.after, change.request) == (action, {}, {})


def test_purging_deletes_what_nobody_wishes_and_nothing_else() -> None:
    present = {name: Addon(name, version="v1") for name in ("zeta", "vpc-cni", "alpha")}
    specs = [AddonSpec("vpc-cni")]
    assert [(change.name, change.action) for change in plan_addons(specs, present, {"vpc-cni": "v1"}, purge=True)] == [
        ("vpc-cni", "unchanged"),
        ("alpha", "deleted"),
        ("zeta", "deleted"),
    ]
    assert [change.name for change in plan_addons(specs, present, {"vpc-cni": "v1"})] == ["vpc-cni"]


@pytest.mark.parametrize(
    ("items", "refusals"),
    [
        pytest.param([{}], [], id="fine"),
        pytest.param([{}, {}], ["Add-on vpc-cni is listed more than once in this task: keep one of the items."], id="twice"),
        pytest.param([{"name": "a/b"}], ["Add-on 'a/b': this is not a valid name of an add-on: use one that EKS offers, such as vpc-cni."], id="name"),
        pytest.param(
            [{"service_account_role_arn": "ebs"}],
            ["Add-on vpc-cni: service_account_role_arn is 'ebs', which is not the ARN of an IAM role: use arn:aws:iam::ACCOUNT:role/NAME."],
            id="role",
        ),
        pytest.param([{"service_account_role_arn": ""}], [], id="no-role"),
        pytest.param(
            [{"pod_identity_associations": [{"service_account": "a", "role_arn": ROLE}, {"service_account": "a", "role_arn": ""}]}],
            [
                "Add-on vpc-cni: its service account a has more than one role in pod_identity_associations: keep one of them.",
                "Add-on vpc-cni: the role of service account a is '', which is not the ARN of an IAM role: use arn:aws:iam::ACCOUNT:role/NAME.",
            ],
            id="pod-identity",
        ),
    ],
)
def test_validation_errors(items: list[dict[str, Any]], refusals: list[str]) -> None:
    assert validate_specs([parse_spec({**ITEM, **item}) for item in items]) == refusals


def test_an_addon_cannot_move() -> None:
    spec = AddonSpec("vpc-cni", namespace="other")
    assert find_refusals([_plan(spec, CNI)], [spec]) == [
        "Add-on vpc-cni is in namespace kube-system, and EKS cannot move it to other: delete it first (state absent), or correct its namespace."
    ]
    assert find_refusals([_plan(replace(spec, namespace="kube-system"), CNI)], [replace(spec, namespace="kube-system")]) == []
    assert find_refusals([_plan(spec, replace(CNI, status="CREATE_FAILED"))], [spec]) == []


NO_NODES = Issue("InsufficientNumberOfReplicas", "it doesn't have the desired number of replicas.")
CONFLICT = Issue("ConfigurationConflict", "Conflicts found when trying to apply")


@pytest.mark.parametrize(
    ("status", "issues", "allow", "done", "message"),
    [
        pytest.param("ACTIVE", (), False, True, "", id="active"),
        pytest.param("CREATING", (), False, False, "", id="creating"),
        pytest.param("UPDATING", (CONFLICT,), False, False, "", id="updating"),
        pytest.param("DEGRADED", (NO_NODES,), False, False, "add nodes on which its pods can run", id="no-nodes-may-pass"),
        pytest.param("DEGRADED", (NO_NODES,), True, True, "", id="no-nodes-tolerated"),
        pytest.param("DEGRADED", (NO_NODES, CONFLICT), True, True, "ConfigurationConflict: Conflicts found when trying to apply", id="more-than-no-nodes"),
        pytest.param("DEGRADED", (CONFLICT,), False, True, "set resolve_conflicts to overwrite or preserve", id="conflict-stays"),
        pytest.param("CREATE_FAILED", (CONFLICT,), False, True, "is CREATE_FAILED (ConfigurationConflict:", id="creation-failed"),
        pytest.param("UPDATE_FAILED", (), True, True, "read its health issues in the EKS console", id="update-failed"),
    ],
)
def test_judge(status: str, issues: tuple[Issue, ...], allow: bool, done: bool, message: str) -> None:
    health = check_health(replace(CNI, status=status, issues=issues), "prod", allow_degraded=allow)
    assert health.done is done
    assert message in health.failure
    assert bool(health.failure) is bool(message)
    assert bool(health.tolerated) is (allow and issues == (NO_NODES,))


def test_a_verdict_is_one_sentence() -> None:
    assert check_health(replace(CNI, status="DEGRADED", issues=(NO_NODES,)), "prod", allow_degraded=False).failure == (
        "Add-on vpc-cni of cluster prod is DEGRADED (InsufficientNumberOfReplicas: it doesn't have the desired number of replicas): add nodes on which its "
        "pods can run, or set allow_degraded where nodes come later."
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(" ", None, id="blank"),
        pytest.param('{"a": 1}', {"a": 1}, id="json"),
        pytest.param("a:\n  b: 'true'\n", {"a": {"b": "true"}}, id="yaml"),
        pytest.param("{[", "{[", id="neither"),
    ],
)
def test_parse_configuration(text: str | None, value: Any) -> None:
    assert parse_configuration(text) == value


def test_parse_addon_reads_what_eks_describes() -> None:
    described = {
        "addonName": "vpc-cni",
        "status": "DEGRADED",
        "addonVersion": "v1",
        "addonArn": "arn:x",
        "configurationValues": '{"a": 1}',
        "health": {"issues": [{"code": "AccessDenied", "message": "no\n access", "resourceIds": ["x"]}]},
        "namespaceConfig": {"namespace": "kube-system"},
    }
    assert normalize_addon(described) == Addon(
        "vpc-cni", "DEGRADED", "v1", "arn:x", {"a": 1}, namespace="kube-system", issues=(Issue("AccessDenied", "no access", ("x",)),)
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab1", max_size=2),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text("ab", max_size=2), children, max_size=2),
    max_leaves=4,
)
CONFIGURATIONS = st.dictionaries(st.text("ab", min_size=1, max_size=2), JSON, max_size=2)
TAGS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]), max_size=3)
ROLES = st.sampled_from(["", ROLE, OTHER_ROLE])
IDENTITIES = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from([ROLE, OTHER_ROLE]), max_size=2)
SPECS = st.builds(
    AddonSpec,
    st.just("vpc-cni"),
    present=st.booleans(),
    configuration=st.none() | CONFIGURATIONS,
    role=st.none() | ROLES,
    pod_identities=st.none() | IDENTITIES,
    tags=st.none() | TAGS,
)
CURRENT = st.none() | st.builds(
    Addon,
    st.just("vpc-cni"),
    status=st.sampled_from(["ACTIVE", "DEGRADED", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"]),
    version=st.sampled_from(["v1", "v2"]),
    configuration=st.none() | CONFIGURATIONS,
    role=ROLES,
    pod_identities=IDENTITIES,
    tags=TAGS,
)


def _carried_out(change: AddonChange, current: Addon | None) -> Addon | None:
    """What EKS makes of a change, message by its documentation and not by the plan."""
    if change.action == "deleted":
        return None
    sent = change.request
    base = current if change.action in ("updated", "unchanged") and current else Addon(change.name, pod_identities={})
    tags = {key: value for key, value in {**base.tags, **sent.get("tags", {}), **change.tags.set}.items() if key not in change.tags.remove}
    if not sent:
        return replace(base, tags=tags) if current else None
    identities = sent.get("podIdentityAssociations")
    return replace(
        base,
        status="ACTIVE",
        version=sent["addonVersion"],
        configuration=json.loads(sent["configurationValues"]) if "configurationValues" in sent else base.configuration,
        role=sent.get("serviceAccountRoleArn", ""),
        pod_identities=base.pod_identities if identities is None else {one["serviceAccount"]: one["roleArn"] for one in identities},
        tags=tags,
    )


@given(SPECS, CURRENT, st.sampled_from(["v1", "v2"]), st.booleans())
def test_a_plan_that_was_carried_out_is_empty(spec: AddonSpec, current: Addon | None, version: str, purge_tags: bool) -> None:
    change = _plan(spec, current, version, purge_tags=purge_tags)
    after = _carried_out(change, current)
    again = _plan(spec, after, version, purge_tags=purge_tags)
    assert again.action == "unchanged", (change, again)
    assert dict(again.before) == {name: value for name, value in change.after.items() if name != "status"}


@given(JSON)
def test_the_canonical_form_keeps_the_meaning(value: Any) -> None:
    assert json.loads(canonical(value)) == (value or {})
