"""Which texts are hosts, and which are not."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._limits.hosts import find_host_errors

LABEL = "a" * 63


@pytest.mark.parametrize(
    "host",
    [
        "shop.example.com",
        "*.example.com",
        "a-b.example.com",
        "shop",
        "0.example.com",
        "3com.example.com",
        "xn--bcher-kva.example.com",
        f"{LABEL}.example.com",
        ".".join([LABEL] * 3 + ["a" * 61]),
    ],
)
def test_a_host_is_right(host: str) -> None:
    assert list(find_host_errors("hosts", [host])) == []


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("203.0.113.7", "is an address"),
        ("[2001:db8::1]", "is an address"),
        ("https://shop.example.com", "has a scheme"),
        ("shop.example.com/cart", "has a path"),
        ("shop.example.com:443", "has a port"),
        ("shop.example.com,api.example.com", "is several hosts in one text"),
        ("shop.example.com api.example.com", "has a blank"),
        (" shop.example.com", "has a blank"),
        ("shop.example.com\n", "has a blank"),
        ("Shop.example.com", "has capital letters"),
        ("shop.example.com.", "ends with a dot"),
        ("shop.*.com", "whose wildcard is not the whole first label"),
        ("*shop.example.com", "whose wildcard is not the whole first label"),
        ("*.*.example.com", "whose wildcard is not the whole first label"),
        ("*", "whose wildcard is not the whole first label"),
        ("shop..example.com", "nothing beside a dot"),
        ("-shop.example.com", "a dash or nothing beside a dot"),
        ("shop_eu.example.com", "has other characters"),
        ("bücher.example.com", "has other characters"),
        (f"{LABEL}a.example.com", "longer than 63"),
        (".".join([LABEL] * 4), "longer than 253 characters"),
    ],
)
def test_what_is_no_host_is_a_sentence(host: str, problem: str) -> None:
    (error,) = find_host_errors("hosts", [host])
    assert error.startswith((f"hosts has {host!r}, which", f"hosts has {host!r}, whose")), error
    assert problem in error, error
    assert error.endswith("use a host name such as shop.example.com or *.example.com."), error


def test_a_host_that_is_there_twice_is_a_sentence() -> None:
    assert list(find_host_errors("hosts", ["a.example.com", "b.example.com", "a.example.com"])) == [
        "hosts names a.example.com more than once: keep one of them."
    ]
    assert list(find_host_errors("hosts", ["*.example.com", "example.com"])) == []


def test_where_case_does_not_matter_spellings_are_one_host() -> None:
    assert list(find_host_errors("domains", ["Shop.Example.com."], any_case=True)) == []
    assert list(find_host_errors("domains", ["Shop.example.com", "shop.example.com"], any_case=True)) == [
        "domains names shop.example.com more than once: keep one of them."
    ]
