# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._gateway.nlb import all_annotations, find_errors
from ..module_utils._gateway.spec import NLB
from ..module_utils._ingress.spec import service_name
from ..module_utils._inventory.backends import choose_backends, choose_releases, find_missing_places
from ..module_utils._inventory.ingress_lists import choose_sections, choose_service_types
from ..module_utils._inventory.load_balancer_requests import certificate_domains, to_check, to_wait_for, with_certificates

Item = t.Mapping[str, t.Any]
Items = t.Sequence[Item]


def load_balancer_annotations(nlb: Item) -> dict[str, str]:
    """The annotations of a Network Load Balancer, for the Service of a gateway that comes from a chart."""
    validated = ArgumentSpecValidator(NLB).validate(dict(nlb))
    errors = [*validated.error_messages, *(find_errors(validated.validated_parameters) if not validated.error_messages else ())]
    if errors:
        raise AnsibleFilterError("load_balancer_annotations: " + "\n".join(errors))
    return all_annotations(validated.validated_parameters)


def ingress_certificates(albs: Items, gateways: Items) -> list[dict[str, str]]:
    """The items of acm_certificate for the domains whose certificates are to be looked up."""
    return [{"domain": domain} for domain in certificate_domains(albs, gateways)]


def ingress_items(lists: t.Mapping[str, Items], certificates: Items, cluster: str = "") -> dict[str, t.Any]:
    """The items of the role as the modules take them, each list with what it takes from another."""
    releases = lists.get("releases") or ()
    chosen, classic = choose_backends(lists["albs"], lists["gateways"], releases), choose_releases(lists.get("classic_gateways") or (), releases)
    missing = [*find_missing_places("ingress_albs", chosen), *find_missing_places("ingress_classic_gateways", classic)]
    if missing:
        raise AnsibleFilterError("ingress_items: " + "\n".join(missing))
    arns = {found["domain"]: found["arn"] for found in certificates if found.get("arn")}
    try:
        albs, gateways = with_certificates(chosen, arns), with_certificates(lists["gateways"], arns)
    except KeyError as error:
        raise AnsibleFilterError(f"ingress_items: no certificate was found for {error.args[0]}: look it up with acm_certificate first.") from error
    routes = choose_sections(lists["routes"], gateways)
    virtual_services = [route for route in routes if route.get("kind") == "VirtualService"]
    gateways = choose_service_types(gateways, albs)
    present = [gateway for gateway in gateways if _is_present(gateway)]
    # Each of these is a task of its own.
    tasks = {
        "present_gateways": present,
        "absent_gateways": [gateway for gateway in gateways if not _is_present(gateway)],
        "albs": albs,
        "routes": [_without(route, "kind") for route in routes if route not in virtual_services],
        "istio": [*classic, *virtual_services],
    }
    return {
        **{name: items for name, items in tasks.items() if name != "istio"},
        "gateways": gateways,
        "classic_gateways": classic,
        "virtual_services": [_without(route, "kind", "section_names") for route in virtual_services],
        # One task refuses by itself before it writes, except that it cannot know whether a gateway lacks its ALB.
        "needs_check": sum(map(bool, tasks.values())) > 1 or any(gateway.get("load_balancer") == "alb" for gateway in present),
        "created_namespaces": sorted({gateway["namespace"] for gateway in present if gateway.get("create_namespace", True)}),
        "services": [
            *(f"{gateway['namespace']}/{service_name(gateway['name'])}" for gateway in present),
            *(f"{release['namespace']}/{release['name']}" for release in releases),
        ],
        "load_balancers_to_check": to_check(albs, gateways),
        "load_balancers_to_wait_for": to_wait_for(albs, gateways, cluster),
    }


def ingress_result(results: t.Mapping[str, Item]) -> dict[str, t.Any]:
    """The results of the tasks as one; those that were skipped, and a check that found differences, have nothing to add."""
    check = results.get("check") or {}
    gateways, albs, routes, classic = (results.get(name) or {} for name in ("gateways", "albs", "routes", "classic_gateways"))
    added = [{} if check.get("diff") else check, gateways, albs, classic, routes, results.get("deleted_gateways") or {}, results.get("ready") or {}]
    joined = {name: [entry for result in added for entry in result.get(name) or ()] for name in ("objects", "diff", "ready_targets", "targets")}
    return {
        **joined,
        "changed": any(result.get("changed") for result in added),
        "gateways": gateways.get("gateways") or added[0].get("gateways") or [],
        "albs": albs.get("albs") or added[0].get("albs") or [],
        "classic_gateways": classic.get("gateways") or added[0].get("classic_gateways") or [],
        "labelled": gateways.get("labelled") or {},
    }


def _is_present(item: Item) -> bool:
    return bool(item.get("state", "present") == "present")


def _without(item: Item, *names: str) -> dict[str, t.Any]:
    return {name: value for name, value in item.items() if name not in names}


class FilterModule:
    """What the role ingress hands from one module to the next, and the annotations of load balancers for charts."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "ingress_certificates": ingress_certificates,
            "ingress_items": ingress_items,
            "ingress_result": ingress_result,
            "load_balancer_annotations": load_balancer_annotations,
        }
