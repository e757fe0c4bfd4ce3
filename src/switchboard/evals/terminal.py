"""What is printed: progress as it comes, then a table."""

from collections.abc import Callable, Sequence

from switchboard.evals.figures import Difference, Figure
from switchboard.evals.results import Figures, Result, Run, unsteady

type Print = Callable[[str], None]


class Progress:
    """One line for each conversation, as it ends."""

    def __init__(self, total: int, say: Print) -> None:
        self._total = total
        self._say = say
        self._done = 0

    def tell(self, result: Result) -> None:
        self._done += 1
        mark = "ok  " if result.passed else "FAIL"
        width = len(str(self._total))
        self._say(f"[{self._done:{width}}/{self._total}] {mark} {result.id}: {result.scenario}")
        for verdict in result.verdicts:
            if not verdict.passed:
                self._say(f"{'':{2 * width + 4}}    {verdict.judge}: {verdict.text}")


def summary(run: Run, say: Print) -> None:
    """The figures, with their intervals."""
    passed = sum(each.passed for each in run.results)
    say("")
    say(
        f"{passed} of {len(run.results)} passed, by {run.by}, in {run.took_s:.1f} s "
        f"(seed {run.seed})."
    )
    for name, figure, share in figure_rows(run.figures):
        shown = _share(figure) if share else _number(figure)
        if shown is not None:
            say(f"  {name:28} {shown}")
    if names := unsteady(run.results):
        say(f"  unsteady: {', '.join(names)}")


def figure_rows(figures: Figures) -> list[tuple[str, Figure, bool]]:
    """What a figure is called, the figure, and whether it is a share."""
    return [
        ("task success", figures.success, True),
        ("tool precision", figures.tool_precision, True),
        ("tool recall", figures.tool_recall, True),
        ("turns of the caller", figures.turns, False),
        ("seconds", figures.seconds, False),
        ("first audio p50, ms", figures.first_audio_p50_ms, False),
        ("first audio p95, ms", figures.first_audio_p95_ms, False),
        ("waits over 2 s, a call", figures.dead_air_over_2s, False),
        ("talk-over, s a call", figures.talk_over_s, False),
        ("false interruptions, a call", figures.false_interruptions, False),
        ("money, USD a call", figures.cost_usd, False),
    ]


def kept(run_id: str, say: Print) -> None:
    """Where the console shows it."""
    say("")
    say(f"The console shows it at /console/#/evals/{run_id}.")


def comparison(moved: Sequence[Difference], say: Print) -> None:
    say(f"{'':22}{'before':>10}{'after':>10}")
    for each in moved:
        real = "REAL" if each.real else "chance"
        say(f"{each.name:22}{_plain(each.before):>10}{_plain(each.after):>10}  {real}: {each.why}")


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _share(figure: Figure) -> str | None:
    if figure.value is None:
        return None
    return f"{figure.value:6.1%}   {figure.low:.1%} to {figure.high:.1%}, of {figure.count}"


def _number(figure: Figure) -> str | None:
    if figure.value is None:
        return None
    return f"{figure.value:6.3g}   {figure.low:.3g} to {figure.high:.3g}, of {figure.count}"
