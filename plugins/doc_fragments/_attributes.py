# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """What all modules of the collection share. A module declares an attribute only where its support differs.

    Each is written out, because ansible-test reads nothing but plain strings.
    """

    DOCUMENTATION = r"""
author:
  - The meshwright.ambient contributors (@meshwright)
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what would change, without changing it.
    support: full
  diff_mode:
    description: Reports in diff mode what has changed, or in check mode would change.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Takes defaults from C(module_defaults) of the group C(meshwright.ambient.mesh), which includes those of C(kubernetes.core).
    support: full
    membership: [meshwright.ambient.mesh]
requirements:
  - kubernetes >= 24.2.0, < 37
"""

    AWS = r"""
author:
  - The meshwright.ambient contributors (@meshwright)
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what would change, without changing it.
    support: full
  diff_mode:
    description: Reports in diff mode what has changed, or in check mode would change.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Takes defaults from C(module_defaults) of the group C(meshwright.ambient.aws), which includes those of C(amazon.aws).
    support: full
    membership: [meshwright.ambient.aws]
"""
