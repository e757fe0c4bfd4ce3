"""One page for a run, with everything in it: figures, verdicts, and each failure to be read, seen
and heard."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from switchboard.evals.figures import Figure
from switchboard.evals.results import Result, Run
from switchboard.evals.speech import wav
from switchboard.evals.terminal import figure_rows

WIDTH: Final = 900
_LANES: Final = {"caller": 0, "thinking": 1, "agent": 1}
_TOOL_LANE: Final = 2
_LANE: Final = 22


def page(run: Run, audio: Mapping[tuple[str, int], bytes | None]) -> bytes:
    """HTML. `audio`: PCM 24 kHz stereo of conversations, by id and repetition."""
    css = files(__package__).joinpath("page.css").read_text("utf-8")
    failed = [each for each in run.results if not each.passed]
    passed = len(run.results) - len(failed)
    title = f"{passed} of {len(run.results)} passed"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{css}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">By {escape(run.by)}, {escape(run.began_at)}, {run.took_s:.1f} s, seed '
        f"{run.seed}, each held {run.repeat} time{'s' * (run.repeat != 1)}.</p>",
        _figures(run),
        f"<h2>Failures ({len(failed)})</h2>",
        *[_failure(each, audio.get((each.id, each.repetition))) for each in failed],
        "" if failed else '<p class="quiet">None.</p>',
        "<h2>All conversations</h2>",
        _all(run.results),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part).encode()


def _figures(run: Run) -> str:
    rows = [_figure(name, figure, share=share) for name, figure, share in figure_rows(run.figures)]
    head = "<tr><th>Figure</th><th>Value</th><th>95 % interval</th><th>Of</th></tr>"
    return f'<h2>Figures</h2><div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _figure(name: str, figure: Figure, *, share: bool) -> str:
    if figure.value is None:
        return ""
    low, high = figure.low or 0.0, figure.high or 0.0
    shown = [f"{each:.1%}" if share else f"{each:.3g}" for each in (figure.value, low, high)]
    return (
        f"<tr><td>{escape(name)}</td><td class=number>{shown[0]}</td>"
        f"<td class=number>{shown[1]} to {shown[2]}</td><td class=number>{figure.count}</td></tr>"
    )


def _failure(result: Result, audio: bytes | None) -> str:
    wrong = "".join(
        f"<li><strong>{escape(v.judge)}</strong>: {escape(v.text)}</li>"
        for v in result.verdicts
        if not v.passed
    )
    sound = ""
    if audio:
        data = base64.b64encode(wav(audio, channels=2)).decode()
        sound = f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio>'
    return (
        f"<article><h3>{escape(result.scenario)}</h3>"
        f'<p class="quiet">{escape(result.id)}, repetition {result.repetition}, '
        f"seed {result.seed}; ended by {escape(str(result.ended))} after {result.seconds:.1f} s</p>"
        f'<ul class="bad">{wrong}</ul>{_timeline(result)}{sound}{_transcript(result)}</article>'
    )


def _transcript(result: Result) -> str:
    said = [
        (line.at_ms, line.speaker, line.text + (" …" if line.cut else "")) for line in result.lines
    ]
    said += [
        (tool.at_ms, "tool", f"{tool.name} {tool.arguments} → {tool.state}")
        for tool in result.tools
    ]
    rows = "".join(
        f'<li><span class="who">{at / 1000:.1f} s<br>{escape(who)}</span>'
        f'<span class="{escape(who)}">{escape(text)}</span></li>'
        for at, who, text in sorted(said)
    )
    return f'<ol class="said">{rows}</ol>'


def _timeline(result: Result) -> str:
    """Who had the floor when, and which tools ran, as a picture."""
    if not result.floors or result.seconds <= 0:
        return ""
    whole_ms = result.seconds * 1_000
    ends = [at for at, _ in result.floors[1:]] + [whole_ms]
    marks = [
        _bar(at, end, whole_ms, _LANES[floor], floor)
        for (at, floor), end in zip(result.floors, ends, strict=True)
        if floor in _LANES
    ]
    marks += [
        _bar(tool.at_ms, tool.at_ms + (tool.duration_ms or 0.0), whole_ms, _TOOL_LANE, "tool")
        for tool in result.tools
    ]
    names = "".join(
        f'<text x="0" y="{lane * _LANE + 14}">{name}</text>'
        for lane, name in enumerate(("caller", "agent", "tools"))
    )
    height = 3 * _LANE + 16
    scale = (
        f'<text x="60" y="{height - 2}">0 s</text>'
        f'<text x="{WIDTH - 40}" y="{height - 2}">{result.seconds:.0f} s</text>'
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Who spoke when">'
        f"{names}{''.join(marks)}{scale}</svg>"
    )


def _bar(begin_ms: float, end_ms: float, whole_ms: float, lane: int, kind: str) -> str:
    room = WIDTH - 60
    x = 60 + room * min(max(begin_ms, 0.0), whole_ms) / whole_ms
    width = max(2.0, room * max(0.0, min(end_ms, whole_ms) - begin_ms) / whole_ms)
    y = lane * _LANE + 3
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" rx="2">'
        f"<title>{kind}, {begin_ms / 1000:.1f} to {end_ms / 1000:.1f} s</title></rect>"
    )


def _all(results: Sequence[Result]) -> str:
    rows = "".join(map(_row, results))
    head = "<tr><th>Verdict</th><th>Scenario</th><th>Turns</th><th>Length</th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>'


def _row(result: Result) -> str:
    kind, word = ("good", "passed") if result.passed else ("bad", "failed")
    return (
        f'<tr><td class="{kind}">{word}</td><td>{escape(result.scenario)}<br>'
        f'<span class="quiet">{escape(result.id)} [{result.repetition}]</span></td>'
        f"<td class=number>{len(result.said)}</td>"
        f"<td class=number>{result.seconds:.1f} s</td></tr>"
    )
