# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Tags as plain dicts; what to set and what to take away is amazon.aws' rule (tags of AWS itself, C(aws:...), are never taken away)."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict, compare_aws_tags

Tags = t.Dict[str, str]


class TagChanges(t.NamedTuple):
    """What to set (by key), and the keys to take away, both in order; falsy parts need no call."""

    set: Tags
    remove: t.List[str]

    @property
    def any(self) -> bool:
        return bool(self.set or self.remove)


def compare_tags(present: t.Mapping[str, str], wanted: t.Mapping[str, t.Any] | None, *, purge: bool) -> TagChanges:
    """What makes the present tags the wanted ones; wanted None leaves all as it is. Values are told to AWS as text."""
    if wanted is None:
        return TagChanges({}, [])
    text = {str(key): _text(value) for key, value in wanted.items()}
    to_set, to_remove = compare_aws_tags(dict(present), text, purge_tags=purge)
    return TagChanges({key: to_set[key] for key in sorted(to_set)}, sorted(to_remove))


def tags_after(present: t.Mapping[str, str], changes: TagChanges) -> Tags:
    """The tags once the changes are made, in order."""
    kept = {key: value for key, value in present.items() if key not in changes.remove}
    return dict(sorted({**kept, **changes.set}.items()))


def tags_of(listed: t.Sequence[t.Mapping[str, str]] | None) -> Tags:
    """The dict of a list of C(Key)/C(Value) (or C(key)/C(value)), in order."""
    return dict(sorted(boto3_tag_list_to_ansible_dict(list(listed or [])).items()))


def tag_list(tags: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """The list of C(Key)/C(Value) of a dict, in order: what most services take (EKS takes the dict)."""
    return list(ansible_dict_to_boto3_tag_list({key: _text(tags[key]) for key in sorted(tags)}))


def as_text(tags: t.Mapping[str, t.Any]) -> Tags:
    """The tags with keys and values as AWS keeps them, in order: what a service takes that takes a dict."""
    return {str(key): _text(tags[key]) for key in sorted(tags)}


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


__all__ = ("TagChanges", "Tags", "as_text", "compare_tags", "tag_list", "tags_after", "tags_of")
