"""What a run in check mode announces, object by object, from the record of its tasks' results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Result = Mapping[str, Any]


def announced(recorded: Path) -> set[str]:
    """The objects that a run says it changes, as "Kind namespace/name" or "kind name".

    Args:
        recorded: the file of the callback recorded_tasks.

    Raises:
        LookupError: a task says that it changes something, and its module is not known here.
    """
    return {found for line in _lines(recorded) for each in _items(line["result"]) for found in _objects(line["module"], line["task"], each)}


def parts_of_waypoints(recorded: Path) -> dict[str, str]:
    """The objects of which waypoints consist, each with the waypoint: check mode announces it as a whole."""
    parts: dict[str, str] = {}
    for line in _lines(recorded):
        for each in line["result"].get("waypoints", ()) if line["module"] == "meshwright.ambient.waypoint" else ():
            place, title = f"{each['namespace']}/{each['name']}", f"Waypoint {each['namespace']}/{each['name']}"
            parts |= {f"Gateway {place}": title, f"ConfigMap {place}-parameters": title, f"Deployment {place}": title}
            parts |= {f"{left['kind']} {each['namespace']}/{left['name']}": title for left in each["removed"]}
    return parts


def _lines(recorded: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recorded.read_text().splitlines()]


def _items(result: Result) -> Iterator[Result]:
    """The results of a loop, or that of a task without one."""
    yield from (each for each in result.get("results", [result]) if each.get("changed"))


def _objects(module: str, task: str, result: Result) -> Iterable[str]:
    read = _READERS.get(module)
    if read is None:
        raise LookupError(f"the task {task} says that it changes something, and what {module} changes is not known here")
    return read(result)


def _arguments(result: Result) -> Result:
    arguments: Result = result["invocation"]["module_args"]
    return arguments


def _named(kind: str, argument: str = "name") -> Callable[[Result], list[str]]:
    """A module that manages one object, which an argument names."""
    return lambda result: [f"{kind} {_arguments(result)[argument]}"]


def _listed(key: str, kind: str, *fields: str) -> Callable[[Result], list[str]]:
    """A module whose result lists objects of one kind."""
    return lambda result: [f"{kind} {'/'.join(str(each[field]) for field in fields)}" for each in result[key] if each["changed"]]


def _place(each: Mapping[str, Any]) -> str:
    return f"{each['kind']} {each['namespace'] + '/' if each.get('namespace') else ''}{each['name']}"


def _ingress(result: Result) -> list[str]:
    """Objects, and the namespaces that are created or labelled, which stand in the diff alone."""
    titles = (str(each["after_header"]).removesuffix(" (desired)") for each in result["diff"])
    return [*(_place(each) for each in result["objects"] if each["changed"]), *(title for title in titles if title.startswith("Namespace "))]


def _waypoints(result: Result) -> list[str]:
    return [*_listed("waypoints", "Waypoint", "namespace", "name")(result), *map(_place, result["detached"])]


def _release(result: Result) -> list[str]:
    arguments = _arguments(result)
    definitions = [f"CustomResourceDefinition {name}" for name in result["definitions"]]
    return [f"Release {arguments['namespace']}/{arguments['name']}", *definitions, *(f"Secret {arguments['namespace']}/{name}" for name in result["repaired"])]


def _definitions(result: Result) -> list[str]:
    return [str(each["after_header"]).removesuffix(" (desired)") for each in result["diff"]]


def _manifests(result: Result) -> list[str]:
    found = result["result"]
    objects = [each["result"] for each in found["results"] if each["changed"]] if "results" in found else [found]
    return [_place({"kind": each["kind"], **each["metadata"]}) for each in objects]


def _certificates(result: Result) -> list[str]:
    return [f"certificate {each['domain']}" for each in result["certificates"] if each["action"] in ("requested", "tagged", "deleted")]


def _vpc(result: Result) -> list[str]:
    return [f"VPC {''.join(_arguments(result)['cidr_block'])}"]


def _reported(result: Result) -> list[str]:
    """What a role reports itself, because no module of check mode can."""
    if found := re.fullmatch(r"Would apply (.+) to namespace (.+)\.", result["msg"]):
        documents = (each for path in found[1].split(" and ") for each in yaml.safe_load_all(Path(path).read_text()))
        return [_place({"kind": each["kind"], "name": each["metadata"]["name"], "namespace": found[2]}) for each in documents if each]
    # Gateways and tables of a network have no names in the requests that create them.
    if found := re.fullmatch(r"Would (?:create|request) (NAT gateway|route table|[^,]+).*\.", result["msg"]):
        return [found[1]]
    raise LookupError(f"a task reports a change that is not understood: {result['msg']}")


_READERS: dict[str, Callable[[Result], Iterable[str]]] = {
    "amazon.aws.ec2_vpc_igw": lambda _result: ["internet gateway"],
    "amazon.aws.ec2_vpc_nat_gateway": lambda _result: ["NAT gateway"],
    "amazon.aws.ec2_vpc_net": _vpc,
    "amazon.aws.ec2_vpc_route_table": lambda _result: ["route table"],
    "amazon.aws.ec2_vpc_subnet": _named("subnet", "cidr"),
    "amazon.aws.iam_managed_policy": _named("IAM policy"),
    "amazon.aws.iam_role": _named("IAM role"),
    "amazon.aws.route53_zone": _named("hosted zone", "zone"),
    "ansible.builtin.debug": _reported,
    "community.aws.sqs_queue": _named("queue"),
    "community.aws.wafv2_web_acl": _named("web ACL"),
    "kubernetes.core.k8s": _manifests,
    "meshwright.ambient.acm_certificate": _certificates,
    "meshwright.ambient.eks_access_entry": _listed("entries", "access entry", "principal_arn"),
    "meshwright.ambient.eks_addon": _listed("addons", "add-on", "name"),
    "meshwright.ambient.eks_cluster": _named("cluster"),
    "meshwright.ambient.eks_nodegroup": _listed("nodegroups", "node group", "name"),
    "meshwright.ambient.eks_pod_identity_association": _listed("associations", "association", "namespace", "service_account"),
    "meshwright.ambient.enrollment": lambda result: [_place(each) for each in result["objects"] if each["changed"]],
    "meshwright.ambient.gateway_api": _definitions,
    "meshwright.ambient.helm_release": _release,
    "meshwright.ambient.ingress_alb": _ingress,
    "meshwright.ambient.ingress_check": lambda _result: [],
    "meshwright.ambient.ingress_gateway": _ingress,
    "meshwright.ambient.ingress_route": _ingress,
    "meshwright.ambient.istio_ingress": _ingress,
    "meshwright.ambient.waypoint": _waypoints,
}
