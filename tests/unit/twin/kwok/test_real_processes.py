from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.objects import Object, recorded
from twin.errors import TwinError
from twin.kwok.real_processes import RealProcess, load_real_processes

DESCRIPTION: Object = {"name": "istiod", "pods": {"app": "istiod"}, "container": "discovery", "program": "pilot-discovery"}


def _written(directory: Path, description: object) -> Path:
    (directory / "one.yaml").write_text(yaml.safe_dump(description))
    return directory


def test_the_shortest_description(tmp_path: Path) -> None:
    assert load_real_processes(_written(tmp_path, DESCRIPTION)) == [RealProcess("istiod", ("app", "istiod"), "discovery", "pilot-discovery")]


def test_a_full_description(tmp_path: Path) -> None:
    (found,) = load_real_processes(_written(tmp_path, DESCRIPTION | {"arguments": ["--a={address}"], "environment": {"B": "{root}"}}))
    assert (found.arguments, found.environment) == (("--a={address}",), (("B", "{root}"),))


@pytest.mark.parametrize(
    "description",
    [
        *(pytest.param({key: value for key, value in DESCRIPTION.items() if key != missing}, id=f"without-{missing}") for missing in DESCRIPTION),
        pytest.param(DESCRIPTION | {"pods": {}}, id="no-label"),
        pytest.param(DESCRIPTION | {"pods": {"app": "istiod", "istio": "pilot"}}, id="two-labels"),
        pytest.param(DESCRIPTION | {"pods": "istiod"}, id="a-word-for-a-label"),
        pytest.param(None, id="empty"),
        pytest.param(["istiod"], id="a-list"),
    ],
)
def test_what_a_description_needs(tmp_path: Path, description: object) -> None:
    with pytest.raises(TwinError, match=r"one\.yaml does not describe a real process .*: it needs name, pods \(one label\), container and program\."):
        load_real_processes(_written(tmp_path, description))


def test_a_directory_without_descriptions(tmp_path: Path) -> None:
    assert load_real_processes(tmp_path) == []


def test_istiod_is_real_and_ztunnel_is_not() -> None:
    processes = {process.name: process for process in load_real_processes()}
    assert processes["istiod"].stands_for(recorded("pod/istiod_ready") | {"spec": {"containers": [{"name": "discovery"}]}})
    assert not any(process.stands_for(recorded("pod/ztunnel_ready")) for process in processes.values())
    assert not processes["istiod"].stands_for({"metadata": {"name": "bare"}})


def test_the_load_balancer_controller_is_real() -> None:
    (controller,) = [process for process in load_real_processes() if process.name == "aws-load-balancer-controller"]
    labels = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    assert controller.stands_for({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "aws-load-balancer-controller"}]}})
    assert not controller.stands_for({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "another"}]}}), "nobody could start it"
