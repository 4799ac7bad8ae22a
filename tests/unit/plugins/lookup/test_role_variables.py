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


def test_a_role_that_is_not_there_is_named() -> None:
    with pytest.raises(AnsibleError, match="has no role itsio"):
        variables_of("itsio")


def test_items_get_their_defaults_and_texts_their_types() -> None:
    found = variables_of("aws_edge", aws_edge_web_acls=[{"name": "shop"}], aws_edge_tags='{"Team": "mesh"}', aws_edge_log_buckets="a,b")
    assert found["aws_edge_web_acls"] == [{"name": "shop", "managed_rule_groups": ["AWSManagedRulesCommonRuleSet"]}]
    assert (found["aws_edge_tags"], found["aws_edge_log_buckets"], found["aws_edge_certificates"]) == ({"Team": "mesh"}, ["a", "b"], [])
