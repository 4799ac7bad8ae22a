#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ingress_route
short_description: Declare HTTPRoutes behind gateways
version_added: 0.1.0
description:
  - Declares HTTPRoutes, by which requests reach Services from the gateways of M(meshwright.ambient.ingress_gateway).
  - Objects that already match are not written. Objects are written by server-side apply.
  - Everything that can never work is reported and refused before the first write.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
  - meshwright.ambient._ingress
  - meshwright.ambient._ingress.routes
options:
  routes:
    description: HTTPRoutes.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: The name of the route.}
      namespace: {type: str, required: true, description: The namespace of the route.}
      state: {type: str, choices: [present, absent], default: present, description: Whether it should exist.}
      gateway: {type: str, description: The Gateway to which it attaches.}
      gateway_namespace: {type: str, description: 'The namespace of the Gateway, if it differs.'}
      section_names:
        description:
          - The listeners to which it attaches. If empty, all listeners; the role C(ingress) then omits those that only redirect to HTTPS.
          - The module itself does not know these listeners, so name the HTTPS listeners if the Gateway has C(redirect_http); otherwise, the route is also
            served in plain HTTP.
        type: list
        elements: str
        default: []
      hosts: {type: list, elements: str, default: [], description: The hosts of the route.}
      rules:
        description: Which path leads to which Services.
        type: list
        elements: dict
        default: []
        suboptions:
          path: {type: str, default: /, description: The path.}
          path_type: {type: str, choices: [PathPrefix, Exact, RegularExpression], default: PathPrefix, description: How the path is compared.}
          backends:
            description: The Services.
            type: list
            elements: dict
            default: []
            suboptions:
              service: {type: str, required: true, description: The Service.}
              port: {type: int, required: true, description: Its port.}
              namespace: {type: str, description: 'Its namespace, if it differs. An HTTPRoute then needs a ReferenceGrant.'}
              weight: {type: int, description: Its share of the requests.}
      labels: {type: dict, default: {}, description: Labels of the route.}
      spec: {type: dict, default: {}, description: Fields of C(spec) that replace those rendered from the other options.}
  wait:
    description: Wait until the routes are accepted.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: int
    default: 600
seealso:
  - module: meshwright.ambient.ingress_gateway
  - module: meshwright.ambient.istio_ingress
"""

EXAMPLES = r"""
- name: A route from a shared gateway to an application
  meshwright.ambient.ingress_route:
    routes:
      - name: shop
        namespace: shop
        gateway: public
        gateway_namespace: istio-ingress
        hosts: [shop.example.com]
        rules:
          - path: /
            backends:
              - {service: frontend, port: 8080}
    wait: true
"""

RETURN = r"""
objects:
  description: What was done to each object, in the order of the options; objects that belong to an item follow it.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, sample: HTTPRoute, description: The kind of the object.}
    namespace: {type: str, sample: shop, description: Its namespace.}
    name: {type: str, sample: shop, description: Its name.}
    action: {type: str, sample: created, description: 'V(created), V(changed), V(deleted) or V(unchanged); in check mode, what would be done.'}
    changed: {type: bool, sample: true, description: Whether anything was done.}
    manifest: {type: dict, sample: {}, description: The object as it is applied; empty for one that is absent.}
ready_targets:
  description: Targets with which M(meshwright.ambient.ready) can verify the result, as in O(meshwright.ambient.ready#module:targets).
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: HTTPRoute, name: shop, namespace: shop}
targets:
  description: The verdict on each of them, as in RV(meshwright.ambient.ready#module:targets).
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import typing as t

from ..module_utils._errors import raise_if_any
from ..module_utils._ingress.apply import apply_writes, confirm, plan_writes
from ..module_utils._ingress.plan import plan_changes, report_changes
from ..module_utils._ingress.refusals import refuse_changes
from ..module_utils._ingress.spec import ROUTE_OPTIONS, WAITING, find_errors, list_of
from ..module_utils._ingress.state import Reader
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._route.spec import ROUTE, parse_route
from ..module_utils._status.target import Target
from ..module_utils._wait.report import wait_and_report

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {"routes": list_of(ROUTE), **ROUTE_OPTIONS, **WAITING}


def main() -> None:
    run(mesh_module(OPTIONS), ensure_routes)


def ensure_routes(module: AnsibleModule, session: ApiSession) -> Result:
    """Bring the HTTPRoutes to their desired state."""
    params, check = module.params, module.check_mode
    items = [parse_route(item) for item in params["routes"]]
    raise_if_any(find_errors(items), session.cluster)
    reader = Reader(session, items, module.warn)
    planned = (params["planned"] or {}) if check else {}
    namespaces = {*(planned.get("namespaces") or ()), *reader.namespaces()}
    changes = plan_changes(items, reader.objects(items, required=not check))
    raise_if_any(refuse_changes(changes, namespaces, force_conflicts=params["force_conflicts"]), session.cluster)
    changes = confirm(session, changes, force=params["force_conflicts"])
    writes = plan_writes(changes, force=params["force_conflicts"])
    raise_if_any(session.refused(writes.all), session.cluster)
    raise_if_any(find_refusals(session, writes.all), session.cluster)
    result: Result = report_changes(changes, ("HTTPRoute",))
    if check:
        return result
    apply_writes(session, writes, params["wait_timeout"])
    if params["wait"]:
        targets = [Target(change.desired.key[0], change.item.item["name"], change.item.item["namespace"]) for change in changes if change.is_main]
        with all_was_written("All of it is written"):
            result.update(wait_and_report(session, targets, timeout=params["wait_timeout"], progress=params["progress"]))
    return result


if __name__ == "__main__":
    main()
