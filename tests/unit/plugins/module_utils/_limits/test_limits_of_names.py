"""Names, labels, tags and numbers as Kubernetes and AWS take them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._limits import aws, kubernetes


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"team": "shop", "example.com/team": "", "n": 5, "b": True, "v": None, "v1.2_x": "1.2_x-Y"}, None),
        ({"k" * 63: "v" * 63, f"{'d' * 63}.example.com/k": "v"}, None),
        ({"k" * 64: "v"}, "has the key"),
        ({"team": "v" * 64}, "has team with the value"),
        ({"team": "a b"}, "has team with the value 'a b'"),
        ({"team": "-shop"}, "with a letter or digit at both ends"),
        ({"a/b/c": "v"}, "has the key 'a/b/c'"),
        ({"Example.com/team": "v"}, "at most a domain and a slash"),
        ({"/team": "v"}, "has the key '/team'"),
        ({"example.com/": "v"}, "has the key 'example.com/'"),
        ({"team:": "v"}, "has the key 'team:'"),
    ],
)
def test_labels(labels: dict[str, Any], problem: str | None) -> None:
    errors = list(kubernetes.find_label_errors("labels", labels))
    assert len(errors) == (1 if problem else 0), errors
    assert not problem or problem in errors[0]


@pytest.mark.parametrize(
    ("name", "label", "name_of_object"), [("shop", 1, 1), ("a" * 63, 1, 1), ("a" * 64, 0, 1), ("a.b", 0, 1), ("Shop", 0, 0), ("a" * 254, 0, 0), ("", 0, 0)]
)
def test_names(name: str, label: int, name_of_object: int) -> None:
    assert (not list(kubernetes.find_label_name_errors("name", name)), not list(kubernetes.find_name_errors("name", name))) == (
        bool(label),
        bool(name_of_object),
    )


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"Team": "shop", "cost center": "Zürich + Köln", "k8s.io/x": "a=b:c@d", "empty": "", "none": None, "n": 5}, None),
        ({"k" * 128: "v" * 256}, None),
        ({"my-aws:x": "aws:y"}, None),
        ({f"t{number}": "" for number in range(47)}, None),
        ({"aws:team": "x"}, "begins with aws:"),
        ({"AWS:team": "x"}, "begins with aws:"),
        ({"": "x"}, "has the key ''"),
        ({"k" * 129: "x"}, "use 1 to 128"),
        ({"team": "v" * 257}, "use at most 256"),
        ({"team#1": "x"}, "has the key 'team#1'"),
        ({"team": "a;b"}, "has team with the value 'a;b'"),
        ({"team": "a\tb"}, "has team with the value 'a\\tb'"),
        ({f"t{number}": "" for number in range(48)}, "has 48 tags: use at most 47"),
    ],
)
def test_tags(tags: dict[str, Any], problem: str | None) -> None:
    errors = list(aws.find_tag_errors("tags", tags))
    assert len(errors) == (1 if problem else 0), errors
    assert not problem or problem in errors[0]


def test_spellings_of_a_key_are_one_key_for_iam_alone() -> None:
    tags = {"team": "a", "Team": "b"}
    assert list(aws.find_tag_errors("tags", tags)) == []
    assert [error.partition(",")[0] for error in aws.find_tag_errors("tags", tags, any_case=True)] == [
        "tags has Team in several spellings",
        "tags has team in several spellings",
    ]


@pytest.mark.parametrize("name", ["logs", "shop-logs.eu", "0logs0", "a" * 63])
def test_a_bucket_may_have_this_name(name: str) -> None:
    assert list(aws.find_bucket_errors("buckets", [name])) == []


@pytest.mark.parametrize(
    "name",
    [
        "My_Logs",
        "Logs",
        "lo",
        "a" * 64,
        "-logs",
        "logs.",
        "a..b",
        "203.0.113.7",
        "xn--logs",
        "sthree-x",
        "logs-s3alias",
        "logs--ol-s3",
        "logs--x-s3",
        "logs.mrap",
    ],
)
def test_no_bucket_has_this_name(name: str) -> None:
    (error,) = aws.find_bucket_errors("buckets", [name])
    assert error.startswith(f"buckets has {name!r}: ")


@pytest.mark.parametrize(
    ("check", "most_code", "problem"),
    [
        ({"interval": 5, "timeout": 2, "healthy_threshold": 2, "unhealthy_threshold": 10, "success_codes": "200-299,302", "port": "status-port"}, 499, None),
        ({"interval": 300, "timeout": 120, "port": "15021"}, 499, None),
        ({"success_codes": "200-599"}, 599, None),
        ({"interval": 4}, 499, "health_check.interval is 4: use 5 to 300."),
        ({"timeout": 121}, 499, "health_check.timeout is 121: use 2 to 120."),
        ({"healthy_threshold": 1}, 499, "health_check.healthy_threshold is 1: use 2 to 10."),
        ({"unhealthy_threshold": 11}, 499, "health_check.unhealthy_threshold is 11: use 2 to 10."),
        ({"port": "70000"}, 499, "health_check.port is 70000: use 1 to 65535."),
        ({"success_codes": "200-599"}, 499, "use codes from 200 to 499"),
        ({"success_codes": "2xx"}, 599, "health_check.success_codes is '2xx'"),
        ({"path": f"/{'p' * 1024}"}, 499, "health_check.path has more than 1024 characters"),
    ],
)
def test_health_checks(check: dict[str, Any], most_code: int, problem: str | None) -> None:
    errors = list(aws.find_health_check_errors(check, (200, most_code)))
    assert len(errors) == (1 if problem else 0), errors
    assert not problem or problem in errors[0]


@pytest.mark.parametrize(("codes", "is_right"), [("0", True), ("0,12", True), ("0-99", True), ("200", False), ("0-100", False)])
def test_success_of_grpc_has_codes_of_its_own(codes: str, is_right: bool) -> None:
    assert (not list(aws.find_health_check_errors({"success_codes": codes}, (0, 99)))) is is_right


@pytest.mark.parametrize(
    ("ami_type", "version", "none"),
    [
        ("AL2_x86_64", "1.33", True),
        ("AL2_ARM_64", "1.35", True),
        ("AL2_x86_64_GPU", "1.40", True),
        ("AL2_x86_64", "1.32", False),
        ("AL2_x86_64", None, False),
        ("AL2023_x86_64_STANDARD", "1.35", False),
        ("BOTTLEROCKET_x86_64", "1.35", False),
        (None, "1.35", False),
    ],
)
def test_images_of_amazon_linux_2_end_with_kubernetes_1_32(ami_type: str | None, version: str | None, none: bool) -> None:
    assert aws.needs_other_image(ami_type, version) is none
