"""The lookup that gives a role its variables as values of their declared types, in a template as a role has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.meshwright.ambient.plugins.lookup.role_variables import LookupModule
from twin.paths import REPOSITORY


def variables_of(role: str, **given: Any) -> dict[str, Any]:
    lookup = LookupModule(loader=DataLoader(), templar=Templar(loader=DataLoader(), variables=given))
    [found] = lookup.run([role], variables=given)
    return found


def test_extra_variables_are_converted_in_a_template() -> None:
    template = "{{ lookup('meshwright.ambient.role_variables', 'istio').istio_startup_taint | type_debug }}"
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "debug", "-a", f"msg={template}", "-e", "istio_startup_taint=false"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "msg: bool" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(("text", "meant"), [("false", False), ("yes", True)])
def test_a_role_gets_a_boolean_for_a_text(text: str, meant: bool) -> None:
    assert variables_of("istio", istio_startup_taint=text)["istio_startup_taint"] is meant


def test_a_role_gets_a_dictionary_for_json_and_a_number_for_digits() -> None:
    found = variables_of("istio", istio_cni_values='{"excludeNamespaces": ["kube-system"]}', istio_timeout="12")
    assert found["istio_cni_values"] == {"excludeNamespaces": ["kube-system"]}
    assert found["istio_timeout"] == 12


def test_templates_are_resolved_and_defaults_filled_in() -> None:
    found = variables_of("istio", istio_startup_taint=trust_as_template("{{ elsewhere }}"), elsewhere="no")
    assert found["istio_startup_taint"] is False
    assert found["istio_namespace"] == "istio-system"
    assert "istio_istiod_replicas" not in found


def test_a_value_that_cannot_be_converted_names_the_role() -> None:
    with pytest.raises(AnsibleError, match=r"The variables of the role istio of cluster localhost cannot be used: istio_timeout is 'soon'"):
        variables_of("istio", istio_timeout="soon")


def test_a_variable_without_a_value_has_its_default_also_where_another_one_refers_to_it() -> None:
    found = variables_of("alb_controller", alb_controller_region=None, alb_controller_replicas=None, eks_region=None, inventory_hostname="shop")
    assert (found["alb_controller_region"], found["alb_controller_replicas"], found["alb_controller_cluster_name"]) == ("", 2, "shop")


def test_a_template_without_a_value_is_a_variable_without_one() -> None:
    assert variables_of("istio", istio_timeout=trust_as_template("{{ none }}"))["istio_timeout"] == 300


def test_an_omitted_value_is_no_value() -> None:
    found = variables_of("istio", istio_timeout=trust_as_template("{{ elsewhere | default(omit) }}"), istio_namespace="__omit_place_holder__0a1b")
    assert (found["istio_timeout"], found["istio_namespace"]) == (300, "istio-system")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ elsewhere }}", "istio_timeout refers to elsewhere, which is not defined: define it, or correct the template."),
        ("{{ {}.x.y }}", "istio_timeout refers to x of a variable that has no such key or item: correct the template, or the variable."),
        ("{{ [1][4] }}", "istio_timeout refers to 4 of a variable that has no such key or item: correct the template, or the variable."),
        ("{{ 'x' + 1 }}", "istio_timeout is a template that cannot be resolved: correct it, or the variables that it refers to."),
        ("{{ 1 + }}", "istio_timeout is a template that cannot be resolved: correct it, or the variables that it refers to."),
    ],
)
def test_a_template_that_cannot_be_resolved_is_told_without_the_words_of_jinja(template: str, message: str) -> None:
    with pytest.raises(AnsibleError) as error:
        variables_of("istio", istio_timeout=trust_as_template(template), inventory_hostname="shop")
    assert str(error.value) == f"The variables of the role istio of cluster shop cannot be used: {message}"


def test_only_one_variable_is_read_on_request() -> None:
    lookup = LookupModule(loader=DataLoader(), templar=Templar(loader=DataLoader(), variables={}))
    given = {"eks_enabled": "on", "eks_version": ["wrong"]}
    assert lookup.run(["eks"], variables=given, variable="eks_enabled") == [True]
    assert lookup.run(["eks"], variables=given, variable="eks_region") == [None]
    with pytest.raises(AnsibleError, match="role eks has no variable eks_enbled"):
        lookup.run(["eks"], variables=given, variable="eks_enbled")


def test_the_arguments_of_one_task_share_a_conversion_and_other_tasks_do_not() -> None:
    lookup = LookupModule(loader=DataLoader(), templar=Templar(loader=DataLoader(), variables={}))
    given = {"istio_timeout": "12"}
    [first], [second] = (lookup.run(["istio"], variables=given) for _ in range(2))
    assert first is second
    [other] = lookup.run(["istio"], variables={"istio_timeout": "13"})
    assert (first["istio_timeout"], other["istio_timeout"]) == (12, 13)


def test_a_role_that_is_not_there_is_named() -> None:
    with pytest.raises(AnsibleError, match="has no role itsio"):
        variables_of("itsio")


def test_items_get_their_defaults_and_texts_their_types() -> None:
    found = variables_of("aws_edge", aws_edge_web_acls=[{"name": "shop"}], aws_edge_tags='{"Team": "mesh"}', aws_edge_log_buckets="a,b")
    assert found["aws_edge_web_acls"] == [{"name": "shop", "managed_rule_groups": ["AWSManagedRulesCommonRuleSet"]}]
    assert (found["aws_edge_tags"], found["aws_edge_log_buckets"], found["aws_edge_certificates"]) == ({"Team": "mesh"}, ["a", "b"], [])
