"""Who has changed something: the writes of people and tools, told from those of controllers, which work at their own pace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
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
    return [f"{event['requestReceivedTimestamp']} {event['verb']} {event['requestURI']} by {event['userAgent']}" for event in events_of_people(audit_log)]


def events_of_people(audit_log: Path, since: int = 0) -> Iterator[dict[str, Any]]:
    """The events of these writes.

    Args:
        audit_log: the log of the API server.
        since: how many bytes of it are older, and not read.
    """
    with audit_log.open("rb") as file:
        file.seek(since)
        for line in file.read().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                # The last one is being written.
                continue
            if _is_write_of_people(event):
                yield event


def writes_in_aws(requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """The writes of people and tools among the logged requests of an account that change something, oldest first."""
    return [f"{each['time']} {each['service']}:{each['operation']} by {each['user_agent'][:40]}" for each in requests if not is_write_of_others(each)]


def is_write_of_others(request: Mapping[str, Any]) -> bool:
    """Whether a logged request is one of the load balancer controller."""
    return str(request["user_agent"]).startswith(_CONTROLLER_IN_AWS)


def _is_write_of_people(event: Mapping[str, Any]) -> bool:
    """Whether an event of an audit log is a write that is kept, of somebody who is no controller."""
    asked = event["requestURI"]
    return event["verb"] in _WRITES and not event["userAgent"].startswith(_OF_THE_CLUSTER) and not any(word in asked for word in _KEPT_NOWHERE)
