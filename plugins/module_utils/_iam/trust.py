# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Who may assume an IAM role: trust policies, and the partition that ARNs name."""

from __future__ import annotations

import typing as t

Document = t.Dict[str, t.Any]


_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eu-isof-": "aws-iso-f",
}


def partition_of(region: str) -> str:
    """The partition of a region: C(aws), C(aws-cn), C(aws-us-gov), C(aws-eusc) of the European Sovereign Cloud, or one that is isolated.

    Source: botocore's data/partitions.json.
    """
    for prefix, partition in _PARTITIONS.items():
        if region.startswith(prefix):
            return partition
    return "aws"


def trust_service(service: str, *, tag_session: bool = False) -> Document:
    """The trust policy for a service of AWS, such as C(eks.amazonaws.com), which may also tag its sessions."""
    actions = ["sts:AssumeRole", "sts:TagSession"] if tag_session else ["sts:AssumeRole"]
    return _document({"Principal": {"Service": service}, "Action": actions})


def trust_nodes(partition: str) -> Document:
    """The trust policy for EC2 instances."""
    return trust_service("ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com")


def trust_service_account(identity: str, *, account: str, issuer: str, namespace: str, name: str) -> Document:
    """The trust policy for the pods of a Kubernetes service account.

    Args:
        identity: C(pod_identity) or C(irsa); for anything else the document is empty.
        account: the beginning of the account's ARNs in IAM, such as C(arn:aws:iam::123456789012).
        issuer: the URL of the cluster's issuer; only IRSA names it.
        namespace: the namespace of the service account.
        name: its name.
    """
    if identity == "pod_identity":
        return trust_service("pods.eks.amazonaws.com", tag_session=True)
    if identity != "irsa":
        return {}
    provider = issuer[len("https://") :] if issuer.startswith("https://") else issuer
    condition = {f"{provider}:sub": f"system:serviceaccount:{namespace}:{name}", f"{provider}:aud": "sts.amazonaws.com"}
    return _document(
        {
            "Principal": {"Federated": f"{account}:oidc-provider/{provider}"},
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": {"StringEquals": condition},
        }
    )


def _document(statement: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


__all__ = ("partition_of", "trust_nodes", "trust_service", "trust_service_account")
