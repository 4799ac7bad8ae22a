# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates that a context is in a kubeconfig, and says which cluster it is. No sentence has anything else from it, because the rest may be secret."""

from __future__ import annotations

import typing as t

from .._near_misses import find_near_miss

Kubeconfig = t.Mapping[str, t.Any]


def find_context_errors(kubeconfigs: t.Sequence[Kubeconfig], context: str | None, source: str, *, is_secret: bool = False) -> t.Iterator[str]:
    """One sentence if no cluster can be found by a context.

    As in client-go (tools/clientcmd), the first file that has an entry counts, and a current context may be in another file than its entry.

    Args:
        kubeconfigs: the contents of the files that make up a kubeconfig.
        context: the name of the context; empty for the current one.
        source: how messages name the kubeconfig.
        is_secret: whether the names of contexts are not shown.
    """
    if context and "\n" in context:
        yield "cluster_context has several lines, but is the name of a context: set cluster_kubeconfig to the content of a kubeconfig instead."
        return
    contexts = {name: entry for name, entry in _entries(kubeconfigs, "contexts").items() if isinstance(entry.get("context"), dict)}
    # What is no text is no name.
    current = next((str(one["current-context"]) for one in kubeconfigs if one.get("current-context")), None)
    if not context and not current:
        yield f"{source} has no current context: set cluster_context to one of its contexts."
        return
    if (context or current) not in contexts:
        meant = find_near_miss(str(context), contexts) if context and not is_secret else None
        known = "" if is_secret or not contexts else f" Its contexts are {', '.join(sorted(contexts)[:5])}{' and others' if len(contexts) > 5 else ''}."
        if context:
            remedy = f"did you mean {meant}?" if meant else f"correct it, or the kubeconfig.{known}"
            yield f"cluster_context is {context!r}, which {source} does not have: {remedy}"
        else:
            yield f"{source} has a current context that is not in it: set cluster_context to one of its contexts.{known}"
        return
    chosen = str(contexts[context or current]["context"].get("cluster"))
    cluster = _entries(kubeconfigs, "clusters").get(chosen, {}).get("cluster")
    if not isinstance(cluster, dict) or not cluster.get("server"):
        yield f"{source} has no cluster with a server for {'cluster_context ' + repr(context) if context else 'its current context'}: correct the kubeconfig."


def _entries(kubeconfigs: t.Sequence[Kubeconfig], kind: str) -> dict[t.Any, t.Mapping[str, t.Any]]:
    """The entries of a list by their names."""
    found: dict[t.Any, t.Mapping[str, t.Any]] = {}
    for one in kubeconfigs:
        listed = one.get(kind)
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                found.setdefault(entry["name"], entry)
    return found


__all__ = ("find_context_errors",)
