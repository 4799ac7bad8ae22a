from __future__ import annotations

from typing import Any

from rich.console import Console

from twin.commands.resources import Resources
from twin.commands.tree import tree_of

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/k8s-gateway/1"
VPC = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "Name", "Value": "prod"}], "Subnets": []}
SUBNET = {"SubnetId": "subnet-1", "AvailabilityZone": "eu-central-1a", "CidrBlock": "10.0.0.0/24", "Tags": [{"Key": "kubernetes.io/role/elb", "Value": "1"}]}


def _report(resources: Resources) -> str:
    console = Console(width=250, color_system=None)
    with console.capture() as capture:
        console.print(tree_of("AWS account sandbox", resources))
    return capture.get()


def _target_group(*states: str) -> dict[str, Any]:
    targets = [{"Target": {"Id": f"10.64.128.{number}", "Port": 80}, "TargetHealth": {"State": state}} for number, state in enumerate(states, 1)]
    return {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "k8s-gateway",
        "TargetType": "ip",
        "Protocol": "HTTP",
        "Port": 80,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "15021",
        "HealthCheckPath": "/healthz/ready",
        "Targets": targets,
    }


def _load_balancer() -> dict[str, Any]:
    forward = [{"Type": "forward", "TargetGroupArn": GROUP}]
    https = {
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [{"CertificateArn": "arn:aws:acm:eu-central-1:1:certificate/abc"}],
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        "Rules": [
            {"Priority": "1", "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}], "Actions": forward},
            {"Priority": "default", "IsDefault": True, "Conditions": [], "Actions": []},
        ],
    }
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    return {
        "LoadBalancerName": "my-alb",
        "Type": "application",
        "Scheme": "internet-facing",
        "VpcId": "vpc-1",
        "DNSName": "my-alb.elb.amazonaws.com",
        "State": {"Code": "active"},
        "Listeners": [{"Port": 80, "Protocol": "HTTP", "DefaultActions": [redirect], "Rules": []}, https],
        "WebAcl": "guard",
        "Shield": True,
    }


def test_an_empty_account() -> None:
    assert _report(Resources()).splitlines() == ["AWS account sandbox", "└── nothing"]


def test_a_load_balancer_is_reported_down_to_its_targets() -> None:
    reported = _report(
        Resources(vpcs=[{**VPC, "Subnets": [SUBNET]}], load_balancers=[_load_balancer()], target_groups={GROUP: _target_group("healthy", "unhealthy")})
    )
    assert [line.strip() for line in reported.splitlines()] == [
        "AWS account sandbox",
        "└── VPC prod (vpc-1), 10.0.0.0/16",
        "├── Subnet subnet-1, eu-central-1a, 10.0.0.0/24, for public load balancers",
        "└── ALB my-alb, internet-facing, WAF guard, Shield Advanced, my-alb.elb.amazonaws.com, active",
        "├── Listener 80 HTTP",
        "│   └── default -> redirect to HTTPS 443 (HTTP_301)",
        "└── Listener 443 HTTPS, ELBSecurityPolicy-TLS13-1-2-2021-06, certificate abc",
        "├── default -> fixed response 404",
        "└── rule 1: host-header *.example.com -> target group k8s-gateway, ip, HTTP 80, health check HTTP 15021/healthz/ready, 1 of 2 healthy",
        "└── 10.64.128.2:80, unhealthy",
    ]


def test_a_target_group_that_nobody_uses_is_reported_too() -> None:
    reported = _report(Resources(target_groups={GROUP: _target_group()}))
    assert "Target groups of no load balancer" in reported
    assert "0 of 0 healthy" in reported


def test_a_cluster_with_all_that_belongs_to_it() -> None:
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "accessScope": {"type": "namespace", "namespaces": ["shop"]}}
    cluster = {
        "name": "prod",
        "version": "1.35",
        "status": "ACTIVE",
        "endpoint": "https://127.0.0.1:1",
        "resourcesVpcConfig": {"vpcId": "vpc-1"},
        "nodegroups": [
            {
                "nodegroupName": "main",
                "status": "ACTIVE",
                "version": "1.35",
                "instanceTypes": ["m7i.large"],
                "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
                "taints": [{"key": "cni.istio.io/not-ready"}],
            }
        ],
        "addons": [
            {
                "addonName": "coredns",
                "addonVersion": "v1",
                "status": "DEGRADED",
                "health": {"issues": [{"code": "InsufficientNumberOfReplicas", "message": "none"}]},
            }
        ],
        "access": [{"principalArn": "arn:aws:iam::1:role/dev", "policies": [policy]}],
        "identities": [{"namespace": "kube-system", "serviceAccount": "lbc", "roleArn": "arn:aws:iam::1:role/lbc"}],
    }
    reported = _report(Resources(vpcs=[VPC], clusters=[cluster], names={"S3 buckets": [], "IAM roles": ["lbc"]}))
    for expected in (
        "EKS cluster prod, 1.35, https://127.0.0.1:1, ACTIVE",
        "Node group main, 1.35, 2 x m7i.large (1 to 4), taint cni.istio.io/not-ready, ACTIVE",
        "Add-on coredns, v1, DEGRADED",
        "InsufficientNumberOfReplicas: none",
        "Access entry role/dev, AmazonEKSViewPolicy in shop",
        "Pod identity kube-system/lbc, role lbc",
        "└── IAM roles",
    ):
        assert expected in reported
    assert "S3 buckets" not in reported, "what does not exist is not shown"
