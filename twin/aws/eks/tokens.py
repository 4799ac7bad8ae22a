"""The token webhook of a cluster: who presents a token of `aws eks get-token`, and what may they do."""

from __future__ import annotations

import base64
import binascii
import datetime
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from twin.aws.callers import Identity, identity_of, secret_of
from twin.aws.eks.access import CLUSTER_ADMIN_POLICY, has_entries, policy_group
from twin.aws.eks.region import Cluster, Entry, Region

_KIND = "k8s-aws-v1."
_CLUSTER_HEADER = "x-k8s-aws-id"
# A token is good for 15 minutes, whatever its presigned URL says (aws-iam-authenticator, pkg/token).
_LONGEST = datetime.timedelta(minutes=15)


class Refused(Exception):
    """The token proves nothing, or nobody who has an entry."""


def review(asked: dict[str, Any], region: Region, cluster: Cluster) -> dict[str, Any]:
    """Answer a TokenReview (authentication.k8s.io/v1)."""
    token = str((asked.get("spec") or {}).get("token") or "")
    try:
        status: dict[str, Any] = {"authenticated": True, "user": _user(token, region, cluster)}
    except Refused as reason:
        status = {"authenticated": False, "error": str(reason)}
    return {"apiVersion": asked.get("apiVersion") or "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}


def _user(token: str, region: Region, cluster: Cluster) -> dict[str, Any]:
    url = _url(token)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    access_key = _check(url, query, cluster.name, region.name)
    caller = identity_of(access_key, region.name)
    if not has_entries(cluster):
        return _owner(cluster, caller)
    entry = _entry(cluster, caller.principal)
    session = caller.arn.rsplit("/", 1)[1]
    username = entry.record["username"].replace("{{SessionName}}", session.replace("@", "-")).replace("{{SessionNameRaw}}", session)
    return {
        "username": username,
        "uid": f"aws-iam-authenticator:{caller.account}:{caller.user_id}",
        "groups": [*entry.record["kubernetesGroups"], *groups_of(entry), "system:authenticated"],
        "extra": {"arn": [caller.arn], "canonicalArn": [entry.record["principalArn"]], "accessKeyId": [access_key], "sessionName": [session]},
    }


def _owner(cluster: Cluster, caller: Identity) -> dict[str, Any]:
    """Without access entries a cluster has its creator as administrator, and whom its ConfigMap aws-auth names: that is not read here."""
    if caller.principal != cluster.creator:
        raise Refused(f"Cluster {cluster.name} has the authentication mode CONFIG_MAP, in which the local AWS lets its creator in only.")
    return {"username": "kubernetes-admin", "uid": f"aws-iam-authenticator:{caller.account}:{caller.user_id}", "groups": ["system:masters"]}


def groups_of(entry: Entry) -> list[str]:
    """The groups that stand for an entry's access policies.

    EKS authorizes policies in an authorizer of its own, which the twin's API server lacks: here the cluster admin policy
    for the whole cluster is membership in system:masters; any other is a group, to which the provider of the cluster binds a role.
    """
    groups = []
    for arn, association in entry.policies.items():
        scope = association["accessScope"]
        if arn == CLUSTER_ADMIN_POLICY and scope["type"] == "cluster":
            groups.append("system:masters")
            continue
        groups += [policy_group(arn)] if scope["type"] == "cluster" else [policy_group(arn, namespace) for namespace in scope["namespaces"]]
    return groups


def _entry(cluster: Cluster, principal: str) -> Entry:
    entry = cluster.entries.get(principal)
    if entry is None:
        raise Refused(f"{principal} has no access entry in cluster {cluster.name}.")
    return entry


def _url(token: str) -> str:
    """The presigned URL that a token carries."""
    if not token.startswith(_KIND):
        raise Refused("This is no token of EKS.")
    encoded = token.removeprefix(_KIND)
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError):
        raise Refused("The token is no base64 of a URL.") from None


def _check(url: str, query: dict[str, str], cluster: str, region: str) -> str:
    """Check what STS and the authenticator would, and return the access key.

    The name of the cluster is part of what is signed and not of the URL: it is proved by the signature alone, for keys whose
    secret is known here.
    """
    if query.get("Action") != "GetCallerIdentity":
        raise Refused("The token's URL does not ask for the caller's identity.")
    if _CLUSTER_HEADER not in query.get("X-Amz-SignedHeaders", "").split(";"):
        raise Refused(f"The token's URL was signed without the header {_CLUSTER_HEADER}.")
    _check_time(query)
    scope = query.get("X-Amz-Credential", "").split("/")
    if len(scope) != 5:
        raise Refused("The token's URL names no access key.")
    access_key, _date, signing_region, service, _terminator = scope
    secret = secret_of(access_key, region)
    if secret is not None and not hmac.compare_digest(_signature(url, query, cluster, secret, signing_region, service), query.get("X-Amz-Signature", "")):
        raise Refused(f"The token's signature is not one of key {access_key} for the cluster {cluster}.")
    return access_key


def _signature(url: str, query: dict[str, str], cluster: str, secret: str, region: str, service: str) -> str:
    """Sign the URL anew, as for this cluster."""
    parts = urlsplit(url)
    signed = "&".join(pair for pair in parts.query.split("&") if not pair.startswith("X-Amz-Signature="))
    request = AWSRequest("GET", urlunsplit(parts._replace(query=signed)), headers={_CLUSTER_HEADER: cluster})
    request.context["timestamp"] = query["X-Amz-Date"]
    signer = SigV4QueryAuth(Credentials("unused", secret), service, region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


def _check_time(query: dict[str, str]) -> None:
    try:
        signed = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        length = datetime.timedelta(seconds=int(query["X-Amz-Expires"]))
    except (KeyError, ValueError):
        raise Refused("The token's URL has no time.") from None
    # The SDKs sign for 60 seconds; the authenticator takes the token for 15 minutes all the same.
    if datetime.datetime.now(datetime.UTC) > signed + max(length, _LONGEST):
        raise Refused(f"The token expired: it was signed at {query['X-Amz-Date']}.")
