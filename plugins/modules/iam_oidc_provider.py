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
  - Makes, changes and deletes an OpenID Connect provider of IAM. With one for the issuer of an EKS cluster, roles can be assumed by the cluster's service
    accounts (IAM roles for service accounts).
  - A provider is found by its URL, so it does not matter who has made it.
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
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  url:
    description: The URL of the issuer, such as RV(meshwright.ambient.eks_cluster_info#module:oidc_issuer).
    type: str
    required: true
  state:
    description: V(present) makes and changes the provider. V(absent) deletes it, and roles that name it can no longer be assumed.
    type: str
    choices: [present, absent]
    default: present
  client_ids:
    description: For whom the issuer's tokens must be made, all of them. EKS makes those of service accounts for V(sts.amazonaws.com).
    type: list
    elements: str
    default: [sts.amazonaws.com]
  thumbprints:
    description:
      - The SHA-1 thumbprints of the issuer's certificate authority, all of them.
      - An issuer of EKS needs none, nor does any other whose certificate comes from a known authority. Without the option IAM finds one for a new provider,
        and those of a provider that is there are left alone.
    type: list
    elements: str
  tags:
    description: The tags of the provider. Without it they are left alone.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Take away the tags that O(tags) does not name. Those of AWS itself, C(aws:...), stay.
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
  description: The ARN of the provider, for the trust policy of roles. Empty when there is none, and in check mode for a new one.
  returned: success
  type: str
  sample: arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
changes:
  description: What was done, or in check mode would be, in order.
  returned: success
  type: list
  elements: str
  sample: [created]
before:
  description: The provider as it was. Empty when there was none.
  returned: success
  type: dict
  sample: {}
after:
  description: The provider as it is now, or in check mode would be. Empty when there is none.
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
from ..module_utils._aws.tags import tags_of
from ..module_utils._diff import diff_of
from ..module_utils._eks.oidc_plan import Provider, oidc_mistakes, plan_oidc, spoken_url
from ..module_utils._errors import MeshError

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
    run(aws_module(OPTIONS), work)


def work(module: AnsibleModule, session: AwsSession) -> Result:
    """Find the provider, decide, write."""
    options = module.params
    mistakes = oidc_mistakes(options["url"], options["client_ids"], options["thumbprints"])
    if mistakes:
        raise MeshError("\n".join(mistakes))
    arn, present = find_provider(session, options["url"])
    if options["state"] == "absent":
        if arn and not module.check_mode:
            session.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=arn)
        return _result(options["url"], "", present, None, ["deleted"] if arn else [])
    plan = plan_oidc(options["url"], options["client_ids"], options["thumbprints"], options["tags"], present, purge=options["purge_tags"])
    if not module.check_mode:
        for operation, parameters in plan.calls:
            named = {} if operation == "create_open_id_connect_provider" else {"OpenIDConnectProviderArn": arn}
            answer = session.call("iam", operation, **named, **parameters)
            arn = arn or str(answer["OpenIDConnectProviderArn"])
    return _result(options["url"], arn, present, plan.after, list(plan.changes))


def find_provider(session: AwsSession, url: str) -> tuple[str, Provider | None]:
    """The ARN and the content of the provider of an issuer; an empty ARN and None when there is none."""
    # Its ARN ends in the URL without the scheme; the account that comes before would be another call.
    ending = ":oidc-provider/" + spoken_url(url)
    listed = session.pages("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList")
    arn = next((str(item["Arn"]) for item in listed if item["Arn"].endswith(ending)), "")
    if not arn:
        return "", None
    told = session.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    return arn, Provider(tuple(sorted(told.get("ClientIDList") or [])), tuple(sorted(told.get("ThumbprintList") or [])), tags_of(told.get("Tags")))


def _result(url: str, arn: str, before: Provider | None, after: Provider | None, changes: list[str]) -> Result:
    fields = [_fields(url, provider) for provider in (before, after)]
    result: Result = {"changed": bool(changes), "arn": arn, "changes": changes, "before": fields[0], "after": fields[1]}
    if changes:
        result["diff"] = [diff_of(f"OpenID Connect provider {spoken_url(url)}", *fields)]
    return result


def _fields(url: str, provider: Provider | None) -> Result:
    if provider is None:
        return {}
    return {
        "url": "https://" + spoken_url(url),
        "client_ids": list(provider.client_ids),
        "thumbprints": list(provider.thumbprints),
        "tags": dict(provider.tags),
    }


if __name__ == "__main__":
    main()
