"""What moto is taught about load balancers, asked by boto3 as any client would."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto import mock_aws

from twin.aws import load_balancing
from twin.aws.load_balancing.moto_changes import DURATIONS

_REGION = "eu-central-1"
_MISSING = f"arn:aws:acm:{_REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass
class Cloud:
    """An account with a VPC of two subnets."""

    vpc: str
    subnets: list[str]
    interface: str

    @property
    def elb(self) -> Any:
        return _client("elbv2")

    def balancer(self, kind: str = "application", **named: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.elb.create_load_balancer(Name="one", Type=kind, Subnets=self.subnets, **named)["LoadBalancers"][0]
        return found

    def group(self, protocol: str = "HTTP", target_type: str = "ip", **named: Any) -> str:
        made = self.elb.create_target_group(Name="group", Protocol=protocol, Port=80, VpcId=self.vpc, TargetType=target_type, **named)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: dict[str, Any], group: str, protocol: str = "HTTP", port: int = 80, **named: Any) -> dict[str, Any]:
        actions = [{"Type": "forward", "TargetGroupArn": group}]
        made = self.elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol=protocol, Port=port, DefaultActions=actions, **named)
        found: dict[str, Any] = made["Listeners"][0]
        return found

    def health(self, group: str) -> dict[str, tuple[str, str | None]]:
        health = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")) for each in health}


@functools.cache
def _session() -> boto3.Session:
    """One for all tests: it keeps the models of the services, which take a second to read."""
    return boto3.Session(region_name=_REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def _client(service: str) -> Any:
    return _session().client(service)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    load_balancing.extend()
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    # moto would read thousands of images for each account.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.setattr(DURATIONS, "provisioning", 0.0)
    monkeypatch.setattr(DURATIONS, "first_health_check", 0.0)
    with mock_aws():
        ec2 = _client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"{_REGION}{zone}")["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        interface = ec2.create_network_interface(SubnetId=subnets[0], PrivateIpAddress="10.20.0.10")["NetworkInterface"]["NetworkInterfaceId"]
        yield Cloud(vpc, subnets, interface)


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def _certificate() -> str:
    """The ARN of a certificate that is issued."""
    key = rsa.generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example.com")]), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - datetime.timedelta(1), now + datetime.timedelta(90))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(_client("acm").import_certificate(Certificate=certificate, PrivateKey=private)["CertificateArn"])


def test_a_network_load_balancer_has_the_addresses_that_it_was_given(cloud: Cloud) -> None:
    ec2 = _client("ec2")
    given = ec2.allocate_address(Domain="vpc")
    mappings = [{"SubnetId": cloud.subnets[0], "AllocationId": given["AllocationId"]}, {"SubnetId": cloud.subnets[1]}]

    def make(name: str) -> str:
        made = cloud.elb.create_load_balancer(Name=name, Type="network", SubnetMappings=mappings)["LoadBalancers"][0]
        return str(made["LoadBalancerArn"])

    one = make("one")
    zones = cloud.elb.describe_load_balancers()["LoadBalancers"][0]["AvailabilityZones"]
    assert [zone["LoadBalancerAddresses"] for zone in zones] == [[{"IpAddress": given["PublicIp"], "AllocationId": given["AllocationId"]}], []]
    with pytest.raises(ClientError) as taken:
        make("two")
    assert _code(taken) == "ResourceInUse"
    cloud.elb.delete_load_balancer(LoadBalancerArn=one)
    assert make("two"), "what is deleted keeps no address"
    mappings[0]["AllocationId"] = "eipalloc-0123456789abcdef0"
    with pytest.raises(ClientError) as unknown:
        make("three")
    assert _code(unknown) == "AllocationIdNotFound"


def test_a_load_balancer_is_provisioned_first(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DURATIONS, "provisioning", 3600.0)
    assert cloud.balancer()["State"]["Code"] == "provisioning"
    assert cloud.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    monkeypatch.setattr(DURATIONS, "provisioning", 0.0)
    assert cloud.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "active"


@pytest.mark.parametrize(
    ("kind", "scheme", "pattern"),
    [
        ("application", "internet-facing", r"one-\d{10}\.eu-central-1\.elb\.amazonaws\.com"),
        ("application", "internal", r"internal-one-\d{10}\.eu-central-1\.elb\.amazonaws\.com"),
        ("network", "internal", r"one-[0-9a-f]{16}\.elb\.eu-central-1\.amazonaws\.com"),
    ],
)
def test_its_name_reports_what_it_is(cloud: Cloud, kind: str, scheme: str, pattern: str) -> None:
    assert re.fullmatch(pattern, cloud.balancer(kind, Scheme=scheme)["DNSName"])


def test_a_subnet_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.elb.create_load_balancer(Name="one", Subnets=[cloud.subnets[0], "subnet-0123456789abcdef0"])
    assert _code(error) == "SubnetNotFound"


def test_a_security_group_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.balancer(SecurityGroups=["sg-0123456789abcdef0"])
    assert _code(error) == "InvalidSecurityGroup"


def test_the_third_address_type(cloud: Cloud) -> None:
    assert cloud.balancer(IpAddressType="dualstack-without-public-ipv4")["IpAddressType"] == "dualstack-without-public-ipv4"


def test_every_attribute_has_a_value(cloud: Cloud) -> None:
    arn = cloud.balancer()["LoadBalancerArn"]
    attributes = {each["Key"]: each["Value"] for each in cloud.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert attributes["idle_timeout.timeout_seconds"] == "60"
    assert attributes["deletion_protection.enabled"] == "false"


def test_deletion_protection(cloud: Cloud) -> None:
    arn = cloud.balancer()["LoadBalancerArn"]

    def protect(value: str) -> None:
        cloud.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}])

    protect("true")
    with pytest.raises(ClientError) as error:
        cloud.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert _code(error) == "OperationNotPermitted"
    protect("false")
    cloud.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert cloud.elb.describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.parametrize(
    ("named", "code"),
    [
        pytest.param({}, "ValidationError", id="no-certificate"),
        pytest.param({"Certificates": [{"CertificateArn": _MISSING}]}, "CertificateNotFound", id="unknown-certificate"),
        pytest.param({"Certificates": [{"CertificateArn": _MISSING}], "SslPolicy": "ELBSecurityPolicy-Wrong"}, "SSLPolicyNotFound", id="unknown-policy"),
    ],
)
@pytest.mark.parametrize(("kind", "protocol"), [("application", "HTTPS"), ("network", "TLS")])
def test_a_listener_that_is_refused(cloud: Cloud, kind: str, protocol: str, named: dict[str, Any], code: str) -> None:
    balancer, group = cloud.balancer(kind), cloud.group("HTTP" if kind == "application" else "TCP")
    with pytest.raises(ClientError) as error:
        cloud.listener(balancer, group, protocol, 443, **named)
    assert _code(error) == code
    assert cloud.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"] == []


def test_an_older_policy(cloud: Cloud) -> None:
    policy = "ELBSecurityPolicy-FS-1-2-Res-2019-08"
    named = {"Certificates": [{"CertificateArn": _certificate()}], "SslPolicy": policy}
    assert cloud.listener(cloud.balancer(), cloud.group(), "HTTPS", 443, **named)["SslPolicy"] == policy
    assert cloud.elb.describe_ssl_policies(Names=[policy])["SslPolicies"][0]["SslProtocols"] == ["TLSv1.2"]


# The service's model does not list this code, though AWS answers with it.
@pytest.mark.filterwarnings("ignore:Exception.ELBClientError. with code UnsupportedCertificate")
def test_a_certificate_that_waits_for_its_validation(cloud: Cloud) -> None:
    pending = _client("acm").request_certificate(DomainName="shop.example.com", ValidationMethod="DNS")["CertificateArn"]
    with pytest.raises(ClientError) as error:
        cloud.listener(cloud.balancer(), cloud.group(), "HTTPS", 443, Certificates=[{"CertificateArn": pending}])
    assert _code(error) == "UnsupportedCertificate"


def test_a_port_that_has_a_listener(cloud: Cloud) -> None:
    balancer, group = cloud.balancer(), cloud.group()
    assert "SslPolicy" not in cloud.listener(balancer, group)
    with pytest.raises(ClientError) as error:
        cloud.listener(balancer, group)
    assert _code(error) == "DuplicateListener"


def test_a_tls_listener_changes(cloud: Cloud) -> None:
    certificate, other = _certificate(), _certificate()
    listener = cloud.listener(cloud.balancer("network"), cloud.group("TCP"), "TLS", 443, Certificates=[{"CertificateArn": certificate}], SslPolicy=_POLICY)
    arn = listener["ListenerArn"]
    cloud.elb.modify_listener(ListenerArn=arn, Protocol="TLS", Certificates=[{"CertificateArn": other}], SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")
    (changed,) = cloud.elb.describe_listeners(ListenerArns=[arn])["Listeners"]
    assert (changed["Protocol"], changed["SslPolicy"]) == ("TLS", "ELBSecurityPolicy-TLS13-1-3-2021-06")
    assert [each["CertificateArn"] for each in changed["Certificates"]] == [other]
    with pytest.raises(ClientError) as error:
        cloud.elb.modify_listener(ListenerArn=arn, Protocol="TLS", Certificates=[{"CertificateArn": _MISSING}])
    assert _code(error) == "CertificateNotFound"


def test_the_codes_of_a_health_check_change(cloud: Cloud) -> None:
    group = cloud.group("TCP", HealthCheckProtocol="HTTP", HealthCheckPath="/", Matcher={"HttpCode": "200"})
    cloud.elb.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "200-399"})
    assert cloud.elb.describe_target_groups()["TargetGroups"][0]["Matcher"] == {"HttpCode": "200-399"}


def test_a_target_becomes_healthy_when_something_has_its_address(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    group = cloud.group()
    cloud.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.20.0.10"}, {"Id": "10.20.0.99"}])
    assert set(cloud.health(group).values()) == {("unused", "Target.NotInUse")}
    monkeypatch.setattr(DURATIONS, "first_health_check", 3600.0)
    cloud.listener(cloud.balancer(), group)
    assert set(cloud.health(group).values()) == {("initial", "Elb.InitialHealthChecking")}
    monkeypatch.setattr(DURATIONS, "first_health_check", 0.0)
    assert cloud.health(group) == {"10.20.0.10": ("healthy", None), "10.20.0.99": ("unhealthy", "Target.Timeout")}


def test_a_target_keeps_its_zone(cloud: Cloud) -> None:
    group = cloud.group()
    cloud.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.64.0.1", "AvailabilityZone": "all"}])
    (health,) = cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert health["Target"] == {"Id": "10.64.0.1", "Port": 80, "AvailabilityZone": "all"}


def test_a_target_group_knows_who_uses_it_now(cloud: Cloud) -> None:
    balancer, group = cloud.balancer(), cloud.group()

    def users() -> list[str]:
        arns: list[str] = cloud.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]
        return arns

    assert users() == []
    listener = cloud.listener(balancer, group)
    assert users() == [balancer["LoadBalancerArn"]]
    cloud.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    assert users() == []


@pytest.mark.parametrize(("kind", "prefix", "cross_zone"), [("application", "app", "true"), ("network", "net", "false")])
def test_the_arn_shows_the_type(cloud: Cloud, kind: str, prefix: str, cross_zone: str) -> None:
    balancer = cloud.balancer(kind, Tags=[{"Key": "team", "Value": "mesh"}])
    arn = balancer["LoadBalancerArn"]
    assert f":loadbalancer/{prefix}/one/" in arn
    protocol = "HTTP" if kind == "application" else "TCP"
    assert f":listener/{prefix}/one/" in cloud.listener(balancer, cloud.group(protocol), protocol)["ListenerArn"]
    assert [each["LoadBalancerArn"] for each in cloud.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]] == [arn]
    assert cloud.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "team", "Value": "mesh"}]
    attributes = {each["Key"]: each["Value"] for each in cloud.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert attributes["load_balancing.cross_zone.enabled"] == cross_zone
    cloud.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert cloud.elb.describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.parametrize("kind", ["application", "network"])
def test_without_a_scheme_it_faces_the_internet(cloud: Cloud, kind: str) -> None:
    assert cloud.balancer(kind)["Scheme"] == "internet-facing"


def test_a_load_balancer_without_target_groups(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    assert cloud.elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"] == []
    with pytest.raises(ClientError) as error:
        cloud.elb.describe_target_groups(Names=["nobody"])
    assert _code(error) == "TargetGroupNotFound"
