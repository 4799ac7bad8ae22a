# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Diffs as modules return them; imports little, because the AWS modules do without the Kubernetes client."""

from __future__ import annotations

import typing as t

from ._text import printable

_BEFORE, _AFTER = " (current)", " (desired)"


def diff_of(title: str, before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> dict[str, str]:
    """One entry of a module's diff: an object's fields before and after, one per line."""
    return {"before_header": f"{title}{_BEFORE}", "after_header": f"{title}{_AFTER}", "before": _lines(before), "after": _lines(after)}


def diff_titles(diff: t.Iterable[t.Mapping[str, str]]) -> list[str]:
    """The titles of the objects that differ, from the entries of a module's diff."""
    return [entry["after_header"][: -len(_AFTER)] if entry["after_header"].endswith(_AFTER) else entry["after_header"] for entry in diff]


def differences_of(results: t.Mapping[str, t.Any]) -> list[str]:
    """What tasks in check mode would change.

    Args:
        results: by the kind of object, the registered result of a task, with or without a loop, or a list of objects that differ.
    """
    return [title for kind, result in results.items() for title in _changes(kind, result)]


def verification_messages(
    differences: t.Sequence[str], cluster: str, tag: str, steps: t.Iterable[t.Mapping[str, t.Any]] = (), subject: str = "its inventory"
) -> list[str]:
    """All that a verification has found: one sentence for what differs, and what its steps could not do or have found.

    Args:
        differences: what differs.
        cluster: how the message names the cluster.
        tag: with which tag C(site.yml) corrects it.
        steps: results of tasks, of which those that failed have a C(msg), and perhaps C(refusals).
        subject: what the cluster is compared with.
    """
    differing = [f"Cluster {cluster} differs from {subject} in {', '.join(differences)}: run site.yml with --tags {tag} to correct it."]
    results = list(steps)
    refusals = [refusal for result in results for refusal in result.get("refusals", ())]
    return [*(differing if differences else []), *refusals, *(result["msg"] for result in results if "msg" in result)]


def _changes(kind: str, result: t.Any) -> t.Iterator[str]:
    if isinstance(result, (list, tuple)):
        yield from (_title(kind, item) for item in result)
    elif "results" in result:
        for one in result["results"]:
            if one.get("changed"):
                yield from _own_titles(one) or [_title(kind, one.get("item"))]
    elif result.get("changed"):
        yield from _own_titles(result) or [kind]
    elif result.get("differs"):
        yield _title(kind, result)


def _own_titles(result: t.Mapping[str, t.Any]) -> list[str]:
    """The titles of a module of this collection; other modules have diffs of other shapes."""
    diff = result.get("diff") or ()
    if isinstance(diff, dict):
        return []
    return diff_titles(entry for entry in diff if str(entry.get("after_header", "")).endswith(_AFTER))


def _title(kind: str, item: t.Any) -> str:
    """An object by its kind, its name, and the parts that differ, as far as they are known."""
    if not isinstance(item, dict):
        return f"{kind} {item}"
    metadata = item.get("metadata") or {}
    name = metadata.get("name") or item.get("name") or item.get("domain") or item.get("arn") or ""
    parts = ", ".join(item.get("differs") or ())
    return " ".join(part for part in (str(item.get("kind") or kind), str(name), f"({parts})" if parts else "") if part)


def _lines(fields: t.Mapping[str, t.Any]) -> str:
    # The further lines of a value are indented, and cannot be mistaken for a field.
    return "".join(printable(f"{name}: {value}").replace("\n", "\n  ") + "\n" for name, value in fields.items())


__all__ = ("diff_of", "diff_titles", "differences_of", "verification_messages")
