from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.plan import BundleState, plan_bundle
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.spec import Bundle, parse_bundle, version_of
from tests.unit.objects import Object, derived, named, recorded

VERSION, CHANNEL = "gateway.networking.k8s.io/bundle-version", "gateway.networking.k8s.io/channel"
GATEWAYS = recorded("customresourcedefinition/gateways_established")
ROUTES = named(GATEWAYS, "httproutes.gateway.networking.k8s.io")
POLICY = recorded("validatingadmissionpolicy/safe_upgrades")
POLICY_BINDING = recorded("validatingadmissionpolicybinding/safe_upgrades")
NAME = GATEWAYS["metadata"]["name"]
RECORDED = GATEWAYS["metadata"]["annotations"][VERSION]
GUARDS = {(item["kind"], item["metadata"]["name"]): item for item in (POLICY, POLICY_BINDING)}


def _definition(version: str | None = RECORDED, channel: str | None = "standard") -> Object:
    return derived(GATEWAYS, {"metadata": {"annotations": {VERSION: version, CHANNEL: channel}}})


def _bundle(version: str = RECORDED, channel: str = "standard") -> Bundle:
    return parse_bundle([_definition(version, channel)], "bundle.yaml")


@pytest.mark.requirement("N11")
@pytest.mark.parametrize(
    ("current", "upgrade", "action", "before", "after"),
    [
        pytest.param(None, False, "installed", "", "v1.6.1", id="missing"),
        pytest.param(_definition("v1.6.1"), False, "unchanged", "v1.6.1", "v1.6.1", id="same"),
        pytest.param(_definition("v1.6.1"), True, "unchanged", "v1.6.1", "v1.6.1", id="same-with-upgrade"),
        pytest.param(_definition("v1.5.0"), False, "kept older", "v1.5.0", "v1.5.0", id="older"),
        pytest.param(_definition("v1.5.0"), True, "upgraded", "v1.5.0", "v1.6.1", id="older-with-upgrade"),
        pytest.param(_definition("v1.6.1-rc.1"), True, "upgraded", "v1.6.1-rc.1", "v1.6.1", id="candidate-of-the-same"),
        pytest.param(_definition("v1.10.0"), False, "kept newer", "v1.10.0", "v1.10.0", id="newer-by-number"),
        pytest.param(_definition("v1.6.2"), True, "kept newer", "v1.6.2", "v1.6.2", id="newer-with-upgrade"),
        pytest.param(_definition(None), False, "kept older", "v0", "v0", id="without-a-version"),
        pytest.param(_definition(None), True, "upgraded", "v0", "v1.6.1", id="without-a-version-with-upgrade"),
        pytest.param(_definition("v1.6.1", "experimental"), True, "unchanged", "v1.6.1", "v1.6.1", id="same-of-the-other-channel"),
        pytest.param(_definition("v1.5.0", "experimental"), False, "kept older", "v1.5.0", "v1.5.0", id="older-of-the-other-channel"),
    ],
)
def test_plan_bundle(current: Object | None, upgrade: bool, action: str, before: str, after: str) -> None:
    plan = plan_bundle(_bundle("v1.6.1"), BundleState({NAME: current} if current else {}), upgrade=upgrade)
    (change,) = plan.changes
    assert (change.name, change.action, change.before, change.after) == (NAME, action, before, after)
    assert change.changed is (action in ("installed", "upgraded"))
    assert change.definition == _definition("v1.6.1")
    assert plan.changed is change.changed
    kept = ["1 definitions stay at " + before + ", older than the bundle's v1.6.1: set upgrade to bring them up to date."]
    assert plan.warnings == (kept if action == "kept older" else [])


def test_definitions_are_judged_one_by_one() -> None:
    plan = plan_bundle(parse_bundle([GATEWAYS, ROUTES], "bundle.yaml"), BundleState({NAME: GATEWAYS}), upgrade=False)
    assert [(change.name.partition(".")[0], change.action) for change in plan.changes] == [("gateways", "unchanged"), ("httproutes", "installed")]


@pytest.mark.parametrize(("current", "desired"), [("experimental", "standard"), ("standard", "experimental")])
def test_an_upgrade_stays_on_its_channel(current: str, desired: str) -> None:
    with pytest.raises(MeshError) as caught:
        plan_bundle(_bundle("v1.6.1", desired), BundleState({NAME: _definition("v1.5.0", current)}), upgrade=True)
    assert caught.value.message == f"{NAME} is of the {current} channel, the bundle of the {desired} one: name the bundle of the {current} channel."


def test_a_definition_without_a_channel_is_not_sent_to_a_channel_called_none() -> None:
    with pytest.raises(MeshError) as caught:
        plan_bundle(_bundle("v1.6.1"), BundleState({NAME: _definition("v0.4.3", None)}), upgrade=True)
    assert "None" not in caught.value.message


def _guards_of(definition: Object, guards: dict[tuple[str, str], Object]) -> list[str]:
    bundle = parse_bundle([GATEWAYS, POLICY, POLICY_BINDING], "bundle.yaml")
    return [item["kind"] for item in plan_bundle(bundle, BundleState({NAME: definition}, guards), upgrade=False).guards]


def test_the_policy_is_applied_where_it_is_missing_or_of_another_version() -> None:
    older = {**GUARDS, ("ValidatingAdmissionPolicy", POLICY["metadata"]["name"]): derived(POLICY, {"metadata": {"annotations": {VERSION: "v1.5.0"}}})}
    assert _guards_of(GATEWAYS, {}) == ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
    assert _guards_of(GATEWAYS, older) == ["ValidatingAdmissionPolicy"]
    assert _guards_of(GATEWAYS, GUARDS) == []


@pytest.mark.parametrize("version", ["v0.8.0", "v99.0.0"])
def test_the_policy_stays_away_from_definitions_of_another_version(version: str) -> None:
    assert _guards_of(_definition(version), {}) == []


_numbers = st.integers(0, 30)
_versions = st.one_of(
    st.builds("v{}.{}.{}".format, _numbers, _numbers, _numbers),
    st.builds("v{}.{}.{}-rc.{}".format, _numbers, _numbers, _numbers, _numbers),
    st.text(max_size=6),
)


@given(current=_versions, desired=_versions.filter(bool), upgrade=st.booleans())
def test_the_plan_follows_the_order_and_never_goes_back(current: str, desired: str, upgrade: bool) -> None:
    (change,) = plan_bundle(_bundle(desired), BundleState({NAME: _definition(current)}), upgrade=upgrade).changes
    if version_of(current) == version_of(desired):
        assert change.action == "unchanged"
    elif version_of(current) > version_of(desired):
        assert change.action == "kept newer"
    else:
        assert change.action == ("upgraded" if upgrade else "kept older")
    assert version_of(change.after) >= version_of(change.before)
