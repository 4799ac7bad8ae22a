"""Which user of this machine has opened a connection: an account belongs to one, and asks nobody to prove who they are."""

from __future__ import annotations

import os
import socket
import struct

# sock_diag(7): one exact question by the two ends of a connection, which takes microseconds however many there are.
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBxI")
_PORTS = struct.Struct("!HH")
# The state, and behind the two ends three counters and the user's number.
_ANSWER = struct.Struct("=xBxx48x12xI")
_ESTABLISHED, _EVERY_STATE = 1, 0xFFFFFFFF
_ANY_INTERFACE_AND_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)


def is_own(client: tuple[str, int], server: tuple[str, int]) -> bool:
    """Whether a connection over the loopback network was opened by who runs this process, or by root.

    One that is not established any more has no user, so it is nobody's.

    Args:
        client, server: the two ends, each with its IPv4 address and port.
    """
    try:
        return user_of(client, server) in (os.geteuid(), 0)
    except OSError:
        return False


def user_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The number of the user who has opened an established connection, or None if there is no such connection.

    Raises:
        OSError: the kernel does not report it.
    """
    ends = _PORTS.pack(client[1], server[1]) + b"".join(socket.inet_aton(address) + bytes(12) for address, _port in (client, server))
    question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _EVERY_STATE) + ends + _ANY_INTERFACE_AND_COOKIE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(_HEADER.pack(_HEADER.size + len(question), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + question)
        answer = kernel.recv(4096)
    _length, kind, _flags, _sequence, _port = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:
        return None
    state, user = _ANSWER.unpack_from(answer, _HEADER.size)
    return int(user) if state == _ESTABLISHED else None
