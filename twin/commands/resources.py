"""What exists in an AWS account, read from its API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Client = Callable[[str], Any]


@dataclass(frozen=True)
class Resources:
    """What an account has in one region, as the API describes it.

    Attributes:
        vpcs: VPCs with their C(Subnets); default ones only when something is in them.
        clusters: EKS clusters with their C(nodegroups), C(addons), C(access) and C(identities).
        load_balancers: load balancers with their C(Listeners) and C(Rules), C(WebAcl) and C(Shield).
        target_groups: target groups by ARN, with their C(Targets).
        certificates: certificates of ACM.
        names: names of what has no place in a VPC, by what it is: IAM roles, S3 buckets and so on.
    """

    vpcs: list[Object] = field(default_factory=list)
    clusters: list[Object] = field(default_factory=list)
    load_balancers: list[Object] = field(default_factory=list)
    target_groups: dict[str, Object] = field(default_factory=dict)
    certificates: list[Object] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)


def read_resources(client: Client) -> Resources:
    """Read it all.

    Args:
        client: makes the boto3 client of a service.

    Raises:
        botocore.exceptions.ClientError: the account refused an answer.
    """
    elb = client("elbv2")
    clusters, load_balancers = _clusters(client("eks")), _load_balancers(elb, client("wafv2"), client("shield"))
    used = {cluster["resourcesVpcConfig"]["vpcId"] for cluster in clusters} | {balancer["VpcId"] for balancer in load_balancers}
    acm = client("acm")
    summaries = _all(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": ["RSA_2048", "EC_prime256v1", "EC_secp384r1"]})
    certificates = [acm.describe_certificate(CertificateArn=each["CertificateArn"])["Certificate"] for each in summaries]
    return Resources(
        vpcs=_vpcs(client("ec2"), used),
        clusters=clusters,
        load_balancers=load_balancers,
        target_groups=_target_groups(elb),
        certificates=sorted(certificates, key=lambda each: (each["DomainName"], each["CertificateArn"])),
        names={
            "Web ACLs": sorted(acl["Name"] for acl in client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]),
            "Hosted zones": sorted(zone["Name"].rstrip(".") for zone in _all(client("route53"), "list_hosted_zones", "HostedZones")),
            "S3 buckets": sorted(bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]),
            "IAM roles": sorted(role["RoleName"] for role in _all(client("iam"), "list_roles", "Roles")),
        },
    )


def _all(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    """All items of all pages of a list."""
    return [item for page in client.get_paginator(operation).paginate(**parameters) for item in page[key]]


def _vpcs(ec2: Any, used: set[str]) -> list[Object]:
    subnets = _all(ec2, "describe_subnets", "Subnets")
    vpcs = [vpc for vpc in _all(ec2, "describe_vpcs", "Vpcs") if vpc["VpcId"] in used or not vpc.get("IsDefault")]
    return [
        {**vpc, "Subnets": sorted((each for each in subnets if each["VpcId"] == vpc["VpcId"]), key=lambda each: (each["AvailabilityZone"], each["CidrBlock"]))}
        for vpc in sorted(vpcs, key=lambda vpc: str(vpc["VpcId"]))
    ]


def _clusters(eks: Any) -> list[Object]:
    return [_cluster(eks, name) for name in sorted(_all(eks, "list_clusters", "clusters"))]


def _cluster(eks: Any, name: str) -> Object:
    of = {"clusterName": name}
    groups = _all(eks, "list_nodegroups", "nodegroups", **of)
    addons = _all(eks, "list_addons", "addons", **of)
    associations = _all(eks, "list_pod_identity_associations", "associations", **of)
    cluster: Object = eks.describe_cluster(name=name)["cluster"]
    with_entries = cluster.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP") != "CONFIG_MAP"
    principals = _all(eks, "list_access_entries", "accessEntries", **of) if with_entries else []
    return {
        **cluster,
        "nodegroups": [eks.describe_nodegroup(nodegroupName=each, **of)["nodegroup"] for each in sorted(groups)],
        "addons": [eks.describe_addon(addonName=each, **of)["addon"] for each in sorted(addons)],
        "access": [
            {"principalArn": each, "policies": _all(eks, "list_associated_access_policies", "associatedAccessPolicies", principalArn=each, **of)}
            for each in sorted(principals)
        ],
        "identities": [eks.describe_pod_identity_association(associationId=each["associationId"], **of)["association"] for each in associations],
    }


def _load_balancers(elb: Any, waf: Any, shield: Any) -> list[Object]:
    protected = {each["ResourceArn"] for each in _all(shield, "list_protections", "Protections")}
    found = []
    for balancer in sorted(_all(elb, "describe_load_balancers", "LoadBalancers"), key=lambda each: str(each["LoadBalancerName"])):
        arn = balancer["LoadBalancerArn"]
        listeners = sorted(_all(elb, "describe_listeners", "Listeners", LoadBalancerArn=arn), key=lambda each: int(each["Port"]))
        application = balancer["Type"] == "application"
        found.append(
            {
                **balancer,
                "Listeners": [
                    {**each, "Rules": _all(elb, "describe_rules", "Rules", ListenerArn=each["ListenerArn"]) if application else []} for each in listeners
                ],
                "WebAcl": _web_acl(waf, arn) if application else None,
                "Shield": arn in protected,
            }
        )
    return found


def _web_acl(waf: Any, arn: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        acl = waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
    except ClientError as error:
        if error.response["Error"]["Code"] == "WAFNonexistentItemException":
            return None
        raise
    return str(acl["Name"]) if acl else None


def _target_groups(elb: Any) -> dict[str, Object]:
    found = {}
    for group in _all(elb, "describe_target_groups", "TargetGroups"):
        health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        found[str(group["TargetGroupArn"])] = {**group, "Targets": health}
    return found


# what it looks like
