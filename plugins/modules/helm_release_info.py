#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: helm_release_info
short_description: Compare Helm releases with their desired state, by reading Helm's records once
version_added: 0.1.0
description:
  - Compares many releases in one task, without starting Helm for each. M(meshwright.ambient.helm_release) installs those that differ.
  - A release matches when its newest revision is deployed, from this very chart, with these very values. Where that is uncertain,
    as with a chart version that is a range, it is reported as different.
  - If Helm's plugin C(diff) is installed, Helm can compare the rendered objects, which the records do not contain. Then no release is reported as matching.
  - Helm's records hold all values of a release, and what its chart has rendered. None of it is returned.
  - The records are Secrets, or ConfigMaps if the environment variable E(HELM_DRIVER) is set to C(configmap). Other drivers are refused.
  - Check mode makes no difference, because nothing is changed.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
attributes:
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  releases:
    description: The desired releases.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the release.
        type: str
        required: true
      namespace:
        description: The namespace of the release.
        type: str
        required: true
      chart_ref:
        description: The chart. A name in a repository, an C(oci://) path, an archive or a directory.
        type: str
        required: true
      chart_repo_url:
        description: The URL of the repository that contains the chart.
        type: str
      chart_version:
        description: The version of the chart. A release can only match if this is exact, or if the chart is an archive or a directory.
        type: str
      values:
        description: The values of the release, over those of the chart.
        type: dict
        default: {}
      definitions:
        description:
          - Also compare the CustomResourceDefinitions of the chart's directory C(crds). Helm installs them with the first revision and never
            upgrades them.
        type: bool
        default: false
  dry_run:
    description:
      - Have Helm try each release that differs, as a dry run on the server. What Helm would refuse, such as values that the chart does not accept, or objects
        that belong to another release, fails the task before the first release is installed.
    type: bool
    default: false
  take_ownership:
    description: With O(dry_run=true), whether objects of other releases are taken over, as O(meshwright.ambient.helm_release#module:take_ownership) does.
    type: bool
    default: false
  skip_unreadable:
    description:
      - Whether a user who may not read Helm's records, or the definitions, is no error. Then nothing is compared, and RV(readable) is V(false).
    type: bool
    default: false
seealso:
  - module: meshwright.ambient.helm_release
  - module: kubernetes.core.helm
  - module: kubernetes.core.helm_info
"""

EXAMPLES = r"""
- name: Compare the releases of Istio
  meshwright.ambient.helm_release_info:
    releases:
      - name: istio-base
        namespace: istio-system
        chart_ref: base
        chart_repo_url: https://istio-release.storage.googleapis.com/charts
        chart_version: 1.31.1
        values: {profile: ambient}
      - name: istiod
        namespace: istio-system
        chart_ref: istiod
        chart_repo_url: https://istio-release.storage.googleapis.com/charts
        chart_version: 1.31.1
        values: {profile: ambient}
  register: compared

- name: Show which of them differ, and in what
  ansible.builtin.debug:
    msg: "{{ compared.differences }}"
"""

RETURN = r"""
readable:
  description: Whether the records could be read, and were compared. V(false) only with O(skip_unreadable).
  returned: success
  type: bool
  sample: true
releases:
  description: The result of each release, in the order of O(releases).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the release.
      type: str
      sample: istiod
    namespace:
      description: The namespace of the release.
      type: str
      sample: istio-system
    status:
      description: The state of the newest revision, such as V(deployed), V(failed) or V(pending-upgrade); empty if there is none.
      type: str
      sample: deployed
    revision:
      description: The number of the newest revision; 0 if there is none.
      type: int
      sample: 1
    pending:
      description: Whether an interrupted Helm has left a revision pending, uninstalling or in an unknown state. Helm refuses to work on the release until
          the record of that revision is removed.
      type: bool
      sample: false
    same:
      description: Whether the release matches its desired state.
      type: bool
      sample: true
    differs:
      description:
        - In what it differs; V(missing), V(status), V(chart), V(values), V(definitions), V(objects) if somebody has deleted some of its objects,
          V(record) for a record that cannot be read, or V(plugin) if only Helm's plugin C(diff) can determine.
      type: list
      elements: str
      sample: []
    missing:
      description: The objects that it has installed, and that the cluster does not have any more.
      type: list
      elements: str
      sample: [DaemonSet istio-system/istio-cni-node]
stale:
  description: The releases that do not match, as namespace and name.
  returned: success
  type: list
  elements: str
  sample: [istio-system/istiod]
differences:
  description: The same releases with what differs, for a message; without those that only Helm's plugin C(diff) can compare.
  returned: success
  type: list
  elements: str
  sample: ["istio-system/istiod (chart, values)"]
"""

import typing as t
from dataclasses import replace

from ..module_utils._errors import ApiError, raise_if_any
from ..module_utils._helm.apply import Helm, has_plugin
from ..module_utils._helm.plan import differences
from ..module_utils._helm.source import chart_of
from ..module_utils._helm.spec import ChartReference, Release
from ..module_utils._helm.state import read_current
from ..module_utils._module import mesh_module, run
from ..module_utils._text import format_names

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._helm.records import CurrentState
    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {
    "releases": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "required": True},
            "chart_ref": {"type": "str", "required": True},
            "chart_repo_url": {"type": "str"},
            "chart_version": {"type": "str"},
            "values": {"type": "dict", "default": {}},
            "definitions": {"type": "bool", "default": False},
        },
    },
    "dry_run": {"type": "bool", "default": False},
    "take_ownership": {"type": "bool", "default": False},
    "skip_unreadable": {"type": "bool", "default": False},
}


def main() -> None:
    run(mesh_module(OPTIONS), compare)


def compare(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the records of each namespace once, and compare."""
    desired = [_desired(item) for item in module.params["releases"]]
    try:
        current = read_current(session, desired)
    except ApiError as error:
        if error.cause != "rbac" or not module.params["skip_unreadable"]:
            raise
        return {"changed": False, "readable": False, "releases": [], "stale": [], "differences": []}
    compared = [(release, differences(release, current)) for release in desired]
    if module.params["dry_run"]:
        _try_all(module, session.cluster, compared, current)
    # Only asked when it matters.
    if not all(reasons for _release, reasons in compared) and has_plugin(module, module.get_bin_path("helm"), "diff"):
        compared = [(release, reasons or ["plugin"]) for release, reasons in compared]
    return {
        "changed": False,
        "readable": True,
        "releases": [_result(release, current, reasons) for release, reasons in compared],
        "stale": [str(release) for release, reasons in compared if reasons],
        "differences": [_difference(release, reasons, current) for release, reasons in compared if reasons not in ([], ["plugin"])],
    }


def _try_all(module: AnsibleModule, cluster: str, compared: t.Iterable[tuple[Release, list[str]]], current: CurrentState) -> None:
    """Have Helm try what differs.

    Raises:
        MeshError: what Helm would refuse, of all releases.
    """
    references = {(item["namespace"], item["name"]): ChartReference.of(item) for item in module.params["releases"]}
    # Helm refuses every change of a pending release; its repair is decided later.
    tried = [release for release, reasons in compared if reasons and not (release.key in current.releases and current.releases[release.key].pending)]
    helm = Helm(module, cluster) if tried else None
    refusals = [helm.find_refusal(replace(release, take_ownership=module.params["take_ownership"]), references[release.key]) for release in tried if helm]
    raise_if_any([refusal for refusal in refusals if refusal], cluster)


def _desired(item: t.Mapping[str, t.Any]) -> Release:
    chart = chart_of(ChartReference.of(item))
    return Release(item["name"], item["namespace"], chart, item["values"], item["definitions"])


def _difference(release: Release, reasons: list[str], current: CurrentState) -> str:
    missing = format_names(current.missing.get(release.key, ()))
    return f"{release} ({', '.join(f'{reason} missing: {missing}' if reason == 'objects' else reason for reason in reasons)})"


def _result(release: Release, current: CurrentState, differs: list[str]) -> Result:
    found = current.releases.get(release.key)
    return {
        "name": release.name,
        "namespace": release.namespace,
        "status": found.status if found else "",
        "revision": found.revision if found else 0,
        "pending": bool(found and found.pending),
        "same": not differs,
        "differs": differs,
        "missing": list(current.missing.get(release.key, ())),
    }


if __name__ == "__main__":
    main()
