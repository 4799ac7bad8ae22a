# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils._mesh.inventory import find_mistakes, find_unknown, find_wrong_wishes

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
        judged = ArgumentSpecValidator(options).validate(given)
        mistakes += judged.error_messages
        defaults = {name: option["default"] for name, option in options.items() if "default" in option}
        mistakes += find_mistakes({**defaults, **given})
        if not judged.error_messages:
            # What the modules would say of these values, before the first cluster is touched.
            mistakes += find_wrong_wishes(judged.validated_parameters)
        mistakes += find_unknown(variables, {role: spec.keys() for role, spec in specs.items()})
        mistakes += _environment_mistakes(variables)
        cluster = variables["inventory_hostname"]
        if mistakes:
            told = "\n".join(f"- cluster {cluster}: {mistake}" for mistake in mistakes)
            result.update(failed=True, msg=f"Mistakes in the inventory: {len(mistakes)}. Nothing was changed anywhere.\n{told}", mistakes=mistakes)
        else:
            result.update(changed=False, msg=f"The variables of cluster {cluster} are in order.")
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


def _read_spec(role: str) -> dict[str, t.Any]:
    spec = yaml.safe_load((_ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, t.Any] = spec["argument_specs"]["main"]["options"]
    return options


def _environment_mistakes(variables: dict[str, t.Any]) -> list[str]:
    """A cluster credential in the environment would win over the inventory's kubeconfig in kubernetes.core, and lead to another cluster."""
    named = [name for name in ("cluster_kubeconfig", "cluster_context") if variables.get(name)]
    if named and os.environ.get("K8S_AUTH_HOST"):
        host = os.environ["K8S_AUTH_HOST"]
        remedy = "take the Kubernetes credential away from the job, or the variable out of the inventory."
        return [f"{named[0]} is given, and the environment variable K8S_AUTH_HOST names {host}: {remedy}"]
    return []
