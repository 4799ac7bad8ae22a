# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Tags as plain dictionaries. Pure; what to set and what to remove follows amazon.aws (AWS' own tags, C(aws:...), are never removed)."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict, compare_aws_tags

from .._errors import MeshError
from .._text import text_values

Tags = t.Dict[str, str]


class TagChanges(t.NamedTuple):
    """The tags to set, and the keys to remove, both sorted; an empty part needs no request."""

    set: Tags
    remove: t.List[str]

    @property
    def any(self) -> bool:
        return bool(self.set or self.remove)


NO_TAG_CHANGES = TagChanges({}, [])


def compare_tags(current: t.Mapping[str, str], desired: t.Mapping[str, t.Any] | None, *, purge: bool) -> TagChanges:
    """The changes from the current to the desired tags; None leaves them as they are. AWS keeps values as text."""
    if desired is None:
        return NO_TAG_CHANGES
    to_set, to_remove = compare_aws_tags(dict(current), as_text(desired), purge_tags=purge)
    return TagChanges({key: to_set[key] for key in sorted(to_set)}, sorted(to_remove))


def tags_after(current: t.Mapping[str, str], changes: TagChanges) -> Tags:
    """The tags after the changes, sorted."""
    kept = {key: value for key, value in current.items() if key not in changes.remove}
    return dict(sorted({**kept, **changes.set}.items()))


def tags_of(listed: t.Sequence[t.Mapping[str, str]] | None) -> Tags:
    """The dictionary for a list of C(Key)/C(Value) (or C(key)/C(value)), sorted."""
    return dict(sorted(boto3_tag_list_to_ansible_dict(list(listed or [])).items()))


def tag_list(tags: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """The sorted list of C(Key)/C(Value), which most services take (EKS takes the dictionary)."""
    return list(ansible_dict_to_boto3_tag_list(as_text(tags)))


def as_text(tags: t.Mapping[str, t.Any]) -> Tags:
    """The tags with keys and values as the text that AWS keeps, sorted, for services that take a dictionary.

    Raises:
        MeshError: a value is a list or a dictionary.
    """
    try:
        return text_values(tags)
    except ValueError as error:
        raise MeshError(f"The tags cannot be used in AWS: {error}.") from error


__all__ = ("NO_TAG_CHANGES", "TagChanges", "Tags", "as_text", "compare_tags", "tag_list", "tags_after", "tags_of")
