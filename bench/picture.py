"""Curves as a picture: SVG with two panels that can be read on light and on dark paper."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 900
_PANEL_W: Final = 370
_PANEL_H: Final = 240
_LEFT: Final = 48
_TOP: Final = 44
_GAP: Final = 60
_HEIGHT: Final = _TOP + _PANEL_H + 84
_STYLE: Final = (
    "svg{color-scheme:light dark;--ink:#1b1d21;--quiet:#5a5d65;--paper:#faf9f6;--edge:#e2dfd8}"
    ".c0{--line:#1f4e79}.c1{--line:#a32a20}.c2{--line:#1a6640}.c3{--line:#7c3aed}"
    ".c4{--line:#835400}.c5{--line:#5a5d65}.c6{--line:#0f766e}"
    "@media(prefers-color-scheme:dark){"
    "svg{--ink:#edebe7;--quiet:#a5a8b0;--paper:#131416;--edge:#2e3136}"
    ".c0{--line:#8ec2f2}.c1{--line:#ff9f94}.c2{--line:#7fd3a5}.c3{--line:#c4b5fd}"
    ".c4{--line:#efbe62}.c5{--line:#a5a8b0}.c6{--line:#5eead4}}"
    "rect{fill:var(--paper)}text{fill:var(--quiet);font:11px system-ui,sans-serif}"
    ".title{fill:var(--ink);font-size:13px;font-weight:600}.grid{stroke:var(--edge)}"
    ".curve{fill:none;stroke:var(--line);stroke-width:2}.dot{fill:var(--line)}"
)

type Curves = Mapping[str, Sequence[tuple[float, float]]]
"""By name: points of calls and value, in rising order."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram."""

    title: str
    curves: Curves


def drawn(panels: Sequence[Panel], title: str) -> str:
    """Two panels beside each other, with one legend. Values, all above zero, rise by powers."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}"/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(_panel(panel, names, _LEFT + number * (_PANEL_W + _GAP)))
    parts.extend(_legend(names))
    return "".join([*parts, "</svg>\n"])


def _panel(panel: Panel, names: Sequence[str], left: float) -> str:
    points = [point for curve in panel.curves.values() for point in curve]
    most_x = max((x for x, _ in points), default=1.0) or 1.0
    steps = _steps([y for _, y in points])
    low, high = math.log(steps[0]), math.log(steps[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        height = (math.log(y) - low) / (high - low)
        return left + _PANEL_W * x / most_x, _TOP + _PANEL_H * (1 - height)

    parts = [f'<text class="title" x="{left:g}" y="{_TOP - 18}">{escape(panel.title)}</text>']
    for value in steps:
        _, y = at(0, value)
        parts.append(f'<path class="grid" d="M{left:g} {y:.1f}h{_PANEL_W}"/>')
        parts.append(f'<text x="{left - 6:g}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    bottom = _TOP + _PANEL_H + 16
    for calls in sorted({x for x, _ in points}):
        x, _ = at(calls, steps[0])
        parts.append(f'<text x="{x:.1f}" y="{bottom}" text-anchor="middle">{calls:g}</text>')
    for name, curve in panel.curves.items():
        number = names.index(name) % 7
        where = [at(x, y) for x, y in curve]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in where)
        parts.append(f'<g class="c{number}">')
        if where:
            parts.append(f'<path class="curve" d="M{path}"/>')
        parts.extend(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in where)
        parts.append("</g>")
    return "".join(parts)


def _legend(names: Sequence[str]) -> list[str]:
    y = _TOP + _PANEL_H + 44
    parts = [f'<text x="{_LEFT}" y="{y + 24}">calls at once, below each panel</text>']
    x = _LEFT
    for number, name in enumerate(names):
        parts.append(
            f'<g class="c{number % 7}"><circle class="dot" cx="{x}" cy="{y - 4}" r="4"/></g>'
            f'<text x="{x + 9}" y="{y}">{escape(name)}</text>'
        )
        x += 30 + 6 * len(name)
    return parts


def _steps(values: Sequence[float]) -> list[float]:
    """1, 2, 5 and their powers of ten, from below the least value to above the greatest."""
    least, most = min(values, default=1.0), max(values, default=1.0)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    below = max(each for each in every if each <= least)
    above = min((each for each in every if each > most), default=every[-1])
    return [each for each in every if below <= each <= above]
