"""Pod identity associations: which role the pods of a service account get."""

from __future__ import annotations

import secrets
from typing import Any

from twin.aws.eks import network
from twin.aws.eks.call import Call
from twin.aws.eks.region import Cluster, Region, now, page
from twin.aws.errors import InUse, InvalidRequest

_IN_LISTS = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


def associate(
    region: Region, cluster: Cluster, namespace: str, service_account: str, role_arn: str, *, owner: str | None = None, **more: Any
) -> dict[str, Any]:
    """Make an association; `owner` is the ARN of the add-on that asked for it.

    Raises:
        InUse: the service account has one.
        InvalidParameter: there is no such role.
    """
    if any((each["namespace"], each["serviceAccount"]) == (namespace, service_account) for each in cluster.associations.values()):
        raise InUse(f"Association already exists for serviceAccount: {service_account} in namespace: {namespace}", clusterName=cluster.name)
    network.must_be_role(region.account, role_arn, clusterName=cluster.name)
    identity, moment = f"a-{secrets.token_hex(9)[:17]}", now()
    association = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": service_account,
        "roleArn": role_arn,
        "associationArn": region.arn("podidentityassociation", cluster.name, identity),
        "associationId": identity,
        "tags": {},
        "createdAt": moment,
        "modifiedAt": moment,
        "ownerArn": owner,
        "disableSessionTags": False,
        **more,
    }
    cluster.associations[identity] = association
    return association


def create_pod_identity_association(call: Call) -> dict[str, Any]:
    cluster = call.active_cluster
    more = {name: call.get(name) for name in ("targetRoleArn", "policy") if call.get(name)}
    made = associate(
        call.region,
        cluster,
        call.need("namespace"),
        call.need("serviceAccount"),
        call.need("roleArn"),
        tags=dict(call.get("tags", {})),
        disableSessionTags=bool(call.get("disableSessionTags", False)),
        **more,
    )
    return {"association": made}


def describe_pod_identity_association(call: Call) -> dict[str, Any]:
    return {"association": call.cluster.association(call.need("associationId"))}


def list_pod_identity_associations(call: Call) -> dict[str, Any]:
    desired = {name: call.get(name) for name in ("namespace", "serviceAccount") if call.get(name)}
    found = [each for each in call.cluster.associations.values() if all(each[name] == value for name, value in desired.items())]
    return page([{name: each[name] for name in _IN_LISTS} for each in found], call.parameters, "associations")


def update_pod_identity_association(call: Call) -> dict[str, Any]:
    association = _own(call)
    if role := call.get("roleArn"):
        network.must_be_role(call.region.account, role, clusterName=call.cluster.name)
    for name in ("roleArn", "targetRoleArn", "policy", "disableSessionTags"):
        if (value := call.get(name)) is not None:
            association[name] = value
    association["modifiedAt"] = now()
    return {"association": association}


def delete_pod_identity_association(call: Call) -> dict[str, Any]:
    association = _own(call)
    del call.cluster.associations[association["associationId"]]
    return {"association": association}


def _own(call: Call) -> dict[str, Any]:
    association = call.cluster.association(call.need("associationId"))
    if association["ownerArn"]:
        raise InvalidRequest(f"The association {association['associationId']} is owned by {association['ownerArn']}: change it through its owner.")
    return association


OPERATIONS = {
    "CreatePodIdentityAssociation": create_pod_identity_association,
    "DeletePodIdentityAssociation": delete_pod_identity_association,
    "DescribePodIdentityAssociation": describe_pod_identity_association,
    "ListPodIdentityAssociations": list_pod_identity_associations,
    "UpdatePodIdentityAssociation": update_pod_identity_association,
}
