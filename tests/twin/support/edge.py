"""The edge of a rehearsed account: what the modules of ingress declare there, and what AWS then has, according to its API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.meshwright.ambient.plugins.filter.ingress import ingress_items, ingress_result
from tests.stages.twins import environment_for
from tests.twin.support.certificates import make_certificate
from tests.twin.support.rehearsed import Rehearsed
from twin.paths import TwinPaths

# What the controller writes on all that it makes, and what says where it is; two load balancers never have these in common.
_OF_THE_CONTROLLER = ("elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/")


@dataclass(frozen=True)
class Edge:
    """A namespace of a rehearsed cluster for gateways of a test file's own.

    Attributes:
        account: the account of the cluster.
        namespace: made with the first gateway.
    """

    account: Rehearsed
    namespace: str

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def gateway(self, name: str, **options: Any) -> dict[str, Any]:
        """An item of ingress_gateways that has an ALB in front, unless the options say otherwise."""
        return {"name": name, "namespace": self.namespace, "load_balancer": "alb", **options}

    def alb(self, name: str, **options: Any) -> dict[str, Any]:
        """An item of ingress_albs; load balancer and gateway have its name, unless the options say otherwise."""
        return {"name": name, "namespace": self.namespace, "gateway": name, "load_balancer_name": name, **options}

    def gone(self, name: str) -> dict[str, Any]:
        """An item of either that should not be there."""
        return {"name": name, "namespace": self.namespace, "state": "absent"}

    @cached_property
    def kubeconfig(self) -> str:
        return str(TwinPaths(f"{self.account.name}-{self.account.cluster}").kubeconfig)

    def module(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the modules of ingress; their joint result, whether or not one failed."""
        return run_modules(self.account, self.kubeconfig, check=check, **options)

    def declare(self, **options: Any) -> dict[str, Any]:
        """Run the modules of ingress and wait; they must succeed."""
        result = self.module(wait=True, **options)
        assert not result.get("failed"), result["msg"]
        return result

    def remove(self, *names: str, albs: tuple[str, ...] = ()) -> None:
        """Take away gateways and ALBs, guarded or not, whether or not they are there."""
        gateways, ingresses = [self.gone(name) for name in names], [self.gone(name) for name in (*names, *albs)]
        result = self.module(gateways=gateways, albs=ingresses, override_deletion_protection=True, force_conflicts=True)
        assert not result.get("failed"), result["msg"]

    def run(self, *command: str, given: str | None = None) -> str:
        """Run a program as the cluster's administrator."""
        environment = environment_for(f"{self.account.name}-{self.account.cluster}")
        done = subprocess.run(command, env=environment, input=given, check=False, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
        return done.stdout

    def get(self, kind: str, *more: str) -> dict[str, Any]:
        """What kubectl get tells of the namespace."""
        found: dict[str, Any] = self.account.get(kind, *more, "-n", self.namespace)
        return found

    def node_ports(self, service: str) -> dict[str, int]:
        """The node ports of a Service, by the names of its ports."""
        return {port["name"]: port["nodePort"] for port in self.get("service", service)["spec"]["ports"]}

    def public_subnets(self) -> list[str]:
        """The subnets of the cluster's VPC that lead to the internet, in order."""
        return self._subnets("kubernetes.io/role/elb")

    def private_subnets(self) -> list[str]:
        """Those in which the nodes are, in order."""
        return self._subnets("kubernetes.io/role/internal-elb")

    def _subnets(self, role: str) -> list[str]:
        vpc = self.client("eks").describe_cluster(name=self.account.cluster)["cluster"]["resourcesVpcConfig"]["vpcId"]
        desired = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "tag-key", "Values": [role]}]
        return sorted(subnet["SubnetId"] for subnet in self.client("ec2").describe_subnets(Filters=desired)["Subnets"])

    @contextmanager
    def certificates(self, *names: tuple[str, ...]) -> Iterator[list[str]]:
        """The ARNs of certificates that are imported, and so issued at once; gone after the block."""
        acm = self.client("acm")
        made = [make_certificate(*hosts) for hosts in names]
        arns = [str(acm.import_certificate(Certificate=each.public, PrivateKey=each.private)["CertificateArn"]) for each in made]
        try:
            yield arns
        finally:
            for arn in arns:
                acm.delete_certificate(CertificateArn=arn)

    @contextmanager
    def web_acl(self, name: str) -> Iterator[str]:
        """The ARN of a web ACL that lets everything pass; gone after the block."""
        waf = self.client("wafv2")
        visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": name}
        made = waf.create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible, Rules=[])["Summary"]
        try:
            yield str(made["ARN"])
        finally:
            lock = waf.get_web_acl(Name=name, Scope="REGIONAL", Id=made["Id"])["LockToken"]
            waf.delete_web_acl(Name=name, Scope="REGIONAL", Id=made["Id"], LockToken=lock)

    def names(self) -> list[str]:
        """The names of all load balancers of the account."""
        return [each["LoadBalancerName"] for each in self.client("elbv2").describe_load_balancers()["LoadBalancers"]]

    def balancer(self, name: str) -> Balancer:
        """A load balancer as it is now."""
        elb = self.client("elbv2")
        return Balancer(elb, elb.describe_load_balancers(Names=[name])["LoadBalancers"][0])

    def web_acl_of(self, arn: str) -> str | None:
        """The web ACL in front of a load balancer."""
        attached = self.client("wafv2").get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
        return str(attached["ARN"]) if attached else None

    def is_shielded(self, arn: str) -> bool:
        """Whether Shield Advanced protects a load balancer."""
        return arn in [each["ResourceArn"] for each in self.client("shield").list_protections()["Protections"]]

    def forget_protection(self, name: str) -> None:
        """Delete what Shield keeps of a load balancer that is gone: its controller takes a protection off by the annotation alone."""
        shield = self.client("shield")
        for each in shield.list_protections()["Protections"]:
            if f"/{name}/" in each["ResourceArn"]:
                shield.delete_protection(ProtectionId=each["Id"])


def run_modules(
    account: Rehearsed,
    kubeconfig: str,
    *,
    gateways: Sequence[dict[str, Any]] = (),
    albs: Sequence[dict[str, Any]] = (),
    check: bool = False,
    wait: bool = False,
    wait_timeout: int = 90,
    **allowances: bool,
) -> dict[str, Any]:
    """Declare gateways and ALBs as the role ingress does; the joint result, or that of the first module that failed."""
    items = ingress_items({"gateways": gateways, "albs": albs, "routes": []}, [])
    common = {"kubeconfig": kubeconfig, **allowances}
    waiting = {**common, "wait": wait, "wait_timeout": wait_timeout}
    planned = {"namespaces": [item["namespace"] for item in gateways], "services": items["services"]}
    runs = [
        ("check", "ingress_check", {**common, "gateways": items["gateways"], "albs": items["albs"]}, gateways and albs),
        ("gateways", "ingress_gateway", {**waiting, "gateways": items["present_gateways"]}, items["present_gateways"]),
        ("albs", "ingress_alb", {**waiting, "albs": items["albs"], "planned": planned}, albs),
        ("deleted", "ingress_gateway", {**waiting, "gateways": items["absent_gateways"]}, items["absent_gateways"]),
    ]
    results: dict[str, dict[str, Any]] = {}
    for name, module, arguments, needed in runs:
        results[name] = account.module(module, arguments, check=check) if needed else {}
        if results[name].get("failed"):
            return results[name]
    joint = ingress_result({"gateways": results["gateways"], "albs": results["albs"], "deleted_gateways": results["deleted"]})
    return {**joint, "elapsed": sum(result.get("elapsed", 0.0) for result in results.values())}


@dataclass(frozen=True)
class Balancer:
    """A load balancer as Elastic Load Balancing tells it."""

    elb: Any
    described: dict[str, Any]

    @property
    def arn(self) -> str:
        return str(self.described["LoadBalancerArn"])

    @property
    def host(self) -> str:
        return str(self.described["DNSName"])

    @property
    def kind(self) -> tuple[str, str]:
        """Type and scheme."""
        return self.described["Type"], self.described["Scheme"]

    @property
    def subnets(self) -> list[str]:
        return sorted(zone["SubnetId"] for zone in self.described["AvailabilityZones"])

    @cached_property
    def attributes(self) -> dict[str, str]:
        return _pairs(self.elb.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"])

    @cached_property
    def tags(self) -> dict[str, str]:
        return _pairs(self.elb.describe_tags(ResourceArns=[self.arn])["TagDescriptions"][0]["Tags"])

    @cached_property
    def listeners(self) -> dict[int, dict[str, Any]]:
        """The listeners by port."""
        return {listener["Port"]: listener for listener in self.elb.describe_listeners(LoadBalancerArn=self.arn)["Listeners"]}

    @property
    def protocols(self) -> dict[int, str]:
        return {port: listener["Protocol"] for port, listener in sorted(self.listeners.items())}

    def certificates(self, port: int) -> tuple[str, list[str]]:
        """The default certificate of a listener, and those that it chooses by name."""
        found = self.elb.describe_listener_certificates(ListenerArn=self.listeners[port]["ListenerArn"])["Certificates"]
        return self.listeners[port]["Certificates"][0]["CertificateArn"], sorted(each["CertificateArn"] for each in found if not each["IsDefault"])

    def rules(self, port: int) -> list[dict[str, Any]]:
        """The rules of a listener in the order in which they are tried, without the default."""
        found = self.elb.describe_rules(ListenerArn=self.listeners[port]["ListenerArn"])["Rules"]
        return sorted((rule for rule in found if rule["Priority"] != "default"), key=lambda rule: int(rule["Priority"]))

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        """The target groups, by port."""
        found = self.elb.describe_target_groups(LoadBalancerArn=self.arn)["TargetGroups"]
        return sorted(found, key=lambda group: int(group["Port"]))

    @property
    def group(self) -> dict[str, Any]:
        """The only target group."""
        (group,) = self.groups
        return group

    def attributes_of(self, group: dict[str, Any]) -> dict[str, str]:
        return _pairs(self.elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"])

    def targets(self, group: dict[str, Any]) -> set[tuple[str, int]]:
        """What the target group sends to, healthy or not."""
        reported = self.elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        return {(each["Target"]["Id"], each["Target"]["Port"]) for each in reported}

    def options(self) -> dict[str, Any]:
        """All that a load balancer's options decide, without what tells it from another with the same ones."""
        return {
            "kind": self.kind,
            "subnets": self.subnets,
            "attributes": self.attributes,
            "tags": {key: value for key, value in self.tags.items() if not key.startswith(_OF_THE_CONTROLLER)},
            "listeners": {
                port: (listener["Protocol"], listener.get("SslPolicy"), self.certificates(port) if listener.get("Certificates") else None)
                for port, listener in self.listeners.items()
            },
            "groups": [{**health_check(group), "TargetType": group["TargetType"], **self.attributes_of(group)} for group in self.groups],
        }


def health_check(group: dict[str, Any]) -> dict[str, Any]:
    """How a target group asks for health."""
    return {key.removeprefix("HealthCheck"): value for key, value in group.items() if key.startswith(("HealthCheck", "Healthy", "Unhealthy", "Matcher"))}


def opened(edge: Edge, balancer: Balancer) -> dict[int, list[str]]:
    """The ports that a load balancer's security groups open, each with the ranges it is opened to."""
    groups = edge.client("ec2").describe_security_groups(GroupIds=balancer.described["SecurityGroups"])["SecurityGroups"]
    return {rule["FromPort"]: [each["CidrIp"] for each in rule["IpRanges"]] for group in groups for rule in group["IpPermissions"] if rule["IpRanges"]}


def proxy_config_of(edge: Edge, gateway: str) -> tuple[dict[str, Any], int]:
    """What the pods of a Gateway are given for the load balancer in front, and the seconds that they get to end."""
    (pod, *_rest) = edge.get("pods", "-l", f"gateway.networking.k8s.io/gateway-name={gateway}")["items"]
    return json.loads(pod["metadata"]["annotations"]["proxy.istio.io/config"]), pod["spec"]["terminationGracePeriodSeconds"]


def _pairs(described: list[dict[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in described}
