# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: role_variables
short_description: The variables of a role as values of their declared types
version_added: 0.1.0
description:
  - Reads the variables of a role of this collection, and converts each to the type that the role's argument spec declares.
  - Extra variables on the command line and answers to a survey are strings. Ansible validates that they can be converted, but a template or a filter
    still receives the string, and treats V(false) as true. A role that reads its variables with this lookup receives converted values.
  - Defaults of the argument spec are filled in, also for keys of items. Keys that have neither a value nor a default are omitted.
  - A variable without a value, such as a list whose items are all commented out, has its default.
  - Fails with one sentence for each value that cannot be converted.
author:
  - The meshwright.ambient contributors (@meshwright)
options:
  _terms:
    description: The name of the role, without the name of the collection.
    required: true
  variable:
    description:
      - The name of the only variable to read, of those of the role.
      - The lookup then returns its value, or V(none) if it has neither a value nor a default.
    type: str
"""

EXAMPLES = r"""
- name: Read a boolean that may have been set as a string, for example by a survey
  ansible.builtin.debug:
    msg: "{{ istio.istio_startup_taint | ternary('Nodes begin with a taint', 'Nodes begin without a taint') }}"
  vars:
    istio: "{{ lookup('meshwright.ambient.role_variables', 'istio') }}"

# In a playbook, outside of the role.
- name: Create or update the EKS cluster
  ansible.builtin.include_role:
    name: meshwright.ambient.eks
  when: lookup('meshwright.ambient.role_variables', 'eks', variable='eks_enabled')
"""

RETURN = r"""
_raw:
  description: The variables of the role by their names, or the value of the only one.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._inventory.values import convert
from ..plugin_utils._role_variables import resolve, role_options, vaulted

# The variables of one task, and what was converted from them, by role and variable.
_LAST: dict[t.Any, t.Any] = {}


class LookupModule(LookupBase):
    """The variables of a role as values of their declared types."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        only = options.get("variable")
        return [self._last(role, variables or {}, only) for role in terms]

    def _last(self, role: str, variables: dict[str, t.Any], only: str | None) -> t.Any:
        """What was last converted, if it was for the same variables: each argument of a task is a template of its own, which asks again."""
        if _LAST.get("variables") is not variables:
            _LAST.clear()
            _LAST["variables"] = variables
        if (role, only) not in _LAST:
            _LAST[role, only] = self._converted(role, variables, only)
        return _LAST[role, only]

    def _converted(self, role: str, variables: dict[str, t.Any], only: str | None) -> t.Any:
        try:
            options = role_options(role)
            options = {only: options[only]} if only else options
        except (KeyError, OSError) as error:
            missing = f"role {role} has no variable {only}" if isinstance(error, KeyError) else f"collection meshwright.ambient has no role {role}"
            raise AnsibleLookupError(f"The {missing}: correct the name in the lookup role_variables.") from error
        given, errors = resolve(self._templar, options, variables)
        converted = convert(options, given, vaulted(options, variables))
        if errors or converted.errors:
            cluster = variables.get("inventory_hostname", "localhost")
            listed = " ".join([*errors.values(), *converted.errors])
            raise AnsibleLookupError(f"The variables of the role {role} of cluster {cluster} cannot be used: {listed}")
        return converted.values.get(only) if only else converted.values
