# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._inventory.connections import find_connection_error
from ..module_utils._inventory.near_misses import find_misspelled, find_misspelled_tags
from ..module_utils._inventory.validation import find_errors
from ..module_utils._inventory.values import convert
from ..module_utils._inventory.warnings import find_warnings
from ..module_utils._text import without_userinfo
from ..plugin_utils._charts import compare_chart_values
from ..plugin_utils._clusters import find_shared_clusters
from ..plugin_utils._kubeconfigs import find_kubeconfig_errors
from ..plugin_utils._role_variables import resolve, role_options, vaulted

# The roles that need no cluster yet.
_WITHOUT_CLUSTER = frozenset({"eks", "aws_edge"})
_TAGS_OF_ANSIBLE = frozenset({"all", "always", "never", "tagged", "untagged"})


class ActionModule(ActionBase):
    """Validates a cluster's variables against the argument specs of roles, and reports all errors at once."""

    _requires_connection = False
    _VALID_ARGS = frozenset({"roles"})

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        specs = {role: role_options(role) for role in self._task.args["roles"]}
        options = {name: option for spec in specs.values() for name, option in spec.items()}
        given, unresolved = resolve(self._templar, options, variables)
        derived = {name for name in given if variables.get(name) is None}
        converted = convert(options, given, vaulted(options, variables), derived)
        # What is missed in a variable that cannot be resolved may be there.
        converted = dataclasses.replace(converted, wrong=converted.wrong | unresolved.keys())
        cluster = variables["inventory_hostname"]
        errors = [*unresolved.values(), *self._find_access_errors(converted.values, variables)]
        errors += find_errors(converted)
        chart_errors, chart_warnings = compare_chart_values(converted.values)
        errors += chart_errors
        errors += find_misspelled(variables, {role: spec.keys() for role, spec in specs.items()})
        named = [tag for name in ("ansible_run_tags", "ansible_skip_tags") for tag in variables.get(name) or () if tag not in _TAGS_OF_ANSIBLE]
        errors += find_misspelled_tags(named, specs)
        # Conditions across hosts are validated once, for the first host.
        hosts = variables.get("ansible_play_hosts_all", [cluster])
        if cluster == hosts[0] and len(hosts) > 1:
            errors += find_shared_clusters({host: variables["hostvars"][host] for host in hosts}, os.environ)
        # What a value was wrong about may be a URL.
        errors = [without_userinfo(error) for error in errors]
        if errors:
            listed = "\n".join(f"- cluster {cluster}: {error}" for error in errors)
            result.update(
                failed=True,
                msg=f"The inventory has {len(errors)} error{'s' if len(errors) > 1 else ''}. Nothing was changed anywhere.\n{listed}",
                errors=errors,
            )
        else:
            result.update(changed=False, msg=f"The variables of cluster {cluster} are valid.")
            unknown = [tag for tag in variables.get("ansible_run_tags") or () if tag not in specs and tag not in _TAGS_OF_ANSIBLE]
            if unknown and not set(variables["ansible_run_tags"]) & {*specs, "all"}:
                result["warnings"] = [f"No role has a tag {' or '.join(unknown)}, so this run does nothing: use {', '.join(specs)}."]
            if warnings := [*find_warnings(converted.values), *chart_warnings]:
                result["warnings"] = [*result.get("warnings", ()), *(f"Cluster {cluster}: {warning}" for warning in warnings)]
        return result

    def _find_access_errors(self, values: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> list[str]:
        """Why no task would reach the cluster."""
        transport = str(getattr(self._connection, "transport", ""))
        if errors := find_connection_error(transport, variables["hostvars"][variables["inventory_hostname"]]):
            return errors
        tags = set(variables.get("ansible_run_tags") or {"all"})
        needs_cluster = tags & {"all", "tagged", *self._task.args["roles"]} - _WITHOUT_CLUSTER
        # Paths are those of the machine on which tasks run.
        if not needs_cluster or transport != "local":
            return []
        return find_kubeconfig_errors(values, os.environ, is_secret=bool(vaulted(["cluster_kubeconfig"], variables)))
