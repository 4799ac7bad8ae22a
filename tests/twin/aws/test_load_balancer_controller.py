"""The real load balancer controller on the EKS cluster of a rehearsed account: what it makes is read back from the AWS API."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.polling import until
from tests.stages.twins import environment_for
from tests.twin.support.rehearsed import Rehearsed
from twin.aws import account
from twin.paths import TwinPaths
from twin.supervisor import Supervisor

_CONTROLLER = "aws-load-balancer-controller"
_SELECTOR = f"app.kubernetes.io/name={_CONTROLLER}"
# A new leader waits until the lease of one that died has run out (15 s), unless that was taken away.
_LEADER_SECONDS = 60
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Eks:
    """A cluster with the controller, and the account that it is in."""

    account: Rehearsed
    environment: dict[str, str]

    @property
    def twin(self) -> TwinPaths:
        return TwinPaths(f"{self.account.name}-{self.account.cluster}")

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def subnets(self, role: str) -> list[str]:
        """The subnets that are tagged for internet-facing (elb) or internal (internal-elb) load balancers."""
        desired = [{"Name": "tag-key", "Values": [f"kubernetes.io/role/{role}"]}]
        return sorted(subnet["SubnetId"] for subnet in self.client("ec2").describe_subnets(Filters=desired)["Subnets"])

    def run(self, *command: str, given: str | None = None, must: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in the cluster's environment."""
        done = subprocess.run(command, env=self.environment, input=given, check=False, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0 or not must, f"{' '.join(command)}: {done.stderr[-2000:]}"
        return done

    def get(self, *arguments: str) -> Any:
        return json.loads(self.run("kubectl", "get", *arguments, "-o", "json").stdout)

    def apply(self, *objects: dict[str, Any]) -> None:
        self.run("kubectl", "apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def controllers(self) -> list[dict[str, Any]]:
        """The controller's pods that are to stay."""
        pods: list[dict[str, Any]] = self.get("pods", "-n", "kube-system", "-l", _SELECTOR)["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def restart_controllers(self) -> None:
        """New pods in place of the present ones; returns when they are Ready and nobody leads any more."""
        before = {pod["metadata"]["name"] for pod in self.controllers()}

        def anew() -> bool:
            pods = self.controllers()
            statuses = [status for pod in pods for status in pod["status"].get("containerStatuses") or ()]
            fresh = not before & {pod["metadata"]["name"] for pod in pods}
            return fresh and len(statuses) == len(before) and all(status["ready"] for status in statuses)

        self.run("kubectl", "delete", "pods", "-n", "kube-system", "-l", _SELECTOR)
        until(anew, "new pods of the controller to be ready", 60)
        self.end_lease()

    def end_lease(self) -> None:
        """Take the lease of a leader that is gone, so that the next need not wait until it has run out."""
        self.run("kubectl", "delete", "lease", "-n", "kube-system", f"{_CONTROLLER}-leader", "--ignore-not-found")

    def address(self, kind: str, name: str, namespace: str, seconds: float = 60) -> str:
        """The host name that an object got from its load balancer."""

        def look() -> str:
            status = self.get(kind, name, "-n", namespace).get("status") or {}
            if kind == "gateway":
                return str((status.get("addresses") or [{}])[0].get("value") or "")
            return str(((status.get("loadBalancer") or {}).get("ingress") or [{}])[0].get("hostname") or "")

        return str(until(look, f"{kind} {namespace}/{name} to have an address", seconds, context=lambda: self.events(namespace)))

    def events(self, namespace: str) -> list[str]:
        """What was said of the objects of a namespace, warnings only."""
        return [f"{item['reason']}: {item['message']}" for item in self.get("events", "-n", namespace)["items"] if item["type"] == "Warning"]

    def balancer(self, host: str) -> dict[str, Any]:
        """The load balancer with this host name, once it is active."""
        elb = self.client("elbv2")
        (found,) = [each for each in elb.describe_load_balancers()["LoadBalancers"] if each["DNSName"] == host]
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[found["LoadBalancerArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        described: dict[str, Any] = elb.describe_load_balancers(LoadBalancerArns=[found["LoadBalancerArn"]])["LoadBalancers"][0]
        return described

    def listeners(self, balancer: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """The listeners of a load balancer, by port."""
        found = self.client("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        return {listener["Port"]: listener for listener in found}

    def target_group(self, balancer: dict[str, Any]) -> dict[str, Any]:
        """The one target group of a load balancer, with the targets that are healthy."""
        elb = self.client("elbv2")
        (group,) = elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]

        def look() -> list[dict[str, Any]]:
            reported = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
            return [each["Target"] for each in reported] if reported and all(each["TargetHealth"]["State"] == "healthy" for each in reported) else []

        return {**group, "Targets": until(look, f"the targets of {group['TargetGroupName']} to be healthy", 30)}


@pytest.fixture(scope="module")
def eks(prod: Rehearsed) -> Eks:
    """The cluster of the rehearsed account, which has the controller with its role."""
    return Eks(prod, environment_for(f"{prod.name}-{prod.cluster}"))


@pytest.fixture
def shop(eks: Eks) -> Iterator[str]:
    """A namespace with a Deployment of two pods; with it goes what a test made in it."""
    # Namespaces take their time to go; the next test need not wait for that of the last.
    with _workload(eks, f"shop-{next(_NUMBERS)}") as namespace:
        yield namespace


@contextmanager
def _workload(eks: Eks, namespace: str) -> Iterator[str]:
    ports = [{"name": "http", "containerPort": 8080}, {"name": "status-port", "containerPort": 15021}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web", "ports": ports}]}}
    eks.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
    )
    try:
        eks.run("kubectl", "rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
        yield namespace
    finally:
        eks.run("kubectl", "delete", "ingress,service,gateway", "--all", "-n", namespace, "--timeout=90s", "--ignore-not-found")
        eks.run("kubectl", "delete", "namespace", namespace, "--wait=false")


def _service(namespace: str, kind: str, **annotations: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "status-port", "port": 15021, "targetPort": 15021}]
    metadata = {"name": "web", "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"type": kind, "selector": {"app": "web"}, "ports": ports}}


def _ingress(namespace: str, **annotations: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    named = {f"alb.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {"name": "web", "namespace": namespace, "annotations": named}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {"ingressClassName": "alb", "rules": [rule]}}


def test_two_replicas_serve_side_by_side(eks: Eks) -> None:
    pods = eks.controllers()
    assert [status["ready"] for pod in pods for status in pod["status"]["containerStatuses"]] == [True, True]
    slices = eks.get("endpointslices", "-n", "kube-system", "-l", "kubernetes.io/service-name=aws-load-balancer-webhook-service")["items"]
    served = {address for each in slices for endpoint in each["endpoints"] if endpoint["conditions"]["ready"] for address in endpoint["addresses"]}
    assert served == {pod["status"]["podIP"] for pod in pods}, "the endpoints of the webhooks are not the controller's pods"
    assert {port["port"] for each in slices for port in each["ports"]} == {9443}
    held = until(lambda: eks.get("lease", f"{_CONTROLLER}-leader", "-n", "kube-system")["spec"].get("holderIdentity"), "a leader", 30)
    assert held


def test_its_webhooks_answer(eks: Eks) -> None:
    service = json.dumps(_service("default", "LoadBalancer"))
    # Each call goes to one of the two replicas.
    for _ in range(6):
        admitted = json.loads(eks.run("kubectl", "create", "--dry-run=server", "-o", "json", "-f", "-", given=service).stdout)
        assert admitted["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    parameters = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "IngressClassParams",
        "metadata": {"name": "wrong"},
        "spec": {"subnets": {"ids": ["subnet-1", "subnet-1"]}},
    }
    refused = eks.run("kubectl", "create", "--dry-run=server", "-f", "-", given=json.dumps(parameters), must=False)
    assert refused.returncode != 0
    assert "vingressclassparams.elbv2.k8s.aws" in refused.stderr
    assert "subnet-1" in refused.stderr


def test_an_alb_sends_to_pods(eks: Eks, shop: str) -> None:
    eks.apply(
        _service(shop, "ClusterIP"),
        _ingress(
            shop,
            load_balancer_name="to-pods",
            scheme="internet-facing",
            target_type="ip",
            healthcheck_port="status-port",
            healthcheck_path="/healthz/ready",
            load_balancer_attributes="idle_timeout.timeout_seconds=90",
        ),
    )
    balancer = eks.balancer(eks.address("ingress", "web", shop))
    assert (balancer["LoadBalancerName"], balancer["Type"], balancer["Scheme"]) == ("to-pods", "application", "internet-facing")
    assert sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]) == eks.subnets("elb")
    elb = eks.client("elbv2")
    attributes = {each["Key"]: each["Value"] for each in elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]}
    assert attributes["idle_timeout.timeout_seconds"] == "90"
    listeners = eks.listeners(balancer)
    assert {port: listener["Protocol"] for port, listener in listeners.items()} == {80: "HTTP"}
    rules = elb.describe_rules(ListenerArn=listeners[80]["ListenerArn"])["Rules"]
    hosts = [condition["HostHeaderConfig"]["Values"] for rule in rules for condition in rule["Conditions"] if condition["Field"] == "host-header"]
    assert hosts == [["shop.example.com"]]
    group = eks.target_group(balancer)
    assert (group["TargetType"], group["HealthCheckPort"], group["HealthCheckPath"]) == ("ip", "15021", "/healthz/ready")
    pods = eks.get("pods", "-n", shop)["items"]
    assert {(target["Id"], target["Port"]) for target in group["Targets"]} == {(pod["status"]["podIP"], 8080) for pod in pods}


def test_an_alb_sends_to_instances(eks: Eks, shop: str) -> None:
    eks.apply(_service(shop, "NodePort"), _ingress(shop, scheme="internal", target_type="instance", healthcheck_port="status-port"))
    balancer = eks.balancer(eks.address("ingress", "web", shop))
    assert (balancer["Scheme"], balancer["DNSName"].startswith("internal-")) == ("internal", True)
    ports = {port["name"]: port["nodePort"] for port in eks.get("service", "web", "-n", shop)["spec"]["ports"]}
    group = eks.target_group(balancer)
    assert (group["TargetType"], group["HealthCheckPort"]) == ("instance", str(ports["status-port"]))
    instances = {node["spec"]["providerID"].rpartition("/")[2] for node in eks.get("nodes")["items"]}
    assert {(target["Id"], target["Port"]) for target in group["Targets"]} == {(instance, ports["http"]) for instance in instances}


def test_an_nlb_in_front_of_a_gateway(eks: Eks, shop: str) -> None:
    annotations = {
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
        "service.beta.kubernetes.io/aws-load-balancer-attributes": "load_balancing.cross_zone.enabled=true",
    }
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    spec = {"gatewayClassName": "istio", "infrastructure": {"annotations": annotations}, "listeners": [listener]}
    metadata = {"name": "edge", "namespace": shop}
    eks.apply({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec})
    balancer = eks.balancer(eks.address("gateway", "edge", shop))
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internet-facing")
    assert {port: each["Protocol"] for port, each in eks.listeners(balancer).items()} == {80: "TCP", 15021: "TCP"}
    elb = eks.client("elbv2")
    attributes = {each["Key"]: each["Value"] for each in elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]}
    assert attributes["load_balancing.cross_zone.enabled"] == "true"
    (pod,) = eks.get("pods", "-n", shop, "-l", "gateway.networking.k8s.io/gateway-name=edge")["items"]
    for group in elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]:
        reported = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        assert [each["Target"]["Id"] for each in reported] == [pod["status"]["podIP"]], group["TargetGroupName"]


def test_a_certificate_that_is_not_there(eks: Eks, shop: str) -> None:
    missing = f"arn:aws:acm:{account.REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
    eks.apply(_service(shop, "ClusterIP"), _ingress(shop, target_type="ip", listen_ports='[{"HTTPS": 443}]', certificate_arn=missing))
    expected = until(lambda: [each for each in eks.events(shop) if "CertificateNotFound" in each], "an event that names CertificateNotFound", 60)
    assert expected[0].startswith("FailedDeployModel")
    assert missing in expected[0]


def test_a_deletion_protection_holds(eks: Eks, shop: str) -> None:
    eks.apply(_service(shop, "ClusterIP"), _ingress(shop, target_type="ip", load_balancer_attributes="deletion_protection.enabled=true"))
    balancer = eks.balancer(eks.address("ingress", "web", shop))
    elb, arn = eks.client("elbv2"), balancer["LoadBalancerArn"]
    try:
        with pytest.raises(elb.exceptions.OperationNotPermittedException, match="deletion protection is enabled"):
            elb.delete_load_balancer(LoadBalancerArn=arn)
    finally:
        eks.apply(_ingress(shop, target_type="ip", load_balancer_attributes="deletion_protection.enabled=false"))


def test_shield_protects_an_alb_until_it_is_told_not_to(eks: Eks, shop: str) -> None:
    shield = eks.client("shield")

    def protections(arn: str) -> list[str]:
        return [each["Name"] for each in shield.list_protections()["Protections"] if each["ResourceArn"] == arn]

    eks.apply(_service(shop, "ClusterIP"), _ingress(shop, target_type="ip", shield_advanced_protection="true"))
    arn = eks.balancer(eks.address("ingress", "web", shop))["LoadBalancerArn"]
    until(lambda: protections(arn) == ["managed by aws-load-balancer-controller"], "the protection", 30, context=lambda: eks.events(shop))
    eks.apply(_ingress(shop, target_type="ip", shield_advanced_protection="false"))
    until(lambda: protections(arn) == [], "the protection to be taken off", 30, context=lambda: eks.events(shop))


def test_what_is_deleted_goes_from_aws(eks: Eks) -> None:
    with _workload(eks, "passing") as namespace:
        eks.apply(_service(namespace, "ClusterIP"), _ingress(namespace, load_balancer_name="passing", target_type="ip"))
        eks.balancer(eks.address("ingress", "web", namespace))
    elb = eks.client("elbv2")
    assert "passing" not in {each["LoadBalancerName"] for each in elb.describe_load_balancers()["LoadBalancers"]}
    assert not [each for each in elb.describe_target_groups()["TargetGroups"] if "-passing-" in each["TargetGroupName"]]


def test_a_controller_that_dies_comes_back(eks: Eks, shop: str) -> None:
    supervisor = Supervisor(eks.twin)
    died = {program.name: program.pid for program in supervisor.programs() if program.name.startswith(_CONTROLLER)}
    for pid in died.values():
        os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        statuses = [status for pod in eks.controllers() for status in pod["status"]["containerStatuses"]]
        return len(statuses) == len(died) and all(status["ready"] and status["restartCount"] for status in statuses)

    until(back, "the controllers to be ready again", 60)
    eks.end_lease()
    eks.apply(_service(shop, "ClusterIP"), _ingress(shop, target_type="ip"))
    assert eks.balancer(eks.address("ingress", "web", shop, _LEADER_SECONDS))


def test_without_an_association_the_controller_may_do_nothing(eks: Eks, shop: str) -> None:
    cluster, name = eks.client("eks"), eks.account.cluster
    (listed,) = cluster.list_pod_identity_associations(clusterName=name, serviceAccount=_CONTROLLER)["associations"]
    association = cluster.describe_pod_identity_association(clusterName=name, associationId=listed["associationId"])["association"]
    cluster.delete_pod_identity_association(clusterName=name, associationId=listed["associationId"])
    try:
        eks.restart_controllers()
        eks.apply(_service(shop, "ClusterIP"), _ingress(shop, target_type="ip"))
        expected = until(lambda: [each for each in eks.events(shop) if "credentials" in each], "an event that names the missing credentials", _LEADER_SECONDS)
        assert expected[0].startswith("FailedBuildModel")
        assert eks.get("ingress", "web", "-n", shop)["status"]["loadBalancer"] == {}
    finally:
        kept = {key: association[key] for key in ("clusterName", "namespace", "serviceAccount", "roleArn", "tags")}
        cluster.create_pod_identity_association(**kept)
        eks.restart_controllers()
        # Its finalizers can only be taken away by one that may ask AWS.
        eks.address("ingress", "web", shop, _LEADER_SECONDS)
