"""The table of a run, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.goals import judge
from benchmarks.measure import rounded

BEGIN = "<!-- begin: written by python -m benchmarks -->"
END = "<!-- end -->"

# The columns, and what stands above them.
PEERS = {
    "ours": "this collection",
    "limit": "the limit",
    "kubectl": "kubectl",
    "istioctl": "istioctl",
    "k8s_list": "kubernetes.core, one list",
    "k8s_loop": "kubernetes.core, loop",
}
# Other series, which stand below the table.
EXTRA = {
    "empty_task": "Ansible's own time for a task that does nothing",
    "empty_play": "an ansible-playbook process with such a task",
    "ours_process": "this collection as a whole process",
    "empty_module": "a module of kubernetes.core that reads one small object",
}


def markdown(results: Mapping[str, Any]) -> str:
    """All that the page shows of a run: machine, table, figures to reach, notes."""
    rows: Sequence[Mapping[str, Any]] = results["rows"]
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    heading = (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB; {versions}."
        f" {machine['date']}, {results['rounds']} rounds, {results['seconds'] / 60:.0f} minutes."
    )
    parts = [heading, table(rows), "### Figures to reach", goals(rows), "### Notes", notes(rows)]
    return "\n\n".join(part for part in parts if part)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line per row; a figure that is computed from fewer items has a ~, one that nobody has a dash."""
    lines = [f"| Work | {' | '.join(PEERS.values())} |", f"|---|{'---:|' * len(PEERS)}"]
    lines += [f"| {row['title']} | {' | '.join(_cell(row, peer) for peer in PEERS)} |" for row in rows]
    return "\n".join(lines)


def goals(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| To reach | Measured | |", "|---|---|---|"]
    verdicts = {True: "met", False: "**not met**", None: "not measured"}
    lines += [f"| {item.expected} | {item.measured} | {verdicts[item.met]} |" for item in judge({row["name"]: row for row in rows})]
    return "\n".join(lines)


def notes(rows: Sequence[Mapping[str, Any]]) -> str:
    """Row by row: what is extrapolated, what failed, who cannot, and the other series."""
    lines = []
    for row in rows:
        remarks = [f"{PEERS.get(name, name)}: {why}" for name, why in row.get("extrapolated", {}).items()]
        remarks += list(row.get("remarks", {}).values())
        remarks += [f"{PEERS.get(name, name)} failed: {why}" for name, why in row.get("failed", {}).items()]
        remarks += [f"{PEERS.get(name, name)}: {why}" for name, why in row.get("cannot", {}).items()]
        remarks += [f"{title}: {_figure(row, name)}" for name, title in EXTRA.items() if row["median"].get(name) is not None]
        remarks += [
            f"{PEERS.get(name, EXTRA.get(name, name))}: p50 {each['p50']}, p90 {each['p90']}, p99 {each['p99']}, largest {each['max']} of {each['events']}"
            for name, each in row.get("distribution", {}).items()
        ]
        for who, key in (("this collection", "requests"), ("kubectl", "requests_kubectl"), ("kubernetes.core, one list", "requests_k8s_list")):
            if row.get(key):
                remarks.append(f"requests of {who}: {', '.join(f'{number:,} {what}' for what, number in row[key].items())}")
        remarks += [f"at {step['pods']:,} pods {step['seconds']} s and {step['megabytes']} MB" for step in row.get("growth", ())]
        if remarks:
            lines.append(f"- {row['title']} (`{row['name']}`): {'; '.join(remarks)}.")
    return "\n".join(lines)


def between_markers(page: str, text: str) -> str:
    """A page with the part between its markers replaced.

    Raises:
        ValueError: the page has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _cell(row: Mapping[str, Any], peer: str) -> str:
    if row["median"].get(peer) is None:
        return "-"
    ours = row["median"].get("ours")
    text = f"{'~' if _computed(row, peer) else ''}{_figure(row, peer)}"
    if peer == "ours" or not ours:
        return f"**{text}**" if peer == "ours" else text
    ratio = row["median"][peer] / ours
    return f"{text} ({_short(ratio)}x)"


def _computed(row: Mapping[str, Any], peer: str) -> bool:
    return str(row.get("extrapolated", {}).get(peer, "")).startswith("from")


def _figure(row: Mapping[str, Any], peer: str) -> str:
    value = rounded(row["median"][peer])
    return f"{_short(value)} {row['unit']}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
