"""The picture of a rehearsed account for the README: its tree, without what says nothing in a picture."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from twin.aws import account
from twin.commands.resources import read_resources
from twin.commands.tree import tree_of
from twin.errors import TwinError

TITLE = "make rehearse INVENTORY=inventories/prod"
# Patterns and what takes their place: ids, ports, and names that AWS, the controller or this very account have made up.
_SHORTENED = (
    (r" \((vpc|subnet)-[0-9a-f]+\)", ""),
    (r", [0-9a-f]{8}-[0-9a-f-]{27},", ","),
    (r", ELBSecurityPolicy-[\w-]+", ""),
    (r"target group k8s-istioing-(\w+)-[0-9a-f]{10}", r"target group \1"),
    (r", [\w.-]+\.elb[\w.-]*\.amazonaws\.com", ""),
    (r"Subnet [\w-]+-(private|public)-", r"Subnet \1-"),
    (r", health check HTTP 15021/healthz/ready", ""),
    (r" and path-pattern /\*", ""),
    (r"(Pod identity [^,]+), role .*", r"\1"),
    (r", https?://127\.0\.0\.1:\d+", ""),
    (r"^AWS account [\w-]+,", "AWS account sandbox,"),
)
_STYLES = (
    (r"\b(ACTIVE|active|ISSUED)\b", "green"),
    (r"\d+ of \d+ healthy", "green"),
    (r"^AWS account.*", "bold"),
    (r"\b(EKS cluster|ALB|NLB|VPC) [\w-]+", "bold"),
)


def draw(name: str, path: Path) -> None:
    """Write the tree of an account as it is now into an SVG file.

    Raises:
        TwinError: there is no such account, or it has no resources.
    """
    settings = account.settings_of(name)
    resources = read_resources(partial(account.client, name))
    lines = shortened(tree_of(f"AWS account {name}, {account.REGION}, {settings.endpoint}", resources))
    if len(lines) < 3:
        raise TwinError(f"The AWS account {name} is empty, so there is nothing to draw: run make rehearse INVENTORY=inventories/prod first.")
    path.write_text(picture_of(lines))


def shortened(tree: Tree) -> list[str]:
    """The lines of a tree, as short as a picture needs them."""
    console = Console(width=400, file=io.StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(tree)
    text = captured.get()
    for pattern, instead in _SHORTENED:
        text = re.sub(pattern, instead, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def picture_of(lines: list[str]) -> str:
    """Lines as SVG, with fonts of the reader's machine instead of such as come from elsewhere."""
    console = Console(record=True, width=max(map(len, lines)) + 1, file=io.StringIO(), highlight=False)
    for line in lines:
        text = Text(line)
        for pattern, style in _STYLES:
            text.highlight_regex(pattern, style)
        console.print(text)
    svg = console.export_svg(title=TITLE, unique_id="terminal-rehearsal")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
    svg = re.sub(r"\n\s*<!-- Generated with Rich.*?-->", "", svg)
    return svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
