# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """The option of modules whose plan is of use even if it is refused."""

    DOCUMENTATION = r"""
options:
  return_refusals:
    description:
      - In check mode, return what would be refused as C(refusals), one sentence each, beside the plan, instead of failing. A run that verifies a mesh can
        then go on, and report all at once.
      - It has no effect outside of check mode.
    type: bool
    default: false
"""
