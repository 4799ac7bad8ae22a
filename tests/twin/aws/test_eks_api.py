"""The EKS API of the local AWS, through boto3: what it answers, refuses and goes through."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from tests.twin.aws.local_aws import Base, LocalAws

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
NUMBERS = count()
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture(scope="module")
def eks(aws: LocalAws) -> Any:
    return aws.client("eks")


@pytest.fixture(scope="module")
def create(eks: Any, base: Base) -> Callable[..., dict[str, Any]]:
    """Creates a cluster and returns it as it is afterwards."""

    def made(name: str, **more: Any) -> dict[str, Any]:
        values = {"resourcesVpcConfig": {"subnetIds": base.subnets}, "version": "1.34", "accessConfig": {"authenticationMode": "API"}, **more}
        eks.create_cluster(name=name, roleArn=base.role, **values)
        cluster: dict[str, Any] = eks.describe_cluster(name=name)["cluster"]
        return cluster

    return made


@pytest.fixture
def cluster(create: Callable[..., dict[str, Any]]) -> str:
    """The name of an active cluster of this test's own."""
    return str(create(f"c-{next(NUMBERS)}")["name"])


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


class TestClusters:
    def test_pass_through_creating_and_deleting(self, slow: LocalAws, eks: Any, base: Base) -> None:
        vpc = {"subnetIds": base.subnets}
        made = eks.create_cluster(name="phases", roleArn=base.role, resourcesVpcConfig=vpc)["cluster"]
        assert made["status"] == "CREATING"
        creating = eks.describe_cluster(name="phases")["cluster"]
        assert not {"endpoint", "identity"} & set(creating), "a cluster that is being created has neither endpoint nor issuer yet"
        assert "clusterSecurityGroupId" not in creating["resourcesVpcConfig"]
        assert code_of(eks.delete_cluster, name="phases") == "ResourceInUseException"
        slow.control("POST", "/phases", {"default": 0})
        assert eks.describe_cluster(name="phases")["cluster"]["status"] == "ACTIVE"
        slow.control("POST", "/phases", {"default": 3600})
        assert eks.delete_cluster(name="phases")["cluster"]["status"] == "DELETING"
        slow.control("POST", "/phases", {"default": 0})
        assert code_of(eks.describe_cluster, name="phases") == "ResourceNotFoundException"

    def test_keep_what_they_were_created_with(self, create: Callable[..., dict[str, Any]], base: Base) -> None:
        made = create(
            "kept",
            accessConfig={"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": False},
            upgradePolicy={"supportType": "STANDARD"},
            tags={"team": "mesh"},
            logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]},
            resourcesVpcConfig={"subnetIds": base.subnets, "endpointPrivateAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]},
        )
        assert made["accessConfig"] == {"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": False}
        assert made["upgradePolicy"] == {"supportType": "STANDARD"}
        assert made["tags"] == {"team": "mesh"}
        assert [group["types"] for group in made["logging"]["clusterLogging"] if group["enabled"]] == [["audit"]]
        assert made["resourcesVpcConfig"]["publicAccessCidrs"] == ["192.0.2.0/24"]
        assert made["resourcesVpcConfig"]["vpcId"] == base.vpc

    def test_have_a_real_ca_an_issuer_of_their_own_and_a_security_group(self, aws: LocalAws, create: Callable[..., dict[str, Any]]) -> None:
        one, other = create("one"), create("other")
        assert one["identity"]["oidc"]["issuer"] != other["identity"]["oidc"]["issuer"]
        certificate = x509.load_pem_x509_certificate(base64.b64decode(one["certificateAuthority"]["data"]))
        assert certificate.subject.rfc4514_string() == "CN=kubernetes"
        group_id = one["resourcesVpcConfig"]["clusterSecurityGroupId"]
        group = aws.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
        assert group["GroupName"].startswith("eks-cluster-sg-one-")
        assert {"Key": "kubernetes.io/cluster/one", "Value": "owned"} in group["Tags"]
        assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group_id, "members of the group must reach each other"

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            pytest.param({"version": "1.12"}, "InvalidParameterException", id="version"),
            pytest.param({"roleArn": "arn:aws:iam::123456789012:role/nobody"}, "InvalidParameterException", id="role"),
            pytest.param({"name": "-x"}, "InvalidParameterException", id="name"),
            pytest.param({"resourcesVpcConfig": {"subnetIds": ["subnet-0123"]}}, "InvalidParameterException", id="subnet"),
        ],
    )
    def test_wrong_parameters_are_refused(self, eks: Any, base: Base, wrong: dict[str, Any], code: str) -> None:
        right = {"name": "wrong", "roleArn": base.role, "resourcesVpcConfig": {"subnetIds": base.subnets}}
        assert code_of(eks.create_cluster, **{**right, **wrong}) == code
        assert "wrong" not in eks.list_clusters()["clusters"]

    def test_need_subnets_in_two_zones(self, eks: Any, base: Base) -> None:
        assert code_of(eks.create_cluster, name="wrong", roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets[:1]}) == "InvalidParameterException"

    def test_exist_once(self, eks: Any, base: Base, cluster: str) -> None:
        vpc = {"subnetIds": base.subnets}
        assert code_of(eks.create_cluster, name=cluster, roleArn=base.role, resourcesVpcConfig=vpc) == "ResourceInUseException"

    def test_protected_from_deletion(self, eks: Any, create: Callable[..., dict[str, Any]]) -> None:
        assert create("guarded", deletionProtection=True)["deletionProtection"] is True
        assert code_of(eks.delete_cluster, name="guarded") == "InvalidRequestException"
        eks.update_cluster_config(name="guarded", deletionProtection=False)
        assert eks.describe_cluster(name="guarded")["cluster"]["deletionProtection"] is False
        eks.delete_cluster(name="guarded")
        assert code_of(eks.describe_cluster, name="guarded") == "ResourceNotFoundException"

    def test_are_listed_in_pages(self, eks: Any, create: Callable[..., dict[str, Any]]) -> None:
        for number in range(3):
            create(f"page-{number}")
        pages = list(eks.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))
        assert len(pages) > 1
        assert {"page-0", "page-1", "page-2"} <= {name for page in pages for name in page["clusters"]}

    def test_tags(self, eks: Any, create: Callable[..., dict[str, Any]]) -> None:
        arn = create("tagged", tags={"a": "1"})["arn"]
        eks.tag_resource(resourceArn=arn, tags={"b": "2"})
        eks.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == eks.describe_cluster(name="tagged")["cluster"]["tags"] == {"b": "2"}

    def test_regions_are_apart(self, aws: LocalAws, cluster: str) -> None:
        assert cluster not in aws.client("eks", region="us-east-1").list_clusters()["clusters"]


class TestUpdates:
    def test_a_version_update_is_under_way_before_it_is_true(self, eks: Any, cluster: str, slow: LocalAws) -> None:
        update = eks.update_cluster_version(name=cluster, version="1.35")["update"]
        assert (update["status"], update["type"]) == ("InProgress", "VersionUpdate")
        before = eks.describe_cluster(name=cluster)["cluster"]
        assert (before["status"], before["version"]) == ("UPDATING", "1.34")
        assert code_of(eks.update_cluster_config, name=cluster, deletionProtection=True) == "ResourceInUseException"
        slow.control("POST", "/phases", {"default": 0})
        assert eks.describe_update(name=cluster, updateId=update["id"])["update"]["status"] == "Successful"
        after = eks.describe_cluster(name=cluster)["cluster"]
        assert (after["status"], after["version"]) == ("ACTIVE", "1.35")
        assert eks.list_updates(name=cluster)["updateIds"] == [update["id"]]

    @pytest.mark.parametrize("version", ["1.33", "1.34", "1.36", "2.0"])
    def test_versions_go_up_by_one(self, eks: Any, cluster: str, version: str) -> None:
        assert code_of(eks.update_cluster_version, name=cluster, version=version) == "InvalidParameterException"

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"deletionProtection": True, "upgradePolicy": {"supportType": "STANDARD"}}, id="two fields"),
            pytest.param({"resourcesVpcConfig": {"endpointPrivateAccess": True, "securityGroupIds": []}}, id="two parts of the VPC's"),
            pytest.param({"resourcesVpcConfig": {"endpointPublicAccess": False}}, id="no endpoint left"),
            pytest.param({"resourcesVpcConfig": {"endpointPublicAccess": True}}, id="nothing new"),
            pytest.param({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, id="authentication mode backwards"),
            pytest.param({}, id="nothing at all"),
        ],
    )
    def test_what_a_config_update_refuses(self, eks: Any, cluster: str, changes: dict[str, Any]) -> None:
        assert code_of(eks.update_cluster_config, name=cluster, **changes) == "InvalidParameterException"
        assert eks.describe_cluster(name=cluster)["cluster"]["status"] == "ACTIVE"

    @pytest.mark.parametrize(
        ("field", "part", "after", "kind"),
        [
            ("resourcesVpcConfig", "endpointPrivateAccess", True, "EndpointAccessUpdate"),
            ("upgradePolicy", "supportType", "STANDARD", "UpgradePolicyUpdate"),
            ("zonalShiftConfig", "enabled", True, "ZonalShiftConfigUpdate"),
            ("accessConfig", "authenticationMode", "API", "AccessConfigUpdate"),
        ],
    )
    def test_config_updates(self, eks: Any, create: Callable[..., dict[str, Any]], field: str, part: str, after: object, kind: str) -> None:
        cluster = create(f"c-{next(NUMBERS)}", accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"})["name"]
        update = eks.update_cluster_config(name=cluster, **{field: {part: after}})["update"]
        assert update["type"] == kind
        assert eks.describe_update(name=cluster, updateId=update["id"])["update"]["status"] == "Successful"
        assert eks.describe_cluster(name=cluster)["cluster"][field][part] == after

    def test_secrets_are_encrypted_once(self, eks: Any, cluster: str) -> None:
        config = [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-central-1:123456789012:key/k"}}]
        eks.associate_encryption_config(clusterName=cluster, encryptionConfig=config)
        assert eks.describe_cluster(name=cluster)["cluster"]["encryptionConfig"] == config
        assert code_of(eks.associate_encryption_config, clusterName=cluster, encryptionConfig=config) == "InvalidRequestException"

    def test_one_that_fails_reports_why(self, eks: Any, cluster: str, slow: LocalAws) -> None:
        update = eks.update_cluster_version(name=cluster, version="1.35")["update"]
        slow.control("POST", "/status", {"cluster": cluster, "update_error": "The subnets have no free addresses."})
        slow.control("POST", "/phases", {"default": 0})
        failed = eks.describe_update(name=cluster, updateId=update["id"])["update"]
        assert failed["status"] == "Failed"
        assert failed["errors"][0]["errorMessage"] == "The subnets have no free addresses."
        after = eks.describe_cluster(name=cluster)["cluster"]
        assert (after["status"], after["version"]) == ("ACTIVE", "1.34")


class TestNodeGroups:
    @pytest.fixture
    def group(self, eks: Any, base: Base, cluster: str) -> str:
        scaling = {"minSize": 1, "maxSize": 5, "desiredSize": 3}
        eks.create_nodegroup(clusterName=cluster, nodegroupName="workers", subnets=base.subnets, nodeRole=base.node_role, scalingConfig=scaling)
        return "workers"

    @staticmethod
    def running(aws: LocalAws, cluster: str) -> list[dict[str, Any]]:
        filters = [{"Name": "tag:eks:cluster-name", "Values": [cluster]}, {"Name": "instance-state-name", "Values": ["running"]}]
        reservations = aws.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in reservations for instance in reservation["Instances"]]

    @pytest.mark.usefixtures("group")
    def test_are_instances_spread_over_subnets(self, aws: LocalAws, eks: Any, base: Base, cluster: str) -> None:
        instances = self.running(aws, cluster)
        per_subnet = sorted([instance["SubnetId"] for instance in instances].count(subnet) for subnet in base.subnets)
        assert per_subnet == [1, 2], f"three instances must be spread over both subnets: {per_subnet}"
        owner = eks.describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
        for instance in instances:
            assert [each["GroupId"] for each in instance["SecurityGroups"]] == [owner]
            assert {"Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned"} in instance["Tags"]

    @pytest.mark.parametrize("expected", [5, 1])
    def test_scale(self, aws: LocalAws, eks: Any, cluster: str, group: str, expected: int) -> None:
        before = {instance["InstanceId"] for instance in self.running(aws, cluster)}
        update = eks.update_nodegroup_config(clusterName=cluster, nodegroupName=group, scalingConfig={"desiredSize": expected})["update"]
        assert eks.describe_update(name=cluster, nodegroupName=group, updateId=update["id"])["update"]["status"] == "Successful"
        after = {instance["InstanceId"] for instance in self.running(aws, cluster)}
        assert len(after) == expected
        assert before <= after or after <= before, "scaling must not replace instances that stay"

    def test_config(self, eks: Any, cluster: str, group: str) -> None:
        taint = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_SCHEDULE"}
        changes = {"labels": {"addOrUpdateLabels": {"zone": "mesh"}}, "taints": {"addOrUpdateTaints": [taint]}, "updateConfig": {"maxUnavailable": 2}}
        eks.update_nodegroup_config(clusterName=cluster, nodegroupName=group, **changes)
        now = eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
        assert (now["labels"], now["taints"], now["updateConfig"]) == ({"zone": "mesh"}, [taint], {"maxUnavailable": 2})
        eks.update_nodegroup_config(clusterName=cluster, nodegroupName=group, taints={"removeTaints": [taint]})
        assert eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]["taints"] == []

    def test_follow_the_version_of_the_cluster_with_new_instances(self, aws: LocalAws, eks: Any, cluster: str, group: str) -> None:
        before = {instance["InstanceId"] for instance in self.running(aws, cluster)}
        assert code_of(eks.update_nodegroup_version, clusterName=cluster, nodegroupName=group, version="1.35") == "InvalidParameterException"
        eks.update_cluster_version(name=cluster, version="1.35")
        assert eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]["version"] == "1.34"
        eks.update_nodegroup_version(clusterName=cluster, nodegroupName=group)
        now = eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
        assert now["version"] == "1.35"
        assert not before & {instance["InstanceId"] for instance in self.running(aws, cluster)}

    def test_keep_their_cluster_from_being_deleted(self, aws: LocalAws, eks: Any, cluster: str, group: str) -> None:
        assert code_of(eks.delete_cluster, name=cluster) == "ResourceInUseException"
        eks.delete_nodegroup(clusterName=cluster, nodegroupName=group)
        assert eks.list_nodegroups(clusterName=cluster)["nodegroups"] == []
        assert self.running(aws, cluster) == []
        eks.delete_cluster(name=cluster)
        assert cluster not in eks.list_clusters()["clusters"]

    def test_leave_nothing_behind(self, aws: LocalAws, eks: Any, base: Base) -> None:
        ec2 = aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
        zones = ("eu-central-1a", "eu-central-1b")
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.30.{each}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"] for each, zone in enumerate(zones)]
        eks.create_cluster(name="brief", roleArn=base.role, resourcesVpcConfig={"subnetIds": subnets})
        group = eks.describe_cluster(name="brief")["cluster"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
        eks.create_nodegroup(clusterName="brief", nodegroupName="workers", subnets=subnets, nodeRole=base.node_role)
        eks.delete_nodegroup(clusterName="brief", nodegroupName="workers")
        assert eks.list_nodegroups(clusterName="brief")["nodegroups"] == []
        eks.delete_cluster(name="brief")
        assert "brief" not in eks.list_clusters()["clusters"]
        assert ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroups"] == []
        for subnet in subnets:
            ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)

    def test_their_role_has_an_access_entry(self, eks: Any, base: Base, cluster: str, group: str) -> None:
        entry = eks.describe_access_entry(clusterName=cluster, principalArn=base.node_role)["accessEntry"]
        assert (entry["type"], entry["kubernetesGroups"]) == ("EC2_LINUX", ["system:nodes"])
        eks.delete_nodegroup(clusterName=cluster, nodegroupName=group)
        assert base.node_role not in eks.list_access_entries(clusterName=cluster)["accessEntries"]

    @pytest.mark.usefixtures("group")
    def test_pods_have_secondary_addresses(self, aws: LocalAws, cluster: str) -> None:
        instance = self.running(aws, cluster)[0]
        pods = [{"address": "10.77.0.9", "node": instance["PrivateDnsName"]}, {"address": "10.77.0.3", "node": instance["PrivateDnsName"]}]
        aws.control("POST", "/pods", {"cluster": cluster, "pods": pods})
        found = aws.client("ec2").describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"][0]
        addresses = [each["PrivateIpAddress"] for each in found["NetworkInterfaces"][0]["PrivateIpAddresses"]]
        assert addresses == [instance["PrivateIpAddress"], "10.77.0.3", "10.77.0.9"]
        status, reported = aws.ask("POST", "/pods", {"cluster": cluster, "pods": [{"address": "10.77.0.9", "node": "elsewhere"}]})
        assert (status, "has no node elsewhere" in reported["message"]) == (404, True)


class TestAddons:
    def test_live(self, eks: Any, base: Base, cluster: str, slow: LocalAws) -> None:
        identity = [{"serviceAccount": "aws-node", "roleArn": base.pod_role}]
        made = eks.create_addon(clusterName=cluster, addonName="vpc-cni", configurationValues='{"env": {"A": "1"}}', podIdentityAssociations=identity)["addon"]
        assert made["status"] == "CREATING"
        assert code_of(eks.update_addon, clusterName=cluster, addonName="vpc-cni") == "ResourceInUseException"
        slow.control("POST", "/phases", {"default": 0})
        addon = eks.describe_addon(clusterName=cluster, addonName="vpc-cni")["addon"]
        assert (addon["status"], addon["configurationValues"]) == ("ACTIVE", '{"env": {"A": "1"}}')
        association = eks.list_pod_identity_associations(clusterName=cluster)["associations"][0]
        assert association["ownerArn"] == addon["addonArn"]
        assert code_of(eks.delete_pod_identity_association, clusterName=cluster, associationId=association["associationId"]) == "InvalidRequestException"
        eks.delete_addon(clusterName=cluster, addonName="vpc-cni")
        assert eks.list_addons(clusterName=cluster)["addons"] == []
        assert eks.list_pod_identity_associations(clusterName=cluster)["associations"] == []

    def test_come_in_the_default_version_and_change_it(self, eks: Any, cluster: str) -> None:
        offered = eks.describe_addon_versions(addonName="coredns", kubernetesVersion="1.34")["addons"][0]["addonVersions"]
        default = [each["addonVersion"] for each in offered if each["compatibilities"][0]["defaultVersion"]]
        eks.create_addon(clusterName=cluster, addonName="coredns")
        assert [eks.describe_addon(clusterName=cluster, addonName="coredns")["addon"]["addonVersion"]] == default
        newest = offered[0]["addonVersion"]
        update = eks.update_addon(clusterName=cluster, addonName="coredns", addonVersion=newest, resolveConflicts="PRESERVE")["update"]
        assert update["type"] == "AddonUpdate"
        assert eks.describe_update(name=cluster, addonName="coredns", updateId=update["id"])["update"]["status"] == "Successful"
        assert eks.describe_addon(clusterName=cluster, addonName="coredns")["addon"]["addonVersion"] == newest

    def test_an_update_keeps_what_it_leaves_out_but_not_the_role(self, eks: Any, base: Base, cluster: str) -> None:
        name = {"clusterName": cluster, "addonName": "vpc-cni"}
        identity = [{"serviceAccount": "aws-node", "roleArn": base.pod_role}]
        values = '{"env": {"A": "1"}}'
        eks.create_addon(**name, configurationValues=values, serviceAccountRoleArn=base.pod_role, podIdentityAssociations=identity)
        before = eks.describe_addon(**name)["addon"]
        eks.update_addon(**name)
        after = eks.describe_addon(**name)["addon"]
        assert (after["configurationValues"], after["podIdentityAssociations"]) == (values, before["podIdentityAssociations"])
        assert "serviceAccountRoleArn" not in after, "as in life, an update without the role gives the add-on the node's rights"
        eks.update_addon(**name, configurationValues="", podIdentityAssociations=[])
        bare = eks.describe_addon(**name)["addon"]
        assert ("configurationValues" in bare, bare.get("podIdentityAssociations", [])) == (False, [])

    @pytest.mark.parametrize("name", ["vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver"])
    def test_have_one_default_version_for_each_kubernetes(self, eks: Any, name: str) -> None:
        versions = eks.describe_addon_versions(addonName=name)["addons"][0]["addonVersions"]
        offered = [each for version in versions for each in version["compatibilities"]]
        for kubernetes in {each["clusterVersion"] for each in offered}:
            assert [each["defaultVersion"] for each in offered if each["clusterVersion"] == kubernetes].count(True) == 1, f"{name} for {kubernetes}"

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"addonName": "nobody"}, "InvalidParameterException"),
            ({"addonVersion": "v0.0.1"}, "InvalidParameterException"),
            ({"configurationValues": "[1"}, "InvalidParameterException"),
            ({"serviceAccountRoleArn": "arn:aws:iam::123456789012:role/nobody"}, "InvalidParameterException"),
            ({"podIdentityAssociations": [{"serviceAccount": "other", "roleArn": "arn:aws:iam::123456789012:role/pods"}]}, "InvalidParameterException"),
        ],
    )
    def test_wrong_parameters_are_refused(self, eks: Any, cluster: str, wrong: dict[str, Any], code: str) -> None:
        assert code_of(eks.create_addon, **{"clusterName": cluster, "addonName": "kube-proxy", **wrong}) == code
        assert eks.list_addons(clusterName=cluster)["addons"] == []

    def test_health_can_be_set(self, aws: LocalAws, eks: Any, cluster: str) -> None:
        eks.create_addon(clusterName=cluster, addonName="coredns")
        issue = {"code": "InsufficientNumberOfReplicas", "message": "No nodes.", "resourceIds": []}
        aws.control("POST", "/status", {"cluster": cluster, "addon": "coredns", "status": "DEGRADED", "issues": [issue]})
        addon = eks.describe_addon(clusterName=cluster, addonName="coredns")["addon"]
        assert (addon["status"], addon["health"]["issues"]) == ("DEGRADED", [issue])

    def test_configuration_schema(self, eks: Any) -> None:
        reported = eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.21.1-eksbuild.1")
        assert reported["podIdentityConfiguration"][0]["serviceAccount"] == "aws-node"
        assert code_of(eks.describe_addon_configuration, addonName="vpc-cni", addonVersion="v0") == "ResourceNotFoundException"


class TestAccess:
    ROLE = "arn:aws:iam::123456789012:role/team/operators"

    def test_entries_live(self, eks: Any, cluster: str) -> None:
        made = eks.create_access_entry(clusterName=cluster, principalArn=self.ROLE, kubernetesGroups=["operators"])["accessEntry"]
        assert made["username"] == "arn:aws:sts::123456789012:assumed-role/operators/{{SessionName}}"
        assert code_of(eks.create_access_entry, clusterName=cluster, principalArn=self.ROLE) == "ResourceInUseException"
        eks.update_access_entry(clusterName=cluster, principalArn=self.ROLE, kubernetesGroups=["readers"], username="ops")
        entry = eks.describe_access_entry(clusterName=cluster, principalArn=self.ROLE)["accessEntry"]
        assert (entry["kubernetesGroups"], entry["username"]) == (["readers"], "ops")
        eks.delete_access_entry(clusterName=cluster, principalArn=self.ROLE)
        assert code_of(eks.describe_access_entry, clusterName=cluster, principalArn=self.ROLE) == "ResourceNotFoundException"

    def test_policies(self, eks: Any, cluster: str) -> None:
        eks.create_access_entry(clusterName=cluster, principalArn=self.ROLE)
        scope = {"type": "namespace", "namespaces": ["bookinfo"]}
        eks.associate_access_policy(clusterName=cluster, principalArn=self.ROLE, policyArn=VIEW, accessScope=scope)
        listed = eks.list_associated_access_policies(clusterName=cluster, principalArn=self.ROLE)["associatedAccessPolicies"]
        assert [(each["policyArn"], each["accessScope"]) for each in listed] == [(VIEW, scope)]
        assert eks.list_access_entries(clusterName=cluster, associatedPolicyArn=VIEW)["accessEntries"] == [self.ROLE]
        eks.disassociate_access_policy(clusterName=cluster, principalArn=self.ROLE, policyArn=VIEW)
        assert eks.list_associated_access_policies(clusterName=cluster, principalArn=self.ROLE)["associatedAccessPolicies"] == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            {"accessScope": {"type": "namespace"}},
            {"accessScope": {"type": "cluster", "namespaces": ["x"]}},
        ],
    )
    def test_wrong_associations_are_refused(self, eks: Any, cluster: str, wrong: dict[str, Any]) -> None:
        eks.create_access_entry(clusterName=cluster, principalArn=self.ROLE)
        right = {"clusterName": cluster, "principalArn": self.ROLE, "policyArn": ADMIN, "accessScope": {"type": "cluster"}}
        assert code_of(eks.associate_access_policy, **{**right, **wrong}) == "InvalidParameterException"

    @pytest.mark.parametrize("wrong", [{"principalArn": "someone"}, {"kubernetesGroups": ["system:masters"]}, {"type": "OTHER"}, {"username": "system:admin"}])
    def test_wrong_entries_are_refused(self, eks: Any, cluster: str, wrong: dict[str, Any]) -> None:
        assert code_of(eks.create_access_entry, **{"clusterName": cluster, "principalArn": self.ROLE, **wrong}) == "InvalidParameterException"

    def test_the_creator_has_one(self, aws: LocalAws, eks: Any, cluster: str) -> None:
        creator = aws.client("sts").get_caller_identity()["Arn"]
        policies = eks.list_associated_access_policies(clusterName=cluster, principalArn=creator)["associatedAccessPolicies"]
        assert [each["policyArn"] for each in policies] == [ADMIN]

    def test_a_cluster_without_entries_gets_them_with_its_authentication_mode(self, eks: Any, create: Callable[..., dict[str, Any]]) -> None:
        assert create("classic", accessConfig={})["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
        assert code_of(eks.list_access_entries, clusterName="classic") == "InvalidRequestException"
        eks.update_cluster_config(name="classic", accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"})
        assert len(eks.list_access_entries(clusterName="classic")["accessEntries"]) == 1, "the creator must have an entry now"

    def test_list_policies(self, eks: Any) -> None:
        assert ADMIN in [each["arn"] for each in eks.list_access_policies()["accessPolicies"]]


class TestPodIdentity:
    def test_lives(self, eks: Any, base: Base, cluster: str) -> None:
        expected = {"clusterName": cluster, "namespace": "kube-system", "serviceAccount": "aws-load-balancer-controller"}
        made = eks.create_pod_identity_association(**expected, roleArn=base.pod_role, tags={"a": "1"})["association"]
        assert code_of(eks.create_pod_identity_association, **expected, roleArn=base.pod_role) == "ResourceInUseException"
        assert len(eks.list_pod_identity_associations(clusterName=cluster, namespace="kube-system")["associations"]) == 1
        assert eks.list_pod_identity_associations(clusterName=cluster, namespace="default")["associations"] == []
        eks.update_pod_identity_association(clusterName=cluster, associationId=made["associationId"], roleArn=base.node_role)
        found = eks.describe_pod_identity_association(clusterName=cluster, associationId=made["associationId"])["association"]
        assert (found["roleArn"], found["tags"]) == (base.node_role, {"a": "1"})
        eks.delete_pod_identity_association(clusterName=cluster, associationId=made["associationId"])
        assert code_of(eks.describe_pod_identity_association, clusterName=cluster, associationId=made["associationId"]) == "ResourceNotFoundException"

    def test_credentials_are_those_of_the_role(self, aws: LocalAws, eks: Any, base: Base, cluster: str) -> None:
        path = f"/pod-identity/{cluster}/kube-system/controller"
        status, reported = aws.ask("GET", path)
        assert (status, "has no pod identity association" in reported["message"]) == (404, True)
        eks.create_pod_identity_association(clusterName=cluster, namespace="kube-system", serviceAccount="controller", roleArn=base.pod_role)
        given = aws.control("GET", path)
        assert set(given) == {"AccessKeyId", "SecretAccessKey", "Token", "AccountId", "Expiration"}
        sts = aws.client("sts", access_key=given["AccessKeyId"], secret=given["SecretAccessKey"], token=given["Token"])
        assert sts.get_caller_identity()["Arn"].startswith("arn:aws:sts::123456789012:assumed-role/pods/")


def test_versions_and_insights(eks: Any, cluster: str) -> None:
    versions = eks.describe_cluster_versions()["clusterVersions"]
    assert [each["defaultVersion"] for each in versions].count(True) == 1
    assert eks.describe_cluster_versions(clusterVersions=["1.35"])["clusterVersions"][0]["clusterVersion"] == "1.35"
    assert eks.list_insights(clusterName=cluster)["insights"] == []


def test_an_operation_that_is_not_served_says_so(eks: Any, cluster: str) -> None:
    with pytest.raises(ClientError, match="does not serve the EKS operation ListIdentityProviderConfigs"):
        eks.list_identity_provider_configs(clusterName=cluster)


def test_there_are_no_fargate_profiles(eks: Any, cluster: str) -> None:
    assert eks.list_fargate_profiles(clusterName=cluster)["fargateProfileNames"] == []


def test_unknown_clusters_are_not_found(eks: Any) -> None:
    for call in (eks.describe_cluster, eks.delete_cluster, eks.list_updates):
        assert code_of(call, name="nobody") == "ResourceNotFoundException"
    for call in (eks.list_nodegroups, eks.list_addons, eks.list_access_entries, eks.list_pod_identity_associations):
        assert code_of(call, clusterName="nobody") == "ResourceNotFoundException"
