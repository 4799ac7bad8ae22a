# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """The options that the modules for gateways, load balancers and routes share."""

    DOCUMENTATION = r"""
options:
  force_conflicts:
    description: Take over objects that somebody else has created, and fields that another field manager owns.
    type: bool
    default: false
"""

    ROUTES = r"""
options:
  planned:
    description: What earlier tasks of the same check run would create. It is taken into account in check mode only.
    type: dict
    suboptions:
      namespaces: {type: list, elements: str, default: [], description: Names of namespaces.}
"""

    LOAD_BALANCERS = r"""
options:
  override_deletion_protection:
    description: Delete even load balancers with deletion protection, which is disabled first.
    type: bool
    default: false
  allow_unroutable_targets:
    description: Allow pods as targets even if no network plug-in is found that assigns them addresses of the VPC.
    type: bool
    default: false
"""

    ALBS = r"""
options:
  allow_load_balancer_service:
    description: Allow an ALB in front of a Service of type LoadBalancer, which has its own load balancer.
    type: bool
    default: false
  planned:
    description: What earlier tasks of the same check run would create. It is taken into account in check mode only.
    type: dict
    suboptions:
      namespaces: {type: list, elements: str, default: [], description: Names of namespaces.}
      services: {type: list, elements: str, default: [], description: 'Services, each as C(namespace/name).'}
      controller: {type: bool, default: false, description: Whether the AWS Load Balancer Controller would be installed.}
"""
