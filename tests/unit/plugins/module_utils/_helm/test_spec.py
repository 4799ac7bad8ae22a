"""The desired state of a release."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import ChartReference, desired_releases


def test_releases_of_the_role_as_the_module_takes_them() -> None:
    reference = {"chart_ref": "istiod", "chart_repo_url": "https://charts.example", "chart_version": "1.31.1"}
    own = {"name": "istiod", "chart": "istiod", "reference": reference, "release_values": {"profile": "ambient"}}
    found = {**reference, "name": "istiod", "namespace": "istio-system", "values": {"profile": "ambient"}}
    assert desired_releases([own, {**own, "namespace": "other", "title": "x"}], "istio-system") == [found, {**found, "namespace": "other"}]


def test_a_reference_says_only_what_it_knows() -> None:
    assert ChartReference("/srv/base.tgz").arguments == []
    assert ChartReference("base", "https://charts.example", "1.31.1").arguments == ["--repo", "https://charts.example", "--version", "1.31.1"]
