from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway_api.spec import Bundle, parse_bundle, version_of
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
