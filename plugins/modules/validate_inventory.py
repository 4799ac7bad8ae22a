#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What is documented here is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: validate_inventory
short_description: Validate the variables of a cluster before anything is written
version_added: 0.1.0
description:
  - Converts the variables of a cluster to the types that the argument specs of roles declare, and validates what no type can show, such as impossible
    names, objects that are named twice, bindings that a waypoint would not allow, and misspelled variables.
  - A value means the same whether it is written in YAML or comes as text from the command line or a survey.
  - The kubeconfig is read, and so are charts in a directory of the controller, whose keys are compared with those of the variables.
  - All errors are reported in one message, each with the variable and the cluster.
  - No request is sent to the cluster.
author:
  - The meshwright.ambient contributors (@meshwright)
attributes:
  action:
    description: An action plugin does the work on the controller.
    support: full
  check_mode:
    description: Can run in C(check_mode) and report what would change, without changing it.
    support: full
  diff_mode:
    description: Reports in diff mode what has changed, or in check mode would change.
    support: none
    details: Nothing is changed.
options:
  roles:
    description: The roles of this collection whose variables are validated.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Validate the variables of every cluster
  meshwright.ambient.validate_inventory:
    roles: [gateway_api, istio, mesh]
"""

RETURN = r"""
errors:
  description: One sentence for each error.
  returned: failure
  type: list
  elements: str
  sample: ["istio_verison is not a variable of the role istio: did you mean istio_version?"]
"""
