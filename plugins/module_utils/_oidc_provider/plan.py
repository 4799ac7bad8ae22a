# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From the desired and the current OpenID Connect provider to the requests."""

from __future__ import annotations

import typing as t

from .._aws.tags import as_text, compare_tags, tag_list, tags_after
from .spec import normalize_url

if t.TYPE_CHECKING:
    from .spec import ProviderSpec

Call = t.Tuple[str, t.Dict[str, t.Any]]


class Provider(t.NamedTuple):
    """A provider in IAM; lists are sorted."""

    client_ids: t.Tuple[str, ...]
    thumbprints: t.Tuple[str, ...]
    tags: t.Mapping[str, str]


class ProviderPlan(t.NamedTuple):
    """The changes of a provider.

    Attributes:
        changes: what is changed, in order.
        calls: the requests to IAM, each with its parameters without the provider's ARN.
        after: the provider after them.
    """

    changes: t.Tuple[str, ...]
    calls: t.Tuple[Call, ...]
    after: Provider


def plan_provider(spec: ProviderSpec, current: Provider | None, *, purge_tags: bool) -> ProviderPlan:
    """The changes from the current provider (None if there is none) to the desired one."""
    if current is None:
        parameters: dict[str, t.Any] = {"Url": "https://" + normalize_url(spec.url), "ClientIDList": list(spec.client_ids)}
        if spec.thumbprints:
            parameters["ThumbprintList"] = list(spec.thumbprints)
        if spec.tags:
            parameters["Tags"] = tag_list(spec.tags)
        after = Provider(spec.client_ids, spec.thumbprints or (), as_text(spec.tags or {}))
        return ProviderPlan(("created",), (("create_open_id_connect_provider", parameters),), after)
    changes: list[str] = []
    calls: list[Call] = []
    for added in sorted(set(spec.client_ids) - set(current.client_ids)):
        changes.append(f"client id {added}")
        calls.append(("add_client_id_to_open_id_connect_provider", {"ClientID": added}))
    for removed in sorted(set(current.client_ids) - set(spec.client_ids)):
        changes.append(f"no client id {removed}")
        calls.append(("remove_client_id_from_open_id_connect_provider", {"ClientID": removed}))
    prints = tuple(sorted(item.lower() for item in current.thumbprints))
    # IAM keeps at least one, so an empty list has no effect.
    if spec.thumbprints and spec.thumbprints != prints:
        changes.append(f"thumbprints {', '.join(spec.thumbprints)}")
        calls.append(("update_open_id_connect_provider_thumbprint", {"ThumbprintList": list(spec.thumbprints)}))
        prints = spec.thumbprints
    tag_changes = compare_tags(current.tags, spec.tags, purge=purge_tags)
    changes += [f"tag {key}" for key in tag_changes.set] + [f"no tag {key}" for key in tag_changes.remove]
    if tag_changes.set:
        calls.append(("tag_open_id_connect_provider", {"Tags": tag_list(tag_changes.set)}))
    if tag_changes.remove:
        calls.append(("untag_open_id_connect_provider", {"TagKeys": tag_changes.remove}))
    return ProviderPlan(tuple(changes), tuple(calls), Provider(spec.client_ids, prints, tags_after(current.tags, tag_changes)))


__all__ = ("Call", "Provider", "ProviderPlan", "plan_provider")
