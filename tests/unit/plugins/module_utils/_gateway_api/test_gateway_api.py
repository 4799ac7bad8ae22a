from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.plan import Bundle, parse_bundle, plan_bundle, version_of
from tests.unit.objects import Object, derived, named, recorded

VERSION, CHANNEL = "gateway.networking.k8s.io/bundle-version", "gateway.networking.k8s.io/channel"
GATEWAYS = recorded("customresourcedefinition/gateways_established")
ROUTES = named(GATEWAYS, "httproutes.gateway.networking.k8s.io")
POLICY = recorded("validatingadmissionpolicy/safe_upgrades")
POLICY_BINDING = recorded("validatingadmissionpolicybinding/safe_upgrades")
NAME = GATEWAYS["metadata"]["name"]
RECORDED = GATEWAYS["metadata"]["annotations"][VERSION]


def _definition(version: str | None = RECORDED, channel: str | None = "standard") -> Object:
    return derived(GATEWAYS, {"metadata": {"annotations": {VERSION: version, CHANNEL: channel}}})


def _bundle(version: str = RECORDED, channel: str = "standard") -> Bundle:
    return parse_bundle([_definition(version, channel)], "bundle.yaml")


def test_parse_bundle_sorts_its_documents() -> None:
    bundle = parse_bundle([ROUTES, POLICY, GATEWAYS, POLICY_BINDING, {"kind": "Namespace", "metadata": {"name": "other"}}], "bundle.yaml")
    assert bundle == Bundle(RECORDED, (GATEWAYS, ROUTES), (POLICY, POLICY_BINDING))


NAME_ONE = "name one bundle of the Gateway API, such as a release's standard-install.yaml."


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        pytest.param([], f"bundle.yaml has no CustomResourceDefinition: {NAME_ONE}", id="empty"),
        pytest.param([POLICY], f"bundle.yaml has no CustomResourceDefinition: {NAME_ONE}", id="no-definition"),
        pytest.param(
            [_definition("v1.6.1"), derived(ROUTES, {"metadata": {"annotations": {VERSION: "v1.5.0"}}})],
            f"bundle.yaml has definitions of the versions v1.5.0, v1.6.1: {NAME_ONE}",
            id="two-versions",
        ),
        pytest.param(
            [GATEWAYS, derived(ROUTES, {"metadata": {"annotations": None}})],
            f"bundle.yaml has definitions of the versions none, {RECORDED}: {NAME_ONE}",
            id="another-projects-definition",
        ),
        pytest.param(
            [derived(GATEWAYS, {"metadata": {"annotations": None}})], f"bundle.yaml has definitions of the versions none: {NAME_ONE}", id="not-the-gateway-api"
        ),
    ],
)
def test_parse_bundle_refuses(documents: list[Object], message: str) -> None:
    with pytest.raises(MeshError) as caught:
        parse_bundle(documents, "bundle.yaml")
    assert caught.value.message == message


@pytest.mark.requirement("N11")
@pytest.mark.parametrize(
    ("present", "upgrade", "action", "before", "after"),
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
def test_plan_bundle(present: Object | None, upgrade: bool, action: str, before: str, after: str) -> None:
    (change,) = plan_bundle(_bundle("v1.6.1"), {NAME: present} if present else {}, upgrade=upgrade)
    assert (change.name, change.action, change.before, change.after) == (NAME, action, before, after)
    assert change.changed is (action in ("installed", "upgraded"))
    assert change.definition == _definition("v1.6.1")


def test_definitions_are_judged_one_by_one() -> None:
    changes = plan_bundle(parse_bundle([GATEWAYS, ROUTES], "bundle.yaml"), {NAME: GATEWAYS}, upgrade=False)
    assert [(change.name.partition(".")[0], change.action) for change in changes] == [("gateways", "unchanged"), ("httproutes", "installed")]


@pytest.mark.parametrize(("present", "wished"), [("experimental", "standard"), ("standard", "experimental")])
def test_an_upgrade_stays_on_its_channel(present: str, wished: str) -> None:
    with pytest.raises(MeshError) as caught:
        plan_bundle(_bundle("v1.6.1", wished), {NAME: _definition("v1.5.0", present)}, upgrade=True)
    assert caught.value.message == f"{NAME} is of the {present} channel, the bundle of the {wished} one: name the bundle of the {present} channel."


def test_a_definition_without_a_channel_is_not_sent_to_a_channel_called_none() -> None:
    with pytest.raises(MeshError) as caught:
        plan_bundle(_bundle("v1.6.1"), {NAME: _definition("v0.4.3", None)}, upgrade=True)
    assert "None" not in caught.value.message


ASCENDING = ["rubbish", "v0", "v0.8.1", "v1.0.0-rc1", "v1.0.0", "1.2", "v1.2.1", "v1.5.0-rc.1", "v1.5.0-rc.2", "v1.5.0", "v1.6.1", "v1.10.0", "v2"]


@pytest.mark.parametrize(("older", "newer"), list(itertools.pairwise(ASCENDING)))
def test_versions_ascend(older: str, newer: str) -> None:
    assert version_of(older) < version_of(newer)


def test_the_tenth_candidate_comes_after_the_second() -> None:
    assert version_of("v1.5.0-rc.2") < version_of("v1.5.0-rc.10")


def test_a_version_may_leave_things_out() -> None:
    assert version_of("v1.2.0") == version_of("1.2") == version_of("v1.2")


_numbers = st.integers(0, 30)
_versions = st.one_of(
    st.builds("v{}.{}.{}".format, _numbers, _numbers, _numbers),
    st.builds("v{}.{}.{}-rc.{}".format, _numbers, _numbers, _numbers, _numbers),
    st.text(max_size=6),
)


@given(_versions, _versions, _versions)
def test_versions_are_totally_ordered(a: str, b: str, c: str) -> None:
    first, second, third = sorted((a, b, c), key=version_of)
    assert version_of(first) <= version_of(second) <= version_of(third)
    assert version_of(first) <= version_of(third)
    assert (version_of(a) < version_of(b)) + (version_of(a) == version_of(b)) + (version_of(a) > version_of(b)) == 1


@given(present=_versions, wished=_versions.filter(bool), upgrade=st.booleans())
def test_the_plan_follows_the_order_and_never_goes_back(present: str, wished: str, upgrade: bool) -> None:
    (change,) = plan_bundle(_bundle(wished), {NAME: _definition(present)}, upgrade=upgrade)
    if version_of(present) == version_of(wished):
        assert change.action == "unchanged"
    elif version_of(present) > version_of(wished):
        assert change.action == "kept newer"
    else:
        assert change.action == ("upgraded" if upgrade else "kept older")
    assert version_of(change.after) >= version_of(change.before)
