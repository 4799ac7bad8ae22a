"""Errors on demand: throttling, expired credentials, or any other, in the form of each service's protocol."""

from __future__ import annotations

import threading
import warnings
from dataclasses import asdict, dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from twin.aws.asked import Asked

# moto wonders at codes that a service's model does not name; throttling and the like are in none of them.
warnings.filterwarnings("ignore", message=r"Exception\(Injected\)")

_MESSAGES = {
    "ThrottlingException": "Rate exceeded",
    "Throttling": "Rate exceeded",
    "RequestLimitExceeded": "Request limit exceeded.",
    "TooManyRequestsException": "Too Many Requests",
    "ExpiredTokenException": "The security token included in the request is expired",
    "ExpiredToken": "The security token included in the request is expired",
    "RequestExpired": "Request has expired.",
    "AccessDeniedException": "The caller is not authorized to perform this operation",
}


@dataclass
class Rule:
    """Which requests fail, and how; a field that is None fits all."""

    error: str
    """An error code; or `throttled` or `expired`, which become the code and status that the asked service has for that."""
    service: str | None = None
    operation: str | None = None
    access_key: str | None = None
    message: str | None = None
    status: int = 400
    times: int | None = None
    """How many requests fail; all, when it is None."""
    skip: int = 0
    """How many requests that fit are let through first: so something can go wrong in the middle of a run."""
    hits: int = 0

    def fits(self, asked: Asked) -> bool:
        pairs = ((self.service, asked.service), (self.operation, asked.operation), (self.access_key, asked.access_key))
        return (self.times is None or self.hits < self.times) and all(desired in (None, found) for desired, found in pairs)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, values: dict[str, Any]) -> None:
        """Add a rule.

        Raises:
            TypeError: it has a field that no rule has, or no error.
        """
        rule = Rule(**{name: value for name, value in values.items() if name != "hits"})
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def answer(self, asked: Asked) -> Response | None:
        """The answer of the first rule that fits, counted as a hit."""
        with self._lock:
            for rule in self._rules:
                if rule.fits(asked):
                    if rule.skip:
                        rule.skip -= 1
                        continue
                    rule.hits += 1
                    return _error(asked, rule)
        return None


class Injected(ServiceException):
    """Defined outside of moto, so that moto looks for its code in the service that was asked."""


# The words each protocol's services have for the same thing in life: code and status.
_IN_LIFE = {
    "throttled": {"ec2": ("RequestLimitExceeded", 503), "json": ("ThrottlingException", 400), "rest-json": ("ThrottlingException", 429)},
    "expired": {"ec2": ("RequestExpired", 400), "json": ("ExpiredTokenException", 400), "rest-json": ("ExpiredTokenException", 403)},
}
_ELSEWHERE = {"throttled": ("Throttling", 400), "expired": ("ExpiredToken", 403)}


def _error(asked: Asked, rule: Rule) -> Response:
    """The error in the service's own protocol, so that every SDK finds code and message."""
    model, protocol = asked.model, ""
    if model is not None:
        service = get_service_model(asked.service)
        protocol = determine_request_protocol(service, asked.content_type)
    code, status = _IN_LIFE.get(rule.error, {}).get(protocol) or _ELSEWHERE.get(rule.error) or (rule.error, rule.status)
    message = rule.message or _MESSAGES.get(code, f"The local AWS was configured to answer with {code}.")
    if model is None:
        return Response(f"{code}: {message}", status)
    serializer = get_serializer_class(service.service_name, protocol)(operation_model=model)
    serialized = serializer.serialize(Injected(code, message))
    return Response(serialized["body"], status, {**serialized["headers"], "x-amzn-RequestId": "00000000-0000-0000-0000-000000000000"})
