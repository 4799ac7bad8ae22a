"""Credentials of pods, as the EKS pod identity agent hands them out."""

from __future__ import annotations

import secrets
from typing import Any

from moto.sts.models import sts_backends

from twin.aws.eks.region import Cluster, Region
from twin.aws.errors import Unknown

_SECONDS = 6 * 3600


def credentials(region: Region, cluster: Cluster, namespace: str, service_account: str) -> dict[str, Any]:
    """What the credentials endpoint of a container answers: the associated role, assumed.

    Raises:
        Unknown: the service account has no association.
    """
    for association in cluster.associations.values():
        if (association["namespace"], association["serviceAccount"]) == (namespace, service_account):
            break
    else:
        raise Unknown(f"The service account {namespace}/{service_account} has no pod identity association in cluster {cluster.name}.")
    session = f"eks-{cluster.name}-{service_account}"[:40] + f"-{secrets.token_hex(4)}"
    role = sts_backends[region.account]["aws"].assume_role(
        region_name=region.name,
        role_session_name=session,
        role_arn=association.get("targetRoleArn") or association["roleArn"],
        policy="",
        duration=_SECONDS,
        external_id="",
    )
    return {
        "AccessKeyId": role.access_key_id,
        "SecretAccessKey": role.secret_access_key,
        "Token": role.session_token,
        "AccountId": role.account_id,
        "Expiration": role.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
