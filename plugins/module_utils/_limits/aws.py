# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Names, tags and numbers as the APIs of AWS take them: each function yields a sentence for each value that they would refuse.

Sources: the API references of EKS, IAM, Elastic Load Balancing, WAF and EC2, and the user guide of S3 (bucket naming rules).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._text import format_scalar
from .kubernetes import Limits, find_number_errors

Tags = t.Mapping[t.Any, t.Any]

LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 128, 256
MOST_TAGS = 50
# Tags that the collection and the controllers add to those of the user.
_OWN_TAGS = 3
CLUSTER_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
NODE_GROUP_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
ADDON_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
WEB_ACL_NAME = re.compile(r"[0-9A-Za-z_-]{1,128}")
LONGEST_ROLE_NAME = 64
_ROLE_NAME = re.compile(rf"[\w+=,.@-]{{1,{LONGEST_ROLE_NAME}}}", re.ASCII)
ROLE_PATH = re.compile(r"/|/[\x21-\x7e]{1,510}/")
# EKS publishes images of Amazon Linux 2 for this minor version of Kubernetes and older ones. Source: the user guide of EKS, release notes of 1.33.
LAST_AL2_MINOR = 32
# Families of arm64: with Graviton, whose g comes after the generation, as in m7g, c7gn, im4gn, and with Grace, as in p6e-gb200 (EC2 user guide, naming
# conventions of instance types).
_ARM_FAMILY = re.compile(r"a1|[a-z]+\d+g[a-z]*|[a-z]+\d+[a-z]*-gb\d+")

# Letters, digits and separators of any script, as IAM takes them; EC2 alone would take more.
_TAG = re.compile(r"[\w .:/=+@\u00a0\u2000-\u200a\u202f\u3000-]*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_BUCKET = re.compile(r"(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)|.*\.\..*")
_CODES = re.compile(r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*")
_CHECK: Limits = {"interval": (5, 300), "timeout": (2, 120), "healthy_threshold": (2, 10), "unhealthy_threshold": (2, 10)}
_LONGEST_PATH = 1024
# Attributes of load balancers and target groups that are numbers.
_ATTRIBUTES: Limits = {
    "idle_timeout.timeout_seconds": (1, 4000),
    "client_keep_alive.seconds": (60, 604800),
    "deregistration_delay.timeout_seconds": (0, 3600),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
}


def find_tag_errors(option: str, tags: Tags | None, *, any_case: bool = False) -> t.Iterator[str]:
    """Tags that AWS does not take; a value that cannot be text is another error.

    Args:
        option: how messages name them.
        tags: the tags.
        any_case: whether keys that differ by capital letters alone are the same, as they are for IAM.
    """
    given = {str(key): "" if value is None or isinstance(value, (dict, list)) else format_scalar(value) for key, value in (tags or {}).items()}
    if len(given) > MOST_TAGS - _OWN_TAGS:
        yield f"{option} has {len(given)} tags: use at most {MOST_TAGS - _OWN_TAGS}, because AWS takes {MOST_TAGS}, of which {_OWN_TAGS} are added."
    for key, value in sorted(given.items()):
        if key.lower().startswith("aws:"):
            yield f"{option} has {key!r}, which begins with aws:, and AWS reserves such keys: rename it."
        elif not 1 <= len(key) <= LONGEST_TAG_KEY or not _TAG.fullmatch(key):
            yield f"{option} has the key {key!r}: use 1 to {LONGEST_TAG_KEY} letters, digits, blanks and _ . : / = + - @."
        if len(value) > LONGEST_TAG_VALUE or not _TAG.fullmatch(value):
            yield f"{option} has {key} with the value {value!r}: use at most {LONGEST_TAG_VALUE} letters, digits, blanks and _ . : / = + - @."
    if any_case:
        keys = [key.lower() for key in given]
        for key in sorted(key for key in given if keys.count(key.lower()) > 1):
            yield f"{option} has {key} in several spellings, which are one key for IAM: keep one of them."


def find_role_errors(name: str, path: str) -> t.Iterator[str]:
    """What keeps an IAM role from having a name and a path."""
    if not _ROLE_NAME.fullmatch(name):
        yield f"name is {name!r} ({len(name)} characters): use at most {LONGEST_ROLE_NAME} letters, digits and _ + = , . @ -."
    if not ROLE_PATH.fullmatch(path):
        yield f"path is {path!r}: begin and end it with a slash, as in /platform/."


def find_bucket_errors(option: str, names: t.Iterable[t.Any]) -> t.Iterator[str]:
    """Names that no S3 bucket can have."""
    for name in names:
        if not _BUCKET.fullmatch(str(name)) or _RESERVED_BUCKET.fullmatch(str(name)) or _is_address(str(name)):
            yield (
                f"{option} has {str(name)!r}: a bucket's name has 3 to 63 lower-case letters, digits, dashes and single dots, "
                "is not an address, and has none of the beginnings and ends that S3 reserves."
            )


def find_health_check_errors(check: t.Mapping[str, t.Any] | None, codes: tuple[int, int]) -> t.Iterator[str]:
    """Numbers and texts of a health check that Elastic Load Balancing does not take.

    Args:
        check: the option C(health_check).
        codes: the lowest and the highest code of success.
    """
    check = check or {}
    yield from find_number_errors("health_check.", check, _CHECK)
    yield from find_number_errors("health_check.", check, {"port": (1, 65535)})
    if len(str(check.get("path") or "")) > _LONGEST_PATH:
        yield f"health_check.path has more than {_LONGEST_PATH} characters: shorten it."
    given, (least, most) = check.get("success_codes"), codes
    if given and not (_CODES.fullmatch(given) and all(least <= int(code) <= most for code in re.findall(r"\d+", given))):
        example = "200, 200-299 or 200,302" if least else "0, 0-99 or 0,12"
        yield f"health_check.success_codes is {given!r}: use codes from {least} to {most}, such as {example}."


def find_attribute_errors(option: str, attributes: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Attributes of a load balancer or a target group whose numbers AWS does not take."""
    yield from find_number_errors(f"{option}.", attributes, _ATTRIBUTES)


def is_arm(instance_type: str) -> bool:
    """Whether a type of EC2 instance, or a family of them, is of the architecture arm64."""
    return bool(_ARM_FAMILY.fullmatch(instance_type.partition(".")[0]))


def needs_other_image(ami_type: str | None, version: str | None) -> bool:
    """Whether there is no image of a type for a version of Kubernetes."""
    found = re.fullmatch(r"1\.(\d+)", version or "")
    return bool(found and (ami_type or "").upper().startswith("AL2_") and int(found[1]) > LAST_AL2_MINOR)


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


__all__ = (
    "ADDON_NAME",
    "CLUSTER_NAME",
    "LAST_AL2_MINOR",
    "LONGEST_ROLE_NAME",
    "NODE_GROUP_NAME",
    "ROLE_PATH",
    "WEB_ACL_NAME",
    "find_attribute_errors",
    "find_bucket_errors",
    "find_health_check_errors",
    "find_role_errors",
    "find_tag_errors",
    "is_arm",
    "needs_other_image",
)
