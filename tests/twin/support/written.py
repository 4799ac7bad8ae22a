"""What a run has changed, object by object, from the logs of the API server and of the local AWS; in the words of announced.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.twin.support.writes import events_of_people, is_write_of_others

# Helm writes the objects of a release, and then the record of its revision.
_HELM = "Helm/"
_RECORD = re.compile(r"sh\.helm\.release\.v1\.(.+)\.v\d+")
_KINDS = {
    "configmaps": "ConfigMap",
    "customresourcedefinitions.apiextensions.k8s.io": "CustomResourceDefinition",
    "deployments.apps": "Deployment",
    "gateways.gateway.networking.k8s.io": "Gateway",
    # As the module istio_ingress calls it.
    "gateways.networking.istio.io": "IstioGateway",
    "horizontalpodautoscalers.autoscaling": "HorizontalPodAutoscaler",
    "httproutes.gateway.networking.k8s.io": "HTTPRoute",
    "ingresses.networking.k8s.io": "Ingress",
    "namespaces": "Namespace",
    "poddisruptionbudgets.policy": "PodDisruptionBudget",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "services": "Service",
    "validatingadmissionpolicies.admissionregistration.k8s.io": "ValidatingAdmissionPolicy",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": "ValidatingAdmissionPolicyBinding",
    "virtualservices.networking.istio.io": "VirtualService",
}
# Steps on the way to an object that is announced as a whole, or records that show that a certificate's domain is ours.
_PARTS = {
    *("ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:CreateRoute", "ec2:ModifySubnetAttribute"),
    *("ec2:ModifyVpcAttribute", "route53:ChangeResourceRecordSets"),
}
# What has no name of its own at its creation, or one that consists of several parameters.
_CREATED = {
    "ec2:CreateInternetGateway": "internet gateway",
    "ec2:CreateNatGateway": "NAT gateway",
    "ec2:CreateRouteTable": "route table",
    "ec2:CreateSubnet": "subnet {CidrBlock}",
    "ec2:CreateVpc": "VPC {CidrBlock}",
    "eks:CreatePodIdentityAssociation": "association {namespace}/{serviceAccount}",
}
# The parameter that names the object of a write, by service; the first one that is given counts.
_NAMED: dict[str, tuple[tuple[str, str], ...]] = {
    "acm": (("DomainName", "certificate"),),
    "eks": (("nodegroupName", "node group"), ("addonName", "add-on"), ("principalArn", "access entry"), ("name", "cluster")),
    "iam": (("RoleName", "IAM role"), ("PolicyName", "IAM policy")),
    "route53": (("Name", "hosted zone"),),
    "s3": (("Bucket", "bucket"),),
    "sqs": (("QueueName", "queue"),),
    "wafv2": (("Name", "web ACL"),),
}
# What stands for an object in its ARN, after the account.
_IN_ARNS = {
    "addon": (2, "add-on"),
    "cluster": (1, "cluster"),
    "nodegroup": (2, "node group"),
    "policy": (-1, "IAM policy"),
    "regional": (2, "web ACL"),
}


def written_in_cluster(audit_log: Path, since: int = 0) -> set[str]:
    """The objects that people and tools have changed, as "Kind namespace/name"; those of a chart as "Release namespace/name".

    Args:
        audit_log: the log of the API server.
        since: how many bytes of it are older.
    """
    return {written for event in events_of_people(audit_log, since) if event["responseStatus"]["code"] < 300 for written in _object_of(event)}


def written_in_aws(requests: Iterable[Mapping[str, Any]], identified: Mapping[str, str]) -> set[str]:
    """The objects that people and tools have changed in AWS, as "kind name".

    Args:
        requests: lines of the request log that change something.
        identified: objects by the identifiers or ARNs that AWS has given them.
    """
    own = (line for line in requests if not is_write_of_others(line) and line["status"] < 300)
    return {written for line in own for written in _resources_of(line, identified)}


def _object_of(event: Mapping[str, Any]) -> Iterable[str]:
    reference = event["objectRef"]
    namespace, name = reference.get("namespace", ""), reference.get("name", "")
    resource = ".".join(filter(None, (reference["resource"], reference.get("apiGroup"))))
    record = _RECORD.fullmatch(name)
    if event["userAgent"].startswith(_HELM):
        if record:
            yield f"Release {namespace}/{record[1]}"
        return
    place = f"{namespace}/{name}" if namespace and resource != "namespaces" else name
    yield f"{_KINDS.get(resource, resource)} {place}"


def _resources_of(line: Mapping[str, Any], identified: Mapping[str, str]) -> Iterable[str]:
    names, operation = line["names"], f"{line['service']}:{line['operation']}"
    if operation == "ec2:CreateTags":
        # The address of a NAT gateway is part of it.
        yield from (identified[each] for each in names["Resources"].split(",") if each in identified)
    elif operation in _CREATED:
        yield _CREATED[operation].format(**names)
    elif operation not in _PARTS:
        yield _resource_of(line["service"], operation, names, identified)


def _resource_of(service: str, operation: str, names: Mapping[str, str], identified: Mapping[str, str]) -> str:
    found = next((identified[value] for value in names.values() if value in identified), None)
    if found is None:
        found = next((f"{kind} {names[parameter].rstrip('.')}" for parameter, kind in _NAMED.get(service, ()) if parameter in names), None)
    if found is None:
        found = next((titled for value in names.values() if (titled := _titled(value))), None)
    # What is not known here is not announced in these words either, so the test shows it.
    return found or f"{operation} {dict(names)}"


def _titled(arn: str) -> str | None:
    """The object of an ARN."""
    parts = arn.partition("arn:")[2].split(":", 4)[-1].split("/")
    if parts[0] not in _IN_ARNS:
        return None
    place, kind = _IN_ARNS[parts[0]]
    return f"{kind} {parts[place]}"
