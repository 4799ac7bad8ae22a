"""Tags of everything that EKS has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.aws.eks.call import Call
from twin.aws.errors import NotFound

_ARNS = ("arn", "nodegroupArn", "addonArn", "accessEntryArn", "associationArn")


def _records(call: Call) -> Iterator[dict[str, Any]]:
    for cluster in call.region.clusters.values():
        yield cluster.record
        yield from (group.record for group in cluster.node_groups.values())
        yield from cluster.addons.values()
        yield from (entry.record for entry in cluster.entries.values())
        yield from cluster.associations.values()


def _tags(call: Call) -> dict[str, str]:
    desired = call.need("resourceArn")
    for record in _records(call):
        if desired in [record.get(name) for name in _ARNS]:
            tags: dict[str, str] = record["tags"]
            return tags
    raise NotFound(f"Resource was not found: {desired}")


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    return {"tags": _tags(call)}


def tag_resource(call: Call) -> dict[str, Any]:
    _tags(call).update(call.need("tags"))
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    tags = _tags(call)
    for key in call.need("tagKeys"):
        tags.pop(key, None)
    return {}


OPERATIONS = {"ListTagsForResource": list_tags_for_resource, "TagResource": tag_resource, "UntagResource": untag_resource}
