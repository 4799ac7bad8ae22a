"""A session with a twin's API server, and what is known of its objects."""

from __future__ import annotations

import time
from collections.abc import Callable

from kubernetes import config

from twin.collection import ApiSession, Changed, Event, Gone, Kind, Listed, Object, Scope, Streams, Transport
from twin.errors import TwinError
from twin.paths import TwinPaths


def open_session(paths: TwinPaths) -> ApiSession:
    """A session as the cluster's administrator."""
    client = config.new_client_from_config(config_file=str(paths.kubeconfig))
    client.user_agent = "twin"
    return ApiSession(Transport(client), name=f"twin {paths.name}", pause=time.sleep, field_manager="twin")


class Known:
    """The objects of some scopes as last seen, by kind, namespace and name."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}

    def take(self, event: Event) -> None:
        """Bring what is known up to date with one event."""
        if isinstance(event, Listed):
            self._objects[event.scope.kind] = {_key(item): item for item in event.objects}
        elif isinstance(event, Changed):
            self._objects[event.scope.kind][_key(event.object)] = event.object
        elif isinstance(event, Gone):
            self._objects[event.scope.kind].pop(_key(event.object), None)

    def all(self, kind: Kind) -> list[Object]:
        return list(self._objects.get(kind, {}).values())

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        return self._objects.get(kind, {}).get((namespace, name))

    def listed(self, *kinds: Kind) -> bool:
        """Whether all of these kinds have been listed at least once."""
        return all(kind in self._objects for kind in kinds)


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def wait_for(session: ApiSession, kind: Kind, true_of: Callable[[list[Object]], bool], seconds: float, what: str) -> None:
    """Watch a kind until something is true of all its objects.

    Raises:
        TwinError: it was not true within the given seconds; what names it.
    """
    deadline = time.monotonic() + seconds
    known = Known()
    with Streams(session, [Scope(kind)]) as streams:
        while time.monotonic() < deadline:
            for event in streams.next_events(deadline - time.monotonic()):
                known.take(event)
            if known.listed(kind) and true_of(known.all(kind)):
                return
    raise TwinError(f"Gave up waiting for {what} after {seconds:.0f} s.")
