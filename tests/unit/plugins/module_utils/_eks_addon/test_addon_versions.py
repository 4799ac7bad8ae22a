from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.versions import Offer, choose_version, needs_offer, normalize_offer, order_of
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError

OFFER = Offer(
    "vpc-cni",
    "1.33",
    ("v1.21.1-eksbuild.3", "v1.21.1-eksbuild.1", "v1.20.10-eksbuild.1", "v1.20.4-eksbuild.2", "v1.20.4-eksbuild.1", "v1.9.3-eksbuild.3", "v1.2.0-eksbuild.1"),
    "v1.20.10-eksbuild.1",
)


@pytest.mark.parametrize(
    ("requested", "current", "chosen"),
    [
        pytest.param(None, None, "v1.20.10-eksbuild.1", id="omitted-and-new"),
        pytest.param(None, "v1.0.0-eksbuild.1", "v1.0.0-eksbuild.1", id="omitted-and-existing"),
        pytest.param("default", None, "v1.20.10-eksbuild.1", id="default"),
        pytest.param("default", "v1.20.4-eksbuild.1", "v1.20.10-eksbuild.1", id="default-upwards"),
        pytest.param("default", "v1.21.1-eksbuild.1", "v1.21.1-eksbuild.1", id="default-never-downwards"),
        pytest.param("default", "v1.22.0-eksbuild.1", "v1.20.10-eksbuild.1", id="default-instead-of-one-that-the-cluster-cannot-have"),
        pytest.param("latest", "v1.20.4-eksbuild.1", "v1.21.1-eksbuild.3", id="latest"),
        pytest.param("v1.20", None, "v1.20.10-eksbuild.1", id="prefix-takes-the-newest"),
        pytest.param("1.20", None, "v1.20.10-eksbuild.1", id="prefix-without-v"),
        pytest.param("v1.20.4", "v1.21.1-eksbuild.1", "v1.20.4-eksbuild.2", id="prefix-downwards"),
        pytest.param("v1.2", None, "v1.2.0-eksbuild.1", id="prefix-of-whole-parts"),
        pytest.param("v1.21.1-eksbuild.1", None, "v1.21.1-eksbuild.1", id="exact"),
        pytest.param("v1.20.4-eksbuild.1", "v1.21.1-eksbuild.3", "v1.20.4-eksbuild.1", id="exact-downwards"),
    ],
)
def test_choose_version(requested: str | None, current: str | None, chosen: str) -> None:
    assert choose_version(requested, current, OFFER, "eu-west-1") == chosen


def test_without_a_default_the_newest_is_it() -> None:
    assert choose_version("default", None, Offer("x", "1.33", ("v2", "v1")), "eu-west-1") == "v2"


@pytest.mark.parametrize(
    ("requested", "offer", "message"),
    [
        pytest.param(
            "v1.3",
            OFFER,
            "Add-on vpc-cni has no version v1.3 for Kubernetes 1.33: choose default (v1.20.10-eksbuild.1), latest, or one of v1.21.1-eksbuild.3, "
            "v1.21.1-eksbuild.1, v1.20.10-eksbuild.1, v1.20.4-eksbuild.2, v1.20.4-eksbuild.1 and 2 older.",
            id="no-such-version",
        ),
        pytest.param(
            "default",
            Offer("vpc-cny", "1.33"),
            "Add-on vpc-cny: EKS offers no version of it for Kubernetes 1.33 in eu-west-1: correct its name, or choose an add-on that supports this version "
            "of the cluster.",
            id="no-such-addon",
        ),
    ],
)
def test_choose_version_refuses(requested: str, offer: Offer, message: str) -> None:
    with pytest.raises(MeshError) as caught:
        choose_version(requested, None, offer, "eu-west-1")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("requested", "current", "needed"),
    [
        pytest.param("v1.20.4-eksbuild.1", "v1.20.4-eksbuild.1", False, id="exact-and-there"),
        pytest.param(None, "v1.20.4-eksbuild.1", False, id="left-as-it-is"),
        pytest.param("v1.20.4-eksbuild.1", "v1.9.3-eksbuild.3", True, id="exact-and-another"),
        pytest.param("v1.20", "v1.20.4-eksbuild.1", True, id="prefix"),
        pytest.param("default", "v1.20.4-eksbuild.1", True, id="default"),
        pytest.param(None, None, True, id="new"),
    ],
)
def test_eks_is_asked_for_versions_only_where_it_matters(requested: str | None, current: str | None, needed: bool) -> None:
    assert needs_offer(requested, current) is needed


def _version(name: str, kubernetes: str, *, default: bool = False, configured: bool = False) -> dict[str, Any]:
    return {
        "addonVersion": name,
        "compatibilities": [{"clusterVersion": kubernetes, "platformVersions": ["*"], "defaultVersion": default}],
        "requiresConfiguration": configured,
    }


def test_parse_offer_keeps_what_fits_the_cluster() -> None:
    answer = [
        {"addonName": "vpc-cni", "addonVersions": [_version("v1.9.0-eksbuild.1", "1.33"), _version("v1.20.0-eksbuild.1", "1.33", default=True)]},
        {
            "addonName": "vpc-cni",
            "addonVersions": [_version("v1.21.0-eksbuild.1", "1.34", default=True), _version("v1.10.0-eksbuild.1", "1.33", configured=True)],
        },
        {"addonName": "coredns", "addonVersions": [_version("v9", "1.33")]},
    ]
    assert normalize_offer("vpc-cni", "1.33", answer) == Offer(
        "vpc-cni", "1.33", ("v1.20.0-eksbuild.1", "v1.10.0-eksbuild.1", "v1.9.0-eksbuild.1"), "v1.20.0-eksbuild.1", frozenset({"v1.10.0-eksbuild.1"})
    )


ASCENDING = ["v1.2.0-eksbuild.1", "v1.9.3-eksbuild.3", "v1.20.4-eksbuild.2", "v1.20.4-eksbuild.10", "v1.20.10-eksbuild.1", "v2.0.0-eksbuild.1", "10.0.0"]


@pytest.mark.parametrize(("older", "newer"), list(itertools.pairwise(ASCENDING)))
def test_versions_ascend_by_number(older: str, newer: str) -> None:
    assert order_of(older) < order_of(newer)


@given(
    st.permutations(OFFER.versions),
    st.sampled_from([None, "default", "latest", "v1", "v1.20", "v1.20.4", *OFFER.versions]),
    st.sampled_from([None, *OFFER.versions]),
)
def test_a_choice_is_offered_and_final(versions: list[str], requested: str | None, current: str | None) -> None:
    """Whatever is chosen is one of those that EKS offers, and choosing again from there changes nothing."""
    offer = Offer("vpc-cni", "1.33", tuple(sorted(versions, key=order_of, reverse=True)), OFFER.default)
    chosen = choose_version(requested, current, offer, "eu-west-1")
    assert chosen in offer.versions
    assert choose_version(requested, chosen, offer, "eu-west-1") == chosen
