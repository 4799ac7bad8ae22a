from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.argocd import application
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.charts import chart_reference

ARGOCD = {"namespace": "argocd", "project": "default", "destination": "https://kubernetes.default.svc"}


def _application(source: str, release: str = "ztunnel", values: dict[str, Any] | None = None, chart: str = "") -> dict[str, Any]:
    desired = {"name": release, "namespace": "istio-system", **chart_reference(source, chart or release, "1.31.1"), "values": values or {}}
    return application(desired, ARGOCD)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://charts.example.com/", {"repoURL": "https://charts.example.com", "chart": "ztunnel"}),
        ("oci://registry.example.com/istio/charts", {"repoURL": "registry.example.com/istio/charts", "chart": "ztunnel"}),
    ],
)
def test_the_chart_is_found_as_argocd_wants_it(source: str, expected: dict[str, str]) -> None:
    found = _application(source)["spec"]["source"]
    assert {key: found[key] for key in ("repoURL", "chart")} == expected
    assert found["targetRevision"] == "1.31.1"


def test_values_and_release_are_those_that_helm_would_get() -> None:
    made = _application("https://charts.example.com", values={"logLevel": "debug"})
    assert made["spec"]["source"]["helm"] == {"releaseName": "ztunnel", "valuesObject": {"logLevel": "debug"}}
    assert made["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "istio-system"}
    assert made["metadata"] == {"name": "ztunnel", "namespace": "argocd"}


@pytest.mark.parametrize(
    ("release", "chart", "ignored"), [("istiod", "istiod", 2), ("istio-base", "base", 2), ("mesh-definitions", "base", 2), ("ztunnel", "ztunnel", 0)]
)
def test_what_istiod_writes_is_not_compared(release: str, chart: str, ignored: int) -> None:
    assert len(_application("https://charts.example.com", release, chart=chart)["spec"]["ignoreDifferences"]) == ignored


def test_a_directory_is_refused() -> None:
    with pytest.raises(ValueError, match="from a directory of this host"):
        _application("/srv/charts")
