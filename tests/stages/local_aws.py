"""A local AWS of the tests' own: one emulator, whose EKS clusters are records, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.aws.account import ACCESS_KEY, SECRET_KEY
from twin.paths import REPOSITORY

REGION = "eu-central-1"
_KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@contextmanager
def local_aws(log: Path | None = None) -> Iterator[dict[str, str]]:
    """A new, empty AWS for a block; yields the variables with which AWS' SDK speaks to it. Its own words go to the log, or nowhere."""
    command = [sys.executable, "-m", "twin.aws", "--port", "0"]
    with log.open("w") if log else Path("/dev/null").open("w") as stream, _running(command, stream.fileno()) as process:
        # It says its address once it listens.
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise RuntimeError(f"The local AWS did not start: see {log or 'what python -m twin.aws --port 0 says'}.")
        yield {**_KEYS, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": address, "AWS_REGION": REGION}


@contextmanager
def _running(command: list[str], stream: int) -> Iterator[subprocess.Popen[str]]:
    # With the keys it verifies what they have signed.
    environment = {**os.environ, **_KEYS}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=stream, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
