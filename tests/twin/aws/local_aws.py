"""How tests speak with the local AWS."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from twin.paths import REPOSITORY

REGION = "eu-central-1"
OWNER_KEY = "AKIAOWNEROFTHEACCNT0"
OWNER_SECRET = "the-secret-of-the-owner"


@dataclass(frozen=True)
class LocalAws:
    """A running emulator and the ways a test uses it."""

    url: str
    request_log: Path

    def client(self, service: str, region: str = REGION, access_key: str = OWNER_KEY, secret: str = OWNER_SECRET, token: str | None = None) -> Any:
        """A client of boto3 that does not try again, so that each test sees the first answer."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask a control path; its answer, or an AssertionError with what it said."""
        status, answer = self.ask(method, path, body)
        assert status == 200, f"{method} /_twin{path}: {status} {answer}"
        return answer

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer of a control path."""
        request = urllib.request.Request(f"{self.url}/_twin{path}", method=method, data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@dataclass(frozen=True)
class Base:
    """What a cluster needs before it can be."""

    vpc: str
    subnets: list[str]
    role: str
    node_role: str
    pod_role: str


@contextmanager
def serving(command: list[str], request_log: Path) -> Iterator[LocalAws]:
    """Run a server until the end of the block; nothing takes time in it until a test says so."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": OWNER_KEY, "AWS_SECRET_ACCESS_KEY": OWNER_SECRET}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            assert url, "The local AWS ended before it served."
            local = LocalAws(url, request_log)
            local.control("POST", "/phases", {"default": 0})
            yield local
        finally:
            server.terminate()


def make_base(aws: LocalAws) -> Base:
    """A VPC with subnets in two zones, and roles."""
    ec2, iam = aws.client("ec2"), aws.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"{REGION}{zone}") for number, zone in enumerate("ab")]
    roles = [iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"] for name in ("cluster", "nodes", "pods")]
    return Base(vpc, [each["Subnet"]["SubnetId"] for each in subnets], *roles)
