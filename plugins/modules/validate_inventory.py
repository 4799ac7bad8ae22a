#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What is documented here is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
---
module: validate_inventory
short_description: Judge a cluster's variables before anything is written
version_added: 0.1.0
description:
  - Compares the variables of a cluster with the argument specs of roles, and looks for what no type can show. Such are names that cannot be,
    objects named twice, bindings that a waypoint would not allow, variables with a slip of the pen.
  - All mistakes are told in one message, each with the variable and the cluster.
  - Nothing is asked of the cluster.
author:
  - The meshwright.ambient contributors (@meshwright)
attributes:
  action:
    description: An action plugin does the work on the controller.
    support: full
  check_mode:
    description: Can run in C(check_mode) and tell what would change, without changing it.
    support: full
  diff_mode:
    description: Tells in diff mode what has changed, or in check mode would change.
    support: none
    details: Nothing is changed.
options:
  roles:
    description: The roles of this collection whose variables are judged.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Find all mistakes of the inventory before the first change
  meshwright.ambient.validate_inventory:
    roles: [gateway_api, istio, mesh]
"""

RETURN = r"""
mistakes:
  description: One sentence for each mistake.
  returned: failure
  type: list
  elements: str
  sample: ["istio_verison is no variable of the role istio: did you mean istio_version?"]
"""
