"""The picture of a rehearsed account: the same for the same account, wherever and whenever it was made."""

from __future__ import annotations

from xml.etree import ElementTree

from rich.tree import Tree

from twin.commands.picture import picture_of, shortened


def _tree(vpc: str, port: int) -> Tree:
    tree = Tree(f"AWS account mine, eu-central-1, http://127.0.0.1:{port}")
    branch = tree.add(f"VPC prod ({vpc}), 10.20.0.0/16")
    branch.add(f"Subnet prod-private-eu-central-1a (subnet-{vpc[4:]}), eu-central-1a")
    branch.add(f"EKS cluster prod, 1.35, https://127.0.0.1:{port + 1}, ACTIVE")
    branch.add("ALB shop, internet-facing, shop-123.eu-central-1.elb.amazonaws.com, active")
    return tree


def test_nothing_in_the_picture_is_of_this_run_alone() -> None:
    assert shortened(_tree("vpc-0a1b", 5601)) == shortened(_tree("vpc-0fff", 5777))
    assert shortened(_tree("vpc-0a1b", 5601)) == [
        "AWS account sandbox, eu-central-1",
        "└── VPC prod, 10.20.0.0/16",
        "    ├── Subnet private-eu-central-1a, eu-central-1a",
        "    ├── EKS cluster prod, 1.35, ACTIVE",
        "    └── ALB shop, internet-facing, active",
    ]


def test_the_picture_needs_no_font_from_elsewhere() -> None:
    picture = picture_of(shortened(_tree("vpc-0a1b", 5601)))
    assert "font-face" not in picture and "https://cdn" not in picture
    text = "".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 - made a line above
    assert "internet-facing" in text
