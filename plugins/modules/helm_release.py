#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: helm_release
short_description: Install or upgrade a Helm release with exactly the given values
version_added: 0.1.0
description:
  - Compares Helm's record of a release with its desired state, as M(meshwright.ambient.helm_release_info) does, and runs Helm once if anything
    differs. Helm does not run for a release that already matches.
  - Values keep their types. M(kubernetes.core.helm) writes them as YAML by rules that differ from those by which Helm reads it, so that a string
    such as V(012345678901) or V(1234e5) becomes a number.
  - A release whose last operation failed is upgraded again, even if chart and values are the same.
    M(kubernetes.core.helm) compares only these, and would leave the release unchanged.
  - A release that an interrupted Helm has left pending, uninstalling, or in an unknown state is repaired, or refused before anything is changed.
  - Values and credentials are passed to Helm in files that only the user can read, and are not returned.
  - If Helm's plugin C(diff) is installed, a release whose record matches is also compared by C(helm diff upgrade).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
attributes:
  diff_mode:
    support: partial
    details: Shows what Helm's plugin C(diff) reports, if it is installed and was needed.
options:
  name:
    description: The name of the release.
    type: str
    required: true
  namespace:
    description: The namespace of the release. It is created if it is missing.
    type: str
    required: true
  chart_ref:
    description: The chart. A name in a repository, an C(oci://) path, an archive or a directory.
    type: path
    required: true
  chart_repo_url:
    description:
      - The URL of the repository that contains the chart.
      - The user and password of a URL, here and in O(chart_ref), are passed to Helm in a file, and are not returned.
    type: str
  chart_version:
    description: The version of the chart. If omitted, the newest in the repository.
    type: str
  values:
    description: The values of the release, merged over those of the chart. They replace all values that the release had.
    type: dict
    default: {}
  definitions:
    description:
      - Update the CustomResourceDefinitions of the chart's directory C(crds) before the chart is installed. Helm installs them with
        the first revision and never upgrades them.
    type: bool
    default: false
  definitions_chart:
    description:
      - With O(definitions=true), a separate chart whose templates contain the CustomResourceDefinitions. They are applied without a release,
        so that C(helm uninstall) does not delete them.
    type: dict
    suboptions:
      chart_ref:
        description: As O(chart_ref).
        type: path
        required: true
      chart_repo_url:
        description: As O(chart_repo_url).
        type: str
      chart_version:
        description: As O(chart_version).
        type: str
  force_conflicts:
    description:
      - Take over fields of definitions that another field manager owns. Those of Helm, which never upgrades them, are always taken over.
      - If V(false), such a conflict is an error that names the field and its owner, in check mode, too.
    type: bool
    default: false
  repair:
    description:
      - Remove the records of revisions that an interrupted Helm has left behind, so that Helm continues from the revision before them, or
        adopts the objects that carry the name of the release.
      - If V(false), such a release is refused. Use V(false) where others may run Helm on the same release at the same time.
    type: bool
    default: false
  take_ownership:
    description:
      - Take over objects of the chart that another release, or another tool than Helm, has created.
      - If V(false), such an object is an error that names its owner, in check mode, too. V(true) requires Helm 3.17 or newer.
      - The record of the other release stays, and C(helm uninstall) of that release would delete the objects. Delete its record once it has no objects left.
    type: bool
    default: false
seealso:
  - module: meshwright.ambient.helm_release_info
  - module: kubernetes.core.helm
"""

EXAMPLES = r"""
- name: Install ztunnel
  meshwright.ambient.helm_release:
    name: ztunnel
    namespace: istio-system
    chart_ref: ztunnel
    chart_repo_url: https://istio-release.storage.googleapis.com/charts
    chart_version: 1.31.1
    values:
      profile: ambient
      podAnnotations:
        cost-center: "0815"

- name: Install a controller after its definitions, and repair a release that an interrupted Helm has left pending
  meshwright.ambient.helm_release:
    name: aws-load-balancer-controller
    namespace: kube-system
    chart_ref: oci://registry.example.org/charts/aws-load-balancer-controller
    chart_version: 3.5.0
    definitions: true
    repair: true
"""

RETURN = r"""
differs:
  description: How the release differed, as in RV(meshwright.ambient.helm_release_info#module:releases[].differs); empty if it matched.
  returned: success
  type: list
  elements: str
  sample: [values]
repaired:
  description: The records of interrupted revisions that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [sh.helm.release.v1.ztunnel.v3]
definitions:
  description: The CustomResourceDefinitions that were created or upgraded, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t
from dataclasses import replace

from ..module_utils._errors import raise_if_any
from ..module_utils._helm.apply import Helm, writes_of
from ..module_utils._helm.plan import differences, plan_release
from ..module_utils._helm.refusals import refuse_pending
from ..module_utils._helm.source import chart_of
from ..module_utils._helm.spec import ChartReference, Release
from ..module_utils._helm.state import read_current
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._module import mesh_module, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart_ref": {"type": "path", "required": True},
    "chart_repo_url": {"type": "str"},
    "chart_version": {"type": "str"},
    "values": {"type": "dict", "default": {}},
    "definitions": {"type": "bool", "default": False},
    "definitions_chart": {
        "type": "dict",
        "options": {"chart_ref": {"type": "path", "required": True}, "chart_repo_url": {"type": "str"}, "chart_version": {"type": "str"}},
    },
    "force_conflicts": {"type": "bool", "default": False},
    "repair": {"type": "bool", "default": False},
    "take_ownership": {"type": "bool", "default": False},
}


def main() -> None:
    run(mesh_module(OPTIONS), install)


def install(module: AnsibleModule, session: ApiSession) -> Result:
    """Compare the release with its record, and have Helm make it so."""
    params = module.params
    reference = ChartReference.of(params)
    desired = Release(params["name"], params["namespace"], chart_of(reference), params["values"], params["definitions"], params["take_ownership"])
    current = read_current(session, [desired])
    helm = Helm(module, session.cluster)
    differs, diff = differences(desired, current), {}
    if differs:
        # Which chart is meant may be known by its repository only, and one that cannot be had is an error before anything is changed.
        desired = replace(desired, chart=helm.chart(desired, reference))
        differs = differences(desired, current)
    if not differs and helm.has_plugin("diff") and (prepared := helm.difference(desired, reference)):
        differs, diff = ["plugin"], {"diff": {"prepared": prepared}}
    own = params["definitions_chart"]
    documents = helm.definitions(desired, reference, ChartReference.of(own) if own else None) if differs and desired.definitions else []
    plan = plan_release(desired, current, differs, documents)
    repairs, applies = writes_of(plan, desired, current, force_conflicts=params["force_conflicts"])
    refused = [refusal] if not params["repair"] and (refusal := refuse_pending(desired, current, plan, session.cluster)) else []
    if plan.differs:
        refused += session.refuse_terminating([(desired.namespace, f"install release {desired}")], read=True)
    refused += session.refused([*repairs, *applies])
    refused += [] if refused else find_refusals(session, applies)
    # Helm itself refuses before it writes anything, but the definitions would have been written by then.
    if plan.differs and (module.check_mode or applies) and not refused and not repairs:
        refused = [refusal] if (refusal := helm.find_refusal(desired, reference)) else []
    raise_if_any(refused, session.cluster)
    if plan.differs and not module.check_mode:
        session.write_all(repairs, applies)
        helm.upgrade(desired, reference)
    done = {"repaired": [write.name for write in repairs], "definitions": [write.name for write in applies]}
    return {"changed": bool(plan.differs), "differs": list(plan.differs), **done, **diff}


if __name__ == "__main__":
    main()
