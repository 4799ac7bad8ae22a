"""How the role ingress hands items and results from one module to the next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.meshwright.ambient.plugins.filter.ingress import ingress_items, ingress_result
from twin.paths import REPOSITORY

GATEWAY: dict[str, Any] = {"name": "public", "namespace": "edge", "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "edge", "gateway": "public"}
ROUTE: dict[str, Any] = {"name": "shop", "namespace": "shop", "gateway": "public", "gateway_namespace": "edge"}


def test_each_list_takes_what_it_needs_from_the_others() -> None:
    lists = {
        "gateways": [{**GATEWAY, "redirect_http": True, "tls": "gateway"}],
        "albs": [{**ALB, "target_type": "instance", "certificate_domains": ["a.test"]}, {**ALB, "name": "old", "state": "absent"}],
        "routes": [ROUTE, {**ROUTE, "section_names": ["http"]}, {**ROUTE, "kind": "VirtualService"}],
    }
    items = ingress_items(lists, [{"domain": "a.test", "arn": "arn:a"}])
    assert items["gateways"][0]["service_type"] == "NodePort"
    assert items["albs"][0]["certificate_arns"] == ["arn:a"]
    assert items["routes"] == [{**ROUTE, "section_names": ["https"]}, {**ROUTE, "section_names": ["http"]}]
    assert items["virtual_services"] == [ROUTE]


def test_a_gateway_keeps_the_type_that_it_is_given() -> None:
    lists = {"gateways": [{**GATEWAY, "service_type": "LoadBalancer"}], "albs": [{**ALB, "target_type": "instance"}], "routes": []}
    assert ingress_items(lists, [])["gateways"][0]["service_type"] == "LoadBalancer"


def test_a_certificate_that_was_not_found_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"no certificate was found for a\.test"):
        ingress_items({"gateways": [], "albs": [{**ALB, "certificate_domains": ["a.test"]}], "routes": []}, [])


def test_services_that_gateways_and_releases_bring() -> None:
    gateways = [GATEWAY, {**GATEWAY, "name": "old", "state": "absent"}]
    items = ingress_items({"gateways": gateways, "albs": [ALB], "routes": [], "releases": [{"name": "chart", "namespace": "istio-ingress"}]}, [], "prod")
    assert items["services"] == ["edge/public-istio", "istio-ingress/chart"]
    assert [item["ingress"] for item in items["load_balancers_to_check"]] == ["edge/public"]
    assert [item["cluster"] for item in items["load_balancers_to_wait_for"]] == ["prod"]


CLASSIC = {"name": "classic", "namespace": "istio-system", "release": "istio-ingress"}


@pytest.mark.parametrize(
    ("lists", "needed"),
    [
        ({"gateways": [{**GATEWAY, "load_balancer": "nlb"}]}, False),
        ({"gateways": [GATEWAY]}, True),
        ({"gateways": [{**GATEWAY, "load_balancer": "nlb"}], "routes": [ROUTE]}, True),
        ({"albs": [ALB]}, False),
        ({"albs": [ALB, {**ALB, "name": "old", "state": "absent"}]}, False),
        ({"gateways": [{**GATEWAY, "load_balancer": "nlb"}, {**GATEWAY, "name": "old", "state": "absent"}]}, True),
        ({"routes": [ROUTE]}, False),
        ({"routes": [ROUTE, {**ROUTE, "kind": "VirtualService"}]}, True),
        ({"routes": [{**ROUTE, "kind": "VirtualService"}], "classic_gateways": [CLASSIC]}, False),
    ],
)
def test_a_check_comes_first_if_a_second_task_could_refuse_after_the_first_has_written(lists: dict[str, Any], needed: bool) -> None:
    assert ingress_items({"gateways": [], "albs": [], "routes": [], **lists}, [])["needs_check"] is needed


def test_gateways_may_create_their_namespaces_unless_they_are_told_not_to() -> None:
    gateways = [GATEWAY, {**GATEWAY, "namespace": "given", "create_namespace": False}, {**GATEWAY, "namespace": "old", "state": "absent"}]
    assert ingress_items({"gateways": gateways, "albs": [], "routes": []}, [])["created_namespaces"] == ["edge"]


def test_gateways_are_deleted_when_nothing_refers_to_them_any_more() -> None:
    """A load balancer or a route that moves to another gateway must not lose the old one before it has moved."""
    gateways = [GATEWAY, {**GATEWAY, "name": "old", "state": "absent"}]
    items = ingress_items({"gateways": gateways, "albs": [{**ALB, "target_type": "instance"}], "routes": []}, [])
    assert [(item["name"], item.get("service_type")) for item in items["present_gateways"]] == [("public", "NodePort")]
    assert [item["name"] for item in items["absent_gateways"]] == ["old"]
    (play,) = yaml.safe_load((REPOSITORY / "roles/ingress/tasks/main.yml").read_text())
    modules = ("ingress_gateway", "ingress_route", "istio_ingress", "ingress_alb")
    (writing,) = (task["block"] for task in play["block"] if "block" in task)
    order = [
        (module, task[f"meshwright.ambient.{module}"].get("gateways", "")) for task in writing for module in modules if f"meshwright.ambient.{module}" in task
    ]
    assert [module for module, _gateways in order] == [*modules, "ingress_gateway"]
    assert ("present_gateways" in order[0][1], "absent_gateways" in order[-1][1]) == (True, True)


@pytest.mark.parametrize("name", ["main", "verify"])
def test_only_modules_after_that_of_gateways_take_their_namespaces_as_created(name: str) -> None:
    (play,) = yaml.safe_load((REPOSITORY / f"roles/ingress/tasks/{name}.yml").read_text())
    planned = [
        (module.rpartition(".")[2], "__ingress_planned_with_gateways" in str(arguments["planned"]))
        for one in play["block"]
        for task in one.get("block", [one])
        for module, arguments in task.items()
        if module.startswith("meshwright.ambient.") and "planned" in arguments
    ]
    assert planned
    # In check mode, the module of gateways would otherwise neither report a new namespace nor refuse a missing one.
    assert all(created is (module not in ("ingress_gateway", "ingress_check")) for module, created in planned), planned
    variables = yaml.safe_load((REPOSITORY / "roles/ingress/vars/main.yml").read_text())
    assert "ingress_gateways" not in variables["__ingress_planned"]["namespaces"]


def test_skipped_tasks_add_nothing_to_the_result() -> None:
    skipped = {"changed": False, "skipped": True}
    gateways = {"changed": True, "objects": [{"kind": "Gateway"}], "diff": [], "gateways": [{"name": "public"}], "labelled": {"shop": {"a": "b"}}}
    classic = {"changed": False, "objects": [{"kind": "IstioGateway"}], "gateways": [{"name": "classic"}]}
    check = {"changed": False, "diff": [{"before": "", "after": "a"}], "objects": [{"kind": "Gateway"}], "gateways": [{"name": "old"}]}
    results = {"check": check, "gateways": gateways, "albs": skipped, "routes": skipped, "classic_gateways": classic, "ready": skipped}
    result = ingress_result(results)
    assert result["changed"]
    assert [entry["kind"] for entry in result["objects"]] == ["Gateway", "IstioGateway"]
    assert (result["gateways"], result["classic_gateways"], result["albs"]) == ([{"name": "public"}], [{"name": "classic"}], [])
    assert result["labelled"] == {"shop": {"a": "b"}}


def test_if_nothing_differs_the_check_and_the_wait_are_the_result() -> None:
    skipped = {"changed": False, "skipped": True}
    check = {
        "changed": False,
        "diff": [],
        "objects": [{"kind": "Gateway", "action": "unchanged"}],
        "ready_targets": [{"kind": "Gateway"}],
        "gateways": [{"name": "public"}],
        "albs": [{"name": "front"}],
        "classic_gateways": [{"name": "classic"}],
    }
    written = dict.fromkeys(("gateways", "albs", "routes", "classic_gateways", "deleted_gateways"), skipped)
    result = ingress_result({**written, "check": check, "ready": {"changed": False, "targets": [{"status": "Current"}]}})
    assert result == {**check, "targets": [{"status": "Current"}], "labelled": {}}


def test_the_role_hands_on_values_that_were_given_as_text() -> None:
    given = {
        "ingress_check_load_balancers": "false",
        "ingress_gateways": [{**GATEWAY, "redirect_http": "no", "replicas": "3"}],
        "ingress_albs": [{**ALB, "service_port": "443", "hosts": "a.test,b.test"}],
        "__ingress_certificates": {},
    }
    files = [argument for part in ("defaults", "vars") for argument in ("-e", f"@{REPOSITORY}/roles/ingress/{part}/main.yml")]
    message = "msg={{ [__ingress_items, __ingress_variables.ingress_check_load_balancers] | to_json }}"
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "debug", "-a", message, *files, "-e", json.dumps(given)]
    done = subprocess.run([*command, "-o"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    items, checked = json.loads(json.loads(done.stdout.partition("=> ")[2])["msg"])
    assert items["gateways"][0]["replicas"] == 3
    assert items["gateways"][0]["redirect_http"] is False
    assert items["albs"][0]["service_port"] == 443
    assert items["albs"][0]["hosts"] == ["a.test", "b.test"]
    assert items["load_balancers_to_wait_for"][0]["cluster"] == "localhost"
    assert checked is False
