"""A process that waits for one Gateway after the other: python -m benchmarks.waiter ours|bare KUBECONFIG NAMESPACE.

It reads a name per line, says that it begins, waits, and says when (on the monotonic clock) it knew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

SECONDS = 60.0


def ours(kubeconfig: Path, namespace: str) -> Callable[[str], None]:
    """The engine of the module ready."""
    from kubernetes import config

    from twin.collection import ApiSession, Transport

    # Comes after twin.collection, which knows where the collection is.
    from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target  # isort: skip
    from ansible_collections.meshwright.ambient.plugins.module_utils._wait.wait import wait_until_current  # isort: skip

    session = ApiSession(Transport(config.new_client_from_config(config_file=str(kubeconfig))), name="twin", pause=lambda _seconds: None)

    def wait(name: str) -> None:
        target = Target(kind="Gateway", name=name, namespace=namespace)
        outcome = wait_until_current(session, [target], timeout=SECONDS, clock=monotonic)
        if not outcome.current:
            raise TimeoutError(str(outcome.laggards))

    return wait


def bare(kubeconfig: Path, namespace: str) -> Callable[[str], None]:
    """One list and one watch by a client that does nothing else."""
    from benchmarks.bare import BareClient

    client = BareClient(kubeconfig)
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways"

    def wait(name: str) -> None:
        key = (namespace, name)

        def programmed(_key: tuple[str, str]) -> bool:
            conditions = followed.objects[path].get(key, {}).get("status", {}).get("conditions", ())
            return any(item["type"] == "Programmed" and item["status"] == "True" for item in conditions)

        with client.follow(path) as followed:
            followed.wait([path], [key], programmed, SECONDS)

    return wait


def main() -> None:
    chosen, kubeconfig, namespace = sys.argv[1:]
    wait = {"ours": ours, "bare": bare}[chosen](Path(kubeconfig), namespace)
    for line in sys.stdin:
        sys.stdout.write("waiting\n")
        sys.stdout.flush()
        wait(line.strip())
        sys.stdout.write(f"{monotonic()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
