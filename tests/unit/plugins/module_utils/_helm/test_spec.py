"""The desired state of a release."""

from __future__ import annotations

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import ChartReference


def test_a_reference_says_only_what_it_knows() -> None:
    assert ChartReference("/srv/base.tgz").arguments == []
    assert ChartReference("base", "https://charts.example", "1.31.1").arguments == ["--repo", "https://charts.example", "--version", "1.31.1"]
