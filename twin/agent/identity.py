"""What a pod is to AWS, as EKS's pod identity webhook would add it to the pod: the association or the role of its ServiceAccount, or nothing."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from twin.agent.files import inside, write_private
from twin.collection import Object
from twin.kwok.settings import AwsSettings

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
AUDIENCE_ANNOTATION = "eks.amazonaws.com/audience"

# Mounts and audiences of github.com/aws/amazon-eks-pod-identity-webhook.
_POD_IDENTITY_FILE = "var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"
_POD_IDENTITY_AUDIENCE = "pods.eks.amazonaws.com"
_ROLE_FILE = "var/run/secrets/eks.amazonaws.com/serviceaccount/token"
_ROLE_AUDIENCE = "sts.amazonaws.com"
# Nothing answers at the discard port: a twin without an account must not find the way to Amazon.
_NOWHERE = "http://127.0.0.1:9"
_SECONDS = 5.0


@dataclass(frozen=True)
class TokenFile:
    """A token of the pod's ServiceAccount that its process reads.

    Attributes:
        path: where, below the pod's root directory.
        audience: whom it is for.
    """

    path: str
    audience: str

    def write(self, root: Path, token: str) -> None:
        """Write a fresh token."""
        write_private(inside(root, self.path), token.encode())


@dataclass(frozen=True)
class Identity:
    """What is added to a pod.

    Attributes:
        endpoint: variables that lead every AWS SDK to the twin's account and to no other.
        variables: variables that the pod's own may override, as the webhook leaves alone what is there.
        token: the token that the variables name.
    """

    endpoint: dict[str, str]
    variables: dict[str, str]
    token: TokenFile | None = None


def identity_of(aws: AwsSettings | None, account: Object, root: Path) -> Identity:
    """The identity of a pod at its start; an association that is made later takes effect in the next pod, as on EKS.

    Args:
        aws: the cluster that the twin is, or None.
        account: the pod's ServiceAccount.
        root: the pod's root directory.

    Raises:
        OSError: the account's API does not answer.
    """
    url = aws.endpoint if aws else _NOWHERE
    # The instance's own credentials are out of a pod's reach (hop limit 1), and a simulated node has none.
    endpoint = {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
    # The SDK for Go asks STS for a role's credentials before it has read the variable for all services.
    endpoint["AWS_ENDPOINT_URL_STS"] = url
    if aws is None:
        return Identity(endpoint, {})
    variables = {"AWS_REGION": aws.region, "AWS_DEFAULT_REGION": aws.region, "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
    metadata = account["metadata"]
    annotations = metadata.get("annotations") or {}
    credentials = f"{aws.endpoint}/_twin/pod-identity/{aws.cluster}/{metadata['namespace']}/{metadata['name']}?region={aws.region}"
    # An association wins over the annotation.
    if _is_associated(credentials):
        token = TokenFile(_POD_IDENTITY_FILE, _POD_IDENTITY_AUDIENCE)
        variables |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(root / token.path)}
        return Identity(endpoint, variables, token)
    if role := annotations.get(ROLE_ANNOTATION):
        token = TokenFile(_ROLE_FILE, annotations.get(AUDIENCE_ANNOTATION, _ROLE_AUDIENCE))
        return Identity(endpoint, variables | {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(root / token.path)}, token)
    return Identity(endpoint, variables)


def _is_associated(credentials: str) -> bool:
    try:
        with urllib.request.urlopen(credentials, timeout=_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        # One that asks for a token first is there.
        return error.code in (401, 403)
