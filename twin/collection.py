"""The collection's door to an API server, which the twin uses too. All imports from the collection are here."""

from __future__ import annotations

import sys

from twin.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "collections"))

from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.kinds import (  # noqa: E402  (the path comes first)
    CONFIG_MAP,
    DAEMON_SET,
    NAMESPACE,
    NODE,
    POD,
    SECRET,
    Kind,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.session import ApiSession, Object, Write  # noqa: E402
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.transport import Transport  # noqa: E402
from ansible_collections.meshwright.ambient.plugins.module_utils._cluster.watch import (  # noqa: E402
    Changed,
    Event,
    Gone,
    Listed,
    Scope,
    Streams,
    Trouble,
)
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError, MeshError  # noqa: E402

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
