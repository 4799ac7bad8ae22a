# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Ranges of addresses (CIDR) as AWS and the API server take them."""

from __future__ import annotations

import ipaddress
import re
import typing as t

_PREFIX = re.compile(r"0|[1-9]\d{0,2}")
_EXAMPLE = "use a range such as 203.0.113.0/24"


def find_range_errors(option: str, ranges: t.Iterable[t.Any] | None, *, host_bits: bool = False) -> t.Iterator[str]:
    """One sentence for each text that is not a range.

    Args:
        option: how messages name the list.
        ranges: the ranges, of IPv4 or IPv6.
        host_bits: whether an address within the range may stand for the range.
    """
    for given in ranges or ():
        problem = find_range_problem(str(given), host_bits=host_bits)
        if problem:
            yield f"{option} has {str(given)!r}, {problem}."


def find_range_problem(text: str, *, host_bits: bool = False) -> str:
    """Why a text is not a range, and what to write instead, to follow it in a sentence; empty if it is one."""
    if re.search(r"[,;\s]", text.strip()):
        return "which is several ranges in one text: write each as an item of its own"
    address, slash, prefix = text.partition("/")
    try:
        whole = ipaddress.ip_address(address)
    except ValueError:
        return f"which is not an address range: {_EXAMPLE}"
    if not slash:
        return f"which is an address without the length of its prefix: write {whole}/{whole.max_prefixlen} for this address alone"
    if not _PREFIX.fullmatch(prefix) or int(prefix) > whole.max_prefixlen:
        return f"whose prefix is not a length from 0 to {whole.max_prefixlen}: {_EXAMPLE}"
    network = ipaddress.ip_network(text, strict=False)
    if not host_bits and network.network_address != whole:
        return f"which has bits behind its prefix: write {network} for the whole range, or {whole}/{whole.max_prefixlen} for this address alone"
    return ""


__all__ = ("find_range_errors", "find_range_problem")
