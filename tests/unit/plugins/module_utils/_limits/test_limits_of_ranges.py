"""Which texts are ranges of addresses, and which are not."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._limits.ranges import find_range_errors


@pytest.mark.parametrize("text", ["0.0.0.0/0", "203.0.113.0/24", "203.0.113.7/32", "::/0", "2001:db8::/32", "2001:DB8::1/128"])
def test_a_range_is_right(text: str) -> None:
    assert list(find_range_errors("cidrs", [text])) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("203.0.113.7", "an address without the length of its prefix: write 203.0.113.7/32"),
        ("2001:db8::1", "an address without the length of its prefix: write 2001:db8::1/128"),
        ("203.0.113.0/33", "not a length from 0 to 32"),
        ("2001:db8::/129", "not a length from 0 to 128"),
        ("203.0.113.0/255.255.255.0", "not a length from 0 to 32"),
        ("203.0.113.0/024", "not a length from 0 to 32"),
        ("203.0.113.0/", "not a length from 0 to 32"),
        ("203.0.113.0/-1", "not a length from 0 to 32"),
        ("10.0.0.0/8,192.168.0.0/16", "several ranges in one text"),
        ("10.0.0.0/8 192.168.0.0/16", "several ranges in one text"),
        ("10.0.0.0/8; 192.168.0.0/16", "several ranges in one text"),
        ("203.0.113/24", "not an address range"),
        ("203.0.113.256/24", "not an address range"),
        ("office", "not an address range"),
        ("", "not an address range"),
        ("203.0.113.7/24", "has bits behind its prefix: write 203.0.113.0/24 for the whole range, or 203.0.113.7/32 for this address alone"),
        ("2001:db8::1/64", "has bits behind its prefix: write 2001:db8::/64"),
    ],
)
def test_what_is_no_range_is_a_sentence(text: str, problem: str) -> None:
    (error,) = find_range_errors("cidrs", ["198.51.100.0/24", text])
    assert error.startswith(f"cidrs has {text!r}, wh"), error
    assert problem in error, error


def test_where_the_api_takes_an_address_within_a_range_it_is_right() -> None:
    assert list(find_range_errors("cidrs", ["203.0.113.7/24"], host_bits=True)) == []
