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
  - Finds the issued certificate that covers a domain best. One with the very name comes before a wildcard, among these the one that is valid for
    longest. A wildcard stands for one label, and not for the domain itself; alternative names count like the domain name; whether a certificate is
    in use does not matter.
  - What is missing can be requested, proved by records in Route 53, and waited for. A request that an interrupted run has made is taken up again.
  - Of several hosts it tells the fewest certificates that together cover them all.
  - Problems of all certificates are told at once, before anything is requested or deleted, each with the candidates.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes_aws
attributes:
  check_mode:
    support: full
    details: What would be requested has no ARN yet.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  certificates:
    description: Which certificates to find, request or delete.
    type: list
    elements: dict
    default: []
    suboptions:
      domain:
        description: The domain that it must cover, such as V(shop.example.com) or V(*.example.com). Needed without O(certificates[].arn).
        type: str
      subject_alternative_names:
        description: Further names that it must cover.
        type: list
        elements: str
        default: []
      arn:
        description: Its ARN, when it is known; it is then seen that it is issued, valid, and covers O(certificates[].domain), if that is given.
        type: str
      state:
        description:
          - V(found) looks it up, and fails when there is not exactly one that is best.
          - V(present) requests it when none is found.
          - V(absent) deletes the one that was issued or requested for exactly these names. Records in Route 53 stay, because others may need them.
        type: str
        choices: [found, present, absent]
        default: found
      hosted_zone:
        description:
          - The public hosted zone of Route 53, by name or id, that gets the records that prove the domain.
          - Not given, the records are told in the result and must be made by other means.
        type: str
      validation_method:
        description: How a requested certificate is proved.
        type: str
        choices: [DNS, EMAIL]
        default: DNS
      key_algorithm:
        description: The algorithm of its key. Not given, any is found, and ACM's own default is requested.
        type: str
        choices: [RSA_2048, RSA_3072, RSA_4096, EC_prime256v1, EC_secp384r1, EC_secp521r1]
      tags:
        description:
          - Its tags, with O(certificates[].state=present).
          - They are only set on a certificate for exactly these names, not on a wildcard that happens to cover them.
        type: dict
      purge_tags:
        description: Whether to take other tags away.
        type: bool
        default: false
  select:
    description:
      - V(best) takes the best of several; only those that are equally good are an error.
      - V(only) makes a second certificate that would do an error as well.
    type: str
    choices: [best, only]
    default: best
  hosts:
    description: Hosts to cover with as few issued certificates as can be; wildcards may be among them.
    type: list
    elements: str
    default: []
  wait:
    description: Whether to wait until requested certificates are issued, and to fail when they are not.
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

- name: Request a wildcard certificate, prove it in Route 53, and wait until it is issued
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
      description: The domain that was asked for.
      type: str
      sample: shop.example.com
    action:
      description: V(found), V(requested), V(tagged), V(deleted), or V(absent) when there was nothing to delete.
      type: str
      sample: found
    arn:
      description: Its ARN; empty when it is deleted, or in check mode would be requested.
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
      description: Until when it is valid; empty before it is issued.
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
      description: Why it was not issued, in the word of ACM.
      type: str
      sample: ""
    validation_records:
      description: The DNS records that prove the domain, of a certificate that is not issued yet.
      type: list
      elements: dict
      sample: []
arns:
  description: The ARNs of O(certificates), each once, in their order.
  returned: always
  type: list
  elements: str
  sample: [arn:aws:acm:eu-west-1:123456789012:certificate/0a1b]
host_arns:
  description: The ARNs of the fewest certificates that cover O(hosts); the first is the one for the first host, and suits as default certificate.
  returned: always
  type: list
  elements: str
  sample: [arn:aws:acm:eu-west-1:123456789012:certificate/0a1b]
by_host:
  description: The ARN of the certificate that serves each of O(hosts).
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
  description: How many requests each of AWS' operations took, by its name in IAM.
  returned: always
  type: dict
  sample: {acm:ListCertificates: 1}
"""

import datetime
import time
import typing as t

from ..module_utils._aws.certificate_declaring import declare
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
    run(aws_module(OPTIONS), work)


def work(module: AnsibleAWSModule, session: AwsSession, clock: t.Callable[[], float] = time.monotonic, pause: t.Callable[[float], None] = time.sleep) -> Result:
    """Find, request or delete, then tell."""
    now = datetime.datetime.now(tz=_UTC)
    return declare(session, module.params, now, write=not module.check_mode, warn=module.warn, clock=clock, pause=pause)


if __name__ == "__main__":
    main()
