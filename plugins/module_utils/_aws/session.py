# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A task's session with AWS, which sends, counts, and if throttled retries every request."""

from __future__ import annotations

import typing as t
from collections import Counter

from .._text import harmless
from .errors import AwsError, explain

# The ends of the names of the fields that hold sentences, in lower case.
_SENTENCES = ("description", "message", "reason")

Answer = t.Dict[str, t.Any]
Retry = t.Callable[[t.Callable[[], t.Any]], t.Callable[[], t.Any]]


class AwsSession:
    """Calls of AWS' services in one region.

    Args:
        region: its name; may be empty for global services such as IAM.
        clients: gives botocore's client of a service, by botocore's name of it, such as C(elbv2).
        retry: a decorator that repeats a call that AWS throttles; none for a call that is made once.
    """

    def __init__(self, region: str, clients: t.Callable[[str], t.Any], retry: Retry | None = None) -> None:
        self.region = region
        self._make_client = clients
        self._retry = retry
        self._clients: dict[str, t.Any] = {}
        self._calls: Counter[str] = Counter()

    @property
    def api_calls(self) -> dict[str, int]:
        """How many requests were sent, retries included, by operation as IAM names it (C(eks:DescribeCluster))."""
        return dict(sorted(self._calls.items()))

    @property
    def partition(self) -> str:
        """The partition of the region, as ARNs name it: C(aws), C(aws-cn), C(aws-us-gov)."""
        return str(self.client("sts").meta.partition)

    def client(self, service: str) -> t.Any:
        """Botocore's client of a service, created once, for what is not a request, such as shapes. Requests go through call() and pages()."""
        if service not in self._clients:
            try:
                self._clients[service] = self._make_client(service)
            except Exception as error:
                # botocore raises its own exceptions here, and ValueError for a malformed endpoint.
                raise explain(error, service, self.region) from error
        return self._clients[service]

    def call(self, service: str, operation: str, **params: t.Any) -> Answer:
        """One operation in botocore's snake_case, such as C(describe_cluster); params are those of the API. Returns its answer without metadata.

        Raises:
            AwsError: AWS refuses, does not answer, or has kept throttling.
        """
        client = self.client(service)
        name = _iam_name(client, operation)

        def once() -> Answer:
            answer: Answer = self._counted(name, lambda: getattr(client, operation)(**params))
            return answer

        answer: Answer = self._tried(once, name)
        return answer

    def find(self, service: str, operation: str, **params: t.Any) -> Answer | None:
        """As call(), but None when what is asked for does not exist."""
        try:
            return self.call(service, operation, **params)
        except AwsError as error:
            if error.absent:
                return None
            raise

    def pages(self, service: str, operation: str, key: str, **params: t.Any) -> list[t.Any]:
        """All items below key of all pages of an operation that lists.

        Raises:
            AwsError: as call().
        """
        client = self.client(service)
        if not client.can_paginate(operation):
            return list(self.call(service, operation, **params).get(key) or [])
        name = _iam_name(client, operation)

        def all_pages() -> list[t.Any]:
            items: list[t.Any] = []
            pages = iter(client.get_paginator(operation).paginate(**params))
            while True:
                page = self._counted(name, lambda: next(pages, None))
                if page is None:
                    # The paginator has not asked again: this was no request.
                    self._calls[name] -= 1
                    return items
                items += page.get(key) or []

        listed: list[t.Any] = self._tried(all_pages, name)
        return listed

    def _tried(self, call: t.Callable[[], t.Any], name: str) -> t.Any:
        try:
            return (self._retry(call) if self._retry else call)()
        except AwsError:
            raise
        except Exception as error:
            if not _of_botocore(error):
                raise
            raise explain(error, name, self.region) from error

    def _counted(self, name: str, request: t.Callable[[], t.Any]) -> t.Any:
        """Send a request and count it, together with botocore's own retries."""
        try:
            answer = request()
        except Exception as error:
            metadata = (getattr(error, "response", None) or {}).get("ResponseMetadata", {})
            if metadata:
                self._calls[name] += 1 + int(metadata.get("RetryAttempts") or 0)
            raise
        metadata = answer.pop("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        self._calls[name] += 1 + int(metadata.get("RetryAttempts") or 0)
        return _with_harmless_texts(answer)


def _with_harmless_texts(answer: t.Any) -> t.Any:
    """An answer whose sentences are as messages quote them: the texts of errors and states, which AWS fills with what others have sent."""
    if isinstance(answer, dict):
        return {key: harmless(value) if key.lower().endswith(_SENTENCES) else _with_harmless_texts(value) for key, value in answer.items()}
    return [_with_harmless_texts(item) for item in answer] if isinstance(answer, list) else answer


def _iam_name(client: t.Any, operation: str) -> str:
    """As IAM policies and CloudTrail name it: C(elbv2) signs, and is allowed, as C(elasticloadbalancing)."""
    model = client.meta.service_model
    return f"{model.signing_name}:{client.meta.method_to_api_mapping.get(operation, operation)}"


def _of_botocore(error: Exception) -> bool:
    return any(base.__module__.startswith(("botocore.", "boto3.")) for base in type(error).__mro__)


__all__ = ("Answer", "AwsSession", "Retry")
