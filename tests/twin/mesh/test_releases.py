"""The charts of a rehearsed account: what each release is, what it was given, and what came of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.twin.playbooks.test_rehearsal import changes
from tests.twin.support.rehearsed import Rehearsed

CONTROLLER = "aws-load-balancer-controller"


@pytest.fixture(scope="module")
def releases(prod: Rehearsed) -> dict[str, dict[str, Any]]:
    """What Helm lists, by the names of the releases."""
    return {release["name"]: release for release in helm(prod, "list", "--all-namespaces")}


@pytest.mark.requirement("B3")
def test_the_controller_has_a_pinned_chart_and_knows_its_cluster(prod: Rehearsed, releases: dict[str, dict[str, Any]]) -> None:
    pinned = yaml.safe_load(prod.paths.overlay.read_text())["alb_controller_version"]
    assert (releases[CONTROLLER]["namespace"], releases[CONTROLLER]["chart"]) == ("kube-system", f"{CONTROLLER}-{pinned}")
    vpc = prod.client("eks").describe_cluster(name=prod.cluster)["cluster"]["resourcesVpcConfig"]["vpcId"]
    values = helm(prod, "get", "values", CONTROLLER, "--namespace", "kube-system")
    assert (values["clusterName"], values["region"], values["vpcId"]) == (prod.cluster, "eu-central-1", vpc)
    assert values["serviceAccount"] == {"create": True, "name": CONTROLLER, "annotations": {}}
    assert prod.get("serviceaccount", CONTROLLER, "-n", "kube-system")["metadata"]["name"] == CONTROLLER
    done = prod.play("site.yml", "--tags", "alb_controller")
    assert done.returncode == 0, done.stdout[-4000:]
    assert changes(done) == ["0"], done.stdout[-4000:]


@pytest.mark.requirement("C2")
def test_the_definitions_are_a_release_whose_revision_is_that_of_istiod(prod: Rehearsed, releases: dict[str, dict[str, Any]]) -> None:
    assert releases["istio-base"]["namespace"] == "istio-system"
    assert helm(prod, "get", "values", "istio-base", "--namespace", "istio-system")["defaultRevision"] == "default"
    webhook = prod.get("validatingwebhookconfiguration", "istiod-default-validator")
    assert webhook["webhooks"][0]["clientConfig"]["service"]["name"] == "istiod", "it calls an istiod that is not there"


@pytest.mark.requirement("C4")
def test_the_agent_that_captures_pods_is_ready_on_every_schedulable_node(prod: Rehearsed, releases: dict[str, dict[str, Any]]) -> None:
    assert releases["istio-cni"]["namespace"] == "istio-system"
    assert helm(prod, "get", "values", "istio-cni", "--namespace", "istio-system")["profile"] == "ambient"
    schedulable = {node["metadata"]["name"] for node in prod.get("nodes")["items"] if not node["spec"].get("unschedulable")}
    pods = prod.get("pods", "-n", "istio-system", "-l", "k8s-app=istio-cni-node")["items"]
    ready = {
        pod["spec"]["nodeName"] for pod in pods for condition in pod["status"]["conditions"] if (condition["type"], condition["status"]) == ("Ready", "True")
    }
    assert schedulable and ready == schedulable


def helm(account: Rehearsed, *arguments: str) -> Any:
    """What Helm answers, as data."""
    return json.loads(account.run(["helm", *arguments, "--output", "json"]))
