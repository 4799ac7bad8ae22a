"""Prints which requirements the last make test has shown, by which tests, and which by none."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from tests.results import RESULTS, read_results

_LIST = Path(__file__).resolve().parent / "requirements.yml"


def main(arguments: list[str]) -> int:
    requirements = yaml.safe_load(_LIST.read_text())
    shown = read_results()
    if not RESULTS.exists():
        print("No test has been run: make test shows what the requirements are worth.")
        return 1
    unknown = sorted(set(shown) - {requirement["id"] for requirement in requirements})
    if unknown:
        print(f"Tests name requirements that are not in {_LIST.name}: {', '.join(unknown)}.")
        return 1
    groups: dict[str, list[str]] = {}
    for requirement in requirements:
        groups.setdefault(requirement["group"], []).append(requirement["id"])
    console = Console(highlight=False)
    if "--brief" not in arguments:
        table = Table("Id", "Requirement", "Shown by", show_lines=False)
        for requirement in requirements:
            # What is simulated where the requirement is shown.
            note = f"\n[dim]{requirement['note']}[/]" if requirement.get("note") else ""
            table.add_row(requirement["id"], f"{requirement['text']}{note}", "\n".join(sorted(set(shown.get(requirement["id"], ())))) or "-")
        console.print(table)
    summary = Table("Group", "Shown", "Of", title="Requirements", title_justify="left")
    for group, ids in groups.items():
        summary.add_row(group, str(sum(requirement in shown for requirement in ids)), str(len(ids)))
    summary.add_row("[bold]All[/]", f"[bold]{len(shown)}[/]", f"[bold]{len(requirements)}[/]")
    console.print(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
