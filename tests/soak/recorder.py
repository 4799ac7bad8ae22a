"""Fills the journal: one list and one watch per kind, over connections of its own."""

from __future__ import annotations

import threading
import time

import urllib3

from tests.soak.api import FOLLOWED, Api, Object, Refused, Resource
from tests.soak.journal import Journal, Key


class Recorder:
    """Follows all kinds that the judge reads, from its start to its stop, without a gap."""

    def __init__(self, api: Api, journal: Journal) -> None:
        self._api = api
        self._journal = journal
        self._stopping = threading.Event()
        self._listed = {resource: threading.Event() for resource in FOLLOWED}
        self._threads = [threading.Thread(target=self._follow, args=(resource,), daemon=True, name=f"journal {resource.plural}") for resource in FOLLOWED]

    def start(self) -> None:
        """Begin; returns when every kind has been listed once."""
        for thread in self._threads:
            thread.start()
        for resource, listed in self._listed.items():
            if not listed.wait(30):
                raise TimeoutError(f"{resource.plural} could not be listed.")

    def stop(self) -> None:
        self._stopping.set()

    def catch_up(self, limit: float = 30.0) -> None:
        """Wait until the journal has all that has happened until now; a list of each kind proves it.

        Raises:
            TimeoutError: a watch has lost an event.
        """
        deadline = time.monotonic() + limit
        for resource in FOLLOWED:
            missing: list[Key] = [(resource.kind, "", "")]
            while missing:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"The journal has not seen these as they are: {missing}.")
                listed, _revision = self._api.list(resource)
                # What changes while this is asked is asked again.
                self._journal.wait_for(lambda kind=resource.kind, items=listed: not self._journal.misses(kind, items), 1.0)  # type: ignore[misc]
                missing = self._journal.misses(resource.kind, listed)

    def _follow(self, resource: Resource) -> None:
        revision = 0
        while not self._stopping.is_set():
            try:
                if not revision:
                    items, revision = self._api.list(resource)
                    for item in items:
                        self._take(resource, item, gone=False)
                    self._listed[resource].set()
                for event in self._api.watch(resource, revision):
                    item = event["object"]
                    if event["type"] == "ERROR":
                        raise Refused(int(item.get("code", 0)), str(item.get("message")))
                    revision = int(item["metadata"]["resourceVersion"])
                    if event["type"] != "BOOKMARK":
                        self._take(resource, item, gone=event["type"] == "DELETED")
                    if self._stopping.is_set():
                        return
            except (Refused, OSError, urllib3.exceptions.HTTPError, ValueError) as error:
                if isinstance(error, Refused) and error.status == 410:
                    raise RuntimeError(f"The journal of {resource.plural} has a gap: {error}") from error
                self._stopping.wait(0.2)

    def _take(self, resource: Resource, item: Object, *, gone: bool) -> None:
        metadata = item["metadata"]
        metadata.pop("managedFields", None)
        key = (resource.kind, metadata.get("namespace", ""), metadata["name"])
        self._journal.take(key, int(metadata["resourceVersion"]), None if gone else {**item, "kind": resource.kind})
