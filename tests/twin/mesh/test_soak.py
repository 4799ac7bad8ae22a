"""The soak in short; python -m tests.soak runs it for as long as is asked for."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import format_summary
from tests.soak.soak import Settings, Soak
from tests.soak.switches import switches_of
from tests.twin.conftest import Twin

SECONDS = 15.0
SEED = 1


def test_ready_disagrees_with_no_object_while_everything_changes(mesh: Twin, capsys: pytest.CaptureFixture[str]) -> None:
    kubeconfig = mesh.paths.kubeconfig
    settings = Settings(kubeconfig, kubeconfig, mesh.environment["PATH"], SEED, SECONDS, switches_of(mesh.name))
    lines: list[str] = []
    summary = Soak(settings, lines.append).run()
    with capsys.disabled():
        print(format_summary(summary))
    assert summary.rounds, "not one round was made"
    assert any(name.endswith(": Current") for name in summary.verdicts), "nothing ever became Current, so nothing was tried"
    assert summary.at_rest, "the cluster never came to rest, so nothing was judged at rest"
    assert not summary.disagreements, "\n".join(summary.reports or lines)
