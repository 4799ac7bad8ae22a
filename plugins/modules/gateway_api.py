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
  - Definitions that are not there are installed. Those of the same version are left alone. Older ones are upgraded only on request, because
    other controllers share them. Newer ones are left alone.
  - The bundle's admission policy C(safe-upgrades.gateway.networking.k8s.io), which refuses old definitions, is applied after them and never
    taken away, so a downgrade is refused here before the API server would.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  source:
    description:
      - Where the bundle is. Either a URL, a file, or a directory of YAML files.
      - The release's file is C(https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/standard-install.yaml).
    type: str
    required: true
  upgrade:
    description: Upgrade definitions that are older than the bundle's. Without it they are left alone, with a warning.
    type: bool
    default: false
  force_conflicts:
    description: Take over fields that another field manager owns. Without it, such a conflict is an error that names field and owner.
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

- name: Upgrade it from a directory
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
      description: The bundle version it had; empty when it was not there.
      type: str
      sample: ""
    after:
      description: The bundle version it has now.
      type: str
      sample: v1.6.1
"""

import time
import typing as t

from ..module_utils._diff import diff_of
from ..module_utils._errors import MeshError
from ..module_utils._gateway_api.plan import BundleChange, parse_bundle, plan_bundle
from ..module_utils._gateway_api.source import read_bundle
from ..module_utils._k8s.writes import Write
from ..module_utils._kinds import BY_NAME, CUSTOM_RESOURCE_DEFINITION
from ..module_utils._module import mesh_module, run
from ..module_utils._status.target import Target
from ..module_utils._wait.report import format_failure
from ..module_utils._wait.wait import wait_until_current

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession, Object
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
    """Read the bundle and what is there, decide, write, wait."""
    bundle = parse_bundle(read_bundle(module.params["source"]), module.params["source"])
    present = {item["metadata"]["name"]: item for item in session.list(CUSTOM_RESOURCE_DEFINITION, metadata_only=True).items}
    changes = plan_bundle(bundle, present, upgrade=module.params["upgrade"])
    older = sorted({change.before for change in changes if change.action == "kept older"})
    if older:
        count = sum(change.action == "kept older" for change in changes)
        module.warn(f"{count} definitions stay at {', '.join(older)}, older than the bundle's {bundle.version}: set upgrade to bring them up to date.")
    # The policy guards the bundle's version; it goes in with the definitions, or when it is not there yet.
    guards = describe_guards(session, bundle.guards, wanted=all(change.action in ("installed", "upgraded", "unchanged") for change in changes))
    changed = [change for change in changes if change.changed]
    force = module.params["force_conflicts"]
    writes = [
        Write("apply", CUSTOM_RESOURCE_DEFINITION, change.name, body=change.definition, force=force, creates=change.action == "installed") for change in changed
    ]
    # Whether they are there already is not asked: who may install the definitions may make their guard.
    guard_writes = [Write("apply", BY_NAME[item["kind"]], item["metadata"]["name"], body=item, force=force, creates=True) for item in guards]
    refused = session.refused([*writes, *guard_writes])
    if refused:
        raise MeshError("\n".join(refused))
    if not module.check_mode:
        session.write_all(writes)
        session.write_all(guard_writes)
        wait_until_served(session, [change.name for change in changes], module.params["wait_timeout"])
    told = [diff_of(f"CustomResourceDefinition {change.name}", _fields(change.before), _fields(change.after)) for change in changed]
    told += [diff_of(f"{item['kind']} {item['metadata']['name']}", {}, _fields(bundle.version)) for item in guards]
    return {"changed": bool(changed or guards), "diff": told, "version": bundle.version, "definitions": [_result(change) for change in changes]}


def describe_guards(session: ApiSession, guards: t.Sequence[t.Mapping[str, t.Any]], *, wanted: bool) -> list[Object]:
    """The bundle's admission policy and its binding, where they are not there at the bundle's version."""
    missing = []
    for guard in guards if wanted else ():
        present = session.get(BY_NAME[guard["kind"]], guard["metadata"]["name"])
        if present is None or any(
            present["metadata"].get("annotations", {}).get(key) != value for key, value in guard["metadata"].get("annotations", {}).items()
        ):
            missing.append(dict(guard))
    return missing


def wait_until_served(session: ApiSession, names: list[str], timeout: int) -> None:
    """Wait until all definitions are Established."""
    outcome = wait_until_current(session, [Target("CustomResourceDefinition", name) for name in names], timeout=timeout, clock=time.monotonic)
    if not outcome.current:
        raise MeshError(format_failure(outcome, session.cluster))


def _fields(version: str) -> dict[str, str]:
    return {"bundle-version": version} if version else {}


def _result(change: BundleChange) -> Result:
    return {"name": change.name, "action": change.action, "changed": change.changed, "before": change.before, "after": change.after}


if __name__ == "__main__":
    main()
