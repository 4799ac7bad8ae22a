# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Host names as they are written in gateways, routes, load balancers and certificates (RFC 1123; the first label may be a wildcard)."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._text import repeated

_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_EXAMPLE = "use a host name such as shop.example.com or *.example.com"


def find_host_errors(option: str, hosts: t.Iterable[t.Any] | None, *, any_case: bool = False, longest: int = _LONGEST_HOST) -> t.Iterator[str]:
    """One sentence for each host that cannot be one, and for each that is there twice.

    Args:
        option: how messages name the list.
        hosts: the hosts.
        any_case: whether capital letters and a dot at the end are the same as none.
        longest: how long a host may be.
    """
    written = [str(host) for host in hosts or ()]
    for host in written:
        yield from find_one_host_errors(option, host, any_case=any_case, longest=longest)
    same = [_canonical(host) for host in written] if any_case else written
    for host in repeated(same):
        yield f"{option} names {host} more than once: keep one of them."


def find_one_host_errors(option: str, host: str, *, any_case: bool = False, longest: int = _LONGEST_HOST) -> t.Iterator[str]:
    """A sentence if this cannot be a host; the arguments are those of find_host_errors()."""
    problem = _problem(_canonical(host) if any_case else host, longest)
    if problem:
        yield f"{option} has {host!r}, {problem}: {_EXAMPLE}."


def hosts_meet(host: str, other: str) -> bool:
    """Whether there is a host that both stand for, each a host, a wildcard, or empty for every host.

    A wildcard stands for one or more labels. Sources: the Gateway API's reference of HTTPRoute (spec.hostnames), and Istio's pkg/config/host (Name.Matches).
    """
    if not host or not other:
        return True
    if host.startswith("*") and other.startswith("*"):
        return host[1:].endswith(other[1:]) or other[1:].endswith(host[1:])
    if host.startswith("*"):
        return other.endswith(host[1:])
    return host.endswith(other[1:]) if other.startswith("*") else host == other


def _canonical(host: str) -> str:
    return host.lower()[: -1 if host.endswith(".") else None]


def _problem(host: str, longest: int) -> str:
    """Why a text is not a host, to follow it in a sentence; empty if it is one."""
    if not host.strip():
        return "which is empty"
    if is_address(host):
        return "which is an address"
    for sign, problem in (("://", "which has a scheme"), ("/", "which has a path"), (":", "which has a port"), (",", "which is several hosts in one text")):
        if sign in host:
            return problem
    if any(character.isspace() for character in host):
        return "which has a blank"
    if host != host.lower():
        return "which has capital letters"
    if host.endswith("."):
        return "which ends with a dot"
    labels = host[2 if host.startswith("*.") else 0 :].split(".")
    if "*" in "".join(labels):
        return "whose wildcard is not the whole first label of a domain"
    if len(host) > longest or max(map(len, labels)) > _LONGEST_LABEL:
        return f"which is longer than {longest} characters, or has a part longer than {_LONGEST_LABEL}"
    return "" if all(map(_LABEL.fullmatch, labels)) else "which has other characters than letters, digits, dashes and dots, or a dash or nothing beside a dot"


def is_address(text: str) -> bool:
    """Whether a text is an IP address, in brackets or not."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


__all__ = ("find_host_errors", "find_one_host_errors", "hosts_meet", "is_address")
