"""EKS clusters that are twins: a cluster PROD of the account SANDBOX is the twin sandbox-prod."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import yaml

from twin.agent.grants import GRANTS
from twin.aws.account import REGION
from twin.aws.addon_objects import Object, objects_of
from twin.aws.cluster_provider import AddonSpec, ClusterEndpoint, ClusterKey, ClusterSpec, Grant, NodeSpec
from twin.aws.node_objects import changes_to, node_object
from twin.collection import NODE, POD, ApiSession, MeshError, Write
from twin.errors import TwinError
from twin.kwok import lifecycle
from twin.kwok.session import open_session, wait_for
from twin.kwok.settings import AwsSettings, read_settings
from twin.paths import CONFIG, LONGEST_NAME, TwinPaths
from twin.tools.build import locate_tools

_CLUSTER_OBJECTS = CONFIG / "eks.yaml"

# The role that each access policy was modelled on; those for the whole cluster are bound in config/eks.yaml.
_ROLES = {
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSAdminViewPolicy": "eks:policy:AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}

NODES_READY_SECONDS = 60
# For objects of which only the names matter.
_SOME_CIDR = "10.100.0.0/16"
# EKS gives a node fifteen minutes to be drained; who waits for a twin would rather see what a disruption budget refuses.
DRAIN_SECONDS = 60


def twin_name(account: str, cluster: str, region: str = REGION) -> str:
    """The name of the twin that is a cluster of an account.

    One that would be no twin's name is shortened, with a hash of the whole; one outside of the account's own region carries region and hash,
    because the account's own region may have a cluster of that name.
    """
    whole = f"{account}-{cluster}" if region == REGION else f"{account}-{cluster}@{region}"
    if len(whole) <= LONGEST_NAME and re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", whole):
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:6]
    readable = re.sub(r"[^a-z0-9]+", "-", whole.lower())[: LONGEST_NAME - 7].strip("-")
    return f"{readable}-{digest}"


class TwinClusters:
    """Makes the clusters of one account as twins; the protocol is ClusterProvider's.

    Args:
        home: the directory of the account.
    """

    inline = False

    def __init__(self, home: Path) -> None:
        self._account = home.name
        # What node groups have asked of each node, by cluster and node, so that only changes of it are written.
        self._asked: dict[ClusterKey, dict[str, NodeSpec]] = {}
        self._lock = threading.Lock()

    def create(self, spec: ClusterSpec) -> ClusterEndpoint:
        """Make the twin, or find that it is there; one that was left behind by an earlier cluster of this name is replaced."""
        name = self._twin(spec.key)
        aws = AwsSettings(
            account=self._account,
            endpoint=_endpoint(spec.webhook_url),
            cluster=spec.name,
            region=spec.region,
            authentication_url=spec.webhook_url,
            oidc_issuer=spec.oidc_issuer,
            service_cidr=spec.service_cidr,
        )
        lifecycle.up_eks(name, aws)
        with self._lock:
            self._asked[spec.key] = {}
        paths = TwinPaths(name)
        self._apply(spec.key, list(yaml.safe_load_all(_CLUSTER_OBJECTS.read_text())))
        server = yaml.safe_load(paths.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        return ClusterEndpoint(server, base64.b64encode(paths.certificate_authority.read_bytes()).decode())

    def delete(self, cluster: ClusterKey) -> None:
        """Take the twin down."""
        lifecycle.down(self._twin(cluster))
        with self._lock:
            self._asked.pop(cluster, None)

    def set_nodes(self, cluster: ClusterKey, nodes: Sequence[NodeSpec]) -> None:
        """Make the cluster have these nodes and no others: new ones join and become Ready, others are drained and leave."""
        session = self._session(cluster)
        current = {node["metadata"]["name"]: node for node in session.list(NODE).items}
        with self._lock:
            asked = dict(self._asked.get(cluster, {}))
        desired = {node.name: node for node in nodes}
        writes = [Write("create", NODE, name, body=node_object(node)) for name, node in desired.items() if name not in current]
        for name, node in desired.items():
            if name in current and (patch := changes_to(current[name], asked.get(name, node), node)):
                writes.append(Write("patch", NODE, name, body=patch))
        _report_refusal(cluster, lambda: session.write_all(writes))
        with self._lock:
            self._asked[cluster] = desired
        if any(write.verb == "create" for write in writes):
            wait_for(
                session,
                NODE,
                lambda found: {each["metadata"]["name"] for each in found if lifecycle.is_ready(each)} >= desired.keys(),
                NODES_READY_SECONDS,
                f"the nodes of EKS cluster {cluster.name} to be Ready",
            )
        self._remove_nodes(cluster, session, sorted(current.keys() - desired.keys()))

    def install_addon(self, cluster: ClusterKey, addon: AddonSpec) -> None:
        """Make the add-on's objects, or change them to its version and configuration values."""
        aws = read_settings(TwinPaths(self._twin(cluster))).aws
        self._apply(cluster, objects_of(addon, aws.service_cidr if aws else _SOME_CIDR))

    def remove_addon(self, cluster: ClusterKey, name: str) -> None:
        """Remove the add-on's objects."""
        session = self._session(cluster)
        # Its namespace stays, as on EKS.
        items = [item for item in objects_of(AddonSpec(name, ""), _SOME_CIDR) if item["kind"] != "Namespace"]
        _report_refusal(cluster, lambda: session.write_all([_write("delete", session, item) for item in items]))

    def set_grants(self, cluster: ClusterKey, grants: Sequence[Grant]) -> None:
        """Write down which groups have which role in which namespaces; the twin's agent binds them, also in namespaces that come later."""
        self._apply(cluster, [grants_object(grants)])

    def _apply(self, cluster: ClusterKey, items: list[Object]) -> None:
        session = self._session(cluster)
        writes = [_write("apply", session, item, item) for item in items]
        _report_refusal(cluster, lambda: session.write_all([write for write in writes if not write.namespace], [write for write in writes if write.namespace]))

    def _twin(self, cluster: ClusterKey) -> str:
        return twin_name(self._account, cluster.name, cluster.region)

    def _session(self, cluster: ClusterKey) -> ApiSession:
        return open_session(TwinPaths(self._twin(cluster)))

    def _remove_nodes(self, cluster: ClusterKey, session: ApiSession, names: list[str]) -> None:
        """Drain nodes and delete them, with the pods that could not be moved."""
        if not names:
            return
        _drain(TwinPaths(self._twin(cluster)), names)
        left = [pod for pod in session.list(POD).items if pod["spec"].get("nodeName") in names]
        at_once = {"gracePeriodSeconds": 0}
        pods = [Write("delete", POD, pod["metadata"]["name"], pod["metadata"]["namespace"], at_once) for pod in left]
        _report_refusal(cluster, lambda: session.write_all([Write("delete", NODE, name) for name in names], pods))


def grants_object(grants: Sequence[Grant]) -> Object:
    """The ConfigMap that the agent reads (twin/agent/grants.py)."""
    entries = [{"group": each.group, "namespace": each.namespace, "role": _ROLES[each.policy]} for each in grants if each.policy in _ROLES]
    metadata = {"name": GRANTS, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"grants": json.dumps(entries)}}


def _drain(paths: TwinPaths, names: list[str]) -> None:
    """Move pods away as EKS does before it ends an instance: by eviction, so that disruption budgets count, and for a limited time."""
    command = [str(locate_tools().programs["kubectl"]), "--kubeconfig", str(paths.kubeconfig), "drain", *names]
    options = ["--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={DRAIN_SECONDS}s"]
    done = subprocess.run([*command, *options], check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"{', '.join(names)} could not be drained and are removed all the same: {done.stderr.strip()[-500:]}", flush=True)


def _report_refusal(cluster: ClusterKey, call: Callable[[], object]) -> None:
    """Do something, and report a refusal of the API server as one of the account."""
    try:
        call()
    except MeshError as error:
        raise TwinError(f"EKS cluster {cluster.name}: {error}") from error


def _write(verb: Literal["apply", "delete"], session: ApiSession, item: Object, body: Object | None = None) -> Write:
    kind = session.find_kind(item["apiVersion"], item["kind"])
    metadata = item["metadata"]
    # An add-on takes over what somebody else has changed of it, as one that was installed with OVERWRITE does.
    return Write(verb, kind, metadata["name"], metadata.get("namespace"), body, force=verb == "apply")


def _endpoint(webhook_url: str) -> str:
    """The AWS API's URL: where the webhook is, without its path."""
    return webhook_url.split("/_twin/", 1)[0]
