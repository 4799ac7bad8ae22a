"""AWS refuses, throttles, or is not there: one sentence says so, and the next run goes on."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.polling import until
from tests.twin.support.operators import Operator, lock_out, operator
from tests.twin.support.proxy import ProxyServer
from tests.twin.support.rehearsed import Rehearsed
from twin.aws.account import ACCESS_KEY, REGION, SECRET_KEY
from twin.paths import TwinPaths

_NOBODY = "AKIAUNKNOWNKEY000000"
# Nothing of the host that runs the tests is a credential.
_NO_FILES = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
_NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", **_NO_FILES}
_UNKNOWN_KEY = {"AWS_ACCESS_KEY_ID": _NOBODY, "AWS_SECRET_ACCESS_KEY": "guessed-by-nobody"}

# One module for each service that is asked first by one of the collection's tasks.
_BY_SERVICE: dict[str, tuple[str, dict[str, Any]]] = {
    "eks": ("eks_cluster_info", {"name": "prod-frankfurt"}),
    "elbv2": ("load_balancer_info", {"load_balancers": [{"name": "shop"}]}),
    "acm": ("acm_certificate", {"hosts": ["shop.example.com"]}),
    "iam": ("iam_oidc_provider", {"url": "https://oidc.example.com/id/1", "client_ids": ["sts.amazonaws.com"]}),
}


@contextmanager
def _faults(account: Rehearsed, *rules: dict[str, Any]) -> Iterator[None]:
    for rule in rules:
        account.control("faults", rule)
    try:
        yield
    finally:
        account.control("faults", method="DELETE")


@pytest.fixture(scope="module")
def someone(prod: Rehearsed) -> Iterator[Operator]:
    """Whose key can be made to expire without anybody else noticing."""
    with operator(prod, "expiring") as who:
        yield who


def _sentence(result: dict[str, Any]) -> str:
    assert result.get("failed"), result
    assert "Traceback" not in json.dumps(result)
    message = str(result["msg"])
    assert "\n" not in message.strip(), f"this is no sentence:\n{message}"
    return message


def _played(done: subprocess.CompletedProcess[str]) -> str:
    """What the user reads of a play that failed, in one line."""
    output = done.stdout + done.stderr
    assert done.returncode == 2, output[-3000:]
    assert "Traceback" not in output
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", output).split())


# every service, every reason


def _refusals() -> Iterator[Any]:
    reported = {
        "UnrecognizedClientException": "AWS does not accept these credentials (UnrecognizedClientException at {call} in {region}): check the access key",
        "AccessDeniedException": "AWS denies {call} in {region} (AccessDeniedException: ",
        "expired": "at {call} in {region}): renew them and run again",
    }
    calls = {"eks": "eks:DescribeCluster", "elbv2": "elasticloadbalancing:DescribeLoadBalancers", "acm": "acm:ListCertificates"}
    for service, call in calls.items():
        for error, sentence in reported.items():
            # The sentences are the same for all services; each service's own form of an error is what differs most when a token has expired.
            if service == "eks" or error == "expired":
                yield pytest.param(service, error, sentence.format(call=call, region=REGION), id=f"{service}-{error}")


@pytest.mark.parametrize(("service", "error", "sentence"), list(_refusals()))
def test_aws_refuses_a_key(prod: Rehearsed, service: str, error: str, sentence: str) -> None:
    module, arguments = _BY_SERVICE[service]
    with _faults(prod, {"error": error, "access_key": _NOBODY}):
        message = _sentence(prod.module(module, arguments, **_UNKNOWN_KEY))
    assert sentence in message
    assert _UNKNOWN_KEY["AWS_SECRET_ACCESS_KEY"] not in message


def test_no_credentials_at_all(prod: Rehearsed) -> None:
    message = _sentence(prod.module("eks_cluster_info", {"name": prod.cluster}, **_NO_KEYS))
    assert message.startswith(f"No AWS credentials could be used for eks:DescribeCluster in {REGION}")
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE in the environment of the job" in message


def test_an_endpoint_that_is_not_there(prod: Rehearsed) -> None:
    message = _sentence(prod.module("eks_cluster_info", {"name": prod.cluster}, AWS_ENDPOINT_URL="http://127.0.0.1:1"))
    assert message.startswith(f"AWS could not be reached for eks:DescribeCluster in {REGION}")
    assert "http://127.0.0.1:1" in message
    assert "check the name of the region, the network and the proxy" in message


def test_throttling_is_outlasted_by_every_module(prod: Rehearsed) -> None:
    """More often than botocore repeats a call by itself, so that the modules' own retries are what is seen."""
    rules = [{"error": "throttled", "service": service, "times": 2} for service in _BY_SERVICE]
    with _faults(prod, *rules), ThreadPoolExecutor(len(_BY_SERVICE)) as pool:
        results = dict(zip(_BY_SERVICE, pool.map(lambda asked: prod.module(*asked, check=True, AWS_MAX_ATTEMPTS="1"), _BY_SERVICE.values()), strict=True))
        hits = {rule["service"]: rule["hits"] for rule in prod.control("faults")}
    for service, result in results.items():
        assert not result.get("failed"), f"{service}: {result['msg']}"
    assert hits == dict.fromkeys(_BY_SERVICE, 2), "not every service was throttled"


# what the operator of a job reads


@pytest.mark.parametrize(
    ("environment", "rules", "sentence"),
    [
        pytest.param(_NO_KEYS, [], f"No AWS credentials could be used for eks:DescribeCluster in {REGION}", id="no-credentials"),
        pytest.param(
            _UNKNOWN_KEY,
            [{"error": "UnrecognizedClientException", "access_key": _NOBODY}],
            f"AWS does not accept these credentials (UnrecognizedClientException at eks:DescribeCluster in {REGION})",
            id="unknown-key",
        ),
        pytest.param(
            _UNKNOWN_KEY,
            [{"error": "AccessDeniedException", "access_key": _NOBODY}],
            f"AWS denies eks:DescribeCluster in {REGION} (AccessDeniedException",
            id="no-rights",
        ),
    ],
)
def test_a_job_with_wrong_credentials_says_so_in_its_first_task_of_aws(
    prod: Rehearsed, environment: dict[str, str], rules: list[dict[str, Any]], sentence: str
) -> None:
    with _faults(prod, *rules):
        reported = _played(prod.play("site.yml", "--tags", "eks", **environment))
    assert f"[ERROR]: Task failed: Module failed: {sentence}" in reported
    assert re.search(r"ok=\d+ changed=0 ", reported), reported[-500:]


def test_a_token_that_expires_in_the_midst_of_a_job(prod: Rehearsed, someone: Operator) -> None:
    """It ends with a sentence, and the next job goes on: even while AWS throttles each service that it asks."""
    with _faults(prod, {"error": "expired", "access_key": someone.access_key, "skip": 12}):
        reported = _played(prod.play("site.yml", "--tags", "eks", **someone.environment))
    assert re.search(r"\[ERROR\]: Task failed: [^[]*(expired|ExpiredToken)", reported), reported[-2000:]
    rules = [{"error": "throttled", "service": service, "times": 3} for service in ("eks", "ec2", "iam")]
    with _faults(prod, *rules):
        done = prod.play("site.yml", "--tags", "eks", **someone.environment)
        hits = {rule["service"]: rule["hits"] for rule in prod.control("faults")}
    assert done.returncode == 0, done.stdout[-3000:]
    assert "changed=0 " in done.stdout, done.stdout[-500:]
    assert hits == dict.fromkeys(("eks", "ec2", "iam"), 3), "not every service was throttled"


# the way into the cluster


@pytest.fixture(scope="module")
def kubeconfig(prod: Rehearsed) -> dict[str, Any]:
    """The content that the role eks hands to all others."""
    found: dict[str, Any] = prod.module("eks_cluster_info", {"name": prod.cluster})["kubeconfig"]
    return found


def _waiting_for(name: str) -> dict[str, Any]:
    return {"targets": [{"kind": "ConfigMap", "api_version": "v1", "name": name, "namespace": "default"}]}


def test_a_cluster_without_credentials_of_aws(prod: Rehearsed, kubeconfig: dict[str, Any]) -> None:
    message = _sentence(prod.module("ready", {**_waiting_for("kube-root-ca.crt"), "kubeconfig": kubeconfig, "timeout": 5}, **_NO_KEYS))
    assert "the program that the kubeconfig runs to get them returned none" in message
    assert f"No token for the EKS cluster {prod.cluster}: Unable to locate credentials" in message
    assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE" in message


def test_a_token_that_expires_in_a_long_wait_is_renewed(prod: Rehearsed, kubeconfig: dict[str, Any], someone: Operator, tmp_path: Path) -> None:
    """The wait begins with the key of somebody whom the cluster then lets in no more; the profile has another key by then, as after a rotation."""
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    user: dict[str, Any] = yaml.safe_load(json.dumps(kubeconfig["users"][0]["user"]))
    user["exec"]["args"][-1] = "rotating"
    source, profile = tmp_path / "source", tmp_path / "credentials"
    source.write_text(yaml.safe_dump(kubeconfig))
    _write_profile(profile, someone.environment)
    environment = {**_NO_KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(profile)}
    with ProxyServer(tmp_path / "proxy.log") as proxies, ThreadPoolExecutor(1) as pool:
        proxy = proxies.open("api", server.removeprefix("https://"))
        options = {**_waiting_for("awaited"), "kubeconfig": str(proxy.kubeconfig(source, tmp_path / "kubeconfig", user)), "timeout": 90}
        since = _audit_log(prod).stat().st_size
        try:
            waiting = pool.submit(prod.module, "ready", options, **environment)
            until(lambda: someone.arn in _readers(prod, since), "the wait to begin")
            # A token that the API server sees after the wait's own is not remembered by it for longer than that.
            token = _token(user, environment)
            assert _status(kubeconfig, token) == 200
            proxy.cut()
            _write_profile(profile, {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY})
            lock_out(prod, someone.arn)
            until(lambda: _status(kubeconfig, token) == 401, "the API server to forget the token")
            prod.kubectl("create", "configmap", "awaited", "-n", "default")
            proxy.restore()
            result = waiting.result(100)
        finally:
            prod.kubectl("delete", "configmap", "awaited", "-n", "default", "--ignore-not-found")
    assert not result.get("failed"), result["msg"]
    until(lambda: bool(_readers(prod, since) - {someone.arn}), "the wait to go on with the new key")
    message = _sentence(prod.module("ready", {**_waiting_for("awaited"), "kubeconfig": kubeconfig, "timeout": 5}, **someone.environment))
    assert "did not accept the credentials" in message
    assert "in EKS: the owner has no access entry" in message


def _write_profile(path: Path, keys: dict[str, str]) -> None:
    path.write_text("[rotating]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in keys.items()))


def _token(user: dict[str, Any], environment: dict[str, str]) -> str:
    """What the program of the kubeconfig answers."""
    command = [user["exec"]["command"], *user["exec"]["args"]]
    expected = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True, timeout=30).stdout
    return str(json.loads(expected)["status"]["token"])


def _status(kubeconfig: dict[str, Any], token: str) -> int:
    """The HTTP status with which the API server answers the bearer of a token."""
    cluster = kubeconfig["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
    request = urllib.request.Request(f"{cluster['server']}/api/v1/namespaces/default", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def _audit_log(account: Rehearsed) -> Path:
    return TwinPaths(f"{account.name}-{account.cluster}").audit_log


def _readers(account: Rehearsed, since: int) -> set[str]:
    """Who has listed or watched the ConfigMaps of the namespace default with a module of the collection, by the audit log from an offset on."""
    found = set()
    # A list is logged at once, a watch when it ends.
    for line in _audit_log(account).read_bytes()[since:].splitlines():
        if b"/namespaces/default/configmaps?" not in line or b'"userAgent":"meshwright.ambient"' not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event["responseStatus"]["code"] == 200:
            found.add(event["user"]["username"])
    return found
