"""The shell of the AWS modules: its end, with a result or with an error that is reported once."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.connect import connect, run
from ansible_collections.meshwright.ambient.plugins.module_utils._aws.errors import AwsError
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError


class Ended(Exception):
    """The module has ended."""

    def __init__(self, result: dict[str, Any], *, failed: bool) -> None:
        super().__init__(result)
        self.result, self.failed = result, failed


class Module:
    """What connecting and ending use of AnsibleAWSModule."""

    def __init__(self, **params: Any) -> None:
        self.params = {"region": "eu-west-1", "validate_certs": True, **params}

    def exit_json(self, **result: Any) -> None:
        raise Ended(result, failed=False)

    def fail_json(self, **result: Any) -> None:
        raise Ended(result, failed=True)


def test_a_result_reports_the_calls() -> None:
    with pytest.raises(Ended) as ended:
        run(Module(), lambda _module, session: {"changed": False, "where": session.region})
    assert (ended.value.failed, ended.value.result) == (False, {"changed": False, "where": "eu-west-1", "api_calls": {}})


def test_an_error_is_a_sentence_with_its_data_and_no_traceback() -> None:
    def work(_module: Any, _session: Any) -> dict[str, Any]:
        raise MeshError("It cannot be had.", updates=[1])

    with pytest.raises(Ended) as ended:
        run(Module(), work)
    assert (ended.value.failed, ended.value.result) == (True, {"msg": "It cannot be had.", "updates": [1], "api_calls": {}})
    assert ended.value.__context__ is None, "Ansible would add the traceback"


def test_a_failure_may_carry_data() -> None:
    with pytest.raises(Ended) as ended:
        run(Module(), lambda _module, _session: {"failed": True, "msg": "no", "found": []})
    assert (ended.value.failed, ended.value.result["found"]) == (True, [])


def test_a_missing_profile_is_reported() -> None:
    with pytest.raises(AwsError) as caught:
        connect(Module(profile="nope")).client("eks")
    assert caught.value.message.startswith("The config profile (nope) could not be found: correct the option profile or AWS_PROFILE")


def test_clients_are_made_with_the_endpoint_of_the_options_once() -> None:
    session = connect(Module(endpoint_url="http://127.0.0.1:9", access_key="AKIAIOSFODNN7EXAMPLE", secret_key="s"))
    client = session.client("eks")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:9", "eu-west-1")
    assert session.client("eks") is client
    assert session.partition == "aws"
