#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: iam_oidc_provider
short_description: Let IAM trust the tokens of an OpenID Connect issuer, such as an EKS cluster
version_added: 0.1.0
description:
  - Creates, updates and deletes an OpenID Connect provider of IAM. With a provider for the issuer of an EKS cluster, the cluster's service accounts can
    assume roles (IAM roles for service accounts).
  - A provider is found by its URL, whoever created it.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
options:
  url:
    description: The URL of the issuer, such as RV(meshwright.ambient.eks_cluster_info#module:oidc_issuer).
    type: str
    required: true
  state:
    description: V(present) creates and updates the provider. V(absent) deletes it, and roles that trust it can no longer be assumed.
    type: str
    choices: [present, absent]
    default: present
  client_ids:
    description: All accepted audiences of the issuer's tokens. EKS issues tokens of service accounts for V(sts.amazonaws.com).
    type: list
    elements: str
    default: [sts.amazonaws.com]
  thumbprints:
    description:
      - All SHA-1 thumbprints of the issuer's certificate authority.
      - An issuer of EKS needs none, nor does any other issuer whose certificate comes from a well-known authority. If omitted, IAM determines one for a new
        provider, and those of an existing provider are left unchanged.
    type: list
    elements: str
  tags:
    description: The tags of the provider. If omitted, they are left unchanged.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Remove the tags that O(tags) does not name. Tags of AWS itself, C(aws:...), are kept.
    type: bool
    default: true
seealso:
  - module: meshwright.ambient.eks_cluster_info
"""

EXAMPLES = r"""
- name: Describe the cluster
  meshwright.ambient.eks_cluster_info:
    name: prod
    region: eu-west-1
  register: described

- name: Let its service accounts assume roles
  meshwright.ambient.iam_oidc_provider:
    url: "{{ described.oidc_issuer }}"
"""

RETURN = r"""
arn:
  description: The ARN of the provider, for the trust policy of roles. Empty if there is none, and in check mode for a new one.
  returned: success
  type: str
  sample: arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
changes:
  description: What was changed, or would be in check mode, in order.
  returned: success
  type: list
  elements: str
  sample: [created]
before:
  description: The provider before the task. Empty if there was none.
  returned: success
  type: dict
  sample: {}
after:
  description: The provider after the task, or as it would be in check mode. Empty if there is none.
  returned: success
  type: dict
  sample:
    url: https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
    client_ids: [sts.amazonaws.com]
    thumbprints: []
    tags: {}
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample:
    iam:GetOpenIDConnectProvider: 1
    iam:ListOpenIDConnectProviders: 1
"""

import typing as t

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._diff import diff_of
from ..module_utils._errors import MeshError
from ..module_utils._oidc_provider.apply import apply_plan, delete_provider
from ..module_utils._oidc_provider.plan import Provider, plan_provider
from ..module_utils._oidc_provider.spec import normalize_url, parse_spec, validate_spec
from ..module_utils._oidc_provider.state import read_provider

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession

OPTIONS: dict[str, dict[str, t.Any]] = {
    "url": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "client_ids": {"type": "list", "elements": "str", "default": ["sts.amazonaws.com"]},
    "thumbprints": {"type": "list", "elements": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def main() -> None:
    run(aws_module(OPTIONS), ensure_provider)


def ensure_provider(module: AnsibleModule, session: AwsSession) -> Result:
    """Make the provider of an issuer the desired one."""
    spec = parse_spec(module.params)
    errors = validate_spec(spec)
    if errors:
        raise MeshError(errors)
    arn, current = read_provider(session, spec.url)
    if module.params["state"] == "absent":
        if arn and not module.check_mode:
            delete_provider(session, arn)
        return _result(spec.url, "", current, None, ["deleted"] if arn else [])
    plan = plan_provider(spec, current, purge_tags=module.params["purge_tags"])
    if not module.check_mode:
        arn = apply_plan(session, arn, plan)
    return _result(spec.url, arn, current, plan.after, list(plan.changes))


def _result(url: str, arn: str, before: Provider | None, after: Provider | None, changes: list[str]) -> Result:
    fields = [_fields(url, provider) for provider in (before, after)]
    result: Result = {"changed": bool(changes), "arn": arn, "changes": changes, "before": fields[0], "after": fields[1]}
    if changes:
        result["diff"] = [diff_of(f"OpenID Connect provider {normalize_url(url)}", *fields)]
    return result


def _fields(url: str, provider: Provider | None) -> Result:
    if provider is None:
        return {}
    return {
        "url": "https://" + normalize_url(url),
        "client_ids": list(provider.client_ids),
        "thumbprints": list(provider.thumbprints),
        "tags": dict(provider.tags),
    }


if __name__ == "__main__":
    main()
