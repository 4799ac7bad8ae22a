# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the options of the module to the desired OpenID Connect provider of IAM."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._limits.aws import find_tag_errors

_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}\Z")


@dataclass(frozen=True)
class ProviderSpec:
    """The desired provider; thumbprints and tags that are None stay as they are."""

    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...] | None = None
    tags: t.Mapping[str, t.Any] | None = None


def parse_spec(options: t.Mapping[str, t.Any]) -> ProviderSpec:
    """The options of the module; lists are sorted, and thumbprints in lower case."""
    thumbprints = options["thumbprints"]
    return ProviderSpec(
        url=options["url"],
        client_ids=tuple(sorted(set(options["client_ids"]))),
        thumbprints=None if thumbprints is None else tuple(sorted({item.lower() for item in thumbprints})),
        tags=options["tags"],
    )


def validate_spec(spec: ProviderSpec) -> list[str]:
    """Validation errors, one sentence each."""
    errors = []
    if not spec.url.startswith("https://") or not normalize_url(spec.url):
        errors.append(f"url {spec.url!r} is not the URL of an issuer: it begins with https://.")
    if not spec.client_ids:
        errors.append("client_ids is empty, so no token would be accepted: omit the option for sts.amazonaws.com.")
    errors += [f"thumbprints: {item!r} is not a SHA-1 hash of 40 hexadecimal digits." for item in spec.thumbprints or [] if not _THUMBPRINT.match(item)]
    return [*errors, *find_tag_errors("tags", spec.tags, any_case=True)]


def normalize_url(url: str) -> str:
    """The URL as IAM keeps it: without the scheme, and without a slash at its end."""
    return (url[len("https://") :] if url.startswith("https://") else url).rstrip("/")


__all__ = ("ProviderSpec", "normalize_url", "parse_spec", "validate_spec")
