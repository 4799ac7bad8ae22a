"""Serves a local AWS whose clusters are made by a provider that waits: each call waits for a file of its name in a directory."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.polling import until
from twin.aws.cluster_provider import AddonSpec, ClusterEndpoint, ClusterKey, ClusterSpec, Grant, NodeSpec

REFUSED = "this cluster cannot be had"


class Gated:
    """A provider that notes its calls in the file `calls`, and lets each return when the file `open` is there; what is called `bad` fails."""

    inline = False

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _pass(self, *call: object) -> None:
        with (self._directory / "calls").open("a") as file:
            file.write(json.dumps(call) + "\n")
        until(lambda: (self._directory / "open").exists(), "the test to open the gate", 600)
        if "bad" in call:
            raise RuntimeError(REFUSED)

    def create(self, spec: ClusterSpec) -> ClusterEndpoint:
        self._pass("create", spec.name, asdict(spec))
        return ClusterEndpoint("https://127.0.0.1:6443", "Q0E=")

    def delete(self, cluster: ClusterKey) -> None:
        self._pass("delete", cluster.name)

    def set_nodes(self, cluster: ClusterKey, nodes: Sequence[NodeSpec]) -> None:
        self._pass("set_nodes", cluster.name, [asdict(node) for node in nodes])

    def install_addon(self, cluster: ClusterKey, addon: AddonSpec) -> None:
        self._pass("install_addon", cluster.name, asdict(addon), "bad" if addon.configuration.get("bad") else "good")

    def remove_addon(self, cluster: ClusterKey, name: str) -> None:
        self._pass("remove_addon", cluster.name, name)

    def set_grants(self, cluster: ClusterKey, grants: Sequence[Grant]) -> None:
        self._pass("set_grants", cluster.name, [asdict(grant) for grant in grants])


if __name__ == "__main__":
    from twin.aws.server import serve

    serve(0, Gated(Path(sys.argv[1])), region="eu-central-1")
