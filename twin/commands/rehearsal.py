"""An inventory is rehearsed: site.yml and verify.yml run with it, as it is, against a local AWS account."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from twin.aws import account
from twin.commands.environment import sources_of
from twin.commands.resources import read_resources
from twin.commands.tree import tree_of
from twin.errors import TwinError
from twin.paths import REPOSITORY, AccountPaths
from twin.tools.build import Toolbox, ensure_tools
from twin.tools.needs import REHEARSAL

_ISTIO = "The twin's Istio is built from the main branch, and no repository has its charts."
_CONTROLLER = "The twin runs this version of the load balancer controller, and has its chart and its IAM policy on disk."
_GATEWAY_API = "The Gateway API of the twin, from disk."
_KARPENTER = "The twin has the charts of this version of Karpenter on disk."

# Each variable that a rehearsal replaces, the twin's export with its value, and why it is replaced.
_REPLACED = (
    ("istio_version", "TWIN_ISTIO_VERSION", _ISTIO),
    ("istio_chart_source", "TWIN_CHARTS", _ISTIO),
    ("gateway_api_version", "TWIN_GATEWAY_API_VERSION", _GATEWAY_API),
    ("gateway_api_source", "TWIN_GATEWAY_API", _GATEWAY_API),
    ("alb_controller_version", "TWIN_ALB_CONTROLLER_VERSION", _CONTROLLER),
    ("alb_controller_chart_source", "TWIN_ALB_CONTROLLER_CHART", _CONTROLLER),
    ("alb_controller_policy_source", "TWIN_ALB_CONTROLLER_POLICY", _CONTROLLER),
    ("karpenter_version", "TWIN_KARPENTER_VERSION", _KARPENTER),
    ("karpenter_chart_source", "TWIN_KARPENTER_CHARTS", _KARPENTER),
    ("bookinfo_source", "TWIN_SAMPLES", "The sample application of that Istio, from disk."),
)
# What a rehearsal cannot wait for, and why.
_NOT_WAITED_FOR = (("karpenter_wait_for_node_pools", "Karpenter's pods are KWOK's, so nobody looks at node pools and calls them ready."),)
# The names of all variables that a rehearsal sets.
REPLACED = tuple(row[0] for row in (*_REPLACED, *_NOT_WAITED_FOR))
# What the caller's shell may say of clusters and accounts; a rehearsal hears nothing of it.
_FOREIGN = ("AWS_", "BOTO", "EC2_", "K8S_AUTH_", "KUBECONFIG", "KUBERNETES_", "HELM_KUBE", "TWIN_KUBECONFIG")


@dataclass
class Rehearsal:
    """What took how long, and how it ended."""

    seconds: dict[str, float] = field(default_factory=dict)
    code: int = 0

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes the time of a block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = time.monotonic() - started


def rehearse(name: str, inventory: str, arguments: list[str]) -> int:
    """Run it; the account stays up.

    Args:
        name: the account; it is made when it is not there.
        inventory: as ansible-playbook takes it.
        arguments: further arguments of ansible-playbook.

    Returns:
        The exit code of the first playbook that failed, else 0.

    Raises:
        TwinError: there is no such inventory, or the account could not be brought up.
    """
    place = find_inventory(inventory)
    rehearsal = Rehearsal()
    with rehearsal.timed("Building the twin's programs"):
        toolbox = ensure_tools(REHEARSAL, "A rehearsal")
    with rehearsal.timed("Starting the AWS account"):
        account.up(name)
    overlay = AccountPaths(name).overlay
    overlay.write_text(overlay_of(toolbox))
    environment = environment_of(os.environ, name, toolbox)
    # After a check nothing has been made that could be judged.
    playbooks = ["site.yml"] if {"--check", "-C", "--syntax-check", "--list-tasks"} & set(arguments) else ["site.yml", "verify.yml"]
    for playbook in playbooks:
        with rehearsal.timed(playbook):
            rehearsal.code = _play(playbook, place, overlay, arguments, environment)
        if rehearsal.code:
            break
    # A terminal folds long lines within the tree; a file gets them whole.
    _show(name, rehearsal, Console(highlight=False, width=None if sys.stdout.isatty() else 250))
    return rehearsal.code


def find_inventory(inventory: str) -> str:
    """The inventory for a command that runs elsewhere: a path is made absolute, a list of hosts stays.

    Raises:
        TwinError: it is neither.
    """
    if "," in inventory:
        return inventory
    if not inventory:
        raise TwinError("No inventory was named: name a file or directory, as in make rehearse INVENTORY=inventories/prod.")
    path = Path(inventory).absolute()
    if not path.exists():
        raise TwinError(f"There is no inventory {inventory}: name a file or directory, as in make rehearse INVENTORY=inventories/prod.")
    return str(path)


def overlay_of(toolbox: Toolbox) -> str:
    """The extra variables of a rehearsal as YAML; each says why it is there."""
    values = sources_of(toolbox)
    values["TWIN_SAMPLES"] = str(Path(values["TWIN_SAMPLES"]) / "bookinfo")
    lines = ["---", "# All that a rehearsal replaces in the inventory. It is written anew by each rehearsal."]
    for variable, export, reason in _REPLACED:
        lines += [f"# {reason}", yaml.safe_dump({variable: values[export]}, width=1000).strip()]
    for variable, reason in _NOT_WAITED_FOR:
        lines += [f"# {reason}", yaml.safe_dump({variable: False}).strip()]
    return "\n".join(lines) + "\n"


def environment_of(caller: Mapping[str, str], name: str, toolbox: Toolbox) -> dict[str, str]:
    """The environment of the playbooks: the caller's, without any word of other clusters and accounts."""
    environment = {variable: value for variable, value in caller.items() if not variable.startswith(_FOREIGN)}
    environment |= account.credentials(name)
    # What asks for the default kubeconfig gets an empty one, never ~/.kube/config with a cluster that matters.
    environment["KUBECONFIG"] = os.devnull
    environment["ANSIBLE_CONFIG"] = str(REPOSITORY / "ansible.cfg")
    programs = [str(Path(sys.executable).parent), *toolbox.path_entries("kubectl", "helm", "istioctl")]
    environment["PATH"] = os.pathsep.join([*programs, caller.get("PATH", os.defpath)])
    # A proxy cannot reach what runs on this machine.
    for variable in ("NO_PROXY", "no_proxy"):
        environment[variable] = ",".join(filter(None, [caller.get(variable, ""), "127.0.0.1,localhost"]))
    return environment


def _play(playbook: str, inventory: str, overlay: Path, arguments: list[str], environment: dict[str, str]) -> int:
    """Run a playbook with its output on the terminal."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook, "-i", inventory, "-e", f"@{overlay}", *arguments]
    sys.stdout.flush()
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


def _show(name: str, rehearsal: Rehearsal, console: Console) -> None:
    """What exists now, in AWS, and how long each step took."""
    from botocore.exceptions import BotoCoreError, ClientError

    settings = account.settings_of(name)
    regions = sorted({account.REGION, *account.regions(name)})
    for region in regions:
        console.print()
        try:
            resources = read_resources(partial(account.client, name, region=region))
        except (BotoCoreError, ClientError) as error:
            raise TwinError(f"The AWS account {name} could not be read ({error}): look into {AccountPaths(name).logs}.") from error
        console.print(tree_of(f"AWS account {name}, {region}, {settings.endpoint}", resources))
    console.print()
    steps = Table(title="Time of each step", title_justify="left", title_style="bold", show_edge=False, pad_edge=False, show_header=False)
    steps.add_column("Step")
    steps.add_column("Seconds", justify="right")
    for step, seconds in rehearsal.seconds.items():
        steps.add_row(step, f"{seconds:.1f} s")
    steps.add_row("[bold]Together[/]", f"[bold]{sum(rehearsal.seconds.values()):.1f} s[/]")
    console.print(steps)
    if rehearsal.code:
        console.print("\nThe playbook did not succeed; its last task above says why. Run the rehearsal again to go on where it stopped.")
