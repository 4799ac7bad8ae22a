"""How the role ingress hands items and results from one module to the next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
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
    assert [alb["name"] for alb in items["present_albs"]] == ["public"]
    assert [alb["name"] for alb in items["absent_albs"]] == ["old"]
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


def test_skipped_tasks_add_nothing_to_the_result() -> None:
    skipped = {"changed": False, "skipped": True}
    gateways = {"changed": True, "objects": [{"kind": "Gateway"}], "diff": [], "gateways": [{"name": "public"}], "labelled": {"shop": {"a": "b"}}}
    classic = {"changed": False, "objects": [{"kind": "IstioGateway"}], "gateways": [{"name": "classic"}]}
    result = ingress_result(gateways, skipped, skipped, classic)
    assert result["changed"]
    assert [entry["kind"] for entry in result["objects"]] == ["Gateway", "IstioGateway"]
    assert (result["gateways"], result["classic_gateways"], result["albs"]) == ([{"name": "public"}], [{"name": "classic"}], [])
    assert result["labelled"] == {"shop": {"a": "b"}}


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
