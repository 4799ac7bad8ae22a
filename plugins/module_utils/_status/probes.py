# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Probes an endpoint itself, because no object shows whether it answers; or reads one object that is not worth a watch, when all else is well.

The request goes through the API server (the proxy subresource of a Service), on the same path to the endpoint as an admission review.
Any answer of the endpoint will do, even a refusal: istiod's webhooks answer a GET with 400 "no body found".
Source: kubernetes pkg/registry/core/service/storage (ResourceLocation) and apimachinery's pkg/util/proxy.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .verdict import Object, Verdict

# What the API server, or a proxy between it and the endpoint, answers when the endpoint has not.
_NOT_ANSWERED = frozenset({502, 503, 504})
_REMEDY = "Check that its process is running, and that security groups and network policies allow the API server to reach its port on the pods."


@dataclass(frozen=True)
class Probe:
    """One request to an endpoint.

    Attributes:
        path: the path at the API server by which the endpoint is reached.
        title: how messages name the endpoint.
        remedy: what helps if it does not answer.
        find_problem: for the path of an object, what is wrong with the object, or with None if there is none; empty if nothing.
    """

    path: str
    title: str
    remedy: str = _REMEDY
    find_problem: t.Callable[[t.Optional[Object]], str] | None = None


def judge_probe(probe: Probe, status: int, text: str) -> Verdict | None:
    """What an answer means for the endpoint; None when it answers, or when the request is forbidden (see note_on_probe).

    Args:
        probe: the request.
        status: the HTTP status of the answer; 0 when none came.
        text: the answer, or why none came.
    """
    answer = _status_object(text)
    if probe.find_problem:
        return _judge_object(probe, probe.find_problem, status, text)
    of_the_service = answer is not None and (answer.get("details") or {}).get("kind") == "services"
    if status == 0:
        problem = text
    elif answer is not None and (status in _NOT_ANSWERED or (status == 404 and of_the_service)):
        problem = str(answer.get("message", ""))
    elif status in (502, 504):
        problem = f"status {status} on the way to it"
    else:
        return None
    return Verdict("InProgress", "NotAnswering", f"{probe.title} does not answer the API server: {problem[:300]}", probe.remedy)


def _judge_object(probe: Probe, find_problem: t.Callable[[t.Optional[Object]], str], status: int, text: str) -> Verdict | None:
    answer = _status_object(text)
    # The details of an answer name the object only where it is the object that was not found.
    absent = status == 404 and answer is not None and bool((answer.get("details") or {}).get("name"))
    if status != 200 and not absent:
        return None
    try:
        problem = find_problem(None if absent else json.loads(text))
    except ValueError:
        return None
    return Verdict("InProgress", "NotConfigured", problem, probe.remedy) if problem else None


def note_on_probe(probe: Probe, status: int, text: str) -> str:
    """What to report when the request is forbidden, so that its answer means nothing for the endpoint; else empty."""
    answer = _status_object(text)
    if status == 403 and answer is not None and answer.get("reason") == "Forbidden":
        what = "is complete" if probe.find_problem else "answers"
        return f"whether {probe.title} {what} was not checked: {answer.get('message', 'that is forbidden')}"
    return ""


def _status_object(text: str) -> t.Mapping[str, t.Any] | None:
    """The answer as Status object of the API server; None when it is anything else."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else None


__all__ = ("Probe", "judge_probe", "note_on_probe")
