"""The plot of a run: an SVG with horizontal bars on logarithmic scales, legible on light and dark pages, its text as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.report import PEERS

WIDTH = 860
_LEFT, _RIGHT = 190, 110
_TITLE, _BAR, _GAP, _AXIS = 26, 18, 6, 34

_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.tick { font-size: 11px; fill: #59636e; }
.grid { stroke: #d1d9e0; }
.peer { fill: #8c959f; }
.limit { fill: #c8cfd6; }
.ours { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .tick { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .peer { fill: #6e7681; }
  .limit { fill: #4a525b; }
  .ours { fill: #4493f8; }
}"""


def decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten between which all values lie, with room for the smallest bar to be seen."""
    low = math.floor(math.log10(min(values) / 1.5))
    return low, max(math.ceil(math.log10(max(values))), low + 1)


def svg(rows: Sequence[Mapping[str, Any]]) -> str:
    """One group of bars for each row; rows without a figure are left out."""
    parts: list[str] = []
    top = 8
    for row in rows:
        bars = [(name, title, row["median"].get(name)) for name, title in PEERS.items() if row["median"].get(name)]
        if bars:
            group, height = _group(row, bars, top)
            parts += group
            top += height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" role="img" aria-label="Benchmark">',
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>",
            "",
        ]
    )


def _group(row: Mapping[str, Any], bars: Sequence[tuple[str, str, float]], top: float) -> tuple[list[str], int]:
    low, high = decades([value for _name, _title, value in bars])
    scale = (WIDTH - _LEFT - _RIGHT) / (high - low)

    def across(value: float) -> float:
        return _LEFT + (math.log10(value) - low) * scale

    first = top + _TITLE
    height = len(bars) * (_BAR + _GAP)
    parts = [f'<text class="title" x="8" y="{top + 16}">{escape(row["title"])}, {escape(row["unit"])}</text>']
    for power in range(low, high + 1):
        x = across(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{first - 2}" x2="{x:.1f}" y2="{first + height}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{first + height + 13}" text-anchor="middle">{_number(10.0**power)}</text>')
    for number, (name, title, value) in enumerate(bars):
        y = first + number * (_BAR + _GAP)
        computed = "~" if str(row.get("extrapolated", {}).get(name, "")).startswith("from") else ""
        style = name if name in ("ours", "limit") else "peer"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(title)}</text>')
        parts.append(f'<rect class="{style}" x="{_LEFT}" y="{y}" width="{max(across(value) - _LEFT, 1):.1f}" height="{_BAR}" rx="2"/>')
        parts.append(f'<text x="{across(value) + 6:.1f}" y="{y + 13}">{computed}{_number(value)}</text>')
    return parts, _TITLE + height + _AXIS


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
