from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.aws import account
from twin.commands import demo, rehearsal
from twin.kwok import lifecycle
from twin.kwok.settings import AwsSettings
from twin.paths import REPOSITORY
from twin.tools import build
from twin.tools.build import ensure_tools, locate_tools
from twin.tools.needs import CONTROL_PLANE, EVERYTHING, MAIN_JOB, REHEARSAL

_AWS = AwsSettings("a", "http://127.0.0.1:1", "prod", "eu-west-1", "http://127.0.0.1:1/authenticate", "https://issuer", "172.20.0.0/16")


class _Enough(Exception):
    """All that is to be seen has been seen."""


@pytest.fixture
def built(state: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is built, in its order, on a machine with an empty cache; nothing else is done."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(state))
    names: list[str] = []
    monkeypatch.setattr(build, "find_go", lambda: Path("go"))
    monkeypatch.setattr(build, "_make", lambda part, _go: names.append(part.name))

    def end() -> None:
        raise _Enough

    monkeypatch.setattr(lifecycle, "locked", end)
    monkeypatch.setattr(account, "_locked", end)
    return names


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        pytest.param(lambda: demo.demo("a"), MAIN_JOB, id="demo"),
        pytest.param(lambda: lifecycle.up("a"), MAIN_JOB, id="twin-up"),
        pytest.param(lambda: lifecycle.up_eks("a", _AWS), CONTROL_PLANE, id="eks-cluster"),
        pytest.param(lambda: account.up("a"), MAIN_JOB, id="account-up"),
        pytest.param(lambda: rehearsal.rehearse("a", str(REPOSITORY / "inventories" / "prod"), []), REHEARSAL, id="rehearse"),
    ],
)
def test_a_command_builds_what_it_needs_and_no_more(built: list[str], command: Callable[[], object], needs: tuple[str, ...]) -> None:
    with pytest.raises(_Enough):
        command()
    assert set(built) == set(needs)


def test_the_main_job_needs_no_load_balancer_controller_and_nothing_of_the_tests() -> None:
    assert set(EVERYTHING) - set(MAIN_JOB) >= {
        "aws-load-balancer-controller",
        "load-balancer-controller",
        "karpenter",
        "toxiproxy-server",
        "istioctl",
        "argo-cd",
    }
    assert set(REHEARSAL) - set(MAIN_JOB) == {"aws-load-balancer-controller", "load-balancer-controller", "karpenter"}


def test_what_is_built_and_for_whom_is_reported(built: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    ensure_tools(["istioctl", "argo-cd"], "A test")
    assert built == ["istioctl", "argo-cd"]
    reported = capsys.readouterr().err
    assert "A test needs what has not been built yet: istioctl, argo-cd." in reported
    assert "[ 1/2] building istioctl" in reported


def test_charts_are_packaged_by_helm(built: list[str]) -> None:
    ensure_tools(["karpenter"], "A test")
    assert built == ["helm", "karpenter"]


@pytest.mark.usefixtures("built")
def test_a_program_that_is_not_built_is_found_on_path_all_the_same() -> None:
    (place,) = locate_tools().path_entries("istioctl")
    script = Path(place) / "istioctl"
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert "-m twin tool istioctl" in script.read_text()
