# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The records that Helm keeps of its releases, decoded.

Source: helm.sh/helm/v3 pkg/storage/driver/secrets.go, cfgmaps.go and util.go: a revision is a Secret (or a ConfigMap) C(sh.helm.release.v1.<name>.v<revision>)
with the labels owner, name, status and version; its data is JSON, packed by gzip and written in base64, which a Secret is once more.
"""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
import zlib
from dataclasses import dataclass, field

Object = t.Mapping[str, t.Any]

# The states of a revision in which Helm refuses to work on the release: those in which it leaves a revision while it works (a Helm that was killed
# leaves it there for good), and the one that it gives a revision of which it knows nothing.
# Source: helm.sh/helm/v3 pkg/action/upgrade.go, prepareUpgrade ("another operation is in progress", "has no deployed releases").
PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown")
_GZIP = b"\x1f\x8b\x08"
# zlib's name for a gzip header.
_GZIP_WINDOW = 31


class UnreadableRecord(ValueError):
    """A record is not what Helm writes."""


@dataclass(frozen=True)
class CurrentRelease:
    """What the records say of a release.

    Attributes:
        newest: the record of the newest revision.
        pending: the names of the records of revisions that are pending.
    """

    newest: Object
    pending: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The state of the newest revision, such as C(deployed)."""
        return str(_labels(self.newest).get("status", ""))

    @property
    def kind(self) -> str:
        """The kind of object that is the record: C(Secret) or C(ConfigMap)."""
        return str(self.newest.get("kind") or "Secret")

    @property
    def revision(self) -> int:
        """The number of the newest revision."""
        return _revision(self.newest)


@dataclass(frozen=True)
class CurrentState:
    """What a cluster has of releases and definitions.

    Attributes:
        releases: by namespace and name.
        definitions: the CustomResourceDefinitions by name; empty when no desired release includes its own.
        missing: by namespace and name of a release, the titles of objects that it has installed and that the cluster does not have any more.
    """

    releases: t.Mapping[tuple[str, str], CurrentRelease] = field(default_factory=dict)
    definitions: t.Mapping[str, Object] = field(default_factory=dict)
    missing: t.Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


def selector(names: t.Iterable[str]) -> str:
    """The label selector of the records of these releases, without superseded ones: they are old, or Helm upgrades from them as from none."""
    return f"owner=helm,name in ({', '.join(sorted(set(names)))}),status!=superseded"


def parse_records(records: t.Iterable[Object]) -> dict[tuple[str, str], CurrentRelease]:
    """The releases of these records, by namespace and name."""
    found: dict[tuple[str, str], CurrentRelease] = {}
    for record in sorted(records, key=_revision):
        metadata = record["metadata"]
        key = metadata["namespace"], str(_labels(record).get("name"))
        pending = found[key].pending if key in found else ()
        found[key] = CurrentRelease(record, (*pending, metadata["name"]) if _labels(record).get("status") in PENDING else pending)
    return found


def decode(record: Object) -> dict[str, t.Any]:
    """The release that a record holds.

    Raises:
        UnreadableRecord: it holds none.
    """
    try:
        packed = base64.b64decode(record["data"]["release"])
        if record.get("kind") != "ConfigMap":
            packed = base64.b64decode(packed)
        # Helm before 3.0 final did not pack.
        text = zlib.decompress(packed, _GZIP_WINDOW) if packed.startswith(_GZIP) else packed
        release = json.loads(text)
    except (KeyError, TypeError, ValueError, zlib.error, binascii.Error) as error:
        raise UnreadableRecord(str(error)) from error
    if not isinstance(release, dict):
        raise UnreadableRecord("not an object")
    return release


def _labels(record: Object) -> t.Mapping[str, t.Any]:
    return record["metadata"].get("labels") or {}


def _revision(record: Object) -> int:
    version = str(_labels(record).get("version", ""))
    return int(version) if version.isdigit() else 0


__all__ = ("PENDING", "CurrentRelease", "CurrentState", "UnreadableRecord", "decode", "parse_records", "selector")
