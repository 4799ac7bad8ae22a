"""Add-ons."""

from __future__ import annotations

import json
import uuid
from typing import Any

import yaml

from twin.aws.cluster_provider import AddonSpec
from twin.aws.eks import network, pod_identity
from twin.aws.eks.call import Call
from twin.aws.eks.catalogue import KUBERNETES_VERSIONS, OFFERS, AddonOffer, addon_info, configuration_schema
from twin.aws.eks.region import Cluster, now, page
from twin.aws.errors import InUse, InvalidParameter, NotFound

_CONFLICTS = ("OVERWRITE", "NONE", "PRESERVE")


def _offer(name: str) -> AddonOffer:
    if name not in OFFERS:
        raise InvalidParameter(f"Addon {name} specified is not supported", addonName=name)
    return OFFERS[name]


def _check_version(cluster: Cluster, offer: AddonOffer, version: str | None) -> str:
    kubernetes = cluster.record["version"]
    if version is None:
        return offer.default_version(kubernetes)
    if version not in offer.versions[kubernetes]:
        raise InvalidParameter(
            f"Addon version specified is not supported: {version} for Kubernetes {kubernetes}", addonName=offer.name, clusterName=cluster.name
        )
    return version


def _check_conflicts(call: Call, *allowed: str) -> None:
    policy = call.get("resolveConflicts")
    if policy is not None and policy not in allowed:
        raise InvalidParameter(f"The value {policy} of resolveConflicts is not one of {', '.join(allowed)}.")


def _configuration(text: str | None) -> dict[str, Any]:
    """Configuration values, parsed: JSON, or YAML as EKS takes it, too."""
    if not text:
        return {}
    try:
        values = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        values = None
    if not isinstance(values, dict):
        raise InvalidParameter("ConfigurationValue is not in valid JSON or YAML format: an object is expected")
    return values


def create_addon(call: Call) -> dict[str, Any]:
    cluster, region = call.active_cluster, call.region
    name = str(call.need("addonName"))
    offer = _offer(name)
    if name in cluster.addons:
        raise InUse("Addon already exists.", clusterName=cluster.name, addonName=name)
    _check_conflicts(call, *_CONFLICTS)
    version, configuration = _check_version(cluster, offer, call.get("addonVersion")), _configuration(call.get("configurationValues"))
    if role := call.get("serviceAccountRoleArn"):
        network.must_be_role(region.account, role, addonName=name)
    moment = now()
    addon: dict[str, Any] = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "CREATING",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": region.arn("addon", cluster.name, name, str(uuid.uuid4())),
        "createdAt": moment,
        "modifiedAt": moment,
        "serviceAccountRoleArn": call.get("serviceAccountRoleArn"),
        "tags": dict(call.get("tags", {})),
        "publisher": "eks",
        "owner": "aws",
        "configurationValues": call.get("configurationValues"),
        "podIdentityAssociations": [],
        "namespaceConfig": {"namespace": (call.get("namespaceConfig") or {}).get("namespace") or offer.namespace},
    }
    addon["podIdentityAssociations"] = _associate(call, cluster, addon, offer)
    cluster.addons[name] = addon
    spec = AddonSpec(name, version, configuration)
    future = region.submit(cluster, lambda: region.provider.install_addon(region.key(cluster), spec))

    def finish(error: BaseException | None) -> None:
        addon["status"] = "ACTIVE" if error is None else "CREATE_FAILED"
        if error is not None:
            _ail(addon, error)

    region.transitions.begin("addon", finish, future)
    return {"addon": addon}


def _ail(addon: dict[str, Any], error: object) -> None:
    addon["health"] = {"issues": [{"code": "InternalFailure", "message": str(error), "resourceIds": []}]}


def _associate(call: Call, cluster: Cluster, addon: dict[str, Any], offer: AddonOffer) -> list[str]:
    """Bring the add-on's associations to what was asked, and return their ARNs."""
    desired = {each["serviceAccount"]: each["roleArn"] for each in call.get("podIdentityAssociations", [])}
    owned = {each["serviceAccount"]: each for each in cluster.associations.values() if each["ownerArn"] == addon["addonArn"]}
    known = [account for account, _policy in offer.roles]
    for account in desired:
        if account not in known:
            raise InvalidParameter(f"The service account {account} is not one of the add-on {offer.name}: {known}", addonName=offer.name)
    for account, association in owned.items():
        if desired.get(account) != association["roleArn"]:
            del cluster.associations[association["associationId"]]
    arns = []
    for account, role in desired.items():
        kept = owned.get(account)
        same = kept is not None and kept["roleArn"] == role
        association = kept if same and kept else pod_identity.associate(call.region, cluster, offer.namespace, account, role, owner=addon["addonArn"])
        arns.append(str(association["associationArn"]))
    return arns


def describe_addon(call: Call) -> dict[str, Any]:
    return {"addon": call.cluster.addon(call.need("addonName"))}


def list_addons(call: Call) -> dict[str, Any]:
    return page(sorted(call.cluster.addons), call.parameters, "addons")


def update_addon(call: Call) -> dict[str, Any]:
    cluster, region = call.active_cluster, call.region
    addon = cluster.addon(call.need("addonName"))
    offer = _offer(addon["addonName"])
    if addon["status"] in ("CREATING", "UPDATING", "DELETING"):
        raise InUse(f"Addon {offer.name} cannot be updated as it is currently in {addon['status']} state", clusterName=cluster.name, addonName=offer.name)
    _check_conflicts(call, *_CONFLICTS)
    version = _check_version(cluster, offer, call.get("addonVersion")) if call.get("addonVersion") else addon["addonVersion"]
    # What is left out of an update stays as it is; except for the role, without which the add-on has the node's rights again.
    values = call.get("configurationValues", addon["configurationValues"]) or None
    spec = AddonSpec(offer.name, version, _configuration(values))
    if role := call.get("serviceAccountRoleArn"):
        network.must_be_role(region.account, role, addonName=offer.name)
    if call.get("podIdentityAssociations") is not None:
        addon["podIdentityAssociations"] = _associate(call, cluster, addon, offer)
    reported = {
        "AddonVersion": call.get("addonVersion"),
        "ServiceAccountRoleArn": call.get("serviceAccountRoleArn"),
        "ResolveConflicts": call.get("resolveConflicts"),
        "ConfigurationValues": call.get("configurationValues"),
        "PodIdentityAssociations": json.dumps(call.get("podIdentityAssociations")) if call.get("podIdentityAssociations") is not None else None,
    }
    addon["status"] = "UPDATING"
    future = region.submit(cluster, lambda: region.provider.install_addon(region.key(cluster), spec))

    def apply() -> None:
        addon.update(status="ACTIVE", addonVersion=version, configurationValues=values, modifiedAt=now(), health={"issues": []})
        addon["serviceAccountRoleArn"] = call.get("serviceAccountRoleArn") or None

    def failed(reason: str) -> None:
        addon["status"] = "UPDATE_FAILED"
        _ail(addon, reason)

    parameters = {kind: value for kind, value in reported.items() if value is not None}
    return {"update": region.begin_update(cluster, "AddonUpdate", parameters, apply, future=future, addon=offer.name, failed=failed)}


def delete_addon(call: Call) -> dict[str, Any]:
    cluster, region = call.cluster, call.region
    addon = cluster.addon(call.need("addonName"))
    name, preserve = addon["addonName"], bool(call.get("preserve", False))
    addon["status"] = "DELETING"
    future = None if preserve else region.submit(cluster, lambda: region.provider.remove_addon(region.key(cluster), name))

    def finish(error: BaseException | None) -> None:
        if error is not None:
            addon["status"] = "DELETE_FAILED"
            _ail(addon, error)
            return
        cluster.addons.pop(name, None)
        for identity in [key for key, each in cluster.associations.items() if each["ownerArn"] == addon["addonArn"]]:
            del cluster.associations[identity]

    region.transitions.begin("addon", finish, future)
    return {"addon": addon}


def describe_addon_versions(call: Call) -> dict[str, Any]:
    name, kubernetes = call.get("addonName"), call.get("kubernetesVersion")
    if kubernetes is not None and kubernetes not in KUBERNETES_VERSIONS:
        raise InvalidParameter(f"Kubernetes version {kubernetes} is not supported")
    if name is not None and name not in OFFERS:
        raise NotFound(f"Addon {name} specified is not supported", addonName=name)
    offers = [OFFERS[name]] if name else [OFFERS[each] for each in sorted(OFFERS)]
    for parameter, value in (("publishers", "eks"), ("owners", "aws")):
        if desired := call.get(parameter):
            offers = offers if value in desired else []
    if types := call.get("types"):
        offers = [offer for offer in offers if offer.kind in types]
    return page([addon_info(offer, kubernetes) for offer in offers], call.parameters, "addons")


def describe_addon_configuration(call: Call) -> dict[str, Any]:
    name, version = call.need("addonName"), call.need("addonVersion")
    if name not in OFFERS or not any(version in versions for versions in OFFERS[name].versions.values()):
        raise NotFound(f"No addon {name} of version {version} found", addonName=name)
    identities = [{"serviceAccount": account, "recommendedManagedPolicies": [policy]} for account, policy in OFFERS[name].roles]
    schema = configuration_schema(OFFERS[name])
    return {"addonName": name, "addonVersion": version, "configurationSchema": schema, "podIdentityConfiguration": identities}


OPERATIONS = {
    "CreateAddon": create_addon,
    "DeleteAddon": delete_addon,
    "DescribeAddon": describe_addon,
    "DescribeAddonConfiguration": describe_addon_configuration,
    "DescribeAddonVersions": describe_addon_versions,
    "ListAddons": list_addons,
    "UpdateAddon": update_addon,
}
