"""Which updates make a cluster the desired one, in which order, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.normalize import normalize_cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.plan import Update, plan_cluster
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.refusals import find_creation_refusals
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.render import render_creation
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.spec import AUTHENTICATION_MODES, LOG_TYPES, ClusterSpec, validate_spec

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/prod-cluster"


def description(**changes: Any) -> dict[str, Any]:
    cluster = {
        "name": "prod",
        "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
        "status": "ACTIVE",
        "version": "1.32",
        "roleArn": ROLE,
        "resourcesVpcConfig": {
            "vpcId": "vpc-1",
            "subnetIds": ["subnet-b", "subnet-a"],
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
        "logging": {"clusterLogging": [{"types": ["api"], "enabled": True}, {"types": ["audit", "scheduler"], "enabled": False}]},
        "accessConfig": {"authenticationMode": "CONFIG_MAP"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "deletionProtection": False,
        "tags": {"team": "mesh"},
    }
    return {**cluster, **changes}


def spec(**options: Any) -> ClusterSpec:
    return ClusterSpec(name="prod", **options)


def config(title: str, **params: Any) -> Update:
    return Update(title, "update_cluster_config", params)


@pytest.mark.parametrize(
    ("options", "updates"),
    [
        ({}, []),
        ({"version": "1.32"}, []),
        ({"version": "1.33"}, [Update("version 1.33", "update_cluster_version", {"version": "1.33"}, "1.33")]),
        (
            {"version": "1.34"},
            [
                Update("version 1.33", "update_cluster_version", {"version": "1.33"}, "1.33"),
                Update("version 1.34", "update_cluster_version", {"version": "1.34"}, "1.34"),
            ],
        ),
        ({"role_arn": ROLE, "subnet_ids": ["subnet-a", "subnet-b"], "security_group_ids": [], "service_ipv4_cidr": "172.20.0.0/16"}, []),
        (
            {"subnet_ids": ["subnet-c", "subnet-a"], "security_group_ids": ["sg-1"]},
            [
                config("subnet_ids subnet-a, subnet-c", resourcesVpcConfig={"subnetIds": ["subnet-a", "subnet-c"]}),
                config("security_group_ids sg-1", resourcesVpcConfig={"securityGroupIds": ["sg-1"]}),
            ],
        ),
        ({"log_types": ["api"]}, []),
        (
            {"log_types": ["audit"]},
            [config("log_types audit", logging={"clusterLogging": [{"types": ["audit"], "enabled": True}, {"types": ["api"], "enabled": False}]})],
        ),
        ({"log_types": []}, [config("log_types none", logging={"clusterLogging": [{"types": ["api"], "enabled": False}]})]),
        (
            {"authentication_mode": "API"},
            [
                config("authentication_mode API_AND_CONFIG_MAP", accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"}),
                config("authentication_mode API", accessConfig={"authenticationMode": "API"}),
            ],
        ),
        ({"endpoint_public_access": True, "public_access_cidrs": ["0.0.0.0/0"]}, []),
        (
            {"endpoint_private_access": True, "public_access_cidrs": ["203.0.113.7/24", "198.51.100.0/24"]},
            [
                config(
                    "endpoint access public and private from 198.51.100.0/24, 203.0.113.7/24",
                    resourcesVpcConfig={
                        "endpointPublicAccess": True,
                        "endpointPrivateAccess": True,
                        "publicAccessCidrs": ["198.51.100.0/24", "203.0.113.7/24"],
                    },
                )
            ],
        ),
        (
            {"endpoint_public_access": False, "endpoint_private_access": True, "public_access_cidrs": ["203.0.113.0/24"]},
            [config("endpoint access private", resourcesVpcConfig={"endpointPublicAccess": False, "endpointPrivateAccess": True})],
        ),
        ({"deletion_protection": True}, [config("deletion_protection on", deletionProtection=True)]),
        ({"upgrade_policy": "EXTENDED"}, []),
        (
            {"encryption_key_arn": KEY},
            [
                Update(
                    f"encryption of Secrets by {KEY}",
                    "associate_encryption_config",
                    {"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": KEY}}]},
                )
            ],
        ),
    ],
)
def test_updates(options: dict[str, Any], updates: list[Update]) -> None:
    plan = plan_cluster(spec(**options), description())
    assert plan.refusals == ()
    assert list(plan.updates) == updates


def test_standard_support_is_entered_after_the_upgrade_and_extended_support_before() -> None:
    to_standard = plan_cluster(spec(version="1.33", upgrade_policy="STANDARD"), description())
    assert [update.title for update in to_standard.updates] == ["version 1.33", "upgrade_policy STANDARD"]
    to_extended = plan_cluster(spec(version="1.33", upgrade_policy="EXTENDED"), description(upgradePolicy={"supportType": "STANDARD"}))
    assert [update.title for update in to_extended.updates] == ["upgrade_policy EXTENDED", "version 1.33"]


@pytest.mark.parametrize(
    ("options", "now", "message"),
    [
        ({"version": "1.31"}, {}, "EKS cluster prod runs version 1.32 and cannot be downgraded to 1.31: set version to 1.32 or a later one."),
        ({"role_arn": "arn:other"}, {}, "EKS cluster prod has role_arn " + ROLE + ", and EKS cannot change it to arn:other: correct the option"),
        ({"service_ipv4_cidr": "10.100.0.0/16"}, {}, "has service_ipv4_cidr 172.20.0.0/16, and EKS cannot change it to 10.100.0.0/16"),
        (
            {"encryption_key_arn": KEY + "6"},
            {"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": KEY}}]},
            f"has encryption_key_arn {KEY}, and EKS cannot change it to {KEY}6",
        ),
        (
            {"authentication_mode": "CONFIG_MAP"},
            {"accessConfig": {"authenticationMode": "API"}},
            "has authentication_mode API, and EKS cannot change it back to CONFIG_MAP: correct the option.",
        ),
        (
            {"endpoint_public_access": False},
            {},
            "The API server of EKS cluster prod would be unreachable: set endpoint_public_access or endpoint_private_access",
        ),
    ],
)
def test_refusals(options: dict[str, Any], now: dict[str, Any], message: str) -> None:
    plan = plan_cluster(spec(**options, deletion_protection=True), description(**now))
    assert len(plan.refusals) == 1
    assert message in plan.refusals[0]
    assert plan.updates == (), "something would be done although something cannot be had"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "1.3"}, "version '1.3' is not a version of EKS: write it as a quoted string, such as '1.34', because YAML reads 1.30 as 1.3."),
        ({"version": "v1.33"}, "version 'v1.33' is not a version of EKS"),
        ({"version": "1.33.1"}, "version '1.33.1' is not a version of EKS"),
        ({"endpoint_public_access": False, "endpoint_private_access": False}, "the API server must be reachable"),
        ({"encryption_key_arn": "arn:aws:kms:eu-west-1:123456789012:alias/prod"}, "is not the ARN of a KMS key"),
        (
            {"public_access_cidrs": ["203.0.113.0"]},
            "public_access_cidrs has '203.0.113.0', which is an address without the length of its prefix: write 203.0.113.0/32",
        ),
        ({"service_ipv4_cidr": "10.100.0.0/33"}, "service_ipv4_cidr has '10.100.0.0/33', whose prefix is not a length from 0 to 32"),
    ],
)
def test_what_is_wrong_whatever_the_cluster_is(options: dict[str, Any], message: str) -> None:
    errors = validate_spec(spec(**options))
    assert len(errors) == 1
    assert message in errors[0]


def test_nothing_is_wrong_with_a_good_spec() -> None:
    good = spec(version="1.34", encryption_key_arn=KEY, public_access_cidrs=["203.0.113.0/24"], service_ipv4_cidr="10.100.0.0/16")
    assert validate_spec(good) == []


def test_what_a_new_cluster_needs() -> None:
    assert find_creation_refusals(spec()) == ["EKS cluster prod does not exist, and a new cluster requires role_arn and subnet_ids."]
    assert find_creation_refusals(spec(role_arn=ROLE, subnet_ids=["subnet-a"])) == []


def test_a_creation_carries_what_is_desired_and_nothing_else() -> None:
    assert render_creation(spec(role_arn=ROLE, subnet_ids=["subnet-a"])) == {"name": "prod", "roleArn": ROLE, "resourcesVpcConfig": {"subnetIds": ["subnet-a"]}}
    everything = spec(
        version="1.34",
        role_arn=ROLE,
        subnet_ids=["subnet-a", "subnet-b"],
        security_group_ids=["sg-1"],
        endpoint_public_access=False,
        endpoint_private_access=True,
        public_access_cidrs=["203.0.113.0/24"],
        log_types=["audit", "api"],
        encryption_key_arn=KEY,
        authentication_mode="API",
        bootstrap_cluster_creator_admin=False,
        upgrade_policy="STANDARD",
        deletion_protection=False,
        service_ipv4_cidr="10.100.0.0/16",
        tags={"cost": 7},
    )
    assert render_creation(everything) == {
        "name": "prod",
        "version": "1.34",
        "roleArn": ROLE,
        "resourcesVpcConfig": {
            "subnetIds": ["subnet-a", "subnet-b"],
            "securityGroupIds": ["sg-1"],
            "endpointPublicAccess": False,
            "endpointPrivateAccess": True,
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.100.0.0/16"},
        "logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
        "tags": {"cost": "7"},
        "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": KEY}}],
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "upgradePolicy": {"supportType": "STANDARD"},
        "deletionProtection": False,
    }


def test_a_forced_upgrade_says_so_to_eks() -> None:
    version = Update("version 1.33", "update_cluster_version", {"version": "1.33"}, "1.33")
    assert version.forced().params == {"version": "1.33", "force": True}
    assert config("x", deletionProtection=True).forced().params == {"deletionProtection": True}


def test_a_cluster_that_reports_little_is_one_of_before_there_were_choices() -> None:
    current = normalize_cluster({"name": "old", "status": "CREATING"})
    assert (current["authentication_mode"], current["endpoint"], current["log_types"], current["tags"]) == ("CONFIG_MAP", "", [], {})


def applied(cluster: dict[str, Any], update: Update) -> dict[str, Any]:
    """What EKS makes of a cluster by an update."""
    after = copy.deepcopy(cluster)
    params = dict(update.params)
    if "logging" in params:
        on = {kind for setup in after["logging"]["clusterLogging"] if setup["enabled"] for kind in setup["types"]}
        for setup in params.pop("logging")["clusterLogging"]:
            on = on | set(setup["types"]) if setup["enabled"] else on - set(setup["types"])
        after["logging"] = {"clusterLogging": [{"types": sorted(on), "enabled": True}]}
    after["resourcesVpcConfig"].update(params.pop("resourcesVpcConfig", {}))
    return {**after, **params}


SETS = st.none() | st.lists(st.sampled_from(["x-1", "x-2", "x-3"]), unique=True, min_size=1)
SPECS = st.builds(
    ClusterSpec,
    name=st.just("prod"),
    version=st.sampled_from([None, "1.32", "1.33", "1.35"]),
    subnet_ids=SETS,
    security_group_ids=SETS,
    endpoint_public_access=st.none() | st.booleans(),
    endpoint_private_access=st.none() | st.booleans(),
    public_access_cidrs=st.none() | st.lists(st.sampled_from(["10.0.0.0/8", "0.0.0.0/0"]), unique=True),
    log_types=st.none() | st.lists(st.sampled_from(LOG_TYPES), unique=True),
    encryption_key_arn=st.sampled_from([None, KEY]),
    authentication_mode=st.none() | st.sampled_from(AUTHENTICATION_MODES),
    upgrade_policy=st.sampled_from([None, "STANDARD", "EXTENDED"]),
    deletion_protection=st.none() | st.booleans(),
)


@given(SPECS)
def test_once_the_plan_is_done_there_is_nothing_more_to_do(desired: ClusterSpec) -> None:
    cluster = description()
    plan = plan_cluster(desired, cluster)
    if plan.refusals:
        return
    for update in plan.updates:
        changed = applied(cluster, update)
        assert changed != cluster, f"the update {update.title} changes nothing"
        cluster = changed
    again = plan_cluster(desired, cluster)
    assert (again.refusals, again.updates) == ((), ())
    assert again.before == again.after
    if plan.changed:
        assert plan.before != plan.after


@given(SPECS)
def test_each_update_is_of_one_kind(desired: ClusterSpec) -> None:
    for update in plan_cluster(desired, description()).updates:
        assert len(update.params) == 1, "EKS takes one kind of update at a time"
