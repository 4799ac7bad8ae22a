from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from twin.agent.identity import TokenFile, identity_of
from twin.kwok.settings import AwsSettings

_ROLE = "arn:aws:iam::123456789012:role/controller"


@dataclass
class Account:
    """An account's API that knows the associations of some ServiceAccounts, and which were asked for."""

    status: int = 404
    asked: list[str] = field(default_factory=list)
    settings: AwsSettings | None = None


@pytest.fixture
def account() -> Iterator[Account]:
    found = Account()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        found.settings = AwsSettings("one", url, "prod", "eu-west-1", f"{url}/authenticate", "https://issuer", "172.20.0.0/16")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def _service_account(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": "controller", "namespace": "kube-system", "annotations": annotations}}


def test_a_twin_without_an_account_leads_nowhere(tmp_path: Path) -> None:
    identity = identity_of(None, _service_account(**{"eks.amazonaws.com/role-arn": _ROLE}), tmp_path)
    assert identity.variables == {}
    assert identity.token is None
    assert identity.endpoint["AWS_ENDPOINT_URL"] == identity.endpoint["AWS_ENDPOINT_URL_STS"] == "http://127.0.0.1:9"


@pytest.mark.parametrize("status", [200, 401, 403])
def test_an_association(account: Account, tmp_path: Path, status: int) -> None:
    account.status = status
    identity = identity_of(account.settings, _service_account(**{"eks.amazonaws.com/role-arn": _ROLE}), tmp_path)
    assert account.asked == ["/_twin/pod-identity/prod/kube-system/controller?region=eu-west-1"]
    assert account.settings is not None
    assert identity.endpoint["AWS_ENDPOINT_URL"] == account.settings.endpoint
    assert identity.variables["AWS_REGION"] == identity.variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert identity.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == account.settings.endpoint + account.asked[0]
    assert identity.token is not None
    assert identity.token.audience == "pods.eks.amazonaws.com"
    assert identity.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == str(tmp_path / identity.token.path)
    assert "AWS_ROLE_ARN" not in identity.variables, "an association wins over the annotation"


def test_the_annotation_of_a_role(account: Account, tmp_path: Path) -> None:
    identity = identity_of(account.settings, _service_account(**{"eks.amazonaws.com/role-arn": _ROLE}), tmp_path)
    assert identity.token is not None
    assert identity.token.audience == "sts.amazonaws.com"
    assert identity.variables["AWS_ROLE_ARN"] == _ROLE
    assert identity.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] == str(tmp_path / identity.token.path)


def test_an_audience_of_its_own(account: Account, tmp_path: Path) -> None:
    annotations = {"eks.amazonaws.com/role-arn": _ROLE, "eks.amazonaws.com/audience": "another"}
    identity = identity_of(account.settings, _service_account(**annotations), tmp_path)
    assert identity.token is not None
    assert identity.token.audience == "another"


def test_neither(account: Account, tmp_path: Path) -> None:
    identity = identity_of(account.settings, _service_account(), tmp_path)
    assert identity.token is None
    assert not {name for name in identity.variables if "KEY" in name or "CREDENTIALS" in name or "ROLE" in name}
    assert identity.endpoint["AWS_EC2_METADATA_DISABLED"] == "true"


def test_an_account_that_does_not_answer(account: Account, tmp_path: Path) -> None:
    assert account.settings is not None
    silent = AwsSettings(**{**account.settings.__dict__, "endpoint": "http://127.0.0.1:9"})
    with pytest.raises(OSError, match="refused"):
        identity_of(silent, _service_account(), tmp_path)


def test_a_token_is_renewed_in_place_and_private(tmp_path: Path) -> None:
    token = TokenFile("var/run/token", "somebody")
    for content in ("first", "second"):
        token.write(tmp_path, content)
        assert (tmp_path / token.path).read_text() == content
    assert (tmp_path / token.path).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "var/run").iterdir()] == ["token"]
