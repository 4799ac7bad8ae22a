"""Progress of long work: what, how far, elapsed. One line that moves on a terminal, one line per step elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def step(title: str, number: int, total: int) -> Iterator[list[str]]:
    """Show one step while it runs, and how long it took.

    Yields:
        A list; what is appended to it is shown beside the finished step (such as a size).
    """
    started = time.monotonic()
    label = f"[{number:>2}/{total}] {title}"
    remarks: list[str] = []
    if console.is_terminal:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as progress:
            progress.add_task(label.replace("[", r"\["))
            yield remarks
    else:
        print(f"{label} ...", file=sys.stderr, flush=True)
        yield remarks
    elapsed = time.monotonic() - started
    remark = ", ".join([f"{elapsed:.1f} s", *remarks])
    print(f"{label}: {remark}", file=sys.stderr, flush=True)


def say(line: str) -> None:
    """One line of progress that is no step."""
    print(line, file=sys.stderr, flush=True)
