# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""YAML from outside, within bounds: a few kilobytes can be nested so deeply that the parser in C crashes, or stand for gigabytes by their aliases."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.yaml import SafeLoader, yaml_load_all

# Far more than what Kubernetes takes: a bundle of the Gateway API has 1.2 MB, 20,000 nodes, and 24 levels; etcd takes objects of 1.5 MB.
MOST_BYTES = 20 * 1024 * 1024
MOST_NODES = 500_000
DEEPEST = 100


class YamlOutOfBounds(ValueError):
    """A text is too long, too deeply nested, or has too many nodes; its message says which, as a clause."""


def load_documents(text: str | bytes) -> list[t.Any]:
    """All documents of a YAML text that is within the bounds.

    Raises:
        YamlOutOfBounds: it is not.
        yaml.YAMLError: it is not YAML.
    """
    if len(text) > MOST_BYTES:
        raise YamlOutOfBounds(f"it has more than {MOST_BYTES // 1024 // 1024} MB")
    from yaml import YAMLError

    _measure_text(text)
    try:
        # Ansible's loader is the one that is written in C where there is one: ten times as fast.
        documents = list(yaml_load_all(text))
    except ValueError as error:
        # What looks like a date and is none, such as 2026-02-30.
        raise YAMLError(str(error)) from error
    _measure_content(documents)
    return documents


def load_document(text: str | bytes) -> t.Any:
    """The first document of a YAML text that is within the bounds, or None if there is none.

    Raises:
        YamlOutOfBounds: it is not.
        yaml.YAMLError: it is not YAML.
    """
    return next(iter(load_documents(text)), None)


def _measure_text(text: str | bytes) -> None:
    """Events come one after the other, however deeply they are nested; what builds documents of them calls itself for each level."""
    from yaml import CollectionEndEvent, CollectionStartEvent, NodeEvent, parse

    depth = nodes = 0
    for event in parse(text, Loader=SafeLoader):
        nodes += isinstance(event, NodeEvent)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise YamlOutOfBounds(f"it is nested more than {DEEPEST} levels deep")
        if nodes > MOST_NODES:
            raise YamlOutOfBounds(f"it has more than {MOST_NODES} nodes")


def _measure_content(documents: t.Sequence[t.Any]) -> None:
    """What an alias stands for counts wherever it stands; one that contains itself has no end."""
    nodes = 0
    waiting: list[tuple[t.Any, int]] = [(document, 1) for document in documents]
    while waiting:
        value, depth = waiting.pop()
        nodes += 1
        if depth > DEEPEST + 1 or nodes > MOST_NODES:
            raise YamlOutOfBounds(f"its aliases make it more than {MOST_NODES} nodes, or more than {DEEPEST} levels deep")
        if isinstance(value, dict):
            waiting += [(below, depth + 1) for below in value.values()]
        elif isinstance(value, list):
            waiting += [(below, depth + 1) for below in value]


__all__ = ("MOST_BYTES", "YamlOutOfBounds", "load_document", "load_documents")
