from __future__ import annotations

from typing import Any

import pytest

from benchmarks.goals import GOALS, Missing, judge, straight_line


def row(name: str, **more: Any) -> dict[str, Any]:
    median = {peer: value for peer, value in more.items() if not isinstance(value, dict | list)}
    return {"name": name, "unit": "s", "title": name, "median": median, **{key: value for key, value in more.items() if isinstance(value, dict | list)}}


def run(**differences: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A run that reaches every figure just so; differences by row, with underscores for dashes."""
    rows = {
        "enroll-300": {"ours": 1.4, "kubectl": 0.5, "empty_task": 0.4, "k8s_loop": 140.0, "k8s_list": 4.2},
        "enroll-300-again": {"ours": 0.6, "requests": {"list namespaces": 1, "list configmaps": 1}},
        "waypoints-200": {"ours": 57.5, "limit": 50.0, "istioctl": 230.0},
        "waypoints-200-again": {"ours": 2.0, "istioctl": 220.0},
        "readiness-lag-p99": {"ours": 150.0},
        "wait-requests": {"ours": 2, "requests": {"list deployments": 1, "watch deployments": 1}},
        "memory-10000-pods": {
            "ours": 200.0,
            "growth": [{"pods": 0, "seconds": 0.5}, {"pods": 3000, "seconds": 1.5}, {"pods": 10000, "seconds": 4.6}],
        },
    }
    return {name: row(name, **{**figures, **differences.get(name.replace("-", "_"), {})}) for name, figures in rows.items()}


def test_a_run_that_reaches_every_figure() -> None:
    assert [item.met for item in judge(run())] == [True] * len(GOALS)


@pytest.mark.parametrize(
    ("desired", "differences"),
    [
        pytest.param("at most twice `kubectl", {"enroll_300": {"kubectl": 0.49}}, id="slower-than-kubectl-allows"),
        pytest.param("100x", {"enroll_300": {"k8s_loop": 139.0}}, id="loop-too-fast"),
        pytest.param("3x", {"enroll_300": {"k8s_list": 4.1}}, id="list-too-fast"),
        pytest.param("no write", {"enroll_300_again": {"requests": {"list namespaces": 2}}}, id="lists-twice"),
        pytest.param("no write", {"enroll_300_again": {"requests": {"list namespaces": 1, "patch namespaces": 1}}}, id="writes"),
        pytest.param("1.15x", {"waypoints_200": {"limit": 49.9}}, id="too-far-from-the-limit"),
        pytest.param("4x", {"waypoints_200": {"istioctl": 229.0}}, id="istioctl-too-fast"),
        pytest.param("under 2 s", {"waypoints_200_again": {"ours": 2.01}}, id="unchanged-too-slow"),
        pytest.param("150 ms", {"readiness_lag_p99": {"ours": 151.0}}, id="late"),
        pytest.param("one list and one watch", {"wait_requests": {"requests": {"list pods": 1, "watch pods": 2}}}, id="watches-twice"),
        pytest.param("under 200 MB", {"memory_10000_pods": {"ours": 201.0}}, id="too-much-memory"),
    ],
)
def test_each_figure_can_be_missed_alone(desired: str, differences: dict[str, Any]) -> None:
    missed = [item.expected for item in judge(run(**differences)) if not item.met]
    assert len(missed) == 1, missed
    assert desired in missed[0]


def test_a_figure_that_was_not_measured_is_neither_met_nor_missed() -> None:
    rows = run(enroll_300={"k8s_loop": None})
    judged = next(item for item in judge(rows) if "loop" in item.expected)
    assert judged.met is None
    assert judged.measured == "not measured (enroll-300 has no figure of k8s_loop)"
    assert all(item.met is None for item in judge({}))


def test_asking_for_permission_is_no_write() -> None:
    rows = run(enroll_300_again={"requests": {"list namespaces": 1, "create selfsubjectaccessreviews": 1}})
    assert all(item.met for item in judge(rows))


@pytest.mark.parametrize(
    ("last", "factor"), [pytest.param(5.5, 1.0, id="on-the-line"), pytest.param(11.0, 2.0, id="twice-as-long"), pytest.param(2.75, 0.5, id="below")]
)
def test_how_far_from_a_straight_line(last: float, factor: float) -> None:
    steps = [{"pods": 0, "seconds": 0.5}, {"pods": 1000, "seconds": 9.0}, {"pods": 3000, "seconds": 2.0}, {"pods": 10000, "seconds": last}]
    assert straight_line(steps) == pytest.approx(factor)


def test_two_points_are_no_line_to_compare_with() -> None:
    with pytest.raises(Missing):
        straight_line([{"pods": 1000, "seconds": 1.0}, {"pods": 3000, "seconds": 2.0}])
