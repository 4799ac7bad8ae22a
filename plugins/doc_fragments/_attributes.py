# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """The attributes that all modules of the collection share."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what would change, without changing it.
  diff_mode:
    description: Reports in diff mode what has changed, or in check mode would change.
  idempotent:
    description: A second run with the same options changes nothing.
  action_group:
    description: Takes defaults from C(module_defaults) of the group C(meshwright.ambient.mesh), which includes those of C(kubernetes.core).
    support: full
    membership: [meshwright.ambient.mesh]
requirements:
  - kubernetes >= 24.2.0, < 37
"""
