# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The desired certificates. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import MeshError, raise_if_any
from .._limits.aws import find_tag_errors
from .._limits.hosts import find_host_errors, find_one_host_errors
from .certificates import canonical


@dataclass(frozen=True)
class CertificateSpec:
    """One item of the option C(certificates).

    Attributes:
        names: the names that it must cover, the domain first; may be empty when the ARN is given.
        arn: its ARN; empty when it is found by its names.
        state: C(found), C(present) or C(absent).
        hosted_zone: name or id of the hosted zone that gets the validation records; empty when somebody else creates them.
        validation_method: C(DNS) or C(EMAIL).
        key_algorithm: empty for any.
        tags: None leaves them as they are.
        purge_tags: whether other tags are removed.
    """

    names: tuple[str, ...]
    arn: str
    state: str
    hosted_zone: str
    validation_method: str
    key_algorithm: str
    tags: t.Mapping[str, t.Any] | None
    purge_tags: bool

    @property
    def title(self) -> str:
        return f"certificate {self.arn}{' for ' if self.arn and self.names else ''}{', '.join(self.names)}"


def parse_specs(params: t.Mapping[str, t.Any]) -> list[CertificateSpec]:
    """The items of the option C(certificates).

    Raises:
        MeshError: there is nothing to do, or a name or a tag is one that ACM does not take.
    """
    if not params["certificates"] and not params["hosts"]:
        raise MeshError("Neither certificates nor hosts is set: set one of them, or skip the task.")
    raise_if_any([*find_host_errors("hosts", dict.fromkeys(params["hosts"]), any_case=True), *_find_item_errors(params["certificates"])])
    return [_parse(item) for item in params["certificates"]]


def _find_item_errors(items: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    for index, item in enumerate(items):
        place = f"certificates[{index}]"
        if item["domain"]:
            yield from find_one_host_errors(f"{place}.domain", item["domain"], any_case=True)
        # The domain may be among them again.
        for name in dict.fromkeys(item["subject_alternative_names"] or ()):
            yield from find_one_host_errors(f"{place}.subject_alternative_names", name, any_case=True)
        yield from find_tag_errors(f"{place}.tags", item["tags"])


def _parse(item: t.Mapping[str, t.Any]) -> CertificateSpec:
    names = [item["domain"] or "", *(item["subject_alternative_names"] or ())]
    return CertificateSpec(
        names=tuple(dict.fromkeys(canonical(name) for name in names if name)),
        arn=item["arn"] or "",
        state=item["state"],
        hosted_zone=item["hosted_zone"] or "",
        validation_method=item["validation_method"],
        key_algorithm=item["key_algorithm"] or "",
        tags=item["tags"],
        purge_tags=item["purge_tags"],
    )


__all__ = ("CertificateSpec", "parse_specs")
