# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._ingress.nlb import all_annotations, find_problems
from ..module_utils._ingress.options import NLB
from ..module_utils._ingress.requests import certificate_domains, to_check, to_wait_for, with_certificates

Items = t.Sequence[t.Mapping[str, t.Any]]


def load_balancer_annotations(nlb: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The annotations of a Network Load Balancer, for the Service of a gateway that comes from a chart."""
    validated = ArgumentSpecValidator(NLB).validate(dict(nlb))
    problems = [*validated.error_messages, *(find_problems(validated.validated_parameters) if not validated.error_messages else ())]
    if problems:
        raise AnsibleFilterError("load_balancer_annotations: " + "\n".join(problems))
    return all_annotations(validated.validated_parameters)


def ingress_certificates(albs: Items, gateways: Items) -> list[dict[str, str]]:
    """The items of acm_certificate for the domains whose certificates are to be found."""
    return [{"domain": domain} for domain in certificate_domains(albs, gateways)]


def ingress_with_certificates(items: Items, certificates: Items) -> list[dict[str, t.Any]]:
    """The items with the ARNs that acm_certificate has found in place of their domains."""
    arns = {found["domain"]: found["arn"] for found in certificates if found.get("arn")}
    try:
        return with_certificates(items, arns)
    except KeyError as error:
        raise AnsibleFilterError(f"ingress_with_certificates: no certificate was found for {error.args[0]}: look it up with acm_certificate first.") from error


def ingress_load_balancers_to_check(albs: Items, gateways: Items) -> list[dict[str, t.Any]]:
    """The items of load_balancer_check."""
    return to_check(albs, gateways)


def ingress_load_balancers(albs: Items, gateways: Items, cluster: str) -> list[dict[str, t.Any]]:
    """The items of load_balancer_info."""
    return to_wait_for(albs, gateways, cluster)


class FilterModule:
    """What the role ingress asks of AWS, and the annotations of load balancers for charts."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "ingress_certificates": ingress_certificates,
            "ingress_load_balancers": ingress_load_balancers,
            "ingress_load_balancers_to_check": ingress_load_balancers_to_check,
            "ingress_with_certificates": ingress_with_certificates,
            "load_balancer_annotations": load_balancer_annotations,
        }
