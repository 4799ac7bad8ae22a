"""The figures to reach, as ratios within one run, and whether a run reached them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import rounded

Row = Mapping[str, Any]
Rows = Mapping[str, Row]

# How far above the straight line through smaller numbers the time at the largest one may lie.
STRAIGHT = 1.25
_WRITES = ("create", "update", "patch", "delete", "deletecollection")
# A question that the API server answers and does not keep.
_QUESTION = "selfsubjectaccessreviews"


class Missing(Exception):
    """The run has no such figure."""


@dataclass(frozen=True)
class Verdict:
    """One figure to reach: what is expected, what was measured, and whether that is enough (None: it was not measured)."""

    expected: str
    measured: str
    met: bool | None


def judge(rows: Rows) -> list[Verdict]:
    """All figures to reach, in the order of the rows."""
    verdicts = []
    for expected, rule in GOALS:
        try:
            measured, met = rule(rows)
        except Missing as missing:
            measured, met = f"not measured ({missing})", None
        verdicts.append(Verdict(expected, measured, met))
    return verdicts


def median(rows: Rows, row: str, peer: str) -> float:
    value = (rows.get(row) or {}).get("median", {}).get(peer)
    if value is None:
        raise Missing(f"{row} has no figure of {peer}")
    return float(value)


def straight_line(steps: Sequence[Mapping[str, float]]) -> float:
    """How many times as long the last step took as the straight line predicts that goes through the first one (no pods) and the last but one."""
    if len(steps) < 3:
        raise Missing("fewer than three numbers of pods")
    first, middle, last = steps[0], steps[-2], steps[-1]
    slope = (middle["seconds"] - first["seconds"]) / (middle["pods"] - first["pods"])
    foretold = first["seconds"] + slope * (last["pods"] - first["pods"])
    return float("inf") if foretold <= 0 else last["seconds"] / foretold


def _enroll_beside_kubectl(rows: Rows) -> tuple[str, bool]:
    ours, kubectl, empty = (median(rows, "enroll-300", peer) for peer in ("ours", "kubectl", "empty_task"))
    limit = 2 * kubectl + empty
    return f"{rounded(ours)} s of {rounded(limit)} s", ours <= limit


def _ratio(row: str, slower: str, faster: str, least: float) -> Callable[[Rows], tuple[str, bool]]:
    def rule(rows: Rows) -> tuple[str, bool]:
        ratio = median(rows, row, slower) / median(rows, row, faster)
        return f"{ratio:.1f}x" if ratio < 20 else f"{ratio:.0f}x", ratio >= least

    return rule


def _at_most(row: str, most: float, unit: str) -> Callable[[Rows], tuple[str, bool]]:
    def rule(rows: Rows) -> tuple[str, bool]:
        value = median(rows, row, "ours")
        return f"{rounded(value)} {unit}", value <= most

    return rule


def _beside_limit(rows: Rows) -> tuple[str, bool]:
    ratio = median(rows, "waypoints-200", "ours") / median(rows, "waypoints-200", "limit")
    return f"{ratio:.2f}x", ratio <= 1.15


def _requests(row: str, allowed: Mapping[str, int]) -> Callable[[Rows], tuple[str, bool]]:
    """No kind is asked for more often than allowed, by verb; verbs that are not allowed do not occur."""

    def rule(rows: Rows) -> tuple[str, bool]:
        requests = (rows.get(row) or {}).get("requests")
        if not requests:
            raise Missing(f"{row} has no requests")
        counted = {what: number for what, number in requests.items() if not what.endswith(_QUESTION)}
        counts = ", ".join(f"{number} {what}" for what, number in counted.items())
        return counts, all(number <= allowed.get(what.split()[0], 0) for what, number in counted.items())

    return rule


def _linear(rows: Rows) -> tuple[str, bool]:
    steps = (rows.get("memory-10000-pods") or {}).get("growth") or []
    factor = straight_line(steps)
    series = ", ".join(f"{step['seconds']} s at {step['pods']:,}" for step in steps)
    return f"{series}: {factor:.2f}x the straight line", factor <= STRAIGHT


GOALS: Sequence[tuple[str, Callable[[Rows], tuple[str, bool]]]] = (
    ("300 namespaces: at most twice `kubectl label -l` as a process, and Ansible's own time for an empty task", _enroll_beside_kubectl),
    ("300 namespaces: at least 100x faster than kubernetes.core.k8s in a loop", _ratio("enroll-300", "k8s_loop", "ours", 100)),
    ("300 namespaces: at least 3x faster than one task of kubernetes.core.k8s with a list", _ratio("enroll-300", "k8s_list", "ours", 3)),
    ("300 namespaces again: no write, at most one list per kind", _requests("enroll-300-again", {"list": 1})),
    ("200 waypoints: at most 1.15x the limit", _beside_limit),
    ("200 waypoints: at least 4x faster than istioctl one by one", _ratio("waypoints-200", "istioctl", "ours", 4)),
    ("200 waypoints again: under 2 s", _at_most("waypoints-200-again", 2.0, "s")),
    ("Readiness seen: 99th percentile at most 150 ms after the change", _at_most("readiness-lag-p99", 150, "ms")),
    ("Requests during a wait: one list and one watch per kind", _requests("wait-requests", {"list": 1, "watch": 1})),
    ("10,000 pods: peak memory under 200 MB", _at_most("memory-10000-pods", 200, "MB")),
    (f"Time up to 10,000 pods: linear (at most {STRAIGHT}x the straight line through 0 and 3,000)", _linear),
)
