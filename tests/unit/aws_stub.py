"""AWS for unit tests: botocore's own clients, whose Stubber checks each call's names and shapes against the service's model."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import botocore.session
from botocore.stub import ANY, Stubber

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.session import AwsSession

REGION = "eu-west-1"


class AwsStub:
    """An AwsSession whose calls are answered as arranged, each service's in their order; a context that fails when an arranged call was not made."""

    def __init__(self, region: str = REGION) -> None:
        self._region = region
        self._stubbers: dict[str, Stubber] = {}
        self._botocore = botocore.session.Session()
        self.session = AwsSession(region, self._client)

    def answer(self, service: str, operation: str, response: t.Mapping[str, t.Any], **params: t.Any) -> None:
        """The next call of this service is to be this operation with exactly these params (a value may be ANY), and gets this response."""
        self._stubber(service).add_response(operation, dict(response), params)

    def refuse(self, service: str, operation: str, code: str, message: str = "refused by the test", *, status: int = 400, **params: t.Any) -> None:
        """The next call of this service is to be this operation with exactly these params, and is refused with AWS' error code."""
        self._stubber(service).add_client_error(operation, code, message, http_status_code=status, expected_params=params)

    def __enter__(self) -> AwsStub:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            for stubber in self._stubbers.values():
                stubber.assert_no_pending_responses()

    def _client(self, service: str) -> t.Any:
        return self._stubber(service).client

    def _stubber(self, service: str) -> Stubber:
        if service not in self._stubbers:
            client = self._botocore.create_client(service, region_name=self._region, aws_access_key_id="test", aws_secret_access_key="test")
            stubber = Stubber(client)
            stubber.activate()
            self._stubbers[service] = stubber
        return self._stubbers[service]


class Clock:
    """Time that passes only by pausing: for waits that are not to take any."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def stub_module(options: t.Mapping[str, t.Any], *, check_mode: bool = False, **params: t.Any) -> t.Any:
    """What a module's work sees of its module: the params with their defaults (those given must be options), the mode, and warn()."""
    unknown = sorted(set(params) - set(options))
    if unknown:
        raise ValueError(f"The module has no option {', '.join(unknown)}.")
    defaults = {name: rule.get("default") for name, rule in options.items()}
    warnings: list[str] = []
    return SimpleNamespace(params={**defaults, **params}, check_mode=check_mode, warn=warnings.append, warnings=warnings, debug=lambda *_: None)


__all__ = ("ANY", "REGION", "AwsStub", "Clock", "stub_module")
