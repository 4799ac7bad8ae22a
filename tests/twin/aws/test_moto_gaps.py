"""What moto lacks or tells otherwise in services beside EKS, ACM and load balancers, through boto3."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.twin.aws.local_aws import Base, LocalAws


@pytest.mark.parametrize(("kind", "make"), [("natgateway", "nat"), ("elastic-ip", "address")])
def test_tags_are_found_by_the_kind_that_ec2_calls_it(aws: LocalAws, base: Base, kind: str, make: str) -> None:
    ec2 = aws.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=base.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"] if make == "nat" else address
    ec2.create_tags(Resources=[made], Tags=[{"Key": "team", "Value": "mesh"}])
    filters = [{"Name": "resource-id", "Values": [made]}, {"Name": "resource-type", "Values": [kind]}]
    assert ec2.describe_tags(Filters=filters)["Tags"] == [{"Key": "team", "ResourceId": made, "ResourceType": kind, "Value": "mesh"}]


def test_audiences_of_an_identity_provider_change(aws: LocalAws) -> None:
    iam = aws.client("iam")
    made = iam.create_open_id_connect_provider(Url="https://oidc.example/id/1", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40])
    provider = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}

    def audiences() -> list[str]:
        found: list[str] = iam.get_open_id_connect_provider(**provider)["ClientIDList"]
        return found

    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(**provider, ClientID="other")
        assert audiences() == ["sts.amazonaws.com", "other"]
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(**provider, ClientID="sts.amazonaws.com")
        assert audiences() == ["other"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"] + "0", ClientID="other")


def test_a_subscription_to_shield_is_made_and_set(aws: LocalAws) -> None:
    shield = aws.client("shield")

    def state() -> str:
        return str(shield.get_subscription_state()["SubscriptionState"])

    assert state() == "INACTIVE"
    shield.create_subscription()
    assert state() == "ACTIVE"
    assert aws.control("POST", "/shield", {"subscribed": False}) == {"subscribed": False}
    assert state() == "INACTIVE"
    assert aws.control("POST", "/shield", {"subscribed": True}) == {"subscribed": True}
    assert state() == "ACTIVE"
    assert aws.ask("POST", "/shield", {"subscribed": "yes"})[0] == 400
