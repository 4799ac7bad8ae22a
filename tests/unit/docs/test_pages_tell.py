"""What users are promised to find in the documentation, where a test can tell that it is right and not only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.charts import CHARTS
from tests.pages import page, role_options


@pytest.mark.requirement("A5")
def test_the_table_of_load_balancers_decides_by_needs_and_names_the_words_of_the_one_variable() -> None:
    header, *rows = page("docs/ingress.md").section("Which load balancer").rows()[:9]
    assert [word in cell for word, cell in zip(("ALB", "NLB", "CLB"), header[1:], strict=True)] == [True] * 3
    titled = {row[0]: row[1:] for row in rows}
    assert "WAF" in titled["Use it for"][0] and "TCP" in titled["Use it for"][1] and titled["Use it for"][2] == "nothing new"
    choices = role_options()["ingress"]["ingress_gateways"]["options"]["load_balancer"]["choices"]
    assert choices == ["none", "nlb", "alb"]
    assert "`load_balancer: nlb`" in titled["Created from"][1]
    assert any("`load_balancer: alb`" in line for line in page("docs/ingress.md").prose)


@pytest.mark.requirement("A15")
def test_outputs_of_terraform_become_variables_by_the_template_that_is_shown(tmp_path: Path) -> None:
    shown = page("docs/inventory.md").section("Beside Terraform")
    template = next(text for language, text in shown.blocks if language == "yaml")
    variables = [name for name in yaml.safe_load(template) if name != "terraform"]
    known = {name for options in role_options().values() for name in options}
    assert variables and set(variables) <= known
    # As terraform output -json writes it.
    outputs = {
        "vpc_id": "vpc-0a1b2c3d4e5f60718",
        "private_subnets": ["subnet-0a", "subnet-0b"],
        "public_subnets": ["subnet-0c", "subnet-0d"],
        "node_role_arn": "arn:aws:iam::123456789012:role/nodes",
        "alb_controller_role_arn": "arn:aws:iam::123456789012:role/load-balancers",
    }
    (tmp_path / "terraform-prod.json").write_text(json.dumps({name: {"sensitive": False, "value": value} for name, value in outputs.items()}))
    inventory = tmp_path / "prod"
    (inventory / "host_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text("clusters: {hosts: {prod-frankfurt: {ansible_connection: local}}}")
    (inventory / "host_vars" / "prod-frankfurt.yml").write_text(template)
    message = json.dumps({"msg": {name: "{{ " + name + " }}" for name in variables}})
    command = [str(Path(sys.executable).parent / "ansible"), "clusters", "-i", str(inventory), "-m", "ansible.builtin.debug", "-a", message]
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    titled = json.loads(done.stdout.split("=>", 1)[1])["msg"]
    assert sorted(map(str, titled.values())) == sorted(map(str, outputs.values()))
    prose = " ".join(shown.prose)
    assert "`aws-ia/terraform-aws-eks-blueprints`" in prose
    assert "Istio 1.20.2 in sidecar mode, not ambient" in prose


@pytest.mark.requirement("C16")
def test_the_glossary_says_what_istiod_was_and_nothing_of_it_is_installed_apart() -> None:
    glossary = {row[0]: row[1] for row in page("docs/concepts.md").section("Glossary").rows()}
    for part in ("Pilot", "Citadel", "Galley"):
        assert part in glossary["istiod"], f"the glossary does not name {part}"
        assert part.lower() not in CHARTS
    assert "1.5" in glossary["istiod"]
