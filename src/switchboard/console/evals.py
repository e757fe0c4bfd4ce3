"""Evaluations, as operators look at them. Their reports come from a command's run, by way of the
database: they are read as anything that comes from outside."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from switchboard.access.principal import Principal
from switchboard.browser.problems import Refusal, json_answer
from switchboard.console import protocol as wire
from switchboard.records.evalruns import EvalRun, EvalRunTable

type Admit = Callable[[HTTPConnection, Principal], None]
"""Lets an operator in, or raises."""
type Unit = Literal["share", "ms", "s", "usd", "count"]

FIGURES: Final[Mapping[str, tuple[str, Unit]]] = {
    "success": ("Task success", "share"),
    "tool_precision": ("Tool precision", "share"),
    "tool_recall": ("Tool recall", "share"),
    "turns": ("Turns of the caller", "count"),
    "seconds": ("Length", "s"),
    "first_audio_p50_ms": ("First sound, median", "ms"),
    "first_audio_p95_ms": ("First sound, 95th percentile", "ms"),
    "dead_air_over_2s": ("Waits over 2 s in a call", "count"),
    "talk_over_s": ("Talk-over in a call", "s"),
    "false_interruptions": ("False interruptions in a call", "count"),
    "cost_usd": ("Cost of a call", "usd"),
}
"""Those that are shown, in order: as a report names them, and for people."""
MOST_RESULTS: Final = 20_000
MOST_SHOWN_CHARS: Final = 4_000
"""Of a tool's arguments."""

type _Name = Annotated[str, Meta(max_length=300)]
type _Text = Annotated[str, Meta(max_length=65_536)]


class _Figure(msgspec.Struct, frozen=True):
    value: float | None
    low: float | None
    high: float | None
    count: Annotated[int, Meta(ge=0, le=1_000_000_000)]


class _Verdict(msgspec.Struct, frozen=True):
    judge: _Name
    passed: bool
    text: _Text


class _Line(msgspec.Struct, frozen=True):
    speaker: _Name
    text: _Text
    at_ms: float
    cut: bool = False


class _Tool(msgspec.Struct, frozen=True):
    name: _Name
    arguments: Any
    state: _Name
    at_ms: float


class _Result(msgspec.Struct, frozen=True):
    id: _Name
    scenario: _Name
    agent: _Name
    repetition: Annotated[int, Meta(ge=0, le=1_000_000)]
    passed: bool
    verdicts: Annotated[list[_Verdict], Meta(max_length=500)]
    lines: Annotated[list[_Line], Meta(max_length=2_000)]
    tools: Annotated[list[_Tool], Meta(max_length=2_000)]
    said: Annotated[list[_Text], Meta(max_length=2_000)]
    ended: _Name | None
    seconds: float


class _Report(msgspec.Struct, frozen=True):
    """So much of a run's report as is shown."""

    version: Literal[1]
    results: Annotated[list[_Result], Meta(max_length=MOST_RESULTS)]
    figures: dict[str, _Figure]


_report: Final = msgspec.json.Decoder(_Report)


class EvalShelf:
    """The routes of evaluations. `admit` keeps out whoever is no operator."""

    def __init__(self, table: EvalRunTable, admit: Admit) -> None:
        self._table = table
        self._admit = admit

    async def listed(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/evals`"""
        self._admit(request, who)
        runs = [_run(each) for each in await self._table.newest()]
        return json_answer(msgspec.json.encode(wire.EvalRuns(runs)))

    async def one(self, request: Request, run_id: str, who: Principal) -> Response:
        """`GET /api/console/evals/{id}`"""
        self._admit(request, who)
        found = await self._table.find(_checked(run_id))
        if found is None:
            raise _unknown()
        run, report = found
        return json_answer(msgspec.json.encode(detail_of(run, report)))

    async def page(self, request: Request, run_id: str, who: Principal) -> Response:
        """`GET /api/console/evals/{id}/page`: a file to be kept, never a page of this server's."""
        self._admit(request, who)
        page = await self._table.page(_checked(run_id))
        if page is None:
            raise _unknown()
        headers = {
            "content-disposition": f'attachment; filename="evaluation-{run_id}.html"',
            "cache-control": "no-store",
        }
        return Response(page, media_type="text/html", headers=headers)


def detail_of(run: EvalRun, report: str) -> wire.EvalDetail:
    """A run as it is shown. Raises `Refusal` for a report that is none."""
    try:
        read = _report.decode(report)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as fault:
        raise Refusal(
            409, "not_shown", "This run was written by another version, and cannot be shown."
        ) from fault
    figures = [
        wire.EvalFigure(title, figure.value, figure.low, figure.high, figure.count, unit)
        for name, (title, unit) in FIGURES.items()
        if (figure := read.figures.get(name)) is not None and figure.value is not None
    ]
    return wire.EvalDetail(_run(run), figures, [_result(each) for each in read.results])


def _result(result: _Result) -> wire.EvalResult:
    lines = [] if result.passed else result.lines
    tools = [] if result.passed else result.tools
    return wire.EvalResult(
        id=result.id,
        scenario=result.scenario,
        agent=result.agent,
        repetition=result.repetition,
        passed=result.passed,
        ended=result.ended,
        seconds=result.seconds,
        turns=len(result.said),
        verdicts=[wire.EvalVerdict(v.judge, v.passed, v.text) for v in result.verdicts],
        lines=[wire.EvalLine(x.speaker, x.text, x.at_ms, x.cut) for x in lines],
        tools=[wire.EvalTool(t.name, _shown(t.arguments), t.state, t.at_ms) for t in tools],
    )


def _shown(arguments: object) -> object:
    """As they are, unless they are long."""
    text = msgspec.json.encode(arguments).decode()
    return arguments if len(text) <= MOST_SHOWN_CHARS else f"{text[:MOST_SHOWN_CHARS]}…"


def _run(run: EvalRun) -> wire.EvalRun:
    return wire.EvalRun(
        id=run.id,
        began_at=run.began_at,
        by=run.by,
        seed=run.seed,
        repeat=run.repeat,
        took_s=run.took_s,
        conversations=run.conversations,
        passed=run.passed,
        has_page=run.has_page,
    )


def _checked(run_id: str) -> str:
    if not run_id.isascii() or not run_id.replace("-", "").isalnum() or len(run_id) > 64:
        raise _unknown()
    return run_id


def _unknown() -> Refusal:
    return Refusal(404, "no_such_run", "There is no such run, or it is kept no more.")
