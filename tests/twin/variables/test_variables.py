"""Every variable of every role, and every key of every item, has an effect: one inventory sets what goes together, and rows of evidence say where to look."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
import pytest

from tests.results import CALLBACK_PLUGINS
from tests.twin.conftest import fresh_account
from tests.twin.support.rehearsed import Rehearsed
from tests.twin.variables.existing import make_before, make_in_network, make_retired, make_sources
from tests.twin.variables.in_cluster import objects_of_others, retired_objects
from tests.twin.variables.state import State, certificate_arn
from tests.variables import COMPLETE, OTHERWISE, PLACED, Evidence, rows_of_evidence
from twin.aws import account
from twin.aws.twin_provider import twin_name
from twin.commands.environment import sources_of
from twin.commands.rehearsal import overlay_of
from twin.paths import TwinPaths
from twin.tools.build import ensure_tools
from twin.tools.needs import REHEARSAL

_CLUSTER, _REGION = "complete-eks", "eu-west-1"
# What has to be there before others can make what the inventory refers to, or declares absent.
_FIRST = ("--tags", "eks,aws_edge,gateway_api,karpenter,istio")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Complete:
    """The account after the runs.

    Attributes:
        existing: what others made, by the name that the inventory and the rows of evidence have for it.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.rehearsed = Rehearsed(name, twin_name(name, _CLUSTER, _REGION).removeprefix(f"{name}-"))
        self.client: Callable[[str], Any] = functools.partial(account.client, name, region=_REGION)
        self._directory = directory
        self._recorded = directory / "tasks.jsonl"
        toolbox = ensure_tools(REHEARSAL, "This test")
        self.rehearsed.paths.overlay.write_text(overlay_of(toolbox))
        self._sources = sources_of(toolbox)
        self.existing = {**make_before(self.client), **make_sources(toolbox.files, directory)}
        self._play(*_FIRST)
        cluster = self.client("eks").describe_cluster(name=_CLUSTER)["cluster"]
        self.existing |= make_in_network(self.client, cluster)
        make_retired(self.client, cluster, self.existing)
        for made in (objects_of_others(), retired_objects()):
            self.rehearsed.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        self._play("-e", f"@{PLACED}")
        self.existing |= self._found(cluster)
        self._found_by_run = {False: self._read(otherwise=False)}
        self._recorded.unlink()
        self.rehearsed.kubectl("create", "serviceaccount", "provided", "-n", "complete-karpenter")
        self._play("--tags", "alb_controller,karpenter", "-e", f"@{PLACED}", "-e", f"@{OTHERWISE}")
        self._found_by_run[True] = self._read(otherwise=True)

    def play(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """site.yml, with a record of what tasks give to their modules."""
        file = self._directory / "existing.json"
        file.write_text(json.dumps({"existing": self.existing}))
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK_PLUGINS),
            "ANSIBLE_CALLBACKS_ENABLED": "recorded_tasks",
            "RECORDED_TASKS": str(self._recorded),
        }
        return self.rehearsed.play("site.yml", "-e", f"@{file}", *arguments, inventory=COMPLETE, **recording)

    def _play(self, *arguments: str) -> None:
        done = self.play(*arguments)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

    def found(self, row: Evidence) -> Any:
        """What is found where a row of evidence looks."""
        path = _PLACEHOLDER.sub(lambda found: str(self.existing.get(found[1], found[0])), row.path)
        state = self._found_by_run[row.otherwise][row.of]
        if isinstance(state, Exception):
            raise state
        return jmespath.search(path, state)

    def expected(self, value: Any) -> Any:
        """A value with what others made in place of {name}."""
        if isinstance(value, list):
            return [self.expected(each) for each in value]
        whole = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        return self.existing[whole[1]] if whole else value

    def _read(self, *, otherwise: bool) -> dict[str, Any]:
        """All that rows look at, before another run changes it; what cannot be read is its exception, for the tests of its rows."""
        state = State(self.rehearsed, self.client, self._recorded)
        found: dict[str, Any] = {}
        for of in {row.of for row in rows_of_evidence().values() if row.otherwise == otherwise}:
            try:
                found[of] = state.read(of)
            except Exception as error:
                found[of] = error
        return found

    def _found(self, cluster: Mapping[str, Any]) -> dict[str, Any]:
        """What only the run could make, and rows of evidence refer to."""
        offered = self.client("eks").describe_addon_versions(addonName="coredns", kubernetesVersion="1.34")["addons"][0]["addonVersions"]
        return {
            "security_group": self.existing["security_groups"][0],
            "vpc": cluster["resourcesVpcConfig"]["vpcId"],
            "kubeconfig": str(TwinPaths(f"{self.rehearsed.name}-{self.rehearsed.cluster}").kubeconfig),
            "latest_coredns": offered[0]["addonVersion"],
            "edge_certificate": certificate_arn(self.client, "complete.example"),
            "istio_version": self._sources["TWIN_ISTIO_VERSION"],
            "alb_controller_version": self._sources["TWIN_ALB_CONTROLLER_VERSION"],
        }


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Complete]:
    """The inventory in an account in which others have made some things before."""
    with fresh_account("test-variables") as rehearsed:
        yield Complete(rehearsed.name, tmp_path_factory.mktemp("variables"))


@pytest.mark.parametrize("variable", [pytest.param(variable, marks=pytest.mark.variable(variable)) for variable in sorted(rows_of_evidence())])
def test_a_variable_has_its_effect(complete: Complete, variable: str) -> None:
    row = rows_of_evidence()[variable]
    found, expected = complete.found(row), complete.expected(row.value)
    if not State.has_order(row.of) and isinstance(found, list) and isinstance(expected, list):
        found, expected = sorted(found, key=str), sorted(expected, key=str)
    assert found == expected, f"{variable}: {row.path} of {row.of} is {found!r}, not {expected!r}"


@pytest.mark.variable("karpenter_version")
def test_the_version_of_karpenter_leads_to_its_chart(complete: Complete) -> None:
    done = complete.play("--tags", "karpenter", "--check", "-e", "karpenter_version=1.9.9")
    assert done.returncode != 0 and "1.9.9" in done.stdout, done.stdout[-3000:]
