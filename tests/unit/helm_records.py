"""Helm's records of releases, made for tests as Helm writes them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from tests.unit.objects import Object


def record(
    name: str = "istiod",
    namespace: str = "istio-system",
    *,
    status: str = "deployed",
    revision: int = 1,
    chart: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    packed: bool = True,
    manifest: str = "",
) -> Object:
    """The Secret of one revision; chart is the metadata of its chart, and files are the chart's by path."""
    described = {"name": name, "version": "1.31.1", "appVersion": "1.31.1", **(chart or {})}
    listed = [{"name": path, "data": base64.b64encode(text.encode()).decode()} for path, text in (files or {}).items()]
    reported = {
        "name": name,
        "info": {"status": status},
        "chart": {"metadata": described, "files": listed},
        "config": config,
        "version": revision,
        "manifest": manifest,
    }
    text = json.dumps(reported).encode()
    release = base64.b64encode(base64.b64encode(gzip.compress(text) if packed else text)).decode()
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    metadata = {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"release": release}}
