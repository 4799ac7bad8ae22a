"""Reports to the AWS account which pod addresses are on which node, as the VPC CNI puts them on the network interfaces of instances."""

from __future__ import annotations

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

from twin.collection import Object
from twin.kwok.settings import AwsSettings

_log = logging.getLogger("addresses")
_SECONDS = 10.0
_RETRY_SECONDS = 2.0


def addresses_of(pods: list[Object]) -> list[dict[str, str]]:
    """Address, node and name of each pod that has an address of its own, in the order of addresses."""
    found = [
        {
            "address": pod["status"]["podIP"],
            "node": pod["spec"]["nodeName"],
            "pod": f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
        }
        for pod in pods
        if pod["spec"].get("nodeName")
        and not pod["spec"].get("hostNetwork")
        and (pod.get("status") or {}).get("podIP")
        and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]
    return sorted(found, key=lambda item: item["address"])


def follow_addresses(aws: AwsSettings | None) -> Callable[[list[Object]], None]:
    """What is to be called with all pods of the cluster whenever one of them has changed."""
    if aws is None:
        return lambda _pods: None
    addresses = PodAddresses(aws)
    addresses.start()
    return addresses.update


class PodAddresses:
    """Sends the addresses whenever they have changed; while one message is under way, later changes gather for the next."""

    def __init__(self, aws: AwsSettings) -> None:
        self._aws = aws
        self._changed = threading.Condition()
        self._current: list[dict[str, str]] | None = None
        self._sent: list[dict[str, str]] | None = None

    def start(self) -> None:
        """Begin, in a thread of its own, for as long as the agent runs."""
        threading.Thread(target=self._run, name="addresses", daemon=True).start()

    def update(self, pods: list[Object]) -> None:
        """These are all pods of the cluster now."""
        with self._changed:
            self._current = addresses_of(pods)
            self._changed.notify()

    def _run(self) -> None:
        pause = threading.Event()
        reported = ""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._current is not None and self._current != self._sent)
                addresses = list(self._current or ())
            try:
                self._send(addresses)
                self._sent, reported = addresses, ""
            except (OSError, urllib.error.URLError) as error:
                if str(error) != reported:
                    _log.warning("the account %s did not take the addresses of %d pods: %s", self._aws.account, len(addresses), error)
                reported = str(error)
                pause.wait(_RETRY_SECONDS)

    def _send(self, addresses: list[dict[str, str]]) -> None:
        body = json.dumps({"cluster": self._aws.cluster, "region": self._aws.region, "pods": addresses}).encode()
        request = urllib.request.Request(f"{self._aws.endpoint}/_twin/pods", data=body, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=_SECONDS):
            pass
