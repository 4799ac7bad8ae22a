#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: istio_ingress
short_description: Declare Istio's own Gateways and VirtualServices
version_added: 0.1.0
description:
  - Declares Gateways of Istio's own kind for the pods of the chart gateway, and VirtualServices behind them, for users of sidecars.
  - For new installations use M(meshwright.ambient.ingress_gateway) and M(meshwright.ambient.ingress_route), and never both for one host.
  - Objects that already match are not written. Objects are written by server-side apply.
  - Everything that can never work is reported and refused before the first write.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._ingress
  - meshwright.ambient._ingress.routes
options:
  gateways:
    description: Gateways of Istio's own kind.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: The name of the Gateway.}
      namespace: {type: str, required: true, description: The namespace of the Gateway.}
      state: {type: str, choices: [present, absent], default: present, description: Whether it should exist.}
      labels: {type: dict, default: {}, description: Labels of the Gateway.}
      release: {type: str, description: The release of the chart gateway whose pods it configures. They have the label C(app) with its name.}
      selector:
        description: 'The labels of the gateway''s pods, such as V({app: istio-ingress}), if they are not those of O(gateways[].release).'
        type: dict
        default: {}
      hosts: {type: list, elements: str, default: [], description: 'Its hosts. If empty, every host matches.'}
      port: {type: int, default: 80, description: Its port.}
      protocol: {type: str, choices: [HTTP, HTTPS, HTTP2, GRPC, TCP, TLS], default: HTTP, description: The protocol of the port.}
      tls: {type: dict, default: {}, description: 'TLS of the port, as C(servers[].tls).'}
      servers: {type: list, elements: dict, default: [], description: 'The servers in full, in place of those of the other options.'}
  virtual_services:
    description: VirtualServices.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: The name of the route.}
      namespace: {type: str, required: true, description: The namespace of the route.}
      state: {type: str, choices: [present, absent], default: present, description: Whether it should exist.}
      gateway: {type: str, description: The Gateway to which it attaches.}
      gateway_namespace: {type: str, description: 'The namespace of the Gateway, if it differs.'}
      hosts: {type: list, elements: str, default: [], description: The hosts of the route.}
      rules:
        description: Which path leads to which Services. The first rule that matches is taken; one that an earlier prefix hides is put before it.
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
seealso:
  - module: meshwright.ambient.ingress_gateway
  - module: meshwright.ambient.ingress_route
"""

EXAMPLES = r"""
- name: A Gateway for the pods of a release, and a VirtualService behind it
  meshwright.ambient.istio_ingress:
    gateways:
      - name: gateway
        namespace: istio-system
        release: istio-ingress
        hosts: ["*.example.com", example.com]
    virtual_services:
      - name: shop
        namespace: shop
        gateway: gateway
        gateway_namespace: istio-system
        hosts: [shop.example.com]
        rules:
          - backends:
              - {service: frontend, port: 8080}
"""

RETURN = r"""
objects:
  description: What was done to each object, in the order of the options; objects that belong to an item follow it.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, sample: VirtualService, description: 'V(IstioGateway) or V(VirtualService).'}
    namespace: {type: str, sample: shop, description: Its namespace.}
    name: {type: str, sample: shop, description: Its name.}
    action: {type: str, sample: created, description: 'V(created), V(changed), V(deleted) or V(unchanged); in check mode, what would be done.'}
    changed: {type: bool, sample: true, description: Whether anything was done.}
    manifest: {type: dict, sample: {}, description: The object as it is applied; empty for one that is absent.}
gateways:
  description: The Gateways that should be present.
  returned: success
  type: list
  elements: dict
  contains:
    name: {type: str, sample: gateway, description: The name of the Gateway.}
    namespace: {type: str, sample: istio-system, description: Its namespace.}
    reference: {type: str, sample: istio-system/gateway, description: How VirtualServices refer to it.}
"""

import typing as t

from ..module_utils._errors import raise_if_any
from ..module_utils._ingress.apply import apply_writes, confirm, plan_writes
from ..module_utils._ingress.plan import plan_changes, report_changes
from ..module_utils._ingress.refusals import refuse_changes
from ..module_utils._ingress.spec import ROUTE_OPTIONS, find_errors, list_of
from ..module_utils._ingress.state import Reader
from ..module_utils._istio_ingress.spec import ISTIO_GATEWAY, VIRTUAL_SERVICE, parse_istio_gateway, parse_virtual_service, report_istio_gateways
from ..module_utils._k8s.apply import find_refusals
from ..module_utils._module import mesh_module, run

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._module import Result

OPTIONS = {"gateways": list_of(ISTIO_GATEWAY), "virtual_services": list_of(VIRTUAL_SERVICE), **ROUTE_OPTIONS}
# Nothing is waited for: neither kind has a load balancer.
_NO_TIME = 0.0


def main() -> None:
    run(mesh_module(OPTIONS), ensure_istio_ingress)


def ensure_istio_ingress(module: AnsibleModule, session: ApiSession) -> Result:
    """Bring the Gateways and VirtualServices to their desired state."""
    params, check = module.params, module.check_mode
    gateways = [parse_istio_gateway(item) for item in params["gateways"]]
    items = [*gateways, *(parse_virtual_service(item) for item in params["virtual_services"])]
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
    if not check:
        apply_writes(session, writes, _NO_TIME)
    result: Result = report_changes(changes)
    return {**{key: value for key, value in result.items() if key != "ready_targets"}, "gateways": report_istio_gateways(gateways)}


if __name__ == "__main__":
    main()
