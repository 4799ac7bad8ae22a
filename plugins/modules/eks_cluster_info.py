#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: eks_cluster_info
short_description: Describe an EKS cluster, with a kubeconfig for the tasks that follow
version_added: 0.1.0
description:
  - Describes one EKS cluster. A cluster that is not there is no failure.
  - The returned kubeconfig has no secret in it. Its user is a small program that makes a token of the job's AWS credentials, as
    C(aws eks get-token) does, without needing the AWS CLI. So tokens renew by themselves in long tasks, and nothing has to be kept on disk.
  - The program takes the AWS credentials from the environment, from the profile or from the instance, so tasks that use the kubeconfig need the same
    environment as this one. Keys that only O(access_key) and O(secret_key) name are refused, because the kubeconfig would have to carry them.
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
    support: N/A
  idempotent:
    support: full
options:
  name:
    description: The name of the cluster.
    type: str
    required: true
seealso:
  - module: meshwright.ambient.eks_cluster
"""

EXAMPLES = r"""
- name: Describe the cluster
  meshwright.ambient.eks_cluster_info:
    name: prod
    region: eu-west-1
  register: described

- name: Read its nodes
  kubernetes.core.k8s_info:
    kubeconfig: "{{ described.kubeconfig }}"
    kind: Node
  when: described.exists
"""

RETURN = r"""
exists:
  description: Whether there is such a cluster.
  returned: success
  type: bool
  sample: true
account_id:
  description: The AWS account, which is the cluster's, or that of the credentials while there is no such cluster.
  returned: success
  type: str
  sample: "123456789012"
name:
  description: Its name.
  returned: when it exists
  type: str
  sample: prod
arn:
  description: Its ARN.
  returned: when it exists
  type: str
  sample: arn:aws:eks:eu-west-1:123456789012:cluster/prod
status:
  description: C(ACTIVE), C(CREATING), C(UPDATING), C(DELETING) or C(FAILED).
  returned: when it exists
  type: str
  sample: ACTIVE
version:
  description: The Kubernetes version of its control plane.
  returned: when it exists
  type: str
  sample: "1.34"
platform_version:
  description: EKS' own revision of that version.
  returned: when it exists
  type: str
  sample: eks.4
created_at:
  description: When it was made.
  returned: when it exists
  type: str
  sample: "2026-03-14T09:26:53+00:00"
endpoint:
  description: The URL of its API server; empty until it is made.
  returned: when it exists
  type: str
  sample: https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com
certificate_authority:
  description: The certificate of its authority, in base64; empty until it is made.
  returned: when it exists
  type: str
  sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
oidc_issuer:
  description: The URL that issues the tokens of its service accounts.
  returned: when it exists
  type: str
  sample: https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
role_arn:
  description: The role of its control plane.
  returned: when it exists
  type: str
  sample: arn:aws:iam::123456789012:role/prod-cluster
vpc_id:
  description: Its VPC.
  returned: when it exists
  type: str
  sample: vpc-0a1b2c3d4e5f60718
subnet_ids:
  description: The subnets of its control plane.
  returned: when it exists
  type: list
  elements: str
  sample: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
security_group_ids:
  description: The security groups that were given to it.
  returned: when it exists
  type: list
  elements: str
  sample: []
cluster_security_group_id:
  description: The security group that EKS has made for it.
  returned: when it exists
  type: str
  sample: sg-0a1b2c3d4e5f60718
endpoint_public_access:
  description: Whether its API server is reached from the internet.
  returned: when it exists
  type: bool
  sample: true
endpoint_private_access:
  description: Whether its API server is reached from the VPC.
  returned: when it exists
  type: bool
  sample: true
public_access_cidrs:
  description: From where in the internet.
  returned: when it exists
  type: list
  elements: str
  sample: [0.0.0.0/0]
service_ipv4_cidr:
  description: The addresses of its Services.
  returned: when it exists
  type: str
  sample: 172.20.0.0/16
ip_family:
  description: V(ipv4) or V(ipv6).
  returned: when it exists
  type: str
  sample: ipv4
log_types:
  description: The control plane's logs that go to CloudWatch.
  returned: when it exists
  type: list
  elements: str
  sample: [api, audit]
encryption_key_arn:
  description: The key that encrypts Secrets; empty when only AWS' own does.
  returned: when it exists
  type: str
  sample: ""
authentication_mode:
  description: Who says which identity may do what. C(CONFIG_MAP), C(API_AND_CONFIG_MAP) or C(API).
  returned: when it exists
  type: str
  sample: API
upgrade_policy:
  description: C(STANDARD) or C(EXTENDED) support; empty when EKS does not tell.
  returned: when it exists
  type: str
  sample: STANDARD
deletion_protection:
  description: Whether it is protected from deletion.
  returned: when it exists
  type: bool
  sample: false
health_issues:
  description: What EKS says is wrong with it.
  returned: when it exists
  type: list
  elements: dict
  contains:
    code:
      description: EKS' word for it.
      type: str
      sample: Ec2SubnetNotFound
    message:
      description: EKS' sentence about it.
      type: str
      sample: We couldn't find one or more subnets that your cluster was created with.
    resource_ids:
      description: What it is about.
      type: list
      elements: str
      sample: [subnet-0a1b2c3d4e5f60718]
tags:
  description: Its tags.
  returned: when it exists
  type: dict
  sample: {team: mesh}
kubeconfig:
  description: The content of a kubeconfig, for the option C(kubeconfig) of the tasks that follow. There is no secret in it.
  returned: when it exists and has an endpoint
  type: dict
  sample:
    apiVersion: v1
    kind: Config
    clusters:
      - name: arn:aws:eks:eu-west-1:123456789012:cluster/prod
        cluster:
          server: https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com
          certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
    users:
      - name: arn:aws:eks:eu-west-1:123456789012:cluster/prod
        user:
          exec:
            apiVersion: client.authentication.k8s.io/v1
            command: /usr/bin/python3
            args: ["-c", "(the program)", prod, eu-west-1, "https://sts.eu-west-1.amazonaws.com", ""]
            interactiveMode: Never
    contexts:
      - name: arn:aws:eks:eu-west-1:123456789012:cluster/prod
        context:
          cluster: arn:aws:eks:eu-west-1:123456789012:cluster/prod
          user: arn:aws:eks:eu-west-1:123456789012:cluster/prod
    current-context: arn:aws:eks:eu-west-1:123456789012:cluster/prod
api_calls:
  description: How many requests were sent to AWS, by operation.
  returned: always
  type: dict
  sample:
    eks:DescribeCluster: 1
"""

import os
import sys
import typing as t

from ..module_utils._aws.cluster_reading import describe_cluster
from ..module_utils._aws.connect import aws_module, run
from ..module_utils._eks.cluster_view import cluster_facts
from ..module_utils._eks.token import eks_kubeconfig, refuse_keys_in_options
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession

OPTIONS = {"name": {"type": "str", "required": True}}


def main() -> None:
    run(aws_module(OPTIONS), describe)


def describe(module: AnsibleModule, session: AwsSession) -> Result:
    """Read the cluster; make the kubeconfig."""
    refuse_keys_in_options(module.params, os.environ)
    if not session.region:
        raise MeshError("The cluster's region is not known: set the option region, or AWS_REGION in the environment of the job.")
    described = describe_cluster(session, module.params["name"])
    if described is None:
        return {"changed": False, "exists": False, "account_id": session.call("sts", "get_caller_identity")["Account"]}
    facts = cluster_facts(described)
    result = {"changed": False, "exists": True, "account_id": facts["arn"].split(":")[4], **facts}
    if facts["endpoint"] and facts["certificate_authority"]:
        result["kubeconfig"] = eks_kubeconfig(
            name=facts["name"],
            arn=facts["arn"],
            endpoint=facts["endpoint"],
            ca=facts["certificate_authority"],
            region=session.region,
            sts=session.client("sts").meta.endpoint_url,
            profile=module.params.get("profile") or "",
            python=sys.executable,
        )
    return result


if __name__ == "__main__":
    main()
