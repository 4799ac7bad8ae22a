from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from twin.aws.account import REGION
from twin.aws.twin_provider import twin_name
from twin.paths import LONGEST_NAME, TwinPaths

ACCOUNTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
CLUSTERS = st.from_regex(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", fullmatch=True)


def test_a_twin_is_named_after_account_and_cluster() -> None:
    assert twin_name("sandbox", "prod") == "sandbox-prod"


def test_a_name_that_is_no_twins_is_shortened_and_stays_readable() -> None:
    assert re.fullmatch(r"sandbox-metashare-product-[0-9a-f]{6}", twin_name("sandbox", "metashare-production-eu-central-1"))
    assert re.fullmatch(r"sandbox-my-cluster-[0-9a-f]{6}", twin_name("sandbox", "My_Cluster"))


def test_one_name_in_two_regions_is_two_twins() -> None:
    assert re.fullmatch(r"sandbox-prod-us-east-1-[0-9a-f]{6}", twin_name("sandbox", "prod", "us-east-1"))


@given(account=ACCOUNTS, cluster=CLUSTERS | st.text(), region=st.just(REGION) | st.text())
def test_every_cluster_of_every_account_has_a_name_that_a_twin_can_have(account: str, cluster: str, region: str) -> None:
    """The region is what a caller's credentials name, and the name becomes a directory."""
    name = twin_name(account, cluster, region)
    assert len(name) <= LONGEST_NAME
    assert TwinPaths(name).name == name


@given(account=ACCOUNTS, first=CLUSTERS, second=CLUSTERS)
def test_two_clusters_of_an_account_are_two_twins(account: str, first: str, second: str) -> None:
    assert (twin_name(account, first) == twin_name(account, second)) == (first == second)
