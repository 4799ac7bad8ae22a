# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..module_utils._eks.inventory import find_eks_mistakes, find_shared_clusters
from ..module_utils._eks.karpenter_inventory import find_karpenter_mistakes, find_karpenter_notes
from ..module_utils._ingress.inventory import find_ingress_mistakes
from ..module_utils._inventory.mesh import find_mistakes, find_unknown, find_version_mistakes, find_wrong_wishes

_ROLES = Path(__file__).resolve().parents[2] / "roles"


class ActionModule(ActionBase):
    """Judges a cluster's variables against the argument specs of roles, and tells all mistakes at once."""

    _requires_connection = False
    _VALID_ARGS = frozenset({"roles"})

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        specs = {role: _read_spec(role) for role in self._task.args["roles"]}
        options = {name: option for spec in specs.values() for name, option in spec.items()}
        given, mistakes = self._given(options, variables)
        # A value of a wrong type is told once, by its type.
        judged = ArgumentSpecValidator({name: _without_template(option) for name, option in options.items()}).validate(given)
        mistakes += judged.error_messages
        defaults = {name: option["default"] for name, option in options.items() if "default" in option}
        completed = {**defaults, **given}
        for find in (find_mistakes, find_version_mistakes, find_eks_mistakes, find_karpenter_mistakes, find_ingress_mistakes):
            mistakes += find(completed)
        if not judged.error_messages:
            # What the modules would say of these values, before the first cluster is touched.
            mistakes += find_wrong_wishes(judged.validated_parameters)
        mistakes += find_unknown(variables, {role: spec.keys() for role, spec in specs.items()})
        cluster = variables["inventory_hostname"]
        # What concerns several hosts is judged once, for the first of them.
        if cluster == variables.get("ansible_play_hosts_all", [cluster])[0]:
            mistakes += find_shared_clusters(_eks_clusters(variables))
        if mistakes:
            told = "\n".join(f"- cluster {cluster}: {mistake}" for mistake in mistakes)
            result.update(failed=True, msg=f"Mistakes in the inventory: {len(mistakes)}. Nothing was changed anywhere.\n{told}", mistakes=mistakes)
        else:
            result.update(changed=False, msg=f"The variables of cluster {cluster} are in order.")
            if notes := find_karpenter_notes(completed):
                result["warnings"] = [f"Cluster {cluster}: {note}" for note in notes]
        return result

    def _given(self, options: t.Iterable[str], variables: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """The variables that the inventory gives, with templates resolved, and those whose template cannot be."""
        given, mistakes = {}, []
        for name in options:
            if name in variables:
                try:
                    given[name] = self._templar.template(variables[name])
                except AnsibleError as error:
                    mistakes.append(f"{name} cannot be resolved: {error}")
        return given, mistakes


def _eks_clusters(variables: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    """Region and name of the EKS cluster of each host that makes one."""
    found = {}
    for host in variables.get("ansible_play_hosts_all", []):
        given = variables["hostvars"][host]
        if boolean(given.get("eks_enabled", False), strict=False):
            found[host] = (str(given.get("eks_region", "")), str(given.get("eks_cluster_name", host)))
    return found


def _read_spec(role: str) -> dict[str, t.Any]:
    spec = yaml.safe_load((_ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, t.Any] = spec["argument_specs"]["main"]["options"]
    return options


def _without_template(option: dict[str, t.Any]) -> dict[str, t.Any]:
    """An option whose default is a template is judged when it is given; what the template becomes is of the right type, or the role says so."""
    return {key: value for key, value in option.items() if key != "default" or not (isinstance(value, str) and "{{" in value)}
