"""The kubeconfig of an EKS cluster and the program in it that makes tokens."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config_from_dict

from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.kubeconfig import refuse_keys_in_options, render_kubeconfig
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_cluster.token_program import PROGRAM
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError

ARN = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "planted-secret-key", "AWS_SESSION_TOKEN": "planted-session-token"}


def kubeconfig(**changes: str) -> dict[str, object]:
    values = {
        "name": "prod",
        "arn": ARN,
        "endpoint": "https://prod.example",
        "ca": "Q0E=",
        "region": "eu-west-1",
        "sts": "https://sts.eu-west-1.amazonaws.com",
        "profile": "",
        "python": sys.executable,
    }
    return render_kubeconfig(**{**values, **changes})


def program_of(config: dict[str, object]) -> dict[str, object]:
    return config["users"][0]["user"]["exec"]


def run_program(home: Path, config: dict[str, object] | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the plugin as a client does: without a shell, with the client's environment; no keys but those that are given."""
    exec_plugin = program_of(config or kubeconfig())
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = {**kept, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **environment}
    return subprocess.run([exec_plugin["command"], *exec_plugin["args"]], cwd=home, env=variables, capture_output=True, text=True, check=False)


def test_the_kubeconfig_names_one_cluster_one_user_and_no_secret() -> None:
    config = kubeconfig()
    assert config["clusters"] == [{"name": ARN, "cluster": {"server": "https://prod.example", "certificate-authority-data": "Q0E="}}]
    assert config["contexts"] == [{"name": ARN, "context": {"cluster": ARN, "user": ARN}}]
    assert config["current-context"] == ARN
    assert program_of(config) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", PROGRAM, "prod", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", ""],
        "interactiveMode": "Never",
    }


def test_the_program_survives_templating() -> None:
    assert not [mark for mark in ("{{", "{%", "{#") if mark in PROGRAM]


@pytest.mark.parametrize(
    ("region", "sts", "address"),
    [
        ("eu-west-1", "https://sts.amazonaws.com", "https://sts.eu-west-1.amazonaws.com"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com", "https://sts.us-east-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("eu-west-1", "http://127.0.0.1:5601", "http://127.0.0.1:5601"),
    ],
)
def test_a_token_is_for_the_sts_of_its_region(region: str, sts: str, address: str) -> None:
    assert program_of(kubeconfig(region=region, sts=sts))["args"][4] == address


def test_the_program_prints_a_presigned_url_with_the_cluster_signed_in(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    ran = run_program(tmp_path, **KEYS)
    assert ran.returncode == 0, ran.stderr
    credential = json.loads(ran.stdout)
    assert (credential["apiVersion"], credential["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    expires = datetime.strptime(credential["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(minutes=13) < expires - before < timedelta(minutes=15)
    prefix, token = credential["status"]["token"].split(".")
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (prefix, "=" in token) == ("k8s-aws-v1", False)
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-1.amazonaws.com", "/")
    # The API server's authenticator takes these, and refuses a URL that has any other.
    assert {name.lower() for name in query} == {
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
    assert (query["Action"], query["Version"], query["X-Amz-Expires"]) == ("GetCallerIdentity", "2011-06-15", "60")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Credential"].endswith("/eu-west-1/sts/aws4_request")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in ran.stdout + str(url)


def test_the_signature_is_the_one_that_botocore_makes_for_the_cluster(tmp_path: Path) -> None:
    tokens = set()
    for name in ("prod", "test"):
        token = json.loads(run_program(tmp_path, kubeconfig(name=name), **KEYS).stdout)["status"]["token"].split(".")[1]
        tokens.add(parse_qs(urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()).query)["X-Amz-Signature"][0])
    assert len(tokens) == 2, "the name of the cluster is not part of what is signed"


def test_a_profile_is_the_one_that_was_meant_though_the_environment_has_keys(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[prod]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = other\n")
    ran = run_program(tmp_path, kubeconfig(profile="prod"), AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"), **KEYS)
    token = json.loads(ran.stdout)["status"]["token"].split(".")[1]
    assert b"X-Amz-Credential=AKIAPROFILE%2F" in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@pytest.mark.parametrize(
    ("profile", "environment", "expected"),
    [
        ("", {}, "Unable to locate credentials"),
        ("", {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
        ("nope", {}, "The config profile (nope) could not be found"),
    ],
)
def test_without_credentials_it_says_so_in_a_line(tmp_path: Path, profile: str, environment: dict[str, str], expected: str) -> None:
    ran = run_program(tmp_path, kubeconfig(profile=profile), **environment)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("No token for the EKS cluster prod: ")
    if expected.startswith("Partial"):
        # botocore takes half a pair of keys for none.
        expected = "credentials"
    assert expected in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_what_a_credential_process_says_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "say").write_text(f"#!{sys.executable}\nimport sys\nsys.exit('planted-secret-key was refused')\n")
    (tmp_path / "say").chmod(0o755)
    (tmp_path / "config").write_text(f"[profile leaky]\ncredential_process = {tmp_path / 'say'}\n")
    ran = run_program(tmp_path, kubeconfig(profile="leaky"), AWS_CONFIG_FILE=str(tmp_path / "config"))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "planted-secret-key" not in ran.stderr
    assert "CredentialRetrievalError" in ran.stderr


def test_a_module_of_the_current_directory_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "botocore.py").write_text("raise SystemExit('taken in')\n")
    assert run_program(tmp_path, **KEYS).returncode == 0


def test_the_kubernetes_client_takes_the_token_of_a_kubeconfig_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    configuration = Configuration()
    load_kube_config_from_dict(kubeconfig(), client_configuration=configuration, temp_file_path=str(tmp_path))
    assert configuration.host == "https://prod.example"
    assert configuration.auth_settings()["BearerToken"]["value"].startswith("Bearer k8s-aws-v1.")


@pytest.mark.parametrize(
    ("params", "environment"),
    [
        ({"access_key": None, "secret_key": None, "session_token": None}, {}),
        ({"access_key": "AKIA", "secret_key": "s", "session_token": None}, {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}),
    ],
)
def test_keys_of_the_environment_are_fine(params: dict[str, str | None], environment: dict[str, str]) -> None:
    refuse_keys_in_options(params, environment)


@pytest.mark.parametrize("option", ["access_key", "secret_key", "session_token"])
def test_keys_that_only_the_task_knows_are_refused_without_telling_them(option: str) -> None:
    with pytest.raises(MeshError, match=f"The option {option} cannot be used here: the kubeconfig would have to contain the key") as caught:
        refuse_keys_in_options({option: "planted-secret-key"}, {"AWS_ACCESS_KEY_ID": "another"})
    assert "planted-secret-key" not in caught.value.message
