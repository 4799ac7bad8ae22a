"""What happened on the cluster, in the order in which it happened: every version of every object, by the revision that the API server gave it.

All kinds of a cluster share one counter of revisions, so the order across kinds is certain and needs no clock. Clocks only say when a version
was seen here.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.soak.api import Object

Key = tuple[str, str, str]
"""Kind, namespace and name; the namespace of one without is empty."""


@dataclass(frozen=True)
class Version:
    """One version of an object; the object is None from its deletion on."""

    revision: int
    seen: float
    key: Key
    object: Object | None


@dataclass(frozen=True)
class Moment:
    """All objects that were asked for, as they were from one revision until the next change of one of them."""

    revision: int
    seen: float
    objects: dict[Key, Object]

    def all(self, kind: str, namespace: str = "") -> list[Object]:
        return [item for (its_kind, place, _name), item in sorted(self.objects.items()) if its_kind == kind and place == namespace]

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.objects.get((kind, namespace, name))


class Journal:
    """Keeps versions; threads may write while others read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._versions: dict[Key, list[Version]] = {}
        self._changed = threading.Condition()
        self._newest = clock()
        # When versions came, and the newest revision that had come until then.
        self._times: list[float] = []
        self._revisions: list[int] = []
        self.count = 0

    def take(self, key: Key, revision: int, item: Object | None, seen: float | None = None) -> None:
        """Write down one version; one that is known already changes nothing."""
        with self._changed:
            versions = self._versions.setdefault(key, [])
            if versions and versions[-1].revision >= revision:
                return
            self._newest = self._clock() if seen is None else seen
            versions.append(Version(revision, self._newest, key, item))
            self._times.append(self._newest)
            self._revisions.append(max(revision, self._revisions[-1] if self._revisions else 0))
            self.count += 1
            self._changed.notify_all()

    def moments(self, matches: Callable[[Key], bool], since: int, until: int) -> Iterator[Moment]:
        """The objects as they were at revision since, then after each change of one of them up to revision until."""
        with self._changed:
            histories = [versions[:] for key, versions in self._versions.items() if matches(key)]
        objects: dict[Key, Object] = {}
        later: list[Version] = []
        first = 0.0
        for versions in histories:
            place = bisect.bisect_right(versions, since, key=lambda version: version.revision)
            if place and versions[place - 1].object is not None:
                objects[versions[place - 1].key] = versions[place - 1].object or {}
            if place:
                first = max(first, versions[place - 1].seen)
            later += (version for version in versions[place:] if version.revision <= until)
        yield Moment(since, first, dict(objects))
        for version in sorted(later, key=lambda version: version.revision):
            if version.object is None:
                objects.pop(version.key, None)
            else:
                objects[version.key] = version.object
            yield Moment(version.revision, version.seen, dict(objects))

    def revision_at(self, moment: float) -> int:
        """The newest revision that had been seen at a time; what is newer may have happened before it too, but not what is older after it."""
        with self._changed:
            place = bisect.bisect_right(self._times, moment)
            return self._revisions[place - 1] if place else 0

    def latest(self, key: Key) -> Version | None:
        with self._changed:
            versions = self._versions.get(key)
            return versions[-1] if versions else None

    def history(self, matches: Callable[[Key], bool], until: int, limit: int) -> list[Version]:
        """The last versions of some objects up to a revision, oldest first."""
        with self._changed:
            versions = [version for key, kept in self._versions.items() if matches(key) for version in kept if version.revision <= until]
        return sorted(versions, key=lambda version: version.revision)[-limit:]

    def wait_until_quiet(self, seconds: float, limit: float) -> bool:
        """Wait until nothing has changed for so many seconds; False when that did not come within the limit."""
        deadline = self._clock() + limit
        with self._changed:
            while True:
                now = self._clock()
                if now - self._newest >= seconds:
                    return True
                if now >= deadline:
                    return False
                self._changed.wait(min(seconds - (now - self._newest), deadline - now))

    def wait_for(self, true_of: Callable[[], bool], limit: float) -> bool:
        """Wait until something is true of the journal."""
        with self._changed:
            return self._changed.wait_for(true_of, limit)

    def misses(self, kind: str, listed: Iterable[Object]) -> list[Key]:
        """Which objects are not here as a list of the whole kind shows them, or in a newer version."""
        present = {(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]): int(item["metadata"]["resourceVersion"]) for item in listed}
        with self._changed:
            known = {key: versions[-1] for key, versions in self._versions.items() if key[0] == kind}
        missing = [key for key, revision in present.items() if key not in known or known[key].revision < revision]
        return missing + [key for key, version in known.items() if key not in present and version.object is not None]

    def forget(self, before: int) -> None:
        """Drop what no judgement will ask for: all versions that were replaced before a revision."""
        with self._changed:
            for key, versions in list(self._versions.items()):
                place = bisect.bisect_right(versions, before, key=lambda version: version.revision)
                kept = versions[max(place - 1, 0) :]
                if len(kept) == 1 and kept[0].object is None and kept[0].revision <= before:
                    del self._versions[key]
                else:
                    self._versions[key] = kept
            place = max(bisect.bisect_right(self._revisions, before) - 1, 0)
            del self._times[:place], self._revisions[:place]
