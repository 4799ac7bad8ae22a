"""The collection's door to an API server, which the twin uses too. All imports from the collection are here."""

from __future__ import annotations

import sys

from twin.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "collections"))

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.session import ApiSession, Object
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.transport import Transport
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.watch import (
    Changed,
    Event,
    Gone,
    Listed,
    Scope,
    Streams,
    Trouble,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.writes import Write
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    NAMESPACE,
    NODE,
    POD,
    SECRET,
    Kind,
)

__all__ = (
    "CONFIG_MAP",
    "DAEMON_SET",
    "NAMESPACE",
    "NODE",
    "POD",
    "SECRET",
    "ApiError",
    "ApiSession",
    "Changed",
    "Event",
    "Gone",
    "Kind",
    "Listed",
    "MeshError",
    "Object",
    "Scope",
    "Streams",
    "Transport",
    "Trouble",
    "Write",
)
