"""One row of the benchmark: the peers take turns, round by round, and one that fails does not end the run."""

from __future__ import annotations

import math
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What one turn measured: one value, or several, by the name of the series that they belong to.
Measured = Mapping[str, float | Sequence[float]]

# A peer that has failed this often is not asked again, because a failure may take as long as its time limit.
FAILURES = 2


class PeerFailed(Exception):
    """A peer did not do its work; the message says how it ended."""


@dataclass(frozen=True)
class Peer:
    """One who does the row's work.

    Attributes:
        name: as it stands in the table.
        run: does the work once and says what it took.
        rounds: in how many rounds it takes part; 0 for all of them.
        extrapolated: from how little the figure was computed; empty when all of the work was done.
        remark: what else must be known to read the figure.
    """

    name: str
    run: Callable[[], Measured]
    rounds: int = 0
    extrapolated: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: its name in the results.
        unit: of all its figures.
        title: what is done, in a few words.
        peers: who does it.
        prepare: makes what the row needs; not measured.
        reset: brings back the state before the work; called before each turn, not measured.
        clean: takes away what later rows should not meet.
        cannot: peers that have no way to do it, with the reason.
        summary: makes one figure of a series.
        extras: what else is found out on the way; it goes into the row as it is when the row has been measured.
    """

    name: str
    unit: str
    title: str
    peers: Sequence[Peer]
    prepare: Callable[[], None] = lambda: None
    reset: Callable[[], None] = lambda: None
    clean: Callable[[], None] = lambda: None
    cannot: Mapping[str, str] = field(default_factory=dict)
    summary: Callable[[Sequence[float]], float] = statistics.median
    extras: Mapping[str, Any] = field(default_factory=dict)


def turns(peers: Sequence[Peer], rounds: int) -> Iterator[tuple[int, Peer]]:
    """Who works in which round, counted from 1; each round begins with the next peer, so that none is always first."""
    for number in range(rounds):
        start = number % len(peers)
        for peer in (*peers[start:], *peers[:start]):
            if not peer.rounds or number < peer.rounds:
                yield number + 1, peer


def measure(row: Row, rounds: int, log: Callable[[str], None], during: Callable[[str], AbstractContextManager[Any]] = nullcontext) -> dict[str, Any]:
    """Let all peers do the row's work; returns the row as it goes into the results.

    Args:
        row: the work.
        rounds: how often each peer does it.
        log: takes one line of progress.
        during: surrounds each turn; it may show what is under way.
    """
    runs: dict[str, list[float]] = {}
    failed: dict[str, list[str]] = {}
    try:
        log("preparing")
        with during("preparing ..."):
            row.prepare()
        for number, peer in turns(row.peers, rounds):
            if len(failed.get(peer.name, ())) >= FAILURES:
                continue
            try:
                with during(f"round {number} of {rounds}, {peer.name} ..."):
                    row.reset()
                    measured = peer.run()
            except Exception as error:  # whatever it is, the other peers and rows go on
                failed.setdefault(peer.name, []).append(reason_of(error))
                log(f"round {number} of {rounds}, {peer.name}: failed: {reason_of(error)}")
                continue
            for series, value in measured.items():
                runs.setdefault(series, []).extend([value] if isinstance(value, int | float) else value)
            log(f"round {number} of {rounds}, {_format_measured(measured, row.unit)}")
    except Exception as error:
        failed.setdefault("all", []).append(reason_of(error))
        log(f"given up: {reason_of(error)}")
    try:
        row.clean()
    except Exception as error:
        log(f"could not clean up: {reason_of(error)}")
    medians: dict[str, float | None] = {name: rounded(row.summary(values)) for name, values in runs.items()}
    for peer in row.peers:
        if peer.name in failed and len(failed[peer.name]) >= FAILURES:
            medians[peer.name] = None
    for name in row.cannot:
        medians[name] = None
    result = {
        "name": row.name,
        "title": row.title,
        "unit": row.unit,
        "median": medians,
        "runs": {name: [rounded(value) for value in values] for name, values in runs.items()},
        "extrapolated": {peer.name: peer.extrapolated for peer in row.peers if peer.extrapolated},
        "remarks": {peer.name: peer.remark for peer in row.peers if peer.remark},
        "cannot": dict(row.cannot),
        "failed": {name: reasons[-1] for name, reasons in failed.items()},
    }
    return {**{key: value for key, value in result.items() if value or key in ("median", "runs")}, **row.extras}


def reason_of(error: BaseException) -> str:
    """The last line of what went wrong, short enough for a table, and without the places of this machine."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"a process did not end within {error.timeout:.0f} s"
    lines = [line for line in str(error).splitlines() if line.strip()]
    message = lines[-1].strip() if lines else ""
    for place in (Path(__file__).resolve().parent.parent, Path.home()):
        message = message.replace(str(place), "...")
    return (message if isinstance(error, PeerFailed) else f"{type(error).__name__}: {message}")[:300]


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least this share (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def distribution(values: Sequence[float]) -> dict[str, float]:
    """The percentiles that describe a latency."""
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {"events": len(values), **{name: rounded(percentile(values, share)) for name, share in shares.items()}}


def rounded(value: float) -> float:
    """Four digits that mean something; whole numbers stay whole."""
    if value == int(value):
        return int(value)
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)


def _format_measured(measured: Measured, unit: str) -> str:
    return ", ".join(
        f"{series}: {rounded(value)} {unit}"
        if isinstance(value, int | float)
        else f"{series}: {len(value)} values, median {rounded(statistics.median(value))} {unit}"
        for series, value in measured.items()
        if isinstance(value, int | float) or value
    )


__all__ = ("Measured", "Peer", "PeerFailed", "Row", "distribution", "measure", "percentile", "reason_of", "rounded", "turns")
