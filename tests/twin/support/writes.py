"""Who has changed something: the writes of people and tools, told from those of controllers, which work at their own pace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# What runs in a cluster and writes all the time, by the user agent in the API server's audit log.
_OF_THE_CLUSTER = ("kube-", "kwok-", "pilot-discovery", "twin", "controller/", "aws-load-balancer-controller/")
_WRITES = ("create", "update", "patch", "delete", "deletecollection")
# Requests that the API server answers without keeping anything.
_KEPT_NOWHERE = ("dryRun=All", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews", "subjectaccessreviews")
# How the load balancer controller calls itself in AWS.
_CONTROLLER_IN_AWS = "elbv2.k8s.aws/"


def writes_in_cluster(audit_log: Path) -> list[str]:
    """The writes of people and tools that an API server has noted, oldest first."""
    found = []
    for line in audit_log.read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            # The last one is being written.
            continue
        asked = event["requestURI"]
        if event["verb"] in _WRITES and not event["userAgent"].startswith(_OF_THE_CLUSTER) and not any(word in asked for word in _KEPT_NOWHERE):
            found.append(f"{event['requestReceivedTimestamp']} {event['verb']} {asked} by {event['userAgent']}")
    return found


def writes_in_aws(requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """The writes of people and tools among the logged requests of an account that change something, oldest first."""
    return [
        f"{each['time']} {each['service']}:{each['operation']} by {each['user_agent'][:40]}"
        for each in requests
        if not each["user_agent"].startswith(_CONTROLLER_IN_AWS)
    ]
