"""Writes to objects of an EKS cluster, whatever EKS says to one of them."""

from __future__ import annotations

from functools import partial

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.eks_writes import apply_tags, retry_until_role_is_known, write_all
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import AwsError
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.poll import PollResult, wait_until
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.tags import TagChanges
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from tests.unit.aws_stub import AwsStub


def _error(code: str, expected: str = "no") -> AwsError:
    return AwsError(f"AWS refused it ({code}): {expected}", code=code, operation="eks:Any", server_message=expected)


class Writer:
    def __init__(self, errors: dict[str, AwsError]) -> None:
        self.errors = errors
        self.made: list[str] = []

    def write(self, what: str) -> None:
        if what in self.errors:
            raise self.errors[what]
        self.made.append(what)


def test_a_refused_object_does_not_hold_up_the_others() -> None:
    writer = Writer({"b": _error("InvalidParameterException")})
    with pytest.raises(MeshError) as caught:
        write_all([(name, partial(writer.write, name)) for name in ("a", "b", "c", "b")])
    assert writer.made == ["a", "c"]
    assert caught.value.message == "b: AWS refused it (InvalidParameterException): no\nWritten: a, c."
    assert caught.value.details == {"refusals": ["b: AWS refused it (InvalidParameterException): no"], "written": ["a", "c"]}


def test_what_would_refuse_everything_ends_at_once() -> None:
    writer = Writer({"b": _error("ExpiredTokenException")})
    with pytest.raises(MeshError) as caught:
        write_all([(name, partial(writer.write, name)) for name in ("a", "b", "c")])
    assert writer.made == ["a"]
    assert caught.value.message.endswith("Written: a.")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def _patient(clock: Clock) -> partial[PollResult]:
    return partial(wait_until, clock=clock.read, pause=clock.pause)


@pytest.mark.parametrize("expected", ["The specified principalArn is invalid: invalid principal.", "Role provided in the request does not exist."])
def test_a_role_that_iam_has_just_made_is_waited_for(expected: str) -> None:
    answers: list[AwsError | None] = [_error("InvalidParameterException", expected), _error("InvalidParameterException", expected), None]

    def call() -> None:
        answer = answers.pop(0)
        if answer:
            raise answer

    retry_until_role_is_known(call, waiting=_patient(Clock()))
    assert not answers


def test_a_role_that_does_not_come_is_reported_after_some_seconds() -> None:
    clock = Clock()

    def call() -> None:
        raise _error("InvalidParameterException", "invalid principal")

    with pytest.raises(AwsError, match="invalid principal"):
        retry_until_role_is_known(call, waiting=_patient(clock))
    assert 10 <= clock.now <= 60


def test_another_refusal_is_reported_at_once() -> None:
    clock = Clock()

    def call() -> None:
        raise _error("InvalidParameterException", "the group is wrong")

    with pytest.raises(AwsError):
        retry_until_role_is_known(call, waiting=_patient(clock))
    assert clock.now == 0


def test_tags_need_calls_only_where_they_differ() -> None:
    with AwsStub() as aws:
        apply_tags(aws.session, "arn:x", TagChanges({}, []))
        aws.answer("eks", "tag_resource", {}, resourceArn="arn:x", tags={"a": "1"})
        aws.answer("eks", "untag_resource", {}, resourceArn="arn:x", tagKeys=["b"])
        apply_tags(aws.session, "arn:x", TagChanges({"a": "1"}, ["b"]))
