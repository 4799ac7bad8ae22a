"""python -m tests.soak: a twin with a mesh, random changes on it for as long as is asked for, and a judge of what ready says meanwhile."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.soak.soak import Settings, Soak, Summary
from tests.soak.switches import switches_of
from tests.stages.twins import environment_for, fresh_twin
from twin.paths import REPOSITORY, TwinPaths
from twin.progress import say


def main() -> int:
    arguments = parser().parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    with _twin(arguments.twin) as (name, environment):
        paths = TwinPaths(name)
        settings = Settings(
            kubeconfig=paths.kubeconfig,
            ready_kubeconfig=arguments.kubeconfig_for_ready or paths.kubeconfig,
            path=environment["PATH"],
            seed=seed,
            seconds=arguments.minutes * 60,
            switches=switches_of(name),
            delivery=arguments.delivery,
            grace=arguments.grace,
        )
        say(f"Soak of {arguments.minutes:g} minutes on twin {name}, seed {seed}.")
        summary = Soak(settings, say).run()
    say(format_summary(summary))
    if arguments.report:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(json.dumps(summary.as_data(), indent=2) + "\n")
    return 1 if summary.disagreements else 0


def format_summary(summary: Summary) -> str:
    """The summary for a terminal."""
    lines = [f"\nSoak with seed {summary.seed}: {summary.rounds} rounds in {summary.elapsed:.0f} s, {summary.versions} versions of objects seen"]
    for title, counted in (("waits", summary.waits), ("verdicts", summary.verdicts), ("changes", summary.actions), ("not settled in time", summary.unsettled)):
        lines.append(f"{title}: {', '.join(f'{name} {number}' for name, number in sorted(counted.items())) or 'none'}")
    lines.append(f"judged at rest: {summary.at_rest}; second opinions of kubectl: {summary.second_opinions}; breaks too short to count: {summary.blinks}")
    lines.append(f"disagreements: {summary.disagreements}")
    lines += (f"  {sort}: {number}" for sort, number in summary.sorts.most_common())
    return "\n".join(lines)


@contextlib.contextmanager
def _twin(name: str | None) -> Iterator[tuple[str, dict[str, str]]]:
    """The twin that is named, as it is, or a fresh one with a mesh."""
    if name:
        yield name, environment_for(name)
        return
    with fresh_twin("test-soak") as environment:
        command = ["ansible-playbook", "site.yml", "-i", str(REPOSITORY / "inventories" / "sandbox")]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield "test-soak", environment


def parser() -> argparse.ArgumentParser:
    """What reads the arguments of python -m tests.soak."""
    root = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    root.add_argument("--minutes", type=float, default=30.0, help="how long (default: %(default)g)")
    root.add_argument("--seed", type=int, help="of the random changes; a soak with the same seed makes the same choices as far as the cluster answers alike")
    root.add_argument("--twin", help="a twin with a mesh, to be used as it is; without it, a fresh one is made and removed")
    root.add_argument("--report", type=Path, help="where to write the summary as JSON")
    root.add_argument("--delivery", type=float, default=0.5, help="seconds that an event may be on its way to ready (default: %(default)g)")
    root.add_argument("--grace", type=float, default=3.0, help="seconds after which ready must have noticed what is Current (default: %(default)g)")
    root.add_argument(
        "--kubeconfig-for-ready", type=Path, help="another way to the same server for ready alone, such as one through a proxy that breaks things"
    )
    return root


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
