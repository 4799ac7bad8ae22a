#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: acm_certificate
short_description: Find the certificate for a domain in ACM, or request it and wait until it is issued
version_added: 0.1.0
description:
  - Finds the issued certificate that covers a domain best. A certificate for exactly this name comes before a wildcard, and among several the one that
    is valid longest wins. A wildcard covers one label, and not the domain itself. Alternative names count like the domain name. Whether a certificate
    is in use does not matter.
  - Requests a missing certificate, creates the records in Route 53 that validate its domain, and waits until it is issued. A request of an interrupted
    run is continued.
  - Finds the fewest certificates that together cover a list of hosts.
  - Reports the errors of all certificates at once, with the candidates, before anything is requested or deleted.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
attributes:
  check_mode:
    support: full
    details: A certificate that would be requested has no ARN yet.
options:
  certificates:
    description: Which certificates to find, request or delete.
    type: list
    elements: dict
    default: []
    suboptions:
      domain:
        description: The domain that it must cover, such as V(shop.example.com) or V(*.example.com). Required unless O(certificates[].arn) is set.
        type: str
      subject_alternative_names:
        description: Further names that it must cover.
        type: list
        elements: str
        default: []
      arn:
        description: Its ARN. The certificate must be issued, valid, and cover O(certificates[].domain) if that is set.
        type: str
      state:
        description:
          - V(found) looks it up, and fails unless exactly one is best.
          - V(present) requests it if none is found.
          - V(absent) deletes the one that was issued or requested for exactly these names. Its records in Route 53 are kept, because others may need them.
        type: str
        choices: [found, present, absent]
        default: found
      hosted_zone:
        description:
          - The name or id of the public hosted zone of Route 53 in which the validation records are created.
          - If omitted, the records are only returned, and must be created by other means.
        type: str
      validation_method:
        description: How the domain of a requested certificate is validated.
        type: str
        choices: [DNS, EMAIL]
        default: DNS
      key_algorithm:
        description: The algorithm of its key. If omitted, any algorithm matches, and ACM's default is requested.
        type: str
        choices: [RSA_2048, RSA_3072, RSA_4096, EC_prime256v1, EC_secp384r1, EC_secp521r1]
      tags:
        description:
          - Its tags. Only used with O(certificates[].state=present).
          - Only a certificate for exactly these names is tagged, not a wildcard that happens to cover them.
        type: dict
      purge_tags:
        description: Whether to remove other tags.
        type: bool
        default: false
  select:
    description:
      - V(best) takes the best of several certificates, and fails only if several are equally good.
      - V(only) also fails if a second certificate would do.
    type: str
    choices: [best, only]
    default: best
  hosts:
    description: Hosts to cover with as few issued certificates as possible. They may be wildcards.
    type: list
    elements: str
    default: []
  wait:
    description: Whether to wait until requested certificates are issued, and to fail if they are not.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait, in seconds.
    type: int
    default: 600
seealso:
  - module: community.aws.acm_certificate
  - module: meshwright.ambient.load_balancer_check
"""

EXAMPLES = r"""
- name: Find the certificate for a domain
  meshwright.ambient.acm_certificate:
    region: eu-west-1
    certificates:
      - domain: shop.example.com
  register: found

- name: Request a wildcard certificate, validate it in Route 53, and wait until it is issued
  meshwright.ambient.acm_certificate:
    region: eu-west-1
    certificates:
      - domain: "*.example.com"
        subject_alternative_names: [example.com]
        state: present
        hosted_zone: example.com
        tags: {Team: mesh}

- name: Find the fewest certificates for the hosts of a load balancer
  meshwright.ambient.acm_certificate:
    region: eu-west-1
    hosts: [shop.example.com, api.example.com, example.org]
  register: covering

- name: Delete a certificate
  meshwright.ambient.acm_certificate:
    region: eu-west-1
    certificates:
      - domain: "*.example.com"
        subject_alternative_names: [example.com]
        state: absent
"""

RETURN = r"""
certificates:
  description: An entry for each item of O(certificates), in their order.
  returned: always
  type: list
  elements: dict
  contains:
    domain:
      description: The domain of the item.
      type: str
      sample: shop.example.com
    action:
      description: V(found), V(requested), V(tagged), V(deleted), or V(absent) if there was nothing to delete.
      type: str
      sample: found
    arn:
      description: Its ARN. Empty if it is deleted, or would be requested in check mode.
      type: str
      sample: arn:aws:acm:eu-west-1:123456789012:certificate/0a1b
    domain_name:
      description: The domain name that it was requested for.
      type: str
      sample: "*.example.com"
    names:
      description: All names that it covers.
      type: list
      elements: str
      sample: ["*.example.com", example.com]
    status:
      description: The status of ACM, such as V(ISSUED) or V(PENDING_VALIDATION).
      type: str
      sample: ISSUED
    not_after:
      description: When it expires. Empty until it is issued.
      type: str
      sample: "2027-11-21T05:00:00+00:00"
    type:
      description: V(AMAZON_ISSUED), V(IMPORTED) or V(PRIVATE).
      type: str
      sample: AMAZON_ISSUED
    key_algorithm:
      description: The algorithm of its key.
      type: str
      sample: RSA_2048
    in_use:
      description: Whether a load balancer or another service has it.
      type: bool
      sample: true
    failure_reason:
      description: ACM's reason why it was not issued.
      type: str
      sample: ""
    validation_records:
      description: The DNS records that validate the domain of a certificate that is not issued yet.
      type: list
      elements: dict
      sample: []
arns:
  description: The ARNs of O(certificates) in their order, without duplicates.
  returned: always
  type: list
  elements: str
  sample: [arn:aws:acm:eu-west-1:123456789012:certificate/0a1b]
host_arns:
  description: The ARNs of the fewest certificates that cover O(hosts). The first one covers the first host, and suits as the default certificate.
  returned: always
  type: list
  elements: str
  sample: [arn:aws:acm:eu-west-1:123456789012:certificate/0a1b]
by_host:
  description: The ARN of the certificate that serves each of O(hosts), by the host in lower case and without a dot at its end.
  returned: always
  type: dict
  sample: {shop.example.com: arn:aws:acm:eu-west-1:123456789012:certificate/0a1b}
candidates:
  description: The certificates that the message of a failure names.
  returned: on failure
  type: list
  elements: dict
  sample: []
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample: {acm:ListCertificates: 1}
"""

import datetime
import time
import typing as t

from ..module_utils._acm.apply import apply_plans, wait_until_issued
from ..module_utils._acm.plan import needed_zones, plan_certificates, refuse
from ..module_utils._acm.result import Outcome, certificates_result, hosts_result
from ..module_utils._acm.selection import select
from ..module_utils._acm.spec import parse_specs
from ..module_utils._acm.state import list_certificates, read_context, read_zone
from ..module_utils._aws.connect import aws_module, run

if t.TYPE_CHECKING:
    from ..module_utils._aws.connect import AnsibleAWSModule, Result
    from ..module_utils._aws.session import AwsSession

OPTIONS = {
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "domain": {"type": "str"},
            "subject_alternative_names": {"type": "list", "elements": "str", "default": []},
            "arn": {"type": "str"},
            "state": {"type": "str", "choices": ["found", "present", "absent"], "default": "found"},
            "hosted_zone": {"type": "str"},
            "validation_method": {"type": "str", "choices": ["DNS", "EMAIL"], "default": "DNS"},
            "key_algorithm": {"type": "str", "choices": ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]},
            "tags": {"type": "dict"},
            "purge_tags": {"type": "bool", "default": False},
        },
        "required_one_of": [("domain", "arn")],
    },
    "select": {"type": "str", "choices": ["best", "only"], "default": "best"},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}

# Not datetime.UTC, which came with Python 3.11.
_UTC = datetime.timezone(datetime.timedelta(0))


def main() -> None:
    run(aws_module(OPTIONS), ensure_certificates)


def ensure_certificates(
    module: AnsibleAWSModule, session: AwsSession, clock: t.Callable[[], float] = time.monotonic, pause: t.Callable[[float], None] = time.sleep
) -> Result:
    """Find, request, tag or delete certificates, and wait until they are issued."""
    params = module.params
    now = datetime.datetime.now(tz=_UTC)
    specs = parse_specs(params)
    certificates = list_certificates(session)
    selections = [select(spec, certificates, now, only=params["select"] == "only", region=session.region) for spec in specs]
    zones = {name: read_zone(session, name) for name in needed_zones(selections)}
    refuse(selections, zones)
    plans = plan_certificates(selections, read_context(session, selections, zones), certificates)
    for plan in plans:
        if plan.warning:
            module.warn(plan.warning)
    outcomes = [Outcome(plan, plan.certificate, plan.changed) for plan in plans]
    if not module.check_mode:
        outcomes = apply_plans(session, plans, clock, pause)
    if params["wait"] and not module.check_mode:
        outcomes = wait_until_issued(session, outcomes, params["wait_timeout"], clock, pause)
    for outcome in outcomes:
        if outcome.is_pending and not params["wait"]:
            module.warn(f"The {outcome.plan.spec.title} is not issued yet. {outcome.how_to_validate}")
    return {**certificates_result(outcomes), **hosts_result(params["hosts"], certificates, outcomes, now, session.region)}


if __name__ == "__main__":
    main()
