"""No secret leaves the job: planted keys, tokens and the cluster's own private keys are searched for in all that a run says and leaves behind."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import time
from pathlib import Path
from urllib.parse import quote

import ansible_runner
import pytest

from tests.twin.support.operators import operator
from tests.twin.support.planted import Planted
from tests.twin.support.rehearsed import PROD, Rehearsed
from twin.aws import account
from twin.commands.rehearsal import environment_of
from twin.paths import REPOSITORY, TwinPaths
from twin.tools.build import locate_tools

_SESSION_TOKEN = "PlantedSessionToken/+" + "Zq7Rm2Xw9Kd4" * 8 + "=="
# What asks AWS and the cluster by each kind of task: amazon.aws', Helm's, kubernetes.core's and the collection's own.
_STEPS = "alb_controller,istio,ingress,mesh"
# What a Secret holds that everybody may know.
_PUBLIC = ("ca.crt", "tls.crt", "cert-chain.pem", "root-cert.pem", "ca-cert.pem", "namespace")


@pytest.mark.parametrize(
    "form",
    [
        lambda value: value,
        lambda value: quote(value, safe=""),
        lambda value: base64.b64encode(f"ab{value}c".encode()).decode(),
        lambda value: base64.urlsafe_b64encode(f"a{value}".encode()).decode(),
        json.dumps,
    ],
)
def test_the_search_finds_each_form(form: object) -> None:
    assert callable(form)
    planted = Planted({"the token": _SESSION_TOKEN})
    assert planted.found_in(f"before {form(_SESSION_TOKEN)} after".encode()) == {"the token"}
    assert planted.found_in(b"nothing") == set()


def _secrets_of(rehearsed: Rehearsed) -> dict[str, str]:
    """Every value of every Secret of the cluster, in lines or pieces that are found wherever they are quoted."""
    values = {}
    for secret in rehearsed.get("secrets", "-A")["items"]:
        where = f"Secret {secret['metadata']['namespace']}/{secret['metadata']['name']}"
        for key, encoded in (secret.get("data") or {}).items():
            value = base64.b64decode(encoded)
            if key in _PUBLIC or len(value) < 16:
                continue
            if key == "release":
                values[f"{where} {key}"] = value.decode()[200:300]
                values |= _keys_in(f"{where} {key}", gzip.decompress(base64.b64decode(value)).decode())
            else:
                lines = [line for line in value.decode("utf-8", "replace").splitlines() if len(line) >= 16 and "-----" not in line]
                # A line in the middle: the first ones of keys are alike.
                values |= {f"{where} {key}": lines[len(lines) // 2]} if lines else {}
    return values


def _keys_in(where: str, release: str) -> dict[str, str]:
    """The private keys in the manifest of a release of Helm, which are in base64 there."""
    found = re.findall(r"tls\.key: ([A-Za-z0-9+/=]{100,})", release)
    return {f"{where}, key {number}": base64.b64decode(text).decode().splitlines()[5] for number, text in enumerate(found)}


def test_no_secret_is_reported_by_the_run_that_makes_everything(prod: Rehearsed) -> None:
    if not prod.first_run.exists():
        pytest.skip("the account of MESHWRIGHT_PROD_ACCOUNT was not made by these tests")
    expected = prod.first_run.read_bytes()
    assert b"EXEC /bin/sh -c" in expected, "this was no run with -vvv"
    assert b"(desired)" in expected, "this was no run with --diff"
    planted = Planted({**_secrets_of(prod), "the AWS secret key": account.SECRET_KEY})
    assert not planted.found_in(expected)


def test_no_secret_is_reported_or_left_behind(prod: Rehearsed, tmp_path: Path) -> None:
    planted = Planted(_secrets_of(prod))
    assert any("aws-load-balancer-tls" in name for name in planted.values), f"the webhook's key is not among {sorted(planted.values)}"
    assert any("release, key" in name for name in planted.values), "no release of Helm has a private key"
    home, temporary, runner = tmp_path / "home", tmp_path / "tmp", tmp_path / "runner"
    for directory in (home, temporary, runner):
        directory.mkdir()
    with operator(prod, "secretive") as who:
        planted.values |= {"the AWS secret key": who.secret_key, "the AWS session token": _SESSION_TOKEN}
        environment = {**environment_of(os.environ, prod.name, locate_tools()), **who.environment, "AWS_SESSION_TOKEN": _SESSION_TOKEN}
        # What a run writes for its user and for the moment lands where it can be looked through, as it stays there.
        environment |= {
            "TMPDIR": str(temporary),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_REMOTE_TMP": str(home / "tmp"),
            "ANSIBLE_ASYNC_DIR": str(home / "async"),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        started = time.time()
        run = ansible_runner.run(
            private_data_dir=str(runner),
            project_dir=str(REPOSITORY),
            playbook="site.yml",
            inventory=str(PROD),
            cmdline=f"-vvv --diff --tags {_STEPS} -e @{prod.paths.overlay}",
            envvars=environment,
            ident="job",
            quiet=True,
        )
    job = runner / "artifacts" / "job"
    output = (job / "stdout").read_text()
    assert run.rc == 0, output[-4000:]
    assert "EXEC /bin/sh -c" in output, "this was no run with -vvv"
    # The job's environment is what Ansible Runner keeps of its own accord: where it is told to, and here the proof that the search would find it.
    own = [job / "command", runner / "env" / "envvars"]
    assert planted.found_in(own[0].read_bytes()) >= {"the AWS secret key", "the AWS session token"}, "the search does not find what is there"
    for path in own:
        path.unlink(missing_ok=True)
    events = list((job / "job_events").glob("*.json"))
    assert len(events) > 50, "there are no events to look through"
    twin = TwinPaths(f"{prod.name}-{prod.cluster}")
    places = [runner, home, temporary, prod.paths.logs, twin.logs]
    found = set().union(*(planted.found_below(place) for place in places), planted.found_below(REPOSITORY, started))
    # What others write meanwhile may have keys of theirs.
    keys = Planted({name: planted.values[name] for name in ("the AWS secret key", "the AWS session token")})
    for place in (prod.paths.home, Path.home() / ".ansible", Path("/tmp")):  # noqa: S108
        found |= {what for what in keys.found_below(place, started) if "the AWS" in what and str(tmp_path) not in what}
    assert not found, "\n".join(sorted(found))
