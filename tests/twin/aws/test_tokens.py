"""Tokens of `aws eks get-token` at the token webhook: whom a cluster lets in, and as whom."""

from __future__ import annotations

import base64
import datetime
import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.token_program import PROGRAM
from tests.twin.aws.local_aws import OWNER_KEY, OWNER_SECRET, REGION, Base, LocalAws

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
OWNER = Credentials(OWNER_KEY, OWNER_SECRET)


def token_of(credentials: Credentials, cluster: str, *, header: str = "x-k8s-aws-id", action: str = "GetCallerIdentity") -> str:
    """A token as `aws eks get-token` makes it."""
    request = AWSRequest("GET", f"https://sts.{REGION}.amazonaws.com/?Action={action}&Version=2011-06-15", headers={header: cluster})
    SigV4QueryAuth(credentials, "sts", REGION, expires=60).add_auth(request)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")


def signed_at(token: str, moment: datetime.datetime) -> str:
    """The token with another time of signature, which its signature does not cover any more."""
    encoded = token.removeprefix("k8s-aws-v1.")
    parts = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = dict(parse_qsl(parts.query)) | {"X-Amz-Date": moment.strftime("%Y%m%dT%H%M%SZ")}
    return "k8s-aws-v1." + base64.urlsafe_b64encode(urlunsplit(parts._replace(query=urlencode(query))).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def cluster(aws: LocalAws, base: Base) -> str:
    vpc = {"subnetIds": base.subnets}
    aws.client("eks").create_cluster(name="door", roleArn=base.role, resourcesVpcConfig=vpc, accessConfig={"authenticationMode": "API"})
    return "door"


@pytest.fixture
def review(aws: LocalAws, cluster: str) -> Any:
    def asked(token: str, name: str = cluster) -> dict[str, Any]:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        answer = aws.control("POST", f"/clusters/{name}/authenticate", body)
        assert (answer["apiVersion"], answer["kind"]) == ("authentication.k8s.io/v1", "TokenReview")
        status: dict[str, Any] = answer["status"]
        return status

    return asked


def test_the_creator_is_administrator(review: Any, cluster: str) -> None:
    status = review(token_of(OWNER, cluster))
    assert status["authenticated"] is True, status
    assert "system:masters" in status["user"]["groups"]


@pytest.mark.parametrize("server", ["https://sts.eu-central-1.amazonaws.com", ""], ids=["STS of AWS", "STS of the local AWS"])
def test_the_collections_own_tokens_are_accepted(aws: LocalAws, review: Any, cluster: str, server: str) -> None:
    command = [sys.executable, "-c", PROGRAM, cluster, REGION, server or aws.url, ""]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": OWNER_KEY, "AWS_SECRET_ACCESS_KEY": OWNER_SECRET}
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    status = review(json.loads(made.stdout)["status"]["token"])
    assert status["authenticated"] is True, status


def test_a_user_without_an_entry_stays_outside_until_it_has_one(aws: LocalAws, review: Any, cluster: str) -> None:
    iam, eks = aws.client("iam"), aws.client("eks")
    user = iam.create_user(UserName="ann")["User"]["Arn"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    token = token_of(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), cluster)
    outside = review(token)
    assert outside["authenticated"] is False
    assert f"{user} has no access entry" in outside["error"]
    eks.create_access_entry(clusterName=cluster, principalArn=user, kubernetesGroups=["developers"])
    inside = review(token)
    assert (inside["user"]["username"], inside["user"]["groups"]) == (user, ["developers", "system:authenticated"])


def test_the_session_of_a_role_is_the_role(aws: LocalAws, review: Any, cluster: str) -> None:
    eks, iam = aws.client("eks"), aws.client("iam")
    role = iam.create_role(RoleName="operators", Path="/team/", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="night-shift")["Credentials"]
    token = token_of(Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]), cluster)
    eks.create_access_entry(clusterName=cluster, principalArn=role)
    scope = {"type": "namespace", "namespaces": ["bookinfo"]}
    eks.associate_access_policy(clusterName=cluster, principalArn=role, policyArn=VIEW, accessScope=scope)
    status = review(token)
    assert status["user"]["username"] == "arn:aws:sts::123456789012:assumed-role/operators/night-shift"
    assert status["user"]["groups"] == ["eks:policy:AmazonEKSViewPolicy:bookinfo", "system:authenticated"]
    eks.associate_access_policy(clusterName=cluster, principalArn=role, policyArn=ADMIN, accessScope={"type": "cluster"})
    assert "system:masters" in review(token)["user"]["groups"]


def test_a_token_is_for_one_cluster(review: Any, cluster: str) -> None:
    status = review(token_of(OWNER, "another"))
    assert status["authenticated"] is False
    assert f"for the cluster {cluster}" in status["error"]


def test_a_wrong_secret_proves_nothing(review: Any, cluster: str) -> None:
    assert review(token_of(Credentials(OWNER_KEY, "guessed"), cluster))["authenticated"] is False


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        pytest.param("", "no token of EKS", id="none"),
        pytest.param("eyJhbGciOi", "no token of EKS", id="another kind"),
        pytest.param("k8s-aws-v1.*", "does not ask", id="no URL"),
        pytest.param(token_of(OWNER, "door", header="x-other"), "without the header", id="no cluster"),
        pytest.param(token_of(OWNER, "door", action="GetSessionToken"), "does not ask", id="another action"),
        pytest.param(signed_at(token_of(OWNER, "door"), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)), "expired", id="old"),
    ],
)
def test_what_is_refused(review: Any, token: str, expected: str) -> None:
    status = review(token)
    assert status["authenticated"] is False
    assert expected in status["error"]


def test_a_cluster_without_access_entries_knows_its_creator(aws: LocalAws, review: Any, base: Base) -> None:
    aws.client("eks").create_cluster(name="creator-only", roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets})
    aws.client("eks").describe_cluster(name="creator-only")
    assert review(token_of(OWNER, "creator-only"), "creator-only")["user"]["groups"] == ["system:masters"]


def test_an_unknown_cluster_has_no_webhook(aws: LocalAws) -> None:
    status, reported = aws.ask("POST", "/clusters/nobody/authenticate", {"spec": {"token": "x"}})
    assert (status, reported["message"]) == (404, "There is no cluster nobody.")
