"""What users are promised to find in the documentation, where a test can tell that it is right and not only there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._status.policies import judge_authorization_policy
from ansible_collections.meshwright.ambient.plugins.module_utils._status.workloads import judge_daemon_set
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import OPTIONS
from generate.declarations import role_variables
from tests.pages import all_pages, page
from tests.unit.objects import derived, recorded


@pytest.mark.requirement("A5")
def test_the_table_of_load_balancers_decides_by_needs_and_names_the_words_of_the_one_variable() -> None:
    header, *rows = page("docs/ingress.md").section("Which load balancer").rows()[:9]
    assert [word in cell for word, cell in zip(("ALB", "NLB", "CLB"), header[1:], strict=True)] == [True] * 3
    titled = {row[0]: row[1:] for row in rows}
    assert "WAF" in titled["Use it for"][0] and "TCP" in titled["Use it for"][1] and titled["Use it for"][2] == "nothing new"
    choices = role_variables()["ingress"]["ingress_gateways"]["options"]["load_balancer"]["choices"]
    assert choices == ["none", "nlb", "alb"]
    assert "`load_balancer: nlb`" in titled["Created from"][1]
    assert any("`load_balancer: alb`" in line for line in page("docs/ingress.md").prose)


@pytest.mark.requirement("A15")
def test_outputs_of_terraform_become_variables_by_the_template_that_is_shown(tmp_path: Path) -> None:
    shown = page("docs/inventory.md").section("Beside Terraform")
    template = next(text for language, text in shown.blocks if language == "yaml")
    variables = [name for name in yaml.safe_load(template) if name != "terraform"]
    known = {name for options in role_variables().values() for name in options}
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
    # The role has values for each chart that it installs.
    charts = {name.split("_")[1] for name in role_variables()["istio"] if name.endswith("_values")}
    assert {"base", "istiod", "cni", "ztunnel"} <= charts
    glossary = {row[0]: row[1] for row in page("docs/concepts.md").section("Glossary").rows()}
    for part in ("Pilot", "Citadel", "Galley"):
        assert part in glossary["istiod"], f"the glossary does not name {part}"
        assert part.lower() not in charts
    assert "1.5" in glossary["istiod"]


@pytest.mark.requirement("I6")
def test_the_table_of_features_names_the_layer_and_a_policy_on_the_wrong_one_is_flagged() -> None:
    rows = page("docs/concepts.md").section("Which feature needs which layer").rows()
    assert rows[0] == ["Feature", "ztunnel (L4)", "Waypoint (L7)"]
    layers = {feature: (l4.startswith("yes"), l7.startswith("yes")) for feature, l4, l7 in rows[1:]}
    l4 = ("Mutual TLS", "Identity", "AuthorizationPolicy by identity", "Metrics and logs of connections")
    l7 = ("weights", "fault injection", "Retries", "Load balancing by request", "by method, path", "Metrics, logs and traces of requests")
    assert [layers[feature] for part in l4 for feature in layers if part in feature] == [(True, True)] * len(l4)
    assert [layers[feature] for part in l7 for feature in layers if part in feature] == [(False, True)] * len(l7)
    for name in ("http_at_ztunnel", "http_deny_at_ztunnel"):
        verdict = judge_authorization_policy("policy", recorded(f"authorizationpolicy/{name}"))
        assert (verdict.status, verdict.reason) == ("Failed", "UnsupportedValue"), name
    assert judge_authorization_policy("policy", recorded("authorizationpolicy/at_waypoint")).current


@pytest.mark.requirement("I8")
def test_the_example_of_a_policy_at_a_waypoint_is_one_that_is_accepted_by_its_reason() -> None:
    section = page("docs/operations/waypoints.md").section("Have a waypoint enforce a policy")
    policy, tasks = (yaml.safe_load(text) for language, text in section.blocks if language == "yaml")
    accepted = recorded("authorizationpolicy/at_waypoint")
    assert (policy["apiVersion"], policy["kind"]) == (accepted["apiVersion"], accepted["kind"])
    assert policy["spec"] == accepted["spec"], "istiod was not asked about a policy like that of the example"
    assert judge_authorization_policy("policy", {**policy, "status": accepted["status"]}).current
    condition = {**accepted["status"]["conditions"][0], "reason": "PartiallyInvalid"}
    assert not judge_authorization_policy("policy", {**policy, "status": {"conditions": [condition]}}).current, "True alone is taken for accepted"
    (target,) = tasks[0]["meshwright.ambient.ready"]["targets"]
    assert (target["kind"], target["name"]) == (policy["kind"], policy["metadata"]["name"])


@pytest.mark.requirement("G9")
def test_the_decision_aid_has_a_choice_for_each_case() -> None:
    rows = page("docs/concepts.md").section("L4 only, waypoint, or sidecar").rows()
    assert rows[0] == ["Your case", "Choose"]
    choices = dict(rows[1:])

    def chosen(part: str) -> str:
        return next(choice for case, choice in choices.items() if part in case)

    for part in ("Encryption and identities", "Many teams that join one after another", "Knative"):
        assert chosen(part).startswith("L4 only"), part
    for part in ("own resources or tuning", "Compliance"):
        assert "sidecar" in chosen(part), part
    assert "waypoint" in chosen("Layer 7 features for some Services").lower()


@pytest.mark.requirement("L3")
def test_one_table_has_all_ports() -> None:
    rows = {row[0]: row[2] for row in page("docs/concepts.md").section("Ports").rows()[1:]}
    expected = {
        "15000": "Administration",
        "15001": "Outbound",
        "15006": "Inbound plain-text",
        "15008": "HBONE",
        "15012": "XDS",
        "15017": "Webhooks",
        "15020": "Metrics",
        "15021": "Health check",
    }
    assert {port: part for port, part in expected.items() if part in rows[port]} == expected


@pytest.mark.requirement("M11")
def test_values_of_charts_are_linked_in_the_version_that_is_installed() -> None:
    pinned = role_variables()["bookinfo"]["bookinfo_source"]["default"]
    version = re.search(r"default\('([\d.]+)'\)", pinned)
    assert version, pinned
    linked = re.findall(r"https://github\.com/istio/istio/blob/([^/]+)/(\S+?/values\.yaml)", page("docs/inventory.md").path.read_text())
    assert linked == [
        (version[1], "manifests/charts/istio-control/istio-discovery/values.yaml"),
        (version[1], "manifests/charts/gateway/values.yaml"),
    ]
    assert not [shown.name for shown in all_pages() if "istiod-remote" in shown.path.read_text()]


@pytest.mark.requirement("A11")
def test_agents_are_judged_on_the_nodes_of_the_moment_and_new_nodes_begin_with_the_taint() -> None:
    ready = recorded("daemonset/ztunnel_available")
    assert judge_daemon_set("ztunnel", ready).current
    nodes = ready["status"]["desiredNumberScheduled"]
    one_more = derived(ready, {"status": {"desiredNumberScheduled": nodes + 1, "currentNumberScheduled": nodes + 1}})
    assert not judge_daemon_set("ztunnel", one_more).current, "a node that has just come is not counted"
    counts = dict.fromkeys(("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable", "updatedNumberScheduled"), nodes - 1)
    assert judge_daemon_set("ztunnel", derived(ready, {"status": counts})).current, "a node that has gone is waited for"
    shown = [text for language, text in page("docs/platforms/eks.md").blocks if "kind: NodePool" in text]
    taints = [text.split("startupTaints:", 1)[1].split("\n      taints:")[0] for text in shown]
    assert taints and all("effect: NoExecute" in each and "key: cni.istio.io/not-ready" in each for each in taints)


@pytest.mark.requirement("L20")
def test_the_first_page_says_when_a_mesh_is_not_worth_its_cost() -> None:
    first = page("README.md").path.read_text().split("\n## ", 1)[0]
    assert "A mesh is not always worth its cost" in first and "](docs/concepts.md#when-not-to-use-a-mesh)" in first
    reasons = [line for line in page("docs/concepts.md").section("When not to use a mesh").prose if line.startswith("- ")]
    assert len(reasons) >= 5


@pytest.mark.requirement("L22")
def test_udp_is_said_to_be_outside() -> None:
    assert "The mesh carries only TCP: UDP and other protocols bypass ztunnel unchanged." in page("docs/concepts.md").prose


@pytest.mark.requirement("M20")
def test_only_current_commands_of_istioctl_are_named() -> None:
    named = {found for shown in all_pages() for found in re.findall(r"istioctl [a-z][^`\n|;)]*", shown.path.read_text())}
    commands = {found for found in named if found.split()[1] in ("waypoint", "ztunnel-config", "experimental", "x", "pc", "proxy-config")}
    assert {"istioctl waypoint list -A"} <= commands
    former = [found for found in commands if re.match(r"istioctl (experimental |x |pc workload|proxy-config workload)", found)]
    assert not former, former


@pytest.mark.requirement("M21", "N9")
def test_redirection_is_described_as_it_is_today() -> None:
    text = {shown.name: shown.path.read_text() for shown in all_pages()}
    former = [name for name, words in text.items() if re.search(r"geneve|ebpf|\bp?istio(in|out)\b", words, re.IGNORECASE)]
    assert not former, f"a former way of redirection is described: {former}"
    assert "in the pod's network" in {row[1] for row in page("docs/concepts.md").section("Ports").rows()}


@pytest.mark.requirement("M28")
def test_nothing_is_promised_about_fips_or_tunnels_for_udp() -> None:
    promised = [(shown.name, line) for shown in all_pages() for line in shown.path.read_text().splitlines() if re.search(r"\bFIPS\b|\bUDP\b", line)]
    assert [name for name, line in promised if "The mesh carries only TCP" not in line] == []


@pytest.mark.requirement("N10")
def test_the_glossary_has_one_term_for_each_thing() -> None:
    terms = [row[0] for row in page("docs/concepts.md").section("Glossary").rows()[1:]]
    assert len(terms) == len({term.lower() for term in terms})
    assert [term for term in terms if "HBONE" in term] == ["HBONE"]
    spelled = {
        found for shown in all_pages() for found in re.findall(r"HTTP-?Based Overlay Network \w+|HBONE \([^)]*\)", shown.path.read_text(), re.IGNORECASE)
    }
    assert len(spelled) <= 1, spelled


@pytest.mark.requirement("H7", "M18")
def test_what_a_waypoint_is_for_is_an_option_and_a_service_account_is_none() -> None:
    section = page("docs/operations/waypoints.md").section("Choose what a waypoint is for")
    prose = " ".join(section.prose)
    choices = OPTIONS["for"]["choices"]
    assert sorted(choices) == ["all", "none", "service", "workload"]
    assert not [choice for choice in choices if choice not in prose]
    assert "use_waypoint" in role_variables()["mesh"]["mesh_workloads"]["options"], "pods cannot be bound"
    assert "A ServiceAccount can no longer have a waypoint of its own" in prose


@pytest.mark.requirement("B7")
def test_the_port_of_the_controllers_webhook_is_named_with_its_direction() -> None:
    rows = {row[0]: row[1] for row in page("docs/platforms/eks.md").section("Ports").rows()}
    assert rows["9443"] == "from the control plane to the webhook of the load balancer controller"


@pytest.mark.requirement("K8")
def test_the_ports_and_modes_of_security_groups_are_named() -> None:
    section = page("docs/platforms/eks.md").section("Ports")
    rows = {row[0]: row[1] for row in section.rows()}
    assert "between ztunnels, waypoints" in rows["15008"] and "to istiod" in rows["15012"] and "from the control plane" in rows["15017"]
    prose = " ".join(section.prose)
    assert "pods with a `SecurityGroupPolicy`" in prose
    assert "the standard enforcing mode, or Istio 1.28.8, 1.29.3, 1.30.0 or newer" in prose
