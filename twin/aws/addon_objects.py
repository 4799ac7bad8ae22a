"""What an add-on puts into its cluster: the objects of twin/config/addons, with its version and configuration values. Pure but for reading them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import yaml

from twin.aws.cluster_provider import AddonSpec
from twin.aws.eks.catalogue import OFFERS
from twin.errors import TwinError
from twin.paths import CONFIG

Object = dict[str, Any]

_DIRECTORY = CONFIG / "addons"
# Where the values of a part of an add-on are, for those that have several workloads.
_PARTS = {"ebs-csi-controller": "controller", "ebs-csi-node": "node"}


def objects_of(addon: AddonSpec, service_cidr: str) -> list[Object]:
    """The objects, in the order in which they are made.

    Args:
        addon: which add-on, with its configuration values.
        service_cidr: the addresses of Services, of which DNS has the tenth.

    Raises:
        TwinError: the twin has no such add-on.
    """
    offer = OFFERS.get(addon.name)
    if offer is None:
        raise TwinError(f"The twin has no objects for the add-on {addon.name}: it has {', '.join(sorted(OFFERS))}.")
    own = _DIRECTORY / f"{addon.name}.yaml"
    path = own if own.exists() else _DIRECTORY / "_any.yaml"
    fillings = {
        "{version}": addon.version,
        "{dns_address}": str(ip_network(service_cidr)[10]),
        "{name}": addon.name,
        "{namespace}": offer.namespace,
        "{service_account}": offer.roles[0][0] if offer.roles else addon.name,
    }
    return [_configured(_filled(item, fillings), addon.configuration) for item in yaml.safe_load_all(path.read_text())]


def _filled(value: Any, fillings: dict[str, str]) -> Any:
    """The value with its placeholders replaced, however deep they are."""
    if isinstance(value, dict):
        return {name: _filled(each, fillings) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, fillings) for each in value]
    if isinstance(value, str):
        for placeholder, filling in fillings.items():
            value = value.replace(placeholder, filling)
    return value


def _configured(item: Object, values: dict[str, Any]) -> Object:
    """A workload with the configuration values that scheduling and size depend on; the others of an add-on are not known here."""
    if item["kind"] not in ("Deployment", "DaemonSet"):
        return item
    part = _PARTS.get(item["metadata"]["name"])
    values = (values.get(part) or {}) if part else values
    template = item["spec"]["template"]
    for name in ("tolerations", "nodeSelector", "affinity", "topologySpreadConstraints"):
        if name in values:
            template["spec"][name] = values[name]
    for name, place in (("podLabels", "labels"), ("podAnnotations", "annotations")):
        if values.get(name):
            template["metadata"][place] = {**(template["metadata"].get(place) or {}), **values[name]}
    if item["kind"] == "Deployment" and "replicaCount" in values:
        item["spec"]["replicas"] = values["replicaCount"]
    container = template["spec"]["containers"][0]
    if "resources" in values:
        container["resources"] = values["resources"]
    if isinstance(values.get("env"), dict):
        variables = {each["name"]: each for each in container.get("env") or ()}
        variables |= {name: {"name": name, "value": str(value)} for name, value in values["env"].items()}
        container["env"] = list(variables.values())
    return item
