#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: gateway_api
short_description: Install and upgrade the CustomResourceDefinitions of the Gateway API
version_added: 0.1.0
description:
  - Applies the definitions of one bundle by server-side apply, and waits until the API server serves them.
  - Before the first write, and in check mode, each definition that is going to be written is tried as a dry run. If the API server refuses one, such as
    one without a version in which objects are stored, or a field that another field manager owns, nothing is written.
  - Missing definitions are installed. Definitions of the bundle's version, and newer ones, are not written. Older ones are upgraded only on request,
    because other controllers share them.
  - The bundle's admission policy C(safe-upgrades.gateway.networking.k8s.io), which refuses old definitions, is applied after the definitions and is never
    removed. Definitions are never downgraded.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
options:
  source:
    description:
      - The bundle, as a URL, a file, or a directory, of which the files C(*.yaml), C(*.yml) and C(*.json) are read, as C(kubectl) does.
      - It is refused if it is truncated, has more than 20 MB, or is nested more than 100 levels deep, aliases included.
      - The release's file is C(https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/standard-install.yaml).
    type: str
    required: true
  upgrade:
    description: Upgrade definitions that are older than the bundle's. If V(false), they are not written, and a warning names their versions.
    type: bool
    default: false
  force_conflicts:
    description: Take over fields that another field manager owns. If V(false), such a conflict is an error that names the field and its owner.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait until the API server serves the definitions, in seconds.
    type: int
    default: 60
seealso:
  - module: meshwright.ambient.ready
"""

EXAMPLES = r"""
- name: Install the Gateway API from its release
  meshwright.ambient.gateway_api:
    source: https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/standard-install.yaml

- name: Upgrade the definitions from a directory
  meshwright.ambient.gateway_api:
    source: /srv/mirror/gateway-api/v1.6.1
    upgrade: true
"""

RETURN = r"""
version:
  description: The version of the bundle.
  returned: success
  type: str
  sample: v1.6.1
definitions:
  description: The bundle's definitions, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the definition.
      type: str
      sample: gateways.gateway.networking.k8s.io
    action:
      description: V(installed), V(upgraded), V(unchanged), V(kept older) or V(kept newer).
      type: str
      sample: installed
    changed:
      description: Whether it was written, or in check mode would be.
      type: bool
      sample: true
    before:
      description: Its bundle version before; empty if it did not exist.
      type: str
      sample: ""
    after:
      description: Its bundle version now.
      type: str
      sample: v1.6.1
"""

import typing as t

from ..module_utils._diff import diff_of
from ..module_utils._errors import raise_if_any
from ..module_utils._gateway_api.apply import plan_writes, wait_until_served
from ..module_utils._gateway_api.plan import BundleChange, BundlePlan, plan_bundle
from ..module_utils._gateway_api.source import read_bundle
from ..module_utils._gateway_api.spec import parse_bundle
from ..module_utils._gateway_api.state import read_state
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._module import mesh_module, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "source": {"type": "str", "required": True},
    "upgrade": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 60},
}


def main() -> None:
    run(mesh_module(OPTIONS), install)


def install(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the bundle and the cluster, plan, apply, wait."""
    params = module.params
    bundle = parse_bundle(read_bundle(params["source"]), params["source"])
    plan = plan_bundle(bundle, read_state(session, bundle, upgrade=params["upgrade"]), upgrade=params["upgrade"])
    for warning in plan.warnings:
        module.warn(warning)
    definitions, guards = plan_writes(plan, force=params["force_conflicts"])
    raise_if_any(session.refused([*definitions, *guards]), session.cluster)
    raise_if_any(find_refusals(session, [*definitions, *guards]), session.cluster)
    if not module.check_mode:
        session.write_all(definitions)
        session.write_all(guards)
        wait_until_served(session, plan, params["wait_timeout"])
    return {"changed": plan.changed, "diff": _diff(plan), "version": plan.version, "definitions": [_result(change) for change in plan.changes]}


def _diff(plan: BundlePlan) -> list[dict[str, str]]:
    changed = [change for change in plan.changes if change.changed]
    return [
        *(diff_of(f"CustomResourceDefinition {change.name}", _fields(change.before), _fields(change.after)) for change in changed),
        *(diff_of(f"{guard['kind']} {guard['metadata']['name']}", {}, _fields(plan.version)) for guard in plan.guards),
    ]


def _fields(version: str) -> dict[str, str]:
    return {"bundle-version": version} if version else {}


def _result(change: BundleChange) -> Result:
    return {"name": change.name, "action": change.action, "changed": change.changed, "before": change.before, "after": change.after}


if __name__ == "__main__":
    main()
