"""What an account keeps from other machines, and from other users of this one."""

from __future__ import annotations

import os

import pytest

from tests.twin.support.neighbours import ask_as_neighbour, listeners_of, open_sockets, reachable_from_elsewhere
from tests.twin.support.rehearsed import Rehearsed
from twin.aws import account
from twin.paths import TwinPaths


def test_nothing_of_an_account_is_reached_from_elsewhere(prod: Rehearsed) -> None:
    cluster = TwinPaths(f"{prod.name}-{prod.cluster}")
    listeners = listeners_of(cluster)
    assert {"kube-apiserver", "pilot-discovery", "aws-load-balancer-controller"} <= {name for each in listeners for name in _names(each.program)}
    assert reachable_from_elsewhere([*listeners, *listeners_of(prod.paths)]) == []


def _names(program: str) -> set[str]:
    """A name that the kernel has cut off after 15 letters stands for those that begin with it."""
    return {name for name in ("kube-apiserver", "pilot-discovery", "aws-load-balancer-controller") if name.startswith(program[:15])}


def test_what_an_account_keeps_is_in_a_directory_of_its_owner(prod: Rehearsed) -> None:
    for paths in (prod.paths, TwinPaths(f"{prod.name}-{prod.cluster}")):
        assert paths.home.stat().st_mode & 0o077 == 0
        assert open_sockets(paths) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
@pytest.mark.parametrize(
    "request_line",
    [
        pytest.param(b"GET /_twin/clusters HTTP/1.0", id="what-there-is"),
        pytest.param(b"DELETE /_twin/faults HTTP/1.0", id="faults"),
        pytest.param(b"GET /_twin/pod-identity/prod-frankfurt/kube-system/aws-load-balancer-controller HTTP/1.0", id="credentials-of-a-pod"),
        pytest.param(b"GET /moto-api/data.json HTTP/1.0", id="all-of-moto"),
    ],
)
def test_an_account_serves_its_owner_only(prod: Rehearsed, request_line: bytes) -> None:
    answer = ask_as_neighbour(account.settings_of(prod.name).port, request_line + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 403 ")
    assert b"belongs to another user" in answer
    assert prod.client("sts").get_caller_identity()["Account"], "it serves its owner as before"
