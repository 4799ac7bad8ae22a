"""The module ingress before the real load balancer controller: what is asked for is read back from the AWS API."""

from __future__ import annotations

import datetime
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.stages.twins import environment_for
from tests.twin.run_module import command_for
from twin import account
from twin.tools.catalogue import ISTIO_VERSION, LOAD_BALANCER_CONTROLLER_VERSION

_ACCOUNT = "test-ingress"
_CLUSTER = "edge"
_CONTROLLER = "aws-load-balancer-controller"
_PLACE = "istio-ingress"
_LOGS = "edge-logs"

GATEWAY: dict[str, Any] = {"name": "public", "namespace": _PLACE, "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": _PLACE, "gateway": "public", "load_balancer_name": "public", "scheme": "internet-facing"}
GONE: dict[str, Any] = {"name": "public", "namespace": _PLACE, "state": "absent"}


@dataclass(frozen=True)
class Edge:
    """A cluster with Istio and the load balancer controller, and the account that it is in."""

    subnets: list[str]
    certificate: str
    environment: dict[str, str]

    def client(self, service: str) -> Any:
        return account.client(_ACCOUNT, service)

    def run(self, *command: str, given: str | None = None) -> str:
        done = subprocess.run(command, env=self.environment, input=given, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
        return done.stdout

    def module(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module ingress; its answer, whether or not it failed."""
        given = {"kubeconfig": self.environment["TWIN_KUBECONFIG"], "wait_timeout": 90, "_ansible_check_mode": check, "_ansible_diff": True, **options}
        done = subprocess.run(command_for("ingress", given), env=self.environment, check=False, capture_output=True, text=True, timeout=300)
        assert done.stdout.strip(), f"ingress answered nothing: {done.stderr[-2000:]}"
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def declare(self, **options: Any) -> dict[str, Any]:
        """Run the module ingress and wait; it must succeed."""
        result = self.module(wait=True, **options)
        assert not result.get("failed"), result["msg"]
        return result

    def balancer(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"][0]
        return described

    def balancers(self) -> list[str]:
        return [each["LoadBalancerName"] for each in self.client("elbv2").describe_load_balancers()["LoadBalancers"]]

    def attributes(self, name: str) -> dict[str, str]:
        found = self.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=self.balancer(name)["LoadBalancerArn"])
        return {each["Key"]: each["Value"] for each in found["Attributes"]}

    def tags(self, name: str) -> dict[str, str]:
        found = self.client("elbv2").describe_tags(ResourceArns=[self.balancer(name)["LoadBalancerArn"]])
        return {each["Key"]: each["Value"] for each in found["TagDescriptions"][0]["Tags"]}

    def listeners(self, name: str) -> dict[int, dict[str, Any]]:
        found = self.client("elbv2").describe_listeners(LoadBalancerArn=self.balancer(name)["LoadBalancerArn"])["Listeners"]
        return {listener["Port"]: listener for listener in found}

    def groups(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client("elbv2").describe_target_groups(LoadBalancerArn=self.balancer(name)["LoadBalancerArn"])["TargetGroups"]
        return found

    def group_attributes(self, name: str) -> dict[str, str]:
        arn = self.groups(name)[0]["TargetGroupArn"]
        return {each["Key"]: each["Value"] for each in self.client("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]}

    def rules(self, name: str, port: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client("elbv2").describe_rules(ListenerArn=self.listeners(name)[port]["ListenerArn"])["Rules"]
        return found

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("kubectl", "get", kind, name, "-n", _PLACE, "-o", "json"))
        return found


def _until(look: Callable[[], Any], seconds: float, what: str) -> Any:
    """Look until there is something to see."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        pause.wait(0.25)
    return seen


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """An account with a cluster, on it the Gateway API, istiod and the load balancer controller with its role."""
    account.down(_ACCOUNT)
    account.up(_ACCOUNT)
    try:
        yield _made()
    finally:
        account.down(_ACCOUNT)


@pytest.fixture
def clean(edge: Edge) -> Iterator[Edge]:
    """The cluster, from which a test's gateways and load balancers are taken afterwards."""
    yield edge
    named = ("public", "edge")
    edge.module(
        gateways=[{**GONE, "name": name} for name in named],
        albs=[{**GONE, "name": name} for name in named],
        override_deletion_protection=True,
        force_conflicts=True,
    )


def _made() -> Edge:
    ec2, iam, eks, acm = (account.client(_ACCOUNT, service) for service in ("ec2", "iam", "eks", "acm"))
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = []
    for number, zone in enumerate("abc"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.30.{number}.0/24", AvailabilityZone=f"{account.REGION}{zone}")["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": f"kubernetes.io/role/{role}", "Value": "1"} for role in ("elb", "internal-elb")])
        subnets.append(subnet)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    roles = {name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"] for name in ("cluster", "nodes", "controller")}
    fast = {"Delay": 1, "MaxAttempts": 120}
    access = {"authenticationMode": "API_AND_CONFIG_MAP"}
    eks.create_cluster(name=_CLUSTER, roleArn=roles["cluster"], resourcesVpcConfig={"subnetIds": subnets}, accessConfig=access)
    eks.get_waiter("cluster_active").wait(name=_CLUSTER, WaiterConfig=fast)
    scaling = {"minSize": 3, "maxSize": 3, "desiredSize": 3}
    eks.create_nodegroup(clusterName=_CLUSTER, nodegroupName="workers", subnets=subnets, nodeRole=roles["nodes"], scalingConfig=scaling)
    eks.get_waiter("nodegroup_active").wait(clusterName=_CLUSTER, nodegroupName="workers", WaiterConfig=fast)
    eks.create_addon(clusterName=_CLUSTER, addonName="vpc-cni")
    eks.get_waiter("addon_active").wait(clusterName=_CLUSTER, addonName="vpc-cni", WaiterConfig=fast)
    eks.create_pod_identity_association(clusterName=_CLUSTER, namespace="kube-system", serviceAccount=_CONTROLLER, roleArn=roles["controller"])
    made = Edge(subnets, _certificate(acm), environment_for(f"{_ACCOUNT}-{_CLUSTER}"))
    made.run("kubectl", "apply", "--server-side", "-f", made.environment["TWIN_GATEWAY_API"])
    for release, chart in (("istio-base", "base"), ("istiod", "istiod")):
        archive = f"{made.environment['TWIN_CHARTS']}/{chart}-{ISTIO_VERSION}.tgz"
        made.run("helm", "install", release, archive, "-n", "istio-system", "--create-namespace", "--set", "profile=ambient", "--wait", "--timeout", "90s")
    archive = f"{made.environment['TWIN_ALB_CONTROLLER_CHART']}/{_CONTROLLER}-{LOAD_BALANCER_CONTROLLER_VERSION.removeprefix('v')}.tgz"
    values = f"clusterName={_CLUSTER},region={account.REGION},vpcId={vpc}"
    made.run("helm", "install", _CONTROLLER, archive, "-n", "kube-system", "--set", values, "--wait", "--timeout", "90s")
    return made


def _certificate(acm: Any) -> str:
    """The ARN of a certificate that is imported, and so issued at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "*.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("*.example.com"), x509.DNSName("example.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=30)).add_extension(names, critical=False)
    public = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(acm.import_certificate(Certificate=public, PrivateKey=private)["CertificateArn"])


@pytest.mark.requirement("E8")
@pytest.mark.requirement("E3")
@pytest.mark.requirement("E33")
@pytest.mark.requirement("M1")
def test_an_alb_with_everything_said_is_so_in_aws_and_a_second_run_writes_nothing(clean: Edge) -> None:
    item = {
        **ALB,
        "hosts": ["*.example.com", "example.com"],
        "subnets": clean.subnets,
        "certificate_arns": [clean.certificate],
        "ssl_redirect": 443,
        "tags": {"Team": "Metashare", "Stage": "test"},
        "idle_timeout": 90,
        "deletion_protection": True,
        "access_logs": {"enabled": True, "bucket": _LOGS, "prefix": "prod"},
        "deregistration_delay": 25,
        "health_check": {"interval": 20, "timeout": 4, "healthy_threshold": 3, "unhealthy_threshold": 4, "success_codes": "200"},
    }
    wished = {"gateways": [GATEWAY], "albs": [item]}
    foretold = clean.module(check=True, **wished)
    assert foretold.get("changed"), foretold.get("msg")
    assert "public" not in clean.balancers(), "check mode has made a load balancer"
    result = clean.declare(**wished)
    balancer = clean.balancer("public")
    assert result["albs"][0]["address"] == balancer["DNSName"]
    assert result["gateways"][0]["service_type"] == "ClusterIP"
    assert result["albs"][0]["pods"], "no ready pod behind it is told"
    assert (balancer["Type"], balancer["Scheme"]) == ("application", "internet-facing")
    assert sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]) == sorted(clean.subnets)
    listeners = clean.listeners("public")
    assert {port: listener["Protocol"] for port, listener in listeners.items()} == {80: "HTTP", 443: "HTTPS"}
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert [each["CertificateArn"] for each in listeners[443]["Certificates"]] == [clean.certificate]
    redirect = listeners[80]["DefaultActions"][0]
    assert (redirect["Type"], redirect["RedirectConfig"]["Port"]) == ("redirect", "443")
    hosts = [
        value for rule in clean.rules("public", 443) for condition in rule["Conditions"] for value in condition.get("HostHeaderConfig", {}).get("Values", ())
    ]
    assert sorted(hosts) == ["*.example.com", "example.com"]
    assert {"Team": "Metashare", "Stage": "test"}.items() <= clean.tags("public").items()
    attributes = clean.attributes("public")
    assert attributes["idle_timeout.timeout_seconds"] == "90"
    assert attributes["deletion_protection.enabled"] == "true"
    assert (attributes["access_logs.s3.enabled"], attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]) == ("true", _LOGS, "prod")
    (group,) = clean.groups("public")
    assert (group["TargetType"], group["HealthCheckPort"], group["HealthCheckPath"], group["HealthCheckProtocol"]) == ("ip", "15021", "/healthz/ready", "HTTP")
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"], group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (
        20,
        4,
        3,
        4,
    )
    assert clean.group_attributes("public")["deregistration_delay.timeout_seconds"] == "25"
    again = clean.declare(**wished)
    assert not again["changed"], again["diff"]
    assert clean.balancers() == ["public"], "a second load balancer was made"


@pytest.mark.requirement("E1")
@pytest.mark.requirement("E2")
@pytest.mark.requirement("M7")
def test_instance_targets_are_probed_at_the_node_port_of_the_status_port(clean: Edge) -> None:
    result = clean.declare(gateways=[GATEWAY], albs=[{**ALB, "target_type": "instance"}])
    ports = {port["name"]: port["nodePort"] for port in clean.get("service", "public-istio")["spec"]["ports"]}
    hop = result["albs"][0]
    assert (hop["service"], hop["service_port"], hop["node_port"]) == ("public-istio", 80, ports["http"])
    assert hop["address"] == clean.balancer("public")["DNSName"]
    assert hop["pods"]
    (group,) = clean.groups("public")
    assert (group["TargetType"], group["HealthCheckPort"], group["Port"]) == ("instance", str(ports["status-port"]), ports["http"])


@pytest.mark.requirement("E28")
@pytest.mark.requirement("E31")
def test_what_is_switched_off_is_off_in_aws(clean: Edge) -> None:
    clean.declare(gateways=[GATEWAY], albs=[{**ALB, "access_logs": {"enabled": True, "bucket": _LOGS}, "idle_timeout": 120}])
    assert clean.attributes("public")["access_logs.s3.enabled"] == "true"
    changed = clean.declare(gateways=[GATEWAY], albs=[{**ALB, "access_logs": {"enabled": False}, "idle_timeout": 60}])
    assert changed["changed"]
    assert clean.attributes("public")["access_logs.s3.enabled"] == "false"
    assert clean.attributes("public")["idle_timeout.timeout_seconds"] == "60"


@pytest.mark.requirement("E29")
def test_a_web_acl_that_is_taken_out_is_taken_off(clean: Edge) -> None:
    waf = clean.client("wafv2")
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "edge"}
    made = waf.create_web_acl(Name="edge", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible, Rules=[])["Summary"]["ARN"]
    clean.declare(gateways=[GATEWAY], albs=[{**ALB, "waf_acl_arn": made}])
    arn = clean.balancer("public")["LoadBalancerArn"]
    attached = _until(lambda: waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL"), 30, "the web ACL to be attached")
    assert attached["ARN"] == made
    clean.declare(gateways=[GATEWAY], albs=[{**ALB, "waf_acl_arn": ""}])
    _until(lambda: not waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL"), 30, "the web ACL to be taken off")


@pytest.mark.requirement("F1")
@pytest.mark.requirement("F8")
@pytest.mark.requirement("F11")
@pytest.mark.requirement("D11")
def test_an_nlb_ends_tls_and_does_not_open_the_status_port(clean: Edge) -> None:
    nlb = {
        "name": "edge",
        "scheme": "internet-facing",
        "cross_zone": True,
        "certificate_arns": [clean.certificate],
        "tags": {"Team": "edge"},
        "source_ranges": ["192.0.2.0/24"],
    }
    item = {**GATEWAY, "name": "edge", "load_balancer": "nlb", "hosts": ["*.example.com"], "tls": "load_balancer", "redirect_http": True, "nlb": nlb}
    result = clean.declare(gateways=[item])
    balancer = clean.balancer("edge")
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internet-facing")
    assert result["gateways"][0]["address"] == balancer["DNSName"]
    assert (result["gateways"][0]["service"], result["gateways"][0]["deployment"]) == ("edge-istio", "edge-istio")
    assert {port: listener["Protocol"] for port, listener in clean.listeners("edge").items()} == {80: "TCP", 443: "TLS"}, "15021 must have no listener"
    assert [each["CertificateArn"] for each in clean.listeners("edge")[443]["Certificates"]] == [clean.certificate]
    assert clean.attributes("edge")["load_balancing.cross_zone.enabled"] == "true"
    assert clean.tags("edge")["Team"] == "edge"
    told = {(group["TargetType"], group["HealthCheckProtocol"], group["HealthCheckPort"], group["HealthCheckPath"]) for group in clean.groups("edge")}
    assert told == {("ip", "HTTP", "15021", "/healthz/ready")}
    opened = clean.client("ec2").describe_security_groups(GroupIds=balancer["SecurityGroups"])["SecurityGroups"]
    ports = {rule["FromPort"]: [each["CidrIp"] for each in rule["IpRanges"]] for group in opened for rule in group["IpPermissions"] if rule["IpRanges"]}
    assert ports == {80: ["192.0.2.0/24"], 443: ["192.0.2.0/24"]}
    again = clean.declare(gateways=[item])
    assert not again["changed"], again["diff"]


def test_proxy_protocol_is_probed_by_tcp_and_understood_by_the_gateway(clean: Edge) -> None:
    clean.declare(gateways=[{**GATEWAY, "name": "edge", "load_balancer": "nlb", "nlb": {"name": "edge", "proxy_protocol": True}}])
    assert clean.group_attributes("edge")["proxy_protocol_v2.enabled"] == "true"
    assert {group["HealthCheckProtocol"] for group in clean.groups("edge")} == {"TCP"}
    config = clean.get("deployment", "edge-istio")["spec"]["template"]["metadata"]["annotations"]["proxy.istio.io/config"]
    assert json.loads(config)["gatewayTopology"] == {"proxyProtocol": {}}


def test_the_controllers_refusal_ends_the_wait_in_its_own_words(clean: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    missing = f"arn:aws:acm:{account.REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
    begun = time.monotonic()
    result = clean.module(gateways=[GATEWAY], albs=[{**ALB, "certificate_arns": [missing]}], wait=True)
    assert result.get("failed"), "a certificate that is not there is no success"
    assert "the load balancer controller says: Failed deploy model due to" in result["msg"]
    assert missing in result["msg"]
    assert "It will not become ready by waiting" in result["msg"]
    with capsys.disabled():
        print(f"\na missing certificate was told after {time.monotonic() - begun:.1f} s")


@pytest.mark.requirement("E32")
def test_deletion_protection_blocks_until_it_is_overridden(clean: Edge) -> None:
    clean.declare(gateways=[GATEWAY], albs=[{**ALB, "deletion_protection": True}])
    absent = {"gateways": [GONE], "albs": [GONE]}
    refused = clean.module(wait=True, **absent)
    assert refused.get("failed")
    assert "has deletion protection" in refused["msg"]
    assert "public" in clean.balancers()
    gone = clean.declare(override_deletion_protection=True, **absent)
    assert gone["changed"]
    assert "public" not in clean.balancers()
    again = clean.declare(**absent)
    assert not again["changed"], again["diff"]


def test_the_guard_of_an_nlb_is_taken_off_in_the_same_way(clean: Edge) -> None:
    item = {**GATEWAY, "name": "edge", "load_balancer": "nlb", "nlb": {"name": "edge", "deletion_protection": True}}
    clean.declare(gateways=[item])
    refused = clean.module(gateways=[{**GONE, "name": "edge"}])
    assert "has deletion protection" in refused["msg"]
    clean.declare(gateways=[{**GONE, "name": "edge"}], override_deletion_protection=True)
    assert "edge" not in clean.balancers()


@pytest.mark.requirement("F2")
def test_a_load_balancer_is_not_left_behind_by_a_change_of_its_type(clean: Edge) -> None:
    clean.declare(gateways=[{**GATEWAY, "name": "edge", "load_balancer": "nlb", "nlb": {"name": "edge"}}])
    result = clean.module(gateways=[{**GATEWAY, "name": "edge", "load_balancer": "none"}])
    assert "leaves what was made in AWS behind" in result["msg"]
    renamed = clean.module(gateways=[{**GATEWAY, "name": "edge", "load_balancer": "nlb", "nlb": {"name": "other"}}])
    assert "nlb.name would change from edge to other" in renamed["msg"]
