"""A run without a cluster is no success, and the conditions of the playbooks hold whatever an inventory leaves out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.inventories import ALL
from twin.paths import REPOSITORY

REFUSAL = "The inventory has no cluster, so nothing was done"


def _play(playbook: str, inventory: dict[str, Any], directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = directory / "inventory.yml"
    file.write_text(yaml.safe_dump(inventory))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook, "-i", str(file), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
@pytest.mark.parametrize(
    ("inventory", "arguments"),
    [
        pytest.param({"all": {"hosts": {}}}, (), id="empty"),
        pytest.param({"cluster": {"hosts": {"shop-test": {}}}}, (), id="misspelled-group"),
        pytest.param({"cluster": {"hosts": {"shop-test": {}}}}, ("--limit", "shop-test"), id="misspelled-group-and-a-limit"),
        pytest.param({"clusters": {"hosts": {}}}, ("--tags", "mesh"), id="group-without-hosts"),
    ],
)
def test_an_inventory_without_clusters_is_refused(playbook: str, inventory: dict[str, Any], arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = _play(playbook, inventory, tmp_path, *arguments)
    assert done.returncode != 0, done.stdout
    assert REFUSAL in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("playbook", "limit", "refused"),
    [
        ("site.yml", "bastion", True),
        ("site.yml", "all:!clusters", True),
        ("site.yml", "clusters", False),
        ("verify.yml", "localhost", True),
        ("verify.yml", "shop-*,bastion", False),
    ],
)
def test_a_limit_that_leaves_no_cluster_is_refused(playbook: str, limit: str, refused: bool, tmp_path: Path) -> None:
    local = {"ansible_connection": "local"}
    inventory = {"clusters": {"hosts": {"shop-test": local, "shop-prod": local}}, "machines": {"hosts": {"bastion": local, "localhost": local}}}
    done = _play(playbook, inventory, tmp_path, "--tags", "always", "--limit", limit)
    output = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode != 0) is refused, output
    assert ("The limit of this run leaves no cluster, so nothing was done: each cluster is a host of the group clusters. Name one" in output) is refused


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_an_inventory_with_clusters_is_not(playbook: str, tmp_path: Path) -> None:
    inventory = {"clusters": {"hosts": {"shop-test": {"ansible_connection": "local"}}}}
    done = _play(playbook, inventory, tmp_path, "--tags", "always")
    assert done.returncode == 0, done.stdout + done.stderr
    assert REFUSAL not in done.stdout + done.stderr


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
@pytest.mark.parametrize(("tags", "refused"), [("mesh,ingres", "the tag 'ingres' of this run is that of no role: did you mean ingress?"), ("application", "")])
def test_misspelled_tags_are_refused_and_others_are_a_warning(playbook: str, tags: str, refused: str, tmp_path: Path) -> None:
    inventory = {"clusters": {"hosts": {"shop-test": {"ansible_connection": "local"}}}}
    done = _play(playbook, inventory, tmp_path, "--tags", tags)
    output = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode != 0) == bool(refused), output
    # A playbook that imports ours may have tags of its own.
    assert (refused or "No role has a tag application, so this run does nothing: use eks, aws_edge,") in output


@pytest.mark.parametrize("playbook", ["site.yml", "verify.yml"])
def test_no_condition_of_a_playbook_stumbles_over_variables_without_values(playbook: str, tmp_path: Path) -> None:
    variables = {**dict.fromkeys(ALL), "ansible_connection": "local"}
    done = _play(playbook, {"clusters": {"hosts": {"shop-test": variables}}}, tmp_path, "--tags", "always", "--check")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.mark.requirement("B6")
def test_a_load_balancer_that_nobody_would_make_well_is_a_warning_of_the_run(tmp_path: Path) -> None:
    tasks = [{"meshwright.ambient.validate_inventory": {"roles": ["eks", "alb_controller", "istio"]}}]
    playbook = tmp_path / "validate.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "clusters", "gather_facts": False, "tasks": tasks}]))
    eks = {"eks_enabled": True, "eks_region": "eu-central-1", "eks_vpc_cidr": "10.0.0.0/16", "eks_availability_zones": ["eu-central-1a", "eu-central-1b"]}
    host = {"ansible_connection": "local", **eks, "istio_gateways": [{"name": "edge", "namespace": "edge"}]}
    done = _play(str(playbook), {"clusters": {"hosts": {"shop-test": host}}}, tmp_path)
    output = " ".join((done.stdout + done.stderr).split())
    assert "istio_gateways[0] gets a Service of type LoadBalancer, and alb_controller_enabled is false" in output, output[-3000:]
    # Nothing is wrong with it: the controller may be installed otherwise.
    assert done.returncode == 0, output[-3000:]


def test_a_cluster_is_not_taken_for_a_machine(tmp_path: Path) -> None:
    # The tags of three other roles are by default those of eks_tags, but the mistake is one.
    done = _play("site.yml", {"clusters": {"hosts": {"shop-test": {"eks_tags": ["team"]}}}}, tmp_path, "--tags", "mesh", "--check")
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "The inventory has 2 errors. Nothing was changed anywhere." in output
    assert "- cluster shop-test: ansible_connection is not set, so Ansible would take the name of the cluster for a machine" in output
    assert "UNREACHABLE" not in output.replace("unreachable=0", "")


def test_a_machine_that_the_inventory_names_is_taken(tmp_path: Path) -> None:
    named = {"shop-test": {"ansible_host": "192.0.2.1"}, "bank-test": {"ansible_connection": "local"}}
    done = _play("site.yml", {"clusters": {"hosts": named}}, tmp_path, "--tags", "always")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("tags", "is_needed"), [("mesh", True), ("eks,aws_edge", False)])
def test_a_kubeconfig_that_is_none_is_found_before_the_first_task_that_needs_it(tags: str, is_needed: bool, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("token planted-token")
    variables = {"ansible_connection": "local", "cluster_kubeconfig": str(tmp_path / "kubeconfig")}
    done = _play("site.yml", {"clusters": {"hosts": {"shop-test": variables}}}, tmp_path, "--tags", tags, "--check", "-vvv")
    output = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode != 0) is is_needed, output
    assert ("The inventory has 1 error. Nothing was changed anywhere." in output) is is_needed
    assert (f"cluster_kubeconfig names {tmp_path}/kubeconfig, which is no kubeconfig" in output) is is_needed
    assert "planted-token" not in output


def test_what_may_be_in_a_variable_that_cannot_be_resolved_is_not_missed(tmp_path: Path) -> None:
    network = {"eks_region": "eu-central-1", "eks_availability_zones": ["eu-central-1a", "eu-central-1b"]}
    host = {"ansible_connection": "local", "eks_enabled": True, **network, "karpenter_enabled": True, "eks_node_groups": "{{ groups_of_the_team }}"}
    done = _play("site.yml", {"clusters": {"hosts": {"shop-test": host}}}, tmp_path, "--tags", "karpenter", "--check")
    output = " ".join((done.stdout + done.stderr).split())
    assert "eks_node_groups refers to groups_of_the_team, which is not defined" in output, output[-3000:]
    assert "eks_node_groups is empty" not in output, output[-3000:]
