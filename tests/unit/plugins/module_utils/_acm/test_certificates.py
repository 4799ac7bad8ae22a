"""Which certificate is good for which hosts."""

from __future__ import annotations

import datetime
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.meshwright.ambient.plugins.module_utils._acm.certificates import (
    Certificate,
    choose,
    cover,
    for_host,
    format_certificates,
    is_whole,
    name_covers,
    parse_certificate,
    same_request,
)

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def _certificate(arn: str, *names: str, status: str = "ISSUED", days: int = 100, key: str = "RSA_2048", **fields: object) -> Certificate:
    return Certificate(arn, names[0], names, status, NOW + days * DAY, NOW - DAY, "AMAZON_ISSUED", key, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("shop.example.com", "shop.example.com", True),
        ("Shop.Example.com.", "shop.example.com", True),
        ("shop.example.com", "example.com", False),
        ("*.example.com", "shop.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "*.b.example.com", False),
        ("*.b.example.com", "*.example.com", False),
        ("*.example.com", ".example.com", False),
        ("shop.example.com", "*.example.com", False),
        ("*.example.com", "shop.example.org", False),
        ("*.com", "com", False),
    ],
)
def test_a_wildcard_stands_for_one_label_and_not_for_the_domain_itself(name: str, host: str, covered: bool) -> None:
    assert name_covers(name, host) is covered


LABELS = st.lists(st.sampled_from(["a", "b", "shop", "example", "com"]), min_size=1, max_size=5)


@given(LABELS, LABELS)
def test_a_wildcard_never_covers_another_number_of_labels(left: list[str], right: list[str]) -> None:
    name, host = ".".join(["*", *left]), ".".join(right)
    assert name_covers(name, host) == (len(right) == len(left) + 1 and right[1:] == left)


EXACT, WILD, LATER = _certificate("exact", "shop.example.com"), _certificate("wild", "*.example.com"), _certificate("later", "shop.example.com", days=200)
PENDING = _certificate("pending", "shop.example.com", status="PENDING_VALIDATION")
OVER, UNBORN = _certificate("over", "shop.example.com", days=-1), Certificate("unborn", "x", ("shop.example.com",), "ISSUED", NOW + 9 * DAY, NOW + DAY)
ALTERNATIVE, RICH = _certificate("alternative", "example.org", "shop.example.com", days=300), _certificate("rich", "*.example.com", "example.com")


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(
    ("have", "hosts", "expected"),
    [
        ([EXACT], ["shop.example.com"], "exact"),
        ([WILD, EXACT], ["shop.example.com"], "exact"),
        ([EXACT, LATER, WILD], ["shop.example.com"], "later"),
        ([LATER, ALTERNATIVE], ["shop.example.com"], "alternative"),
        ([WILD, PENDING, OVER, UNBORN], ["shop.example.com"], "wild"),
        ([EXACT, RICH], ["*.example.com", "example.com"], "rich"),
        ([_certificate("used", "shop.example.com", in_use=True)], ["shop.example.com"], "used"),
        ([PENDING, OVER, UNBORN], ["shop.example.com"], ["over", "pending", "unborn"]),
        ([EXACT, WILD], ["example.com"], []),
        ([EXACT, _certificate("same", "shop.example.com")], ["shop.example.com"], ["exact", "same"]),
    ],
)
def test_the_best_issued_certificate_is_chosen_and_anything_but_one_names_the_candidates(have: list[Certificate], hosts: list[str], expected: object) -> None:
    for order in itertools.permutations(have):
        choice = choose(order, hosts, NOW)
        assert (choice.certificate.arn if choice.certificate else sorted(one.arn for one in choice.candidates)) == expected


@pytest.mark.requirement("A3")
def test_when_only_one_may_do_a_worse_one_is_a_problem_too() -> None:
    choice = choose([WILD, EXACT], ["shop.example.com"], NOW, only=True)
    assert (choice.problem, [one.arn for one in choice.candidates]) == ("several", ["exact", "wild"])


def test_the_key_algorithm_narrows_the_choice() -> None:
    curve = _certificate("curve", "shop.example.com", key="EC_prime256v1", days=1)
    assert choose([EXACT, curve], ["shop.example.com"], NOW, key_algorithm="EC_prime256v1").certificate == curve


HOSTS = ["a.example.com", "b.example.com", "example.com", "a.example.org", "example.net"]
NAMES = [*HOSTS, "*.example.com", "*.example.org", "*.example.net"]
SOME = st.lists(st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True), st.integers(1, 400)), max_size=7)


@given(SOME, st.lists(st.sampled_from(HOSTS), min_size=1, max_size=5, unique=True), st.randoms())
def test_the_fewest_certificates_cover_the_hosts_whatever_order_they_come_in(
    named: list[tuple[list[str], int]], hosts: list[str], order: random.Random
) -> None:
    have = [_certificate(f"arn{index}", *names, days=days) for index, (names, days) in enumerate(named)]
    chosen, uncovered = cover(have, hosts, NOW)
    assert uncovered == [host for host in hosts if not any(one.covers(host) for one in have)]
    desired = [host for host in hosts if host not in uncovered]
    assert all(for_host(chosen, host) for host in desired)
    sizes = (size for size in range(len(have) + 1) for some in itertools.combinations(have, size) if all(any(c.covers(h) for c in some) for h in desired))
    assert len(chosen) == next(sizes)
    shuffled = list(have)
    order.shuffle(shuffled)
    assert cover(shuffled, hosts, NOW) == (chosen, uncovered)


def test_the_first_certificate_is_the_one_for_the_first_host_and_exact_names_win() -> None:
    org = _certificate("org", "example.org")
    assert [one.arn for one in cover([WILD, org, EXACT], ["example.org", "shop.example.com"], NOW)[0]] == ["org", "exact"]
    assert for_host([WILD, EXACT], "shop.example.com") == EXACT


def test_many_certificates_and_hosts_are_covered_in_little_time() -> None:
    hosts = [f"h{index}.example.com" for index in range(60)]
    have = [_certificate(f"arn{start:03}", *hosts[start : start + 9 : 2]) for start in range(60)]
    chosen, uncovered = cover(have, hosts, NOW)
    assert not uncovered
    assert len(chosen) <= 20


def test_a_summary_with_all_names_needs_no_description() -> None:
    summary = {"CertificateArn": "a", "DomainName": "Example.com", "Status": "ISSUED", "SubjectAlternativeNameSummaries": ["example.com", "*.example.com"]}
    assert is_whole(summary)
    assert parse_certificate(summary).names == ("example.com", "*.example.com")
    assert not is_whole({**summary, "HasAdditionalSubjectAlternativeNames": True})
    assert not is_whole({"CertificateArn": "a", "DomainName": "example.com"})


def test_a_request_is_known_by_its_names_and_its_domain() -> None:
    request = _certificate("r", "*.example.com", "example.com", status="PENDING_VALIDATION")
    assert same_request(request, ["*.example.com", "example.com"])
    assert not same_request(request, ["example.com", "*.example.com"])
    assert not same_request(request, ["*.example.com"])
    assert not same_request(request, ["*.example.com", "example.com"], "EC_prime256v1")


def test_a_message_has_arn_names_status_and_end() -> None:
    assert format_certificates([_certificate("arn", "a.b", "c.d")]) == "arn (a.b, c.d; ISSUED, valid until 2027-03-01)"
