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
  - Describes one EKS cluster. A cluster that does not exist is not an error.
  - The returned kubeconfig contains no secret. Its user is a small program that creates a token from the job's AWS credentials, as
    C(aws eks get-token) does, but without the AWS CLI. Tokens are renewed automatically in long tasks, and nothing is kept on disk.
  - The program takes the AWS credentials from the environment, the profile or the instance, so tasks that use the kubeconfig need the same environment
    as this one. Keys that are set only by O(access_key) and O(secret_key) are refused, because the kubeconfig would have to contain them.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - meshwright.ambient._attributes.aws
attributes:
  diff_mode:
    support: N/A
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
  description: The AWS account of the cluster, or of the credentials if there is no such cluster.
  returned: success
  type: str
  sample: "123456789012"
name:
  description: Its name.
  returned: if it exists
  type: str
  sample: prod
arn:
  description: Its ARN.
  returned: if it exists
  type: str
  sample: arn:aws:eks:eu-west-1:123456789012:cluster/prod
status:
  description: C(ACTIVE), C(CREATING), C(UPDATING), C(DELETING) or C(FAILED).
  returned: if it exists
  type: str
  sample: ACTIVE
version:
  description: The Kubernetes version of its control plane.
  returned: if it exists
  type: str
  sample: "1.34"
platform_version:
  description: The revision of that version in EKS.
  returned: if it exists
  type: str
  sample: eks.4
created_at:
  description: When it was created.
  returned: if it exists
  type: str
  sample: "2026-03-14T09:26:53+00:00"
endpoint:
  description: The URL of its API server; empty until it is created.
  returned: if it exists
  type: str
  sample: https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com
certificate_authority:
  description: The certificate of its authority, in base64; empty until it is created.
  returned: if it exists
  type: str
  sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
oidc_issuer:
  description: The URL of the issuer of its service accounts' tokens.
  returned: if it exists
  type: str
  sample: https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF
role_arn:
  description: The role of its control plane.
  returned: if it exists
  type: str
  sample: arn:aws:iam::123456789012:role/prod-cluster
vpc_id:
  description: Its VPC.
  returned: if it exists
  type: str
  sample: vpc-0a1b2c3d4e5f60718
subnet_ids:
  description: The subnets of its control plane.
  returned: if it exists
  type: list
  elements: str
  sample: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
security_group_ids:
  description: The additional security groups of its control plane.
  returned: if it exists
  type: list
  elements: str
  sample: []
cluster_security_group_id:
  description: The security group that EKS has created for it.
  returned: if it exists
  type: str
  sample: sg-0a1b2c3d4e5f60718
endpoint_public_access:
  description: Whether its API server can be reached from the internet.
  returned: if it exists
  type: bool
  sample: true
endpoint_private_access:
  description: Whether its API server can be reached from the VPC.
  returned: if it exists
  type: bool
  sample: true
public_access_cidrs:
  description: The address ranges of the internet that may reach its API server.
  returned: if it exists
  type: list
  elements: str
  sample: [0.0.0.0/0]
service_ipv4_cidr:
  description: The address range of its Services.
  returned: if it exists
  type: str
  sample: 172.20.0.0/16
ip_family:
  description: V(ipv4) or V(ipv6).
  returned: if it exists
  type: str
  sample: ipv4
log_types:
  description: The control plane's logs that go to CloudWatch.
  returned: if it exists
  type: list
  elements: str
  sample: [api, audit]
encryption_key_arn:
  description: The key that encrypts Secrets; empty if only the key of AWS does.
  returned: if it exists
  type: str
  sample: ""
authentication_mode:
  description: What grants identities access. C(CONFIG_MAP), C(API_AND_CONFIG_MAP) or C(API).
  returned: if it exists
  type: str
  sample: API
upgrade_policy:
  description: C(STANDARD) or C(EXTENDED) support; empty if EKS does not return it.
  returned: if it exists
  type: str
  sample: STANDARD
deletion_protection:
  description: Whether it is protected from deletion.
  returned: if it exists
  type: bool
  sample: false
health_issues:
  description: Its health issues.
  returned: if it exists
  type: list
  elements: dict
  contains:
    code:
      description: The code of the issue.
      type: str
      sample: Ec2SubnetNotFound
    message:
      description: The message of EKS.
      type: str
      sample: We couldn't find one or more subnets that your cluster was created with.
    resource_ids:
      description: The resources that it concerns.
      type: list
      elements: str
      sample: [subnet-0a1b2c3d4e5f60718]
tags:
  description: Its tags.
  returned: if it exists
  type: dict
  sample: {team: mesh}
kubeconfig:
  description: The content of a kubeconfig, for the option C(kubeconfig) of the tasks that follow. It contains no secret.
  returned: if it exists and has an endpoint
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

from ..module_utils._aws.connect import aws_module, run
from ..module_utils._eks_cluster.kubeconfig import refuse_keys_in_options, render_kubeconfig
from ..module_utils._eks_cluster.normalize import normalize_cluster
from ..module_utils._eks_cluster.state import describe_cluster
from ..module_utils._errors import MeshError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._aws.connect import Result
    from ..module_utils._aws.session import AwsSession

OPTIONS = {"name": {"type": "str", "required": True}}


def main() -> None:
    run(aws_module(OPTIONS), read_cluster)


def read_cluster(module: AnsibleModule, session: AwsSession) -> Result:
    """Read the cluster, and build its kubeconfig."""
    refuse_keys_in_options(module.params, os.environ)
    if not session.region:
        raise MeshError("The cluster's region is unknown: set the option region, or AWS_REGION in the environment of the job.")
    description = describe_cluster(session, module.params["name"])
    if description is None:
        return {"changed": False, "exists": False, "account_id": session.call("sts", "get_caller_identity")["Account"]}
    cluster = normalize_cluster(description)
    result = {"changed": False, "exists": True, "account_id": cluster["arn"].split(":")[4], **cluster}
    if cluster["endpoint"] and cluster["certificate_authority"]:
        result["kubeconfig"] = render_kubeconfig(
            name=cluster["name"],
            arn=cluster["arn"],
            endpoint=cluster["endpoint"],
            ca=cluster["certificate_authority"],
            region=session.region,
            sts=session.client("sts").meta.endpoint_url,
            profile=module.params.get("profile") or "",
            python=sys.executable,
        )
    return result


if __name__ == "__main__":
    main()
