#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ingress_check
short_description: Check and compare gateways, load balancers and routes before any of them is written
version_added: 0.1.0
description:
  - Finds out what M(meshwright.ambient.ingress_gateway), M(meshwright.ambient.ingress_alb), M(meshwright.ambient.ingress_route) and
    M(meshwright.ambient.istio_ingress) would refuse on this cluster, and where their items contradict each other. It fails with all of it at once.
  - Run it before these modules, so that none of them writes what another would then refuse. It changes nothing itself.
  - Returns what these modules would change, so that they need not run if nothing differs.
  - The resources in AWS that they name are checked by M(meshwright.ambient.load_balancer_check).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._ingress
  - meshwright.ambient._ingress.load_balancers
  - meshwright.ambient._ingress.albs
  - meshwright.ambient._refusals
attributes:
  diff_mode:
    support: none
options:
  gateways:
    description: Items as in O(meshwright.ambient.ingress_gateway#module:gateways).
    type: list
    elements: dict
    default: []
  albs:
    description: Items as in O(meshwright.ambient.ingress_alb#module:albs).
    type: list
    elements: dict
    default: []
  routes:
    description: Items as in O(meshwright.ambient.ingress_route#module:routes), or with C(kind=VirtualService) as in
      O(meshwright.ambient.istio_ingress#module:virtual_services).
    type: list
    elements: dict
    default: []
  classic_gateways:
    description: Items as in O(meshwright.ambient.istio_ingress#module:gateways).
    type: list
    elements: dict
    default: []
seealso:
  - module: meshwright.ambient.load_balancer_check
  - module: meshwright.ambient.validate_inventory
"""

EXAMPLES = r"""
- name: Check gateways and load balancers before the first of them is written
  meshwright.ambient.ingress_check:
    gateways:
      - {name: public, namespace: istio-ingress, load_balancer: alb}
    albs:
      - {name: public, namespace: istio-ingress, gateway: public, scheme: internet-facing}
"""

RETURN = r"""
diff:
  description: What the modules would change, one entry per object; empty if nothing differs.
  returned: success
  type: list
  elements: dict
refusals:
  description: What would be refused, one sentence each. With O(return_refusals=true), check mode returns it instead of failing.
  returned: failure, or success if there is any
  type: list
  elements: str
  sample: ["ALB istio-ingress/public: its backend Service istio-ingress/public-istio does not exist: create the gateway first, or correct gateway."]
objects:
  description: What would be done to each object, as in RV(meshwright.ambient.ingress_gateway#module:objects).
  returned: success
  type: list
  elements: dict
labelled:
  description: The namespaces that would be labelled, with their new labels.
  returned: success
  type: dict
  sample: {}
gateways:
  description: The gateways that should be present, as in RV(meshwright.ambient.ingress_gateway#module:gateways).
  returned: success
  type: list
  elements: dict
albs:
  description: The load balancers that should be present, as in RV(meshwright.ambient.ingress_alb#module:albs).
  returned: success
  type: list
  elements: dict
classic_gateways:
  description: The Gateways of Istio that should be present, as in RV(meshwright.ambient.istio_ingress#module:gateways).
  returned: success
  type: list
  elements: dict
ready_targets:
  description: Targets with which M(meshwright.ambient.ready) can verify the result, as in O(meshwright.ambient.ready#module:targets).
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Gateway, name: public, namespace: istio-ingress}
"""

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._alb.refusals import refuse_albs
from ..module_utils._alb.report import report_albs
from ..module_utils._alb.spec import ALBS
from ..module_utils._alb.state import read_alb_state
from ..module_utils._errors import raise_if_any
from ..module_utils._gateway.plan import missing_labels, namespaces_to_create
from ..module_utils._gateway.refusals import refuse_gateways
from ..module_utils._gateway.report import diff_namespaces, report_gateways
from ..module_utils._gateway.spec import GATEWAY
from ..module_utils._gateway.state import read_gateway_state
from ..module_utils._ingress.apply import confirm, plan_writes
from ..module_utils._ingress.plan import plan_changes, report_changes
from ..module_utils._ingress.refusals import refuse_changes
from ..module_utils._ingress.spec import ALB_OPTIONS, list_of, service_name
from ..module_utils._ingress.state import Reader
from ..module_utils._inventory.ingress import find_conflicts, find_second_load_balancers
from ..module_utils._inventory.ingress_lists import parse_ingress_lists
from ..module_utils._istio_ingress.spec import ISTIO_GATEWAY, report_istio_gateways
from ..module_utils._module import RETURN_REFUSALS, mesh_module, refuse_or_return, run
from ..module_utils._route.spec import ROUTE

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

_KIND = {"type": "str", "choices": ["HTTPRoute", "VirtualService"], "default": "HTTPRoute"}
_LISTS = {
    "gateways": list_of(GATEWAY),
    "albs": ALBS,
    "routes": list_of({**ROUTE, "kind": _KIND}),
    "classic_gateways": list_of(ISTIO_GATEWAY),
}
OPTIONS = {**{name: {"type": "list", "elements": "dict", "default": []} for name in _LISTS}, **ALB_OPTIONS, **RETURN_REFUSALS}


def main() -> None:
    run(mesh_module(OPTIONS), check_ingress)


def check_ingress(module: AnsibleModule, session: ApiSession) -> Result:
    """Read everything once, refuse what any of the modules would refuse, and report what they would change."""
    params, check = module.params, module.check_mode
    validated = ArgumentSpecValidator(_LISTS).validate({name: params[name] for name in _LISTS})
    raise_if_any(validated.error_messages, session.cluster)
    lists = parse_ingress_lists(validated.validated_parameters)
    for note in (f"{item.title}: {note}" for item in lists.all for note in item.notes):
        module.warn(note)
    conflicts = [*find_conflicts(lists), *([] if params["allow_load_balancer_service"] else find_second_load_balancers(lists))]
    raise_if_any([*(f"{item.title}: {error}" for item in lists.all for error in item.errors), *conflicts], session.cluster)
    planned = (params["planned"] or {}) if check else {}
    reader = Reader(session, lists.all, module.warn)
    unroutable, force = params["allow_unroutable_targets"], params["force_conflicts"]
    gateway_state = read_gateway_state(reader, lists.gateways, planned, required=not check, allow_unroutable_targets=unroutable)
    # What the gateways of this list bring with them.
    created, labels = namespaces_to_create(lists.gateways, gateway_state.namespaces), missing_labels(lists.gateways, gateway_state.namespaces)
    namespaces = {*gateway_state.namespaces, *created}
    services = [f"{item.item['namespace']}/{service_name(item.item['name'])}" for item in lists.gateways if item.present]
    planned = {**planned, "namespaces": sorted(namespaces), "services": [*(planned.get("services") or ()), *services]}
    alb_state = read_alb_state(reader, lists.albs, planned, allow_unroutable_targets=unroutable)
    others = [*lists.classic_gateways, *lists.virtual_services, *lists.http_routes]
    gateway_changes = plan_changes(lists.gateways, gateway_state.objects)
    alb_changes = plan_changes(lists.albs, alb_state.objects)
    other_changes = plan_changes(others, reader.objects(others, required=not check))
    allowances = {"force_conflicts": force, "override_deletion_protection": params["override_deletion_protection"]}
    refusals = [
        *refuse_gateways(gateway_changes, gateway_state, **allowances),
        *refuse_albs(alb_changes, alb_state, allow_load_balancer_service=params["allow_load_balancer_service"], **allowances),
        *refuse_changes(other_changes, namespaces, force_conflicts=force),
    ]
    refused = refuse_or_return(module, session.cluster, lambda: refusals)
    changes = confirm(session, [*gateway_changes, *alb_changes, *other_changes], force=force)
    writes = plan_writes(changes, force=force, services=gateway_state.services, namespaces=created, labels=labels)
    refused = refused or refuse_or_return(module, session.cluster, lambda: session.refused(writes.all))
    result = report_changes(changes, ("Gateway", "HTTPRoute", "Ingress"))
    pods = reader.ready_pods() if any(item.present for item in (*lists.gateways, *lists.albs)) else {}
    return {
        **result,
        **refused,
        "changed": False,
        "diff": [*diff_namespaces(created, labels), *result["diff"]],
        "labelled": labels,
        "gateways": report_gateways(lists.gateways, gateway_state, (), pods),
        "albs": report_albs(lists.albs, alb_state, (), pods),
        "classic_gateways": report_istio_gateways(lists.classic_gateways),
    }


if __name__ == "__main__":
    main()
