#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: check
short_description: Find what is wrong with a mesh, and why
version_added: 0.1.0
description:
  - Reads a cluster, and reports what is wrong with its ambient mesh, or is about to be, with the object, the cause and what to do. Nothing is changed.
  - It works on any cluster with Istio, also one that this collection did not install, and without an inventory of its mesh.
  - What several objects suffer from is reported once, at the object that causes it; the others are listed in RV(findings[].related).
  - What this user may not read is not an error. RV(unchecked) lists the checks that could not be made for it.
  - Each kind is listed once. The size of the cluster bounds the time and the memory, so that thousands of pods take seconds.
notes:
  - All checks are listed, with examples and remedies, in the pages of C(docs/findings).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
attributes:
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  cluster:
    description: The name of the cluster in RV(findings[].cluster). If omitted, the address of its API server.
    type: str
  phase:
    description:
      - What the checks are for. V(verify) is for a mesh that should work; V(preflight) asks only what matters before Istio is installed, V(upgrade) before
        it is upgraded, and V(teardown) before it is removed.
    type: str
    default: verify
    choices: [preflight, verify, upgrade, teardown]
  only:
    description: The codes of the checks to make, such as V(MW5101), whatever their phase. If omitted, all of O(phase).
    type: list
    elements: str
    default: []
  skip:
    description: The codes of checks not to make.
    type: list
    elements: str
    default: []
  accepted:
    description: Findings that are known and accepted. They are returned in RV(accepted) and are no findings any more.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description: The code of the check.
        type: str
        required: true
      kind:
        description: The kind of the object. If omitted, objects of any kind.
        type: str
      namespace:
        description: The namespace of the object. If omitted, any.
        type: str
      name:
        description: The name of the object. If omitted, any.
        type: str
      reason:
        description: Why the finding is accepted.
        type: str
        required: true
      until:
        description:
          - The last day on which it is accepted, such as V(2027-01-31). From the next day on it is a finding again, and that it was accepted is another one.
          - If omitted, it is accepted without end.
        type: str
  fail_on:
    description: The task fails if there is a finding that is at least as serious as this. V(never) leaves that to a later task.
    type: str
    default: never
    choices: [error, warning, info, never]
seealso:
  - module: meshwright.ambient.ready
"""

EXAMPLES = r"""
- name: Find what is wrong with the mesh
  meshwright.ambient.check:
  register: mesh

- name: Fail on errors, except one that is known
  meshwright.ambient.check:
    accepted:
      - code: MW4103
        kind: Namespace
        name: legacy
        reason: Its sidecars are replaced in the next release.
        until: "2099-12-31"
    fail_on: error

- name: Check whether Istio can be installed on this cluster
  meshwright.ambient.check:
    phase: preflight
"""

RETURN = r"""
findings:
  description: What is wrong, the most serious first.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check, which never changes.
      type: str
      sample: MW5101
    severity:
      description:
        - V(error) if traffic or security is affected now, or something does not have the effect that is written; V(warning) if it will be, or is probably
          not meant; V(info) if it is only good to know.
      type: str
      sample: error
    cluster:
      description: The cluster.
      type: str
      sample: prod-frankfurt
    object:
      description: The object to change, or to look at first, as C(kind), C(namespace) and C(name).
      type: dict
      sample: {kind: Namespace, namespace: "", name: shop}
    related:
      description: The other objects that are affected, in the same form.
      type: list
      elements: dict
      sample: [{kind: Service, namespace: shop, name: cart}]
    message:
      description: What is wrong, and what follows from it.
      type: str
      sample: its label istio.io/use-waypoint names Gateway shop/waypont, which does not exist
    remedy:
      description: What to do.
      type: str
      sample: Create the waypoint, or correct the label.
    docs:
      description: The documentation of the check.
      type: str
      sample: https://github.com/meshwright/meshwright.ambient/blob/main/docs/findings/bindings.md#mw5101
unchecked:
  description: The checks that could not be made, with C(code), C(title) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: [{code: MW7001, title: A NetworkPolicy blocks HBONE, reason: "networkpolicies: this user may not list networkpolicies in all namespaces"}]
accepted:
  description: The findings that O(accepted) covers, in the form of RV(findings), each with its C(reason) and C(until).
  returned: always
  type: list
  elements: dict
  sample: []
counts:
  description: How many findings there are of each severity.
  returned: always
  type: dict
  sample: {error: 1, warning: 0, info: 2}
checks:
  description: How many checks were made.
  returned: always
  type: int
  sample: 92
"""

import datetime
import time
import typing as t

from ..module_utils._checks.catalogue import CHECKS, PAGES
from ..module_utils._checks.report import count, finding_result, to_lines
from ..module_utils._checks.run import run_checks
from ..module_utils._checks.spec import accept, choose_checks, kinds_of, parse_accepted
from ..module_utils._checks.state import read_cluster
from ..module_utils._module import mesh_module, run
from ..module_utils._progress import lines_to
from ..module_utils._text import format_count

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._kinds import Kind
    from ..module_utils._module import Result

# Reads that end sooner need no progress, in seconds.
_SHOWN_AFTER = 3.0

OPTIONS = {
    "cluster": {"type": "str"},
    "phase": {"type": "str", "default": "verify", "choices": ["preflight", "verify", "upgrade", "teardown"]},
    "only": {"type": "list", "elements": "str", "default": []},
    "skip": {"type": "list", "elements": "str", "default": []},
    "accepted": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "code": {"type": "str", "required": True},
            "kind": {"type": "str"},
            "namespace": {"type": "str"},
            "name": {"type": "str"},
            "reason": {"type": "str", "required": True},
            "until": {"type": "str"},
        },
    },
    "fail_on": {"type": "str", "default": "never", "choices": ["error", "warning", "info", "never"]},
    "progress": {"type": "path"},
}


def main() -> None:
    run(mesh_module(OPTIONS), check)


def check(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the cluster, ask the checks, and report what they find."""
    params = module.params
    checks = choose_checks(CHECKS, params["phase"], params["only"], params["skip"])
    accepted = parse_accepted(params["accepted"], PAGES)
    now = time.time()
    with lines_to(params["progress"]) as write_line:

        def report(kind: Kind, done: int, total: int) -> None:
            elapsed = time.time() - now
            if write_line and elapsed > _SHOWN_AFTER:
                write_line(f"{done} of {total} kinds have been read, the last one {kind.plural} ({elapsed:.0f} s)")

        # Also with only and skip: many checks are refined by kinds that they could do without.
        cluster = read_cluster(session, kinds_of(CHECKS), now, report)
    found, unchecked = run_checks(checks, cluster)
    remaining, known = accept(found, accepted, datetime.date(*time.gmtime(now)[:3]))
    name = params["cluster"] or session.cluster
    findings = [finding_result(finding, name, PAGES) for finding in remaining]
    result: Result = {
        "changed": False,
        "findings": findings,
        "unchecked": [{"code": one.code, "title": one.title, "reason": one.reason} for one in unchecked],
        "accepted": [{**finding_result(one, name, PAGES), "reason": by.reason, "until": str(by.until or "")} for one, by in known],
        "counts": count(findings),
        "checks": len(checks) - len(unchecked),
    }
    if params["fail_on"] != "never" and (lines := to_lines(findings, params["fail_on"])):
        return {**result, "failed": True, "msg": "\n".join([f"Cluster {name} has {format_count(len(lines), 'finding')}:", *lines])}
    return result


if __name__ == "__main__":
    main()
