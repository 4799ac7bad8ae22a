"""What exists after a run, by the name that a row of evidence gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.twin.support.edge import Balancer
from tests.twin.support.rehearsed import Rehearsed

# A service's name, and its boto3 client.
Clients = Callable[[str], Any]


class State:
    """Objects of the cluster and of AWS, the releases' values, and what tasks gave their modules.

    Args:
        rehearsed: the account, with kubectl for the cluster.
        client: boto3 clients of the cluster's region.
        recorded: the file of the callback recorded_tasks.
    """

    def __init__(self, rehearsed: Rehearsed, client: Clients, recorded: Path) -> None:
        self._rehearsed, self._client, self._recorded = rehearsed, client, recorded

    @staticmethod
    def has_order(of: str) -> bool:
        """Whether the order of lists means something; AWS answers many of them in any order."""
        kind = of.partition(" ")[0]
        return kind != "aws" and kind not in _COMPOSED

    def read(self, of: str) -> Any:
        """What a row of evidence names.

        Args:
            of: "Kind name", "Kind namespace/name", "objects KINDS [-n namespace]", "release namespace/name", "objects releases", "task NAME", "tasks",
                "aws SERVICE OPERATION {arguments}", or a word of _COMPOSED and a name.
        """
        kind, _, rest = of.partition(" ")
        if kind in _COMPOSED:
            return _COMPOSED[kind](self._client, rest)
        if kind == "task":
            return self._task(rest)
        if kind == "aws":
            service, operation, *given = rest.split(" ", 2)
            arguments = yaml.safe_load(given[0]) if given else {}
            return getattr(self._client(service), operation)(**arguments)
        if kind == "tasks":
            return sorted({line["task"].rpartition(" : ")[2] for line in self._lines()})
        if of == "objects releases":
            return [f"{each['namespace']}/{each['name']}" for each in json.loads(self._rehearsed.run(["helm", "list", "-A", "-o", "json"]))]
        if kind == "objects":
            return [each["metadata"]["name"] for each in self._rehearsed.get(*rest.split())["items"]]
        namespace, _, name = rest.rpartition("/")
        place = ("-n", namespace) if namespace else ()
        if kind == "release":
            return json.loads(self._rehearsed.run(["helm", "get", "values", name, "-o", "json", *place]))
        return self._rehearsed.get(kind, name, *place)

    def _task(self, name: str) -> list[Mapping[str, Any]]:
        """The arguments of each result of a task; "role : name" is one of this role, and "name" of any."""
        return [line["arguments"] for line in self._lines() if re.search(rf"(^|[ .]){re.escape(name)}$", line["task"])]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._recorded.read_text().splitlines()]


def _load_balancer(client: Clients, name: str) -> dict[str, Any]:
    """All that AWS has of a load balancer: itself, attributes, tags, listeners with rules, groups with attributes, and who may reach it."""
    elb, groups = client("elbv2"), client("ec2").describe_security_groups()["SecurityGroups"]
    balancer = Balancer(elb, elb.describe_load_balancers(Names=[name])["LoadBalancers"][0])
    return {
        "balancer": balancer.described,
        "attributes": balancer.attributes,
        "tags": balancer.tags,
        "listeners": [{**listener, "rules": balancer.rules(port)} for port, listener in balancer.listeners.items()],
        "groups": [{**group, "attributes": balancer.attributes_of(group)} for group in balancer.groups],
        "security_groups": [group for group in groups if group["GroupId"] in balancer.described.get("SecurityGroups", ())],
    }


def _association(client: Clients, account: str) -> dict[str, Any]:
    """The Pod Identity association of a service account, "cluster namespace/name"."""
    cluster, _, place = account.partition(" ")
    namespace, _, name = place.partition("/")
    found = client("eks").list_pod_identity_associations(clusterName=cluster, namespace=namespace, serviceAccount=name)["associations"]
    (identifier,) = [each["associationId"] for each in found]
    described: dict[str, Any] = client("eks").describe_pod_identity_association(clusterName=cluster, associationId=identifier)["association"]
    return described


def certificate_arn(client: Clients, domain: str) -> str:
    """The ARN of the only certificate of a domain."""
    # Without this filter, ACM lists only certificates with keys of RSA 2048.
    every = {"keyTypes": ["RSA_2048", "RSA_4096", "EC_prime256v1", "EC_secp384r1"]}
    found = client("acm").list_certificates(Includes=every)["CertificateSummaryList"]
    (arn,) = [each["CertificateArn"] for each in found if each["DomainName"] == domain]
    return str(arn)


def _certificate(client: Clients, domain: str) -> dict[str, Any]:
    """A certificate, with its tags."""
    acm, arn = client("acm"), certificate_arn(client, domain)
    return {**acm.describe_certificate(CertificateArn=arn)["Certificate"], "Tags": acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}


def _web_acl(client: Clients, name: str) -> dict[str, Any]:
    waf = client("wafv2")
    (found,) = [each for each in waf.list_web_acls(Scope="REGIONAL")["WebACLs"] if each["Name"] == name]
    described: dict[str, Any] = waf.get_web_acl(Scope="REGIONAL", Name=name, Id=found["Id"])["WebACL"]
    return described


def _web_acl_of(client: Clients, balancer: str) -> dict[str, Any]:
    (found,) = client("elbv2").describe_load_balancers(Names=[balancer])["LoadBalancers"]
    described: dict[str, Any] = client("wafv2").get_web_acl_for_resource(ResourceArn=found["LoadBalancerArn"])["WebACL"]
    return described


# What takes more than one request to read.
_COMPOSED: dict[str, Callable[[Clients, str], Any]] = {
    "association": _association,
    "certificate": _certificate,
    "load-balancer": _load_balancer,
    "web-acl": _web_acl,
    "web-acl-of": _web_acl_of,
}
