"""Helm's records on a twin, written as an interrupted Helm leaves them."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess

from tests.twin.conftest import Twin


def set_release_status(twin: Twin, release: str, status: str) -> None:
    """Give the newest revision of a release in istio-system another state."""
    found = twin.run(["kubectl", "get", "secret", "-n", "istio-system", "-l", f"owner=helm,name={release}", "-o", "json"])
    secret = max(json.loads(found.stdout)["items"], key=lambda item: int(item["metadata"]["labels"]["version"]))
    record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    record["info"]["status"] = status
    secret["data"]["release"] = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
    secret["metadata"]["labels"]["status"] = status
    done = subprocess.run(["kubectl", "replace", "-f", "-"], env=twin.environment, input=json.dumps(secret), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def release_status(twin: Twin, release: str) -> str:
    """The state of the newest revision of a release in istio-system."""
    listed = json.loads(twin.run(["helm", "list", "--all", "-n", "istio-system", "-o", "json", "--filter", f"^{release}$"]).stdout)
    return str(listed[0]["status"]) if listed else ""
