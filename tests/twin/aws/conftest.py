"""The local AWS as a process of its own: one for all tests, which leave it as they find it but for what they have made."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.twin.aws.local_aws import Base, LocalAws, make_base, serving


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS in which nothing takes time; a test that wants phases sets them, and sets them back."""
    log = tmp_path_factory.mktemp("aws") / "requests.jsonl"
    with serving([sys.executable, "-m", "twin.aws", "--port", "0", "--request-log", str(log)], log) as local:
        yield local


@pytest.fixture
def slow(aws: LocalAws) -> Iterator[LocalAws]:
    """Everything that begins stays under way, until the test sets the phases to 0."""
    aws.control("POST", "/phases", {"default": 3600})
    yield aws
    aws.control("POST", "/phases", {"default": 0})


@pytest.fixture(scope="session")
def base(aws: LocalAws) -> Base:
    """A VPC with subnets in two zones, and roles."""
    return make_base(aws)
