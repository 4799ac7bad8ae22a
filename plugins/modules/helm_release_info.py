#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: helm_release_info
short_description: Tell which Helm releases are as they are wanted, by one look at Helm's records
version_added: 0.1.0
description:
  - Compares many releases with what is wanted of them, in one task and without starting Helm for each. M(kubernetes.core.helm) starts Helm four times
    for a release that needs nothing.
  - A release is as wanted when its newest revision is deployed, by this very chart, with these very values. Where that cannot be said for sure,
    as with a chart version that is a range, it counts as different, so that M(kubernetes.core.helm) is asked.
  - With Helm's plugin C(diff), M(kubernetes.core.helm) compares what the charts render, which records do not tell. So with this plugin no
    release is called as wanted.
  - Helm's records hold all values of a release, and what its chart has rendered. Nothing of them is returned.
  - It reads records that are Secrets, which is Helm's default. With another driver no release is found.
  - In check mode it does the same, because it changes nothing.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
options:
  releases:
    description: The releases as they are wanted.
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
        description: The chart, as M(kubernetes.core.helm) takes it. A name in a repository, an C(oci://) path, an archive or a directory.
        type: str
        required: true
      chart_repo_url:
        description: The URL of the repository that has the chart.
        type: str
      chart_version:
        description: The version of the chart. A release is only called as wanted when this is exact, or the chart is an archive or a directory.
        type: str
      values:
        description: The values that the release is to have.
        type: dict
        default: {}
      definitions:
        description:
          - Compare the CustomResourceDefinitions of the chart's directory C(crds), too. Helm installs these with the first revision, and never looks
            at them again.
        type: bool
        default: false
seealso:
  - module: kubernetes.core.helm
  - module: kubernetes.core.helm_info
"""

EXAMPLES = r"""
- name: Look at the releases of Istio
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
  register: look

- name: Say which of them Helm has to look after
  ansible.builtin.debug:
    msg: "{{ look.releases | rejectattr('same') | map(attribute='name') | list }}"
"""

RETURN = r"""
releases:
  description: What was found, in the order of O(releases).
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
      description: The state of the newest revision, such as V(deployed), V(failed) or V(pending-upgrade); empty when there is none.
      type: str
      sample: deployed
    revision:
      description: The number of the newest revision; 0 when there is none.
      type: int
      sample: 1
    pending:
      description: Whether a revision is pending. Helm refuses to work on the release then, until the record of that revision is removed.
      type: bool
      sample: false
    same:
      description: Whether the release is as it is wanted.
      type: bool
      sample: true
    differs:
      description:
        - In what it differs. V(missing), V(status), V(chart), V(values), V(definitions), V(record) for a record that cannot be read, and V(plugin) when
          Helm with its plugin C(diff) could see more.
      type: list
      elements: str
      sample: []
"""

import typing as t

from ..module_utils._helm.helm_releases import Wish, differences, newest_records, pending_records, revision_of, selector, status_of
from ..module_utils._helm.source import chart_of
from ..module_utils._kinds import CUSTOM_RESOURCE_DEFINITION, SECRET
from ..module_utils._module import mesh_module, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession, Object
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
}


def main() -> None:
    run(mesh_module(OPTIONS), look)


def look(module: AnsibleModule, session: ApiSession) -> Result:
    """Read the records of each namespace once, and compare."""
    wishes = [
        Wish(item["name"], item["namespace"], chart_of(item["chart_ref"], item["chart_repo_url"], item["chart_version"]), item["values"], item["definitions"])
        for item in module.params["releases"]
    ]
    secrets: list[Object] = []
    for namespace in sorted({wish.namespace for wish in wishes}):
        label_selector = selector(wish.name for wish in wishes if wish.namespace == namespace)
        secrets += session.list(SECRET, namespace, label_selector=label_selector).items
    newest, pending = newest_records(secrets), pending_records(secrets)
    definitions: dict[str, Object] = {}
    if any(wish.definitions for wish in wishes):
        definitions = {item["metadata"]["name"]: item for item in session.list(CUSTOM_RESOURCE_DEFINITION).items}
    compared = [(wish, differences(wish, newest.get((wish.namespace, wish.name)), definitions)) for wish in wishes]
    # Only asked when it matters.
    if any(not differs for _wish, differs in compared) and sees_more(module):
        compared = [(wish, differs or ["plugin"]) for wish, differs in compared]
    return {
        "changed": False,
        "releases": [_result(wish, newest.get((wish.namespace, wish.name)), (wish.namespace, wish.name) in pending, differs) for wish, differs in compared],
    }


def sees_more(module: AnsibleModule) -> bool:
    """Whether kubernetes.core.helm would have Helm's plugin diff compare; also when Helm cannot say so, which that module then tells."""
    helm = module.get_bin_path("helm")
    if not helm:
        return True
    code, told, _errors = module.run_command([helm, "plugin", "list"])
    return code != 0 or any(line.split()[:1] == ["diff"] for line in told.splitlines())


def _result(wish: Wish, secret: t.Mapping[str, t.Any] | None, pending: bool, differs: list[str]) -> Result:
    return {
        "name": wish.name,
        "namespace": wish.namespace,
        "status": status_of(secret) if secret else "",
        "revision": revision_of(secret) if secret else 0,
        "pending": pending,
        "same": not differs,
        "differs": differs,
    }


if __name__ == "__main__":
    main()
