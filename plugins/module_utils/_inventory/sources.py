# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the URLs from which charts, definitions and manifests come. No sentence shows the password of a URL."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from .._text import userinfo_in, without_userinfo

if t.TYPE_CHECKING:
    from .variables import Variables


# Charts may come by whatever protocol Helm has a plugin for.
_CHARTS = "_chart_source"
_PROTOCOLS = ("http", "https")


def validate_sources(variables: Variables) -> t.Iterator[str]:
    """One sentence for each URL that cannot be read; each begins with the variable's name.

    Source: RFC 3986, 3.2 (what an authority is made of) and 2.2 (which characters have to be encoded in it).

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    values: t.Mapping[str, t.Any] = variables
    for name, source in values.items():
        if not name.endswith("_source") or "://" not in source:
            continue
        if any(separator in userinfo for userinfo in userinfo_in(source) for separator in "/?#"):
            yield f"{name} has a password with /, ? or #, at which a URL would end its host: write %2F, %3F or %23 instead."
        elif not _is_url(without_userinfo(source)):
            yield f"{name} is {without_userinfo(source)!r}, which is no URL: correct its host, its port, or the blanks in it."
        elif not name.endswith(_CHARTS) and source.partition("://")[0] not in _PROTOCOLS:
            yield f"{name} is {without_userinfo(source)!r}: use a URL that begins with https:// or http://, or a path."


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Reading the port finds one that is no number, or too large.
        return bool(parts.hostname) and parts.port != 0 and not any(letter.isspace() for letter in text)
    except ValueError:
        return False


__all__ = ("validate_sources",)
