"""The module eks_cluster before a cluster that is protected from deletion: it is deleted on request only."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.twin.aws.local_aws import OWNER_KEY, OWNER_SECRET, REGION, Base, LocalAws
from tests.twin.support.run_module import command_for
from twin.paths import REPOSITORY


def _delete(aws: LocalAws, **more: Any) -> dict[str, Any]:
    command = command_for("eks_cluster", {"name": "guarded", "region": REGION, "state": "absent", **more})
    keys = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": OWNER_KEY, "AWS_SECRET_ACCESS_KEY": OWNER_SECRET}
    done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **keys}, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip(), f"eks_cluster answered nothing: {done.stderr[-2000:]}"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_it_is_refused_until_it_is_overridden(aws: LocalAws, base: Base) -> None:
    eks = aws.client("eks")
    eks.create_cluster(name="guarded", roleArn=base.role, resourcesVpcConfig={"subnetIds": base.subnets}, deletionProtection=True)
    refused = _delete(aws)
    assert refused.get("failed"), "a cluster that is protected was deleted"
    assert "is protected from deletion: set override_deletion_protection to true to delete it all the same" in refused["msg"]
    assert eks.describe_cluster(name="guarded")["cluster"]["deletionProtection"] is True
    gone = _delete(aws, override_deletion_protection=True)
    assert gone.get("changed"), gone.get("msg")
    assert "guarded" not in eks.list_clusters()["clusters"]
