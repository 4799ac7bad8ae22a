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
author:
  - The meshwright.ambient contributors (@meshwright)
options:
  _terms:
    description: The name of the role, without the name of the collection.
    required: true
"""

EXAMPLES = r"""
# In vars/main.yml of the role: __istio.istio_startup_taint is a boolean, even if it was set as a string, for example by a survey.
__istio: "{{ lookup('meshwright.ambient.role_variables', 'istio') }}"
"""

RETURN = r"""
_raw:
  description: The variables of the role by their names.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._inventory.values import convert
from ..plugin_utils._role_variables import resolve, role_options


class LookupModule(LookupBase):
    """The variables of a role as values of their declared types."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **_options: t.Any) -> list[dict[str, t.Any]]:
        return [self._converted(role, variables or {}) for role in terms]

    def _converted(self, role: str, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            options = role_options(role)
        except OSError as error:
            raise AnsibleLookupError(f"The collection meshwright.ambient has no role {role}: correct the name in the lookup role_variables.") from error
        given, errors = resolve(self._templar, options, variables)
        converted = convert(options, given)
        if errors or converted.errors:
            raise AnsibleLookupError(f"The variables of the role {role} cannot be used: {'; '.join([*errors, *converted.errors])}")
        return converted.values
