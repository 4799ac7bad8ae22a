"""Which cluster a host's variables name, and that nothing else does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.meshwright.ambient.plugins.lookup.kubeconfig import LookupModule
from tests.polling import until
from twin.paths import REPOSITORY

CONTENT: dict[str, Any] = {
    "clusters": [{"name": "shop", "cluster": {"server": "https://kube.shop.example:6443"}}],
    "users": [{"name": "shop", "user": {"token": "planted-token"}}],
}
ACTIVE = {"exists": True, "name": "shop", "status": "ACTIVE", "endpoint": "https://shop.eks", "certificate_authority": "QUJD"}
EKS = {"inventory_hostname": "shop-prod", "eks_cluster_name": "shop", "eks_region": "eu-central-1", "cluster_context": "shop", "cluster_from_environment": True}


def kubeconfig_of(**variables: Any) -> Any:
    lookup = LookupModule(loader=DataLoader(), templar=Templar(loader=DataLoader(), variables=variables))
    [found] = lookup.run([], variables=variables)
    return found


@pytest.mark.parametrize("given", [CONTENT, yaml.safe_dump(CONTENT), json.dumps(CONTENT)])
def test_content_in_each_form_becomes_a_dictionary(given: Any) -> None:
    assert kubeconfig_of(cluster_kubeconfig=given) == CONTENT


def test_content_with_a_secret_becomes_a_file_that_nobody_else_reads() -> None:
    [path] = {kubeconfig_of(cluster_kubeconfig=given, ansible_connection="local") for given in (CONTENT, yaml.safe_dump(CONTENT), json.dumps(CONTENT))}
    assert json.loads(Path(path).read_text()) == CONTENT
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_content_without_a_secret_stays_a_dictionary() -> None:
    content = {"clusters": CONTENT["clusters"]}
    assert kubeconfig_of(cluster_kubeconfig=content, ansible_connection="local") == content


def test_text_from_a_playbook_is_parsed_and_its_file_is_gone_after_the_job() -> None:
    template = "{{ lookup('meshwright.ambient.kubeconfig') }}"
    extra = json.dumps({"cluster_kubeconfig": yaml.safe_dump(CONTENT), "ansible_connection": "local"})
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "debug", "-a", f"msg={template}", "-e", extra]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    found = re.search(r"msg: (/\S+/kubeconfig-[0-9a-f]{64})", done.stdout)
    assert found, done.stdout + done.stderr
    assert not Path(found[1]).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_its_file_is_gone_after_a_job_that_is_cancelled(number: signal.Signals, tmp_path: Path) -> None:
    """AWX ends a job by SIGTERM, and ansible-core then removes nothing."""
    seen = tmp_path / "seen"
    shown = {"ansible.builtin.copy": {"content": "{{ lookup('meshwright.ambient.kubeconfig') }}", "dest": str(seen)}}
    waiting = {"ansible.builtin.wait_for": {"path": str(tmp_path / "never")}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [shown, waiting]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    content = {"cluster_kubeconfig": yaml.safe_dump(CONTENT)}
    variables = {**content, "ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(variables)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        path = Path(until(lambda: seen.exists() and seen.read_text().strip(), "the task to run"))
        assert json.loads(path.read_text()) == CONTENT
        process.send_signal(number)
        process.wait(30)
    until(lambda: not path.exists(), "the file to be removed")


def test_a_template_is_resolved(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.touch()
    assert kubeconfig_of(cluster_kubeconfig=trust_as_template("{{ elsewhere }}"), elsewhere=str(path)) == str(path)


@pytest.mark.parametrize("variables", [{"cluster_context": "shop"}, {"cluster_from_environment": True}, {"cluster_from_environment": "yes"}])
def test_a_context_or_the_environment_may_be_meant(variables: dict[str, Any]) -> None:
    assert kubeconfig_of(**variables) is None


@pytest.mark.parametrize("variables", [{}, {"cluster_kubeconfig": None, "cluster_context": None}, {"cluster_context": "", "cluster_from_environment": "false"}])
def test_the_environment_is_never_used_unasked(variables: dict[str, Any]) -> None:
    with pytest.raises(AnsibleError, match=r"No variable says how cluster shop-prod is reached: .*cluster_from_environment to true"):
        kubeconfig_of(inventory_hostname="shop-prod", **variables)


@pytest.mark.parametrize("given", ["", "/nowhere/config", "planted-token"])
def test_an_unusable_value_is_an_error_beside_a_context(given: str) -> None:
    with pytest.raises(AnsibleError, match=r"The variable cluster_kubeconfig of cluster shop-prod is ") as caught:
        kubeconfig_of(inventory_hostname="shop-prod", cluster_kubeconfig=given, cluster_context="shop", cluster_from_environment=True)
    assert "planted-token" not in str(caught.value)


def test_a_variable_that_cannot_be_resolved_is_named() -> None:
    with pytest.raises(AnsibleError, match=r"Cluster shop-prod cannot be reached: cluster_kubeconfig refers to nowhere, which is not defined"):
        kubeconfig_of(inventory_hostname="shop-prod", cluster_kubeconfig=trust_as_template("{{ nowhere }}"))


def test_the_role_eks_has_found_the_cluster() -> None:
    assert kubeconfig_of(**EKS, eks_cluster=ACTIVE, cluster_kubeconfig=CONTENT) == CONTENT


@pytest.mark.parametrize("kubeconfig", [{}, {"cluster_kubeconfig": CONTENT}])
@pytest.mark.parametrize(
    ("found", "state"),
    [
        pytest.param({"exists": False, "account_id": "123456789012"}, "does not exist", id="absent"),
        pytest.param({**ACTIVE, "status": "CREATING", "endpoint": "", "certificate_authority": ""}, "is CREATING and has no endpoint", id="creating"),
        pytest.param({**ACTIVE, "status": "CREATING", "certificate_authority": ""}, "is CREATING and has no endpoint", id="half-made"),
        pytest.param({**ACTIVE, "status": "FAILED", "endpoint": ""}, "is FAILED and has no endpoint", id="failed"),
    ],
)
def test_an_eks_cluster_without_an_endpoint_is_never_replaced_by_another(found: dict[str, Any], state: str, kubeconfig: dict[str, Any]) -> None:
    message = f"Cluster shop-prod cannot be reached, because EKS cluster shop in eu-central-1 {state}: run site.yml --tags eks"
    with pytest.raises(AnsibleError, match=re.escape(message)):
        kubeconfig_of(**EKS, eks_cluster=found, **kubeconfig)


@pytest.mark.parametrize("own", ["shop", {"name": "shop", "region": "eu-central-1"}, ["shop"]])
def test_a_variable_of_that_name_which_is_the_users_own_is_not_taken_for_what_the_role_eks_finds(own: Any) -> None:
    assert kubeconfig_of(eks_cluster=own, cluster_kubeconfig=CONTENT) == CONTENT


def test_a_playbook_ends_with_the_sentence_and_shows_nothing_else_of_the_value() -> None:
    template = "{{ lookup('meshwright.ambient.kubeconfig') | default(omit, true) }}"
    extra = json.dumps({"cluster_kubeconfig": "token: planted-token"})
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-vvvvv", "-m", "kubernetes.core.k8s_info", "-a", f"kind=Pod kubeconfig='{template}'"]
    done = subprocess.run([*command, "-e", extra], cwd=REPOSITORY, env={**os.environ}, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert "cluster_kubeconfig of cluster localhost is neither the path of an existing file nor the content of a kubeconfig" in output
    assert "planted-token" not in output


@pytest.mark.parametrize("path", sorted((REPOSITORY / "roles").glob("*/tasks/*.yml")), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_roles_reach_their_cluster_by_the_lookup_alone(path: Path) -> None:
    for line in path.read_text().splitlines():
        if re.search(r"\bkubeconfig:", line) and "cluster_kubeconfig" not in line.split(":")[0]:
            assert line.strip() == "kubeconfig: \"{{ lookup('meshwright.ambient.kubeconfig') | default(omit, true) }}\""
