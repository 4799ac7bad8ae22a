from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from twin.aws import neighbours
from twin.aws.neighbours import is_own, user_of

Ends = tuple[socket.socket, tuple[str, int], tuple[str, int]]


@pytest.fixture(params=[pytest.param("127.0.0.1", id="ipv4"), pytest.param("::ffff:127.0.0.1", id="ipv6-that-speaks-to-ipv4")])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """A connection: the client's socket, its address, and the server's."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection((request.param, server.getsockname()[1])) as client:
        accepted, peer = server.accept()
        with accepted:
            yield client, peer, accepted.getsockname()


def test_who_has_opened_a_connection(ends: Ends) -> None:
    _client, peer, server = ends
    assert user_of(peer, server) == os.geteuid()
    assert is_own(peer, server)


def test_another_users_connection(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    _client, peer, server = ends
    monkeypatch.setattr(neighbours, "user_of", lambda *_ends: os.geteuid() + 1)
    assert not is_own(peer, server)


def test_one_that_is_being_closed_is_nobodys(ends: Ends) -> None:
    """The kernel tells the user 0 of it, who is not root."""
    client, peer, server = ends
    client.close()
    assert user_of(peer, server) is None
    assert not is_own(peer, server)


def test_one_that_is_not_there_is_nobodys() -> None:
    assert not is_own(("127.0.0.1", 1), ("127.0.0.1", 2))


def test_a_kernel_that_names_no_owner(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_NETLINK_SOCK_DIAG", 99)
    assert not is_own(*ends[1:])
