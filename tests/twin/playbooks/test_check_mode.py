"""What check mode announces is what the same run then changes, and nothing else: held against the logs of the API server and of the local AWS."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.results import CALLBACK_PLUGINS
from tests.twin.conftest import fresh_account
from tests.twin.support.announced import announced, parts_of_waypoints
from tests.twin.support.rehearsed import Rehearsed
from tests.twin.support.writes import writes_in_cluster
from tests.twin.support.written import written_in_aws, written_in_cluster
from twin.aws import account
from twin.commands.rehearsal import overlay_of
from twin.paths import REPOSITORY, TwinPaths
from twin.tools.build import ensure_tools
from twin.tools.needs import REHEARSAL

_INVENTORY = Path(__file__).parent / "inventories" / "checked"
_CLUSTER = "checked"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}],
}


@dataclass(frozen=True)
class Step:
    """A change of the inventory.

    Attributes:
        title: what changes.
        tags: the roles whose lists change.
        kinds: how the objects that it changes begin, so that a step without an effect is no proof.
        variables: what replaces variables of the inventory, from this step on.
        unannounced: what a run changes although check mode cannot announce it, as docs/operations/runs.md says.
        checks_all: whether the check is one of all roles.
    """

    title: str
    tags: str
    kinds: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    unannounced: list[str] = field(default_factory=list)
    checks_all: bool = False


STEPS = [Step(**step) for step in yaml.safe_load(Path(__file__).with_name("checked_steps.yml").read_text())]


class Scene:
    """An account and its cluster, which go from step to step."""

    def __init__(self, rehearsed: Rehearsed, directory: Path) -> None:
        self.rehearsed = rehearsed
        self.client: Callable[[str], Any] = functools.partial(account.client, rehearsed.name)
        self._directory = directory
        self._audit_log = TwinPaths(f"{rehearsed.name}-{_CLUSTER}").audit_log
        iam, trust = self.client("iam"), json.dumps(_TRUST)
        roles = {
            name: iam.create_role(RoleName=f"existing-{name}", AssumeRolePolicyDocument=trust)["Role"]["Arn"] for name in ("operators", "auditors", "pods")
        }
        self._variables: dict[str, Any] = {"existing": roles}
        rehearsed.paths.overlay.write_text(overlay_of(ensure_tools(REHEARSAL, "This test")))

    def check_and_run(self, step: Step) -> tuple[set[str], set[str]]:
        """What check mode announces of a step, and what the run then changes."""
        self._variables |= step.variables
        recorded = self._directory / f"{step.title}.jsonl"
        before = self._writes()
        done = self._play(recorded, "--check", *(() if step.checks_all else ("--tags", step.tags)))
        assert done.returncode == 0, f"{step.title}, in check mode: {done.stdout[-6000:]}{done.stderr[-2000:]}"
        written = [write for write in self._writes() if write not in before]
        assert not written, f"{step.title}: check mode has written {written}"
        audited = self._audit_log.stat().st_size if self._audit_log.exists() else 0
        requests, identified = len(self._requests()), self._identified()
        done = self._play(self._directory / "run.jsonl", "--tags", step.tags)
        assert done.returncode == 0, f"{step.title}: {done.stdout[-6000:]}{done.stderr[-2000:]}"
        parts = parts_of_waypoints(recorded)
        in_cluster = {parts.get(found, found) for found in written_in_cluster(self._audit_log, audited)}
        return announced(recorded), in_cluster | written_in_aws(self._requests()[requests:], identified | self._identified())

    def _requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rehearsed.control("requests?writes")
        return found

    def _writes(self) -> set[str]:
        return {*self.rehearsed.writes(), *(writes_in_cluster(self._audit_log) if self._audit_log.exists() else ())}

    def _play(self, recorded: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        file = self._directory / "variables.json"
        file.write_text(json.dumps(self._variables))
        recorded.write_text("")
        recording = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK_PLUGINS), "ANSIBLE_CALLBACKS_ENABLED": "recorded_tasks", "RECORDED_TASKS": str(recorded)}
        return self.rehearsed.play(str(REPOSITORY / "site.yml"), "-e", f"@{file}", *arguments, inventory=_INVENTORY, **recording)

    def _identified(self) -> dict[str, str]:
        """What exists, by the identifiers that AWS has given to it."""
        ec2, eks = self.client("ec2"), self.client("eks")
        found = {each["VpcId"]: f"VPC {each['CidrBlock']}" for each in ec2.describe_vpcs()["Vpcs"]}
        found |= {each["SubnetId"]: f"subnet {each['CidrBlock']}" for each in ec2.describe_subnets()["Subnets"]}
        found |= {each["InternetGatewayId"]: "internet gateway" for each in ec2.describe_internet_gateways()["InternetGateways"]}
        found |= {each["NatGatewayId"]: "NAT gateway" for each in ec2.describe_nat_gateways()["NatGateways"]}
        found |= {each["RouteTableId"]: "route table" for each in ec2.describe_route_tables()["RouteTables"]}
        certificates = self.client("acm").list_certificates()["CertificateSummaryList"]
        found |= {each["CertificateArn"]: f"certificate {each['DomainName']}" for each in certificates}
        zones = self.client("route53").list_hosted_zones()["HostedZones"]
        found |= {each["Id"].rpartition("/")[2]: f"hosted zone {each['Name'].rstrip('.')}" for each in zones}
        associations = eks.list_pod_identity_associations(clusterName=_CLUSTER)["associations"] if _CLUSTER in eks.list_clusters()["clusters"] else []
        return found | {each["associationId"]: f"association {each['namespace']}/{each['serviceAccount']}" for each in associations}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An account with nothing but roles of others."""
    with fresh_account("test-checked") as rehearsed:
        yield Scene(Rehearsed(rehearsed.name, _CLUSTER), tmp_path_factory.mktemp("checked"))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_check_mode_announces_what_the_run_changes_and_nothing_else(scene: Scene, step: Step) -> None:
    predicted, made = scene.check_and_run(step)
    expected = predicted | set(step.unannounced)
    assert made == expected, f"changed without being announced: {sorted(made - expected)}; announced and not changed: {sorted(expected - made)}"
    others = [found for found in made if not found.startswith(tuple(step.kinds))]
    lacking = [kind for kind in step.kinds if not any(found.startswith(kind) for found in made)]
    assert not others and not lacking, f"the step is there for {', '.join(lacking) or 'other kinds of objects'}, and changes {sorted(made)}"
