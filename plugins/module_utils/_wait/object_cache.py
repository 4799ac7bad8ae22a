# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The objects that a wait has read so far, and a view of them that records which of them a rule reads."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._k8s.session import Object
from .._k8s.watch import Changed, Event, Gone, Listed, Resumed, Scope, Trouble
from .._kinds import POD, Kind
from .._mesh.labels import REDIRECTION, SIDECAR_STATUS

# A kind, a namespace (empty for kinds without, None for all) and a name (None for all).
Place = t.Tuple[Kind, t.Optional[str], t.Optional[str]]


class ObjectCache:
    """The objects that have been read, by kind, namespace and name; each kind has one scope."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[str, dict[str, Object]]] = {}
        self.troubles: dict[Kind, ApiError] = {}

    def apply_event(self, event: Event) -> Place | None:
        """Apply one event; returns the place that it has changed, or None."""
        kind = event.scope.kind
        if isinstance(event, Trouble):
            self.troubles[kind] = event.error
            if isinstance(event.error, NotServed):
                self._objects.pop(kind, None)
            return None if kind in self._objects else (kind, None, None)
        self.troubles.pop(kind, None)
        if isinstance(event, Resumed):
            return None
        if isinstance(event, Listed):
            self._objects[kind] = {}
            for item in event.objects:
                self._put(kind, item)
            return kind, None, None
        if isinstance(event, Changed):
            return self._put(kind, event.object)
        return self._drop(kind, event)

    def has(self, kind: Kind) -> bool:
        """Whether the kind has been listed."""
        return kind in self._objects

    def known(self, kind: Kind) -> bool:
        """Whether the kind has been listed, or is known not to be served."""
        return kind in self._objects or isinstance(self.troubles.get(kind), NotServed)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""
        return self._objects.get(kind, {}).get(namespace or "", {}).get(name)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, in a namespace or everywhere, in the order of their names."""
        places = self._objects.get(kind, {})
        chosen = sorted(places.items()) if namespace is None else [(namespace, places.get(namespace, {}))]
        return [item for _namespace, objects in chosen for _name, item in sorted(objects.items())]

    def _put(self, kind: Kind, item: Object) -> Place:
        namespace, name = _key(item)
        self._objects[kind].setdefault(namespace, {})[name] = item
        return kind, namespace, name

    def _drop(self, kind: Kind, event: Gone) -> Place:
        namespace, name = _key(event.object)
        self._objects[kind].get(namespace, {}).pop(name, None)
        return kind, namespace, name


class TrackedView:
    """A judge's view of the object cache, which records the places that the judge has read."""

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache
        self.places: set[Place] = set()

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""
        self.places.add((kind, namespace or "", name))
        return self._cache.get(kind, name, namespace)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, in a namespace or everywhere."""
        self.places.add((kind, namespace, None))
        return self._cache.all(kind, namespace)


def scopes_of(needs: t.Iterable[tuple[Kind, str | None]]) -> list[Scope]:
    """The fewest streams that cover all needs: each kind in its one namespace, or in all of them."""
    namespaces: dict[Kind, set[str | None]] = {}
    for kind, namespace in needs:
        namespaces.setdefault(kind, set()).add(namespace)
    return [Scope(kind, next(iter(places)) if len(places) == 1 else None) for kind, places in sorted(namespaces.items(), key=lambda item: item[0].name)]


def trim(item: Object) -> Object:
    """An object without the fields that no judge reads; most objects of a cluster are pods, and most of a pod is its template."""
    metadata = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    if item.get("kind") != POD.name:
        return {**item, "metadata": metadata}
    return {**item, "metadata": _trim_metadata(metadata), "spec": _only(item["spec"], _POD_SPEC), "status": _trim_status(item.get("status") or {})}


_POD_METADATA = ("name", "namespace", "uid", "generation", "creationTimestamp", "deletionTimestamp", "finalizers", "labels")
_POD_ANNOTATIONS = (REDIRECTION, SIDECAR_STATUS)
_POD_SPEC = ("hostNetwork", "nodeName")
_POD_STATUS = ("phase", "podIP", "reason", "message", "observedGeneration")


def _trim_metadata(metadata: Object) -> Object:
    annotations = _only(metadata.get("annotations") or {}, _POD_ANNOTATIONS)
    kept = _only(metadata, _POD_METADATA)
    return {**kept, "annotations": annotations} if annotations else kept


def _trim_status(status: Object) -> Object:
    """One condition is enough for a ready pod; the others explain why a pod is not ready."""
    kept = _only(status, _POD_STATUS)
    conditions = status.get("conditions") or []
    ready = [condition for condition in conditions if condition.get("type") == "Ready" and condition.get("status") == "True"]
    if ready:
        return {**kept, "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready[0].get("lastTransitionTime")}]}
    return {**kept, "conditions": conditions, **_only(status, ("containerStatuses", "initContainerStatuses"))}


def _only(fields: t.Mapping[str, t.Any], names: t.Iterable[str]) -> Object:
    return {name: fields[name] for name in names if name in fields}


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


__all__ = ("ObjectCache", "Place", "TrackedView", "scopes_of", "trim")
