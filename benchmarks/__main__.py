"""The benchmark: python -m benchmarks [--rounds N] [--only NAME ...] [--quick]. It makes a twin of its own and removes it."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import enroll, lag, memory, wait_requests, waypoints
from benchmarks.bench import QUICK, Bench, Sizes
from benchmarks.goals import judge
from benchmarks.machine import describe_machine
from benchmarks.measure import Row, measure
from benchmarks.plot import svg
from benchmarks.report import between_markers, markdown
from tests.stages.twins import environment_for, fresh_twin
from twin.errors import TwinError
from twin.kwok.lifecycle import up
from twin.paths import REPOSITORY, TwinPaths
from twin.progress import console, say
from twin.tools.build import ensure_tools

LATEST = REPOSITORY / "benchmarks" / "results" / "latest.json"
# Trials, and what a run has so far.
TRIAL = REPOSITORY / ".cache" / "benchmark"
PAGE = REPOSITORY / "docs" / "benchmarks.md"
PLOT = REPOSITORY / "docs" / "images" / "benchmark.svg"

# In the order in which they run: the later ones leave more behind.
NAMES = (
    "enroll-300",
    "enroll-300-again",
    "waypoints-200",
    "waypoints-200-again",
    "readiness-lag-p99",
    "wait-requests",
    "enroll-1000",
    "memory-10000-pods",
)


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.render:
        render(json.loads(LATEST.read_text()), PAGE, PLOT)
        return 0
    signal.signal(signal.SIGTERM, _end)
    started = time.monotonic()
    try:
        with _twin(arguments.twin, keep=arguments.keep) as environment:
            results = run(arguments, environment, started)
    except TwinError as error:
        say(f"benchmark: {error}")
        return 1
    except KeyboardInterrupt:
        say(f"Interrupted; what was measured so far is in {_relative(_trial(arguments.twin))}.")
        return 130
    trial = arguments.quick or arguments.only
    if not trial:
        _write(LATEST, results)
        render(results, PAGE, PLOT)
    summarize(results)
    say(f"\nWritten to {', '.join(_relative(path) for path in ((_trial(arguments.twin),) if trial else (LATEST, PAGE, PLOT)))}.")
    return 0


def run(arguments: argparse.Namespace, environment: dict[str, str], started: float) -> dict[str, Any]:
    """Measure all chosen rows; what there is so far is on disk after each."""
    sizes = QUICK if arguments.quick else Sizes()
    chosen = [name for name in NAMES if not arguments.only or name in arguments.only]
    machine = describe_machine(environment)
    measured: dict[str, dict[str, Any]] = {}

    def results() -> dict[str, Any]:
        rows = [measured[name] for name in _ROW_ORDER if name in measured]
        return {"machine": machine, "rounds": arguments.rounds, "quick": arguments.quick, "seconds": round(time.monotonic() - started), "rows": rows}

    for number, name in enumerate(chosen, 1):

        def log(line: str, number: int = number, name: str = name) -> None:
            say(f"[{number}/{len(chosen)}] {name}: {line} ({_minutes(time.monotonic() - started)} so far)")

        def during(line: str, number: int = number, name: str = name) -> AbstractContextManager[Any]:
            return console.status(f"[{number}/{len(chosen)}] {name}: {line}".replace("[", r"\[")) if console.is_terminal else nullcontext()

        bench = Bench(TwinPaths(arguments.twin), environment, sizes, log)
        row = next(row for row in all_rows(bench, arguments.rounds) if row.name == name)
        began = time.monotonic()
        measured[name] = {**measure(row, arguments.rounds, log, during), "seconds": round(time.monotonic() - began)}
        _write(_trial(arguments.twin), results())
    return results()


# In the order of the table.
_ROW_ORDER = (*NAMES[:2], "enroll-1000", *(name for name in NAMES[2:] if name != "enroll-1000"))


def all_rows(bench: Bench, rounds: int) -> list[Row]:
    return [
        *enroll.rows(bench),
        *enroll.many_rows(bench),
        *waypoints.rows(bench),
        *lag.rows(bench, rounds),
        *wait_requests.rows(bench, rounds),
        *memory.rows(bench, rounds),
    ]


def render(results: dict[str, Any], page: Path, plot: Path) -> None:
    """Bring the page and the plot up to date with a run."""
    page.write_text(between_markers(page.read_text(), markdown(results)))
    plot.parent.mkdir(parents=True, exist_ok=True)
    plot.write_text(svg(results["rows"]))


def summarize(results: dict[str, Any]) -> None:
    """The medians and the figures to reach, on the terminal."""
    from rich.table import Table

    medians = Table(title="Medians", title_justify="left", title_style="bold", show_edge=False)
    for column in ("Row", "Figures"):
        medians.add_column(column)
    for row in results["rows"]:
        medians.add_row(row["name"], ", ".join(f"{name} {value} {row['unit']}" for name, value in row["median"].items() if value is not None))
    console.print(medians)
    goals = Table(title="Figures to reach", title_justify="left", title_style="bold", show_edge=False)
    for column in ("To reach", "Measured", ""):
        goals.add_column(column)
    for item in judge({row["name"]: row for row in results["rows"]}):
        if item.met is not None:
            goals.add_row(item.expected, item.measured, "met" if item.met else "[bold]not met[/]")
    console.print(goals)


@contextmanager
def _twin(name: str, *, keep: bool) -> Iterator[dict[str, str]]:
    """A fresh twin with Istio on it, gone afterwards; with keep, one that is there already and stays."""
    ensure_tools(["istioctl"], "A benchmark beside istioctl")
    if keep:
        up(name)
        environment = environment_for(name)
        _install(environment)
        yield environment
        return
    with fresh_twin(name) as environment:
        _install(environment)
        yield environment


def _install(environment: dict[str, str]) -> None:
    say("Installing Istio with site.yml ...")
    command = ["ansible-playbook", "site.yml", "-i", "inventories/sandbox"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise TwinError(f"site.yml did not succeed on the benchmark's twin:\n{done.stdout[-2000:]}{done.stderr[-500:]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=_positive(1), default=5, help="how often each peer does each work (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some rows only, as a trial: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a trial with small numbers; only a full run writes to benchmarks/results and docs")
    parser.add_argument("--render", action="store_true", help="write the page and the plot anew from the last results, and measure nothing")
    parser.add_argument("--twin", default="bench", help="the name of the benchmark's twin (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="use the twin if it is there, and leave it")
    return parser


def _positive(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return parse


def _write(path: Path, results: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def _trial(twin: str) -> Path:
    """Each twin has a file of its own, so that two runs do not mix."""
    return TRIAL / f"{twin}.json"


def _relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
