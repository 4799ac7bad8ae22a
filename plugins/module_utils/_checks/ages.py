# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""How long something has been as it is: what is only a moment old may still be on its way."""

from __future__ import annotations

import datetime
import math

from .._mesh.labels import Object
from .cluster import Cluster

# Not datetime.UTC, which came with Python 3.11.
_UTC = datetime.timezone(datetime.timedelta())
# How long controllers, kubelets and node agents may take before what they have not done is a fault, in seconds.
SETTLING = 120.0


def seconds_of(text: object) -> float | None:
    """A time as Kubernetes writes it, in seconds since the epoch; None if it is none."""
    try:
        # Python before 3.11 knows no Z.
        found = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=_UTC)).timestamp()


def day_of(seconds: float) -> str:
    """The day of a time, such as C(2026-11-20)."""
    return datetime.datetime.fromtimestamp(seconds, _UTC).strftime("%Y-%m-%d")


def age_of(text: object, cluster: Cluster) -> float:
    """How many seconds ago a time was; without limit if it is none, or if the time of the snapshot is not known."""
    seconds = seconds_of(text)
    return cluster.now - seconds if seconds is not None and cluster.now else math.inf


def is_new(item: Object, cluster: Cluster) -> bool:
    """Whether an object was created so recently that not everything about it has settled."""
    return age_of(item["metadata"].get("creationTimestamp"), cluster) < SETTLING


def last_write(item: Object, part: str) -> float | None:
    """When somebody last wrote a part of an object that its status is none of, such as C(spec); by its creation if nobody has noted it.

    Source: kubernetes apimachinery's ManagedFieldsEntry: the time changes with each change of a field of the entry.
    """
    entries = item["metadata"].get("managedFields") or ()
    times = [seconds_of(entry.get("time")) for entry in entries if not entry.get("subresource") and f"f:{part}" in (entry.get("fieldsV1") or {})]
    found = max((seconds for seconds in times if seconds is not None), default=None)
    return seconds_of(item["metadata"].get("creationTimestamp")) if found is None else found


def has_changed(item: Object, part: str, cluster: Cluster) -> bool:
    """Whether a part of an object, such as C(metadata), was written so recently that not everything has followed."""
    found = last_write(item, part)
    return found is not None and bool(cluster.now) and cluster.now - found < SETTLING


__all__ = ("SETTLING", "age_of", "day_of", "has_changed", "is_new", "last_write", "seconds_of")
