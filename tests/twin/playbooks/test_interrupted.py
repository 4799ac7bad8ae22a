"""A run that was killed leaves half-made things; the next run makes them whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from tests.twin.conftest import fresh_account
from tests.twin.support.rehearsed import PROD, Rehearsed
from twin.collection import SECRET
from twin.commands.rehearsal import environment_of, overlay_of
from twin.kwok.session import open_session
from twin.paths import REPOSITORY, TwinPaths
from twin.tools.build import locate_tools

# Cluster, controller and mesh; what is behind them is interrupted no differently.
LESS = {
    "bookinfo_enabled": False,
    "mesh_waypoints": [],
    "mesh_namespaces": [],
    "ingress_gateways": [],
    "ingress_albs": [],
    "ingress_routes": [],
    "aws_edge_hosted_zones": [],
    "aws_edge_certificates": [],
    "aws_edge_web_acls": [],
    "aws_edge_log_buckets": [],
}
CONTROLLER = "aws-load-balancer-controller"
WEBHOOK_SERVICE = "aws-load-balancer-webhook-service"
CHANGED = "targetgroupbindings.elbv2.k8s.aws"
OLDER = "/spec/versions/0/schema/openAPIV3Schema/description"


@pytest.mark.requirement("A14", "B7", "B8")
def test_a_killed_run_is_made_whole_by_the_next() -> None:
    with fresh_account("test-killed") as account:
        account.paths.overlay.write_text(overlay_of(locate_tools()))
        arguments = ("-e", json.dumps(LESS))

        # Long enough to be killed in, however slow this machine is.
        account.control("phases", {"cluster": 600}, "POST")
        kill_when(account, arguments, "the cluster is being made", lambda: states(account) == ["CREATING"])
        account.control("phases", {"cluster": 0}, "POST")
        kill_when(account, arguments, "Helm installs the controller", lambda: bool(releases(account, CONTROLLER)))
        assert states(account) == ["ACTIVE"], "the cluster of the killed run was not taken up"

        done = account.play("site.yml", *arguments)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert re.findall(r"changed=(\d+)", done.stdout) != ["0"], "nothing was left to do: the run was not killed in its midst"

        # The controller's webhook answered before the first chart of Istio was installed.
        asked = requests_of(account)
        answered = first_of(asked, rf"get .*/services/https:{WEBHOOK_SERVICE}:443/proxy/\S* [^5]")
        installed = first_of(asked, r"\w+ /api/v1/namespaces/istio-system/secrets/sh\.helm\.release\.v1\.istio-base\.v1")
        assert answered < installed, f"istio-base was installed as request {installed}, and the webhook answered as request {answered}"

        # What Helm would never do at an upgrade: a definition that lacks is made, and one that differs is changed, before the chart.
        account.kubectl("delete", "crd", "globalaccelerators.aga.k8s.aws")
        account.kubectl("patch", "crd", CHANGED, "--type=json", "-p", json.dumps([{"op": "replace", "path": OLDER, "value": "older"}]))
        before = len(requests_of(account))
        upgrade = ("--tags", "alb_controller", "-e", "alb_controller_replicas=1")
        refused = account.play("site.yml", *arguments, *upgrade)
        message = " ".join(refused.stdout.split())
        assert refused.returncode == 2 and '"kubectl-patch"' in message and ".spec.versions" in message, message[-3000:]
        done = account.play("site.yml", *arguments, *upgrade, "-e", "alb_controller_force_conflicts=true")
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert account.get("crd", "globalaccelerators.aga.k8s.aws")
        assert account.get("crd", CHANGED)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] != "older", "a definition was left as it was"
        asked = requests_of(account)[before:]
        written = [last_of(asked, rf"patch .*/customresourcedefinitions/{name}\?(?!.*dryRun)") for name in ("globalaccelerators.aga.k8s.aws", CHANGED)]
        upgraded = first_of(asked, r"create /api/v1/namespaces/kube-system/secrets ")
        assert max(written) < upgraded, f"the definitions were written as requests {written}, after the chart was upgraded as request {upgraded}"

        account.play("site.yml", *arguments, "--tags", "alb_controller")
        again = account.play("site.yml", *arguments)
        assert again.returncode == 0 and re.findall(r"changed=(\d+)", again.stdout) == ["0"], again.stdout[-5000:]


def kill_when(account: Rehearsed, arguments: tuple[str, ...], what: str, come: Callable[[], bool]) -> None:
    """Run site.yml, and kill it with all that it has started as soon as something has come about."""
    command = ["ansible-playbook", "site.yml", "-i", str(PROD), "-e", f"@{account.paths.overlay}", *arguments]
    environment = environment_of(os.environ, account.name, locate_tools())
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        deadline, pause = time.monotonic() + 240, threading.Event()
        while not come():
            # Neither can be: the run goes on after what is waited for.
            assert run.poll() is None, f"the run ended before {what}: {run.stdout.read()[-3000:] if run.stdout else ''}"
            assert time.monotonic() < deadline, f"it never came about that {what}"
            pause.wait(0.02)
        kill_tree(run.pid)
        run.communicate()


def kill_tree(pid: int) -> None:
    """SIGKILL to a process and all below it; Ansible's workers have sessions of their own."""
    parent = psutil.Process(pid)
    # Stopped first, so that nothing new is started while the others are looked for.
    parent.suspend()
    for process in [*parent.children(recursive=True), parent]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def states(account: Rehearsed) -> list[str]:
    """The states of the account's clusters."""
    return [cluster["status"] for cluster in account.control("clusters")]


def releases(account: Rehearsed, name: str) -> list[str]:
    """When the revisions of a release in kube-system were recorded; none while there is no cluster."""
    if states(account) != ["ACTIVE"]:
        return []
    session = open_session(TwinPaths(f"{account.name}-{account.cluster}"))
    found = session.list(SECRET, "kube-system", label_selector=f"owner=helm,name={name}", metadata_only=True)
    return [str(secret["metadata"]["creationTimestamp"]) for secret in found.items]


def requests_of(account: Rehearsed) -> list[str]:
    """What the account's API server was asked, in the order of its answers: verb, URI and status."""
    events = map(json.loads, TwinPaths(f"{account.name}-{account.cluster}").audit_log.read_text().splitlines())
    return [f"{event['verb']} {event['requestURI']} {(event.get('responseStatus') or {}).get('code', '')}" for event in events]


def first_of(requests: list[str], pattern: str) -> int:
    """The place of the first request of a form."""
    return next(place for place, request in enumerate(requests) if re.match(pattern, request))


def last_of(requests: list[str], pattern: str) -> int:
    """The place of the last request of a form."""
    return len(requests) - 1 - first_of(requests[::-1], pattern)
