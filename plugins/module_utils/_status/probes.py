# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""What is asked of an endpoint itself, because no object tells whether it answers.

The question goes through the API server (the proxy subresource of a Service), which takes the same way to the endpoint as for an admission review.
Any answer of the endpoint will do, a refusal too: istiod's webhooks answer a GET with 400 "no body found".
Source: kubernetes pkg/registry/core/service/storage (ResourceLocation) and apimachinery's pkg/util/proxy.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .verdict import Verdict

# What the API server, or a proxy between it and the endpoint, says when nobody has answered.
_NOBODY_ANSWERED = frozenset({502, 503, 504})
_REMEDY = "See that its process runs, and that security groups and network policies let the API server reach its port on the pods."


@dataclass(frozen=True)
class Probe:
    """One question.

    Attributes:
        path: the path at the API server by which the endpoint is reached.
        title: how messages name the endpoint.
    """

    path: str
    title: str


def judge_probe(probe: Probe, status: int, text: str) -> Verdict | None:
    """What an answer says of the endpoint; None when it answers, or when nobody may ask (note_on_probe tells that).

    Args:
        probe: what was asked.
        status: the HTTP status of the answer; 0 when none came.
        text: the answer, or why none came.
    """
    said = _status_object(text)
    of_the_service = said is not None and (said.get("details") or {}).get("kind") == "services"
    if status == 0:
        seen = text
    elif said is not None and (status in _NOBODY_ANSWERED or (status == 404 and of_the_service)):
        seen = str(said.get("message", ""))
    elif status in (502, 504):
        seen = f"status {status} on the way to it"
    else:
        return None
    return Verdict("InProgress", "NotAnswering", f"{probe.title} does not answer the API server: {seen[:300]}", _REMEDY)


def note_on_probe(probe: Probe, status: int, text: str) -> str:
    """What to tell of an answer that says nothing of the endpoint: there is no permission to ask; else empty."""
    said = _status_object(text)
    if status == 403 and said is not None and said.get("reason") == "Forbidden":
        return f"whether {probe.title} answers was not asked: {said.get('message', 'that is forbidden')}"
    return ""


def _status_object(text: str) -> t.Mapping[str, t.Any] | None:
    """The API server's own Status object, when that is what was answered."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else None


__all__ = ("Probe", "judge_probe", "note_on_probe")
