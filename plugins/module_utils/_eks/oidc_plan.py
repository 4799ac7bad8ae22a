# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What makes an OpenID Connect provider of IAM the wished one."""

from __future__ import annotations

import re
import typing as t

from .._aws.tags import as_text, compare_tags, tag_list, tags_after

Call = t.Tuple[str, t.Dict[str, t.Any]]

_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}\Z")


class Provider(t.NamedTuple):
    """What IAM keeps of a provider; lists in order."""

    client_ids: t.Tuple[str, ...]
    thumbprints: t.Tuple[str, ...]
    tags: t.Mapping[str, str]


class OidcPlan(t.NamedTuple):
    """What is to be done.

    Attributes:
        changes: in words.
        calls: of IAM, each with its parameters, the provider's ARN left out.
        after: the provider when they are made.
    """

    changes: t.Tuple[str, ...]
    calls: t.Tuple[Call, ...]
    after: Provider


def spoken_url(url: str) -> str:
    """The URL as IAM keeps it: without the scheme, and without a slash at its end."""
    return (url[len("https://") :] if url.startswith("https://") else url).rstrip("/")


def oidc_mistakes(url: str, client_ids: t.Sequence[str], thumbprints: t.Sequence[str] | None) -> list[str]:
    """What is wrong with the wishes: sentences."""
    mistakes = []
    if not url.startswith("https://") or not spoken_url(url):
        mistakes.append(f"url {url!r} is not the URL of an issuer: it begins with https://.")
    if not client_ids:
        mistakes.append("client_ids is empty, so that no token would be taken: leave the option out for sts.amazonaws.com.")
    mistakes += [f"thumbprints: {item!r} is not a SHA-1 in 40 hexadecimal digits." for item in thumbprints or [] if not _THUMBPRINT.match(item)]
    return mistakes


def plan_oidc(
    url: str,
    client_ids: t.Sequence[str],
    thumbprints: t.Sequence[str] | None,
    tags: t.Mapping[str, t.Any] | None,
    present: Provider | None,
    *,
    purge: bool,
) -> OidcPlan:
    """What makes the present provider (None when there is none) the wished one; thumbprints and tags that are None stay what they are."""
    wished_ids = tuple(sorted(set(client_ids)))
    wished_prints = None if thumbprints is None else tuple(sorted({item.lower() for item in thumbprints}))
    if present is None:
        parameters: dict[str, t.Any] = {"Url": "https://" + spoken_url(url), "ClientIDList": list(wished_ids)}
        if wished_prints:
            parameters["ThumbprintList"] = list(wished_prints)
        if tags:
            parameters["Tags"] = tag_list(tags)
        after = Provider(wished_ids, wished_prints or (), as_text(tags or {}))
        return OidcPlan(("created",), (("create_open_id_connect_provider", parameters),), after)
    changes: list[str] = []
    calls: list[Call] = []
    for added in sorted(set(wished_ids) - set(present.client_ids)):
        changes.append(f"client id {added}")
        calls.append(("add_client_id_to_open_id_connect_provider", {"ClientID": added}))
    for removed in sorted(set(present.client_ids) - set(wished_ids)):
        changes.append(f"no client id {removed}")
        calls.append(("remove_client_id_from_open_id_connect_provider", {"ClientID": removed}))
    prints = tuple(sorted(item.lower() for item in present.thumbprints))
    # IAM keeps at least one, so that an empty list is no wish that could be fulfilled.
    if wished_prints and wished_prints != prints:
        changes.append(f"thumbprints {', '.join(wished_prints)}")
        calls.append(("update_open_id_connect_provider_thumbprint", {"ThumbprintList": list(wished_prints)}))
        prints = wished_prints
    tag_changes = compare_tags(present.tags, tags, purge=purge)
    changes += [f"tag {key}" for key in tag_changes.set] + [f"no tag {key}" for key in tag_changes.remove]
    if tag_changes.set:
        calls.append(("tag_open_id_connect_provider", {"Tags": tag_list(tag_changes.set)}))
    if tag_changes.remove:
        calls.append(("untag_open_id_connect_provider", {"TagKeys": tag_changes.remove}))
    return OidcPlan(tuple(changes), tuple(calls), Provider(wished_ids, prints, tags_after(present.tags, tag_changes)))


__all__ = ("OidcPlan", "Provider", "oidc_mistakes", "plan_oidc", "spoken_url")
