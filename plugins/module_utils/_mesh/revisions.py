# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Which istiod owns a Gateway: that of the revision or tag that the Gateway or its namespace names, or the default one."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .labels import REVISION, Object, labels_of

TAG = "istio.io/tag"
# What the chart istiod puts on its Deployments and webhooks, whatever the revision.
_APP = ("app", "istiod")
ISTIOD_SELECTOR = "=".join(_APP)
DEFAULT_TAG_WEBHOOK = "istio-revision-tag-default"
DEFAULT_VALIDATOR = "istiod-default-validator"


@dataclass(frozen=True)
class Revisions:
    """The revisions of istiod on a cluster.

    Attributes:
        tags: for each revision, all names that mean it, its own included.
        default: the revision that takes up what names none; None when no istiod does.
    """

    tags: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    default: str | None = None

    def owner(self, named: str) -> str | None:
        """The revision that owns objects of this name; an empty name is that of the default revision."""
        for revision, tags in self.tags.items():
            if named in tags:
                return revision
        return None if named else self.default


def is_istiod(item: Object) -> bool:
    """Whether ISTIOD_SELECTOR would find an object."""
    key, value = _APP
    return labels_of(item).get(key) == value


def istiod_name(revision: str) -> str:
    """The name of the Deployment and the Service of a revision of istiod; an empty one is the default one.

    Source: istio manifests/charts/istio-control/istio-discovery/templates (deployment.yaml, service.yaml).
    """
    return "istiod" if revision in ("", "default") else f"istiod-{revision}"


def find_revisions(
    istiods: t.Iterable[Object], mutating_webhooks: t.Sequence[Object], validating_webhooks: t.Iterable[Object], services: t.Iterable[Object]
) -> Revisions:
    """The revisions, as each istiod determines which objects it owns.

    Args:
        istiods: the Deployments that ISTIOD_SELECTOR finds.
        mutating_webhooks: the MutatingWebhookConfigurations with a label istio.io/tag.
        validating_webhooks: among others, the one that names the default revision.
        services: the Services with a label istio.io/tag.

    Source: istio pkg/revisions/tag_watcher.go (IsMine, GetMyTags).
    """
    revisions = {labels_of(item).get(REVISION, "default") for item in istiods}
    tagged = [item for item in (*mutating_webhooks, *services) if TAG in labels_of(item)]
    tags = {
        revision: frozenset({revision, *(labels_of(item)[TAG] for item in tagged if labels_of(item).get(REVISION) == revision)})
        for revision in sorted(revisions)
    }
    default = next((revision for revision, names in tags.items() if "default" in names), None)
    # The default tag takes precedence over the default revision where the two differ.
    if default is None and not any(item["metadata"]["name"] == DEFAULT_TAG_WEBHOOK for item in mutating_webhooks):
        named = next((labels_of(item).get(REVISION) for item in validating_webhooks if item["metadata"]["name"] == DEFAULT_VALIDATOR), None)
        default = named if named in tags else None
    return Revisions(tags, default)


__all__ = ("ISTIOD_SELECTOR", "TAG", "Revisions", "find_revisions", "is_istiod", "istiod_name")
