"""What AWS never takes is refused by the module of the noun as well, before it asks AWS for anything."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from tests.options import Options, walk_options
from tests.unit.aws_stub import AwsStub, stub_module

MODULES = "ansible_collections.meshwright.ambient.plugins.modules"
ROLE = "arn:aws:iam::123456789012:role/shop"
GROUP = {"name": "general", "node_role": ROLE, "subnets": ["a", "b"]}
RESERVED = {"aws:team": "shop"}

# Module, its function, and for each value that AWS does not take the arguments with it.
CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("eks_cluster", "ensure_cluster", {"name": "prod", "tags": RESERVED}, "begins with aws:"),
    ("eks_cluster", "ensure_cluster", {"name": "prod.eu"}, "is not a name of an EKS cluster"),
    ("eks_cluster", "ensure_cluster", {"name": "prod", "public_access_cidrs": ["10.0.0.0/8,192.168.0.0/16"]}, "several ranges in one text"),
    ("eks_nodegroup", "ensure_nodegroups", {"cluster": "prod", "nodegroups": [{**GROUP, "tags": RESERVED}]}, "begins with aws:"),
    ("eks_nodegroup", "ensure_nodegroups", {"cluster": "prod", "nodegroups": [{**GROUP, "name": "general purpose"}]}, "use at most 63"),
    ("eks_nodegroup", "ensure_nodegroups", {"cluster": "prod", "nodegroups": [GROUP, GROUP]}, "listed more than once"),
    (
        "eks_nodegroup",
        "ensure_nodegroups",
        {"cluster": "prod", "nodegroups": [{**GROUP, "ami_type": "AL2_x86_64", "version": "1.33"}]},
        "use AL2023_x86_64_STANDARD",
    ),
    ("eks_nodegroup", "ensure_nodegroups", {"cluster": "prod", "nodegroups": [{**GROUP, "labels": {"team": "a b"}}]}, "labels has team"),
    ("eks_addon", "ensure_addons", {"cluster": "prod", "addons": [{"name": "vpc-cni", "tags": RESERVED}]}, "begins with aws:"),
    ("eks_access_entry", "ensure_entries", {"cluster": "prod", "entries": [{"principal_arn": ROLE, "tags": RESERVED}]}, "begins with aws:"),
    (
        "eks_pod_identity_association",
        "ensure_associations",
        {"cluster": "prod", "associations": [{"namespace": "shop", "service_account": "shop", "role_arn": ROLE, "tags": RESERVED}]},
        "begins with aws:",
    ),
    ("iam_oidc_provider", "ensure_provider", {"url": "https://oidc.example.com", "tags": RESERVED}, "begins with aws:"),
    ("iam_plan", "plan_changes", {"roles": [{"name": "r" * 65, "trust": {}, "managed_policies": []}]}, "use at most 64"),
    ("iam_plan", "plan_changes", {"roles": [{"name": "shop", "trust": {}, "managed_policies": [], "tags": RESERVED}]}, "begins with aws:"),
    ("acm_certificate", "ensure_certificates", {"certificates": [{"domain": "https://shop.example.com"}]}, "has a scheme"),
    ("acm_certificate", "ensure_certificates", {"certificates": [{"domain": "shop.example.com", "tags": RESERVED}]}, "begins with aws:"),
    ("eks_network_plan", "plan_changes", {"name": "prod", "cidr_block": "10.0.0.0/16", "availability_zones": ["a", "b"], "tags": RESERVED}, "begins with aws:"),
    ("eks_network_plan", "plan_changes", {"name": "prod", "cidr_block": "10.0.1.0/16", "availability_zones": ["a", "b"]}, "has bits behind its prefix"),
]


def complete(options: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Items with all their keys, as a module gets them."""
    found = {name: given.get(name, option.get("default")) for name, option in options.items()}
    return {
        name: [complete(options[name]["options"], item) for item in value] if isinstance(value, list) and options[name].get("options") else value
        for name, value in found.items()
    }


@pytest.mark.parametrize(("name", "function", "arguments", "message"), CASES)
def test_what_aws_never_takes_is_refused_without_a_request(name: str, function: str, arguments: dict[str, Any], message: str) -> None:
    module = importlib.import_module(f"{MODULES}.{name}")
    run: Callable[..., Any] = getattr(module, function)
    with AwsStub() as aws, pytest.raises(MeshError, match=message):
        run(stub_module(module.OPTIONS, **complete(module.OPTIONS, arguments)), aws.session)
    assert aws.session.api_calls == {}


def test_every_module_that_takes_tags_is_tried_here() -> None:
    def has_tags(options: Options) -> bool:
        return any(path.rpartition(".")[2] == "tags" for path, _option in walk_options(options))

    folder = Path(__file__).parents[4] / "plugins" / "modules"
    taking = {path.stem for path in folder.glob("*.py") if has_tags(getattr(importlib.import_module(f"{MODULES}.{path.stem}"), "OPTIONS", {}))}
    tried = {name for name, _function, _arguments, message in CASES if message == "begins with aws:"}
    # Those of load balancers are tested with their rules; load_balancer_check reports all findings together.
    assert taking - tried == {"ingress_alb", "ingress_gateway", "load_balancer_check"}
