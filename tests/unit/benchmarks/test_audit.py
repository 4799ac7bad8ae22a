from __future__ import annotations

from typing import Any

from benchmarks.audit import by_agent, by_impersonated, count


def event(verb: str, resource: str = "", *, subresource: str = "", agent: str = "meshwright.ambient", user: str = "") -> dict[str, Any]:
    entry: dict[str, Any] = {"verb": verb, "userAgent": agent, "requestURI": "/version?last=1"}
    if resource:
        entry["objectRef"] = {"resource": resource, **({"subresource": subresource} if subresource else {})}
    if user:
        entry["impersonatedUser"] = {"username": user}
    return entry


def test_requests_are_counted_by_verb_and_resource() -> None:
    events = [event("patch", "namespaces"), event("patch", "namespaces"), event("list", "namespaces"), event("patch", "pods", subresource="status")]
    assert count(events, by_agent("meshwright")) == {"list namespaces": 1, "patch namespaces": 2, "patch pods/status": 1}


def test_only_the_chosen_program_counts() -> None:
    events = [event("list", "pods"), event("list", "pods", agent="kubectl/v1.36.3")]
    assert count(events, by_agent("kubectl")) == {"list pods": 1}


def test_only_the_chosen_user_counts() -> None:
    events = [event("list", "pods", user="ours-1"), event("list", "pods", user="ours-2"), event("list", "pods")]
    assert count(events, by_impersonated("ours-1")) == {"list pods": 1}


def test_a_request_for_no_resource_is_counted_by_its_path() -> None:
    assert count([event("get")], by_agent("meshwright")) == {"get /version": 1}
