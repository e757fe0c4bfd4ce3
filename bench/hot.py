"""The hot path: what a full call through the product costs, beside relays that do less.

Simulated callers speak in real time through each contestant in turn, to a stand-in model; the same
callers talk to the model directly. The server under test has a core of its own; callers and model
share one process and one clock on the other. Rounds alternate, so that all meet the same machine.
"""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from bench.compare import tree_of
from bench.contestants import (
    BARE,
    BASE,
    DIRECT,
    PLAIN,
    PRODUCT,
    SPLICE,
    UNKEPT,
    Contestant,
    Ring,
    contestants,
)
from bench.fastmodel import Pattern
from bench.processes import room_for_files
from bench.report import ROOT
from bench.rounds import machine_times, ringed, stolen_since, warm, window
from bench.sudden import barge_ins, beside_set_ups, set_ups
from bench.verdicts import CALLS, Findings, picture, told

PARTS: Final = "curve,tls,phone,barge,setup"
ALL: Final = (DIRECT, SPLICE, BARE, PLAIN, PRODUCT, UNKEPT)
_PICTURE: Final = ROOT / "bench" / "results" / "hot.svg"
_FULL: Final = 0.92
"""Of a core: beyond it a contestant is not asked to carry more calls."""
_BURST_CALLS: Final = 5


async def run(
    *,
    parts: str = PARTS,
    only: str = "",
    calls: str = "1,50,100,200,300,400",
    patterns: str = "echo,mix",
    rounds: int = 3,
    seconds: float = 5.0,
    warm_up_s: float = 1.5,
    times: int = 100,
    set_up_calls: int = 300,
    at: int = CALLS,
    first: int = 0,
    base: str = "",
    svg: str = str(_PICTURE),
) -> dict[str, Any]:
    """Measure `parts`. `only` names contestants; `calls` how many at once, `at` how many where
    there is no curve; `times` is how many barge-ins; `base` a commit to compare with. `first=1` is
    for a machine that others use: all of ours go before them (needs root)."""
    counts = [int(text) for text in str(calls).split(",")]
    room_for_files(6 * max([*counts, set_up_calls]) + 500)
    wanted = set(parts.split(","))
    if unknown := wanted - set(PARTS.split(",")):
        raise ValueError(f"No such parts: {', '.join(sorted(unknown))}.")
    found = Findings(at=at)
    async with AsyncExitStack() as stack:
        tree = await stack.enter_async_context(tree_of(base)) if base else None
        ring = await stack.enter_async_context(ringed(first=bool(first)))
        bench = Bench(ring, tree, _chosen(only, with_base=tree is not None), rounds, found)
        bench.seconds, bench.warm_up_s, bench.at = seconds, warm_up_s, at
        before = machine_times()
        if "curve" in wanted or "barge" in wanted:
            await bench.plain(wanted, counts, _patterns(patterns), times)
        if "phone" in wanted:
            await bench.phone()
        if "tls" in wanted or "setup" in wanted:
            await bench.secure(wanted, set_up_calls)
        found.steal.append(stolen_since(before))
    result = told(found)
    if "curve" in wanted:
        try:
            await asyncio.to_thread(_keep, picture(found), Path(svg))
            result["picture"] = svg
        except (OSError, ValueError) as reason:  # what was measured is told all the same
            result["picture"] = f"none: {reason}"
    return result


def _keep(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _chosen(only: str, *, with_base: bool) -> list[str]:
    """Those named, and always the direct way: it is what the others are compared with."""
    every = [*ALL, BASE] if with_base else [*ALL]
    named = [name.strip() for name in only.split(",")] if only else every
    if unknown := set(named) - set(every):
        raise ValueError(f"No such contestants: {', '.join(sorted(unknown))}.")
    return [name for name in every if name in named or name == DIRECT]


def _patterns(text: str) -> list[Pattern]:
    known: dict[str, Pattern] = {"echo": "echo", "mix": "mix"}
    return [known[name] for name in text.split(",")]


class Bench:
    """One run: who takes part, and what is found."""

    def __init__(
        self, ring: Ring, base: Path | None, names: list[str], rounds: int, found: Findings
    ) -> None:
        self._ring = ring
        self._base = base
        self._names = names
        self._rounds = rounds
        self._found = found
        self.seconds = 5.0
        self.warm_up_s = 1.5
        self.at = CALLS

    def _without(self, *left_out: str) -> list[str]:
        return [name for name in self._names if name not in left_out]

    async def plain(
        self, wanted: set[str], counts: Sequence[int], patterns: Sequence[Pattern], times: int
    ) -> None:
        """The curves, and barge-ins: the model is reached without TLS."""
        async with contestants(self._ring, self._names, base=self._base) as them:
            await warm(self._ring, them)
            for number in range(self._rounds):
                for pattern in patterns if "curve" in wanted else ():
                    for count in counts:
                        await self._windows(_turned(them, number), pattern, count)
                if "barge" in wanted:
                    await self._barge_ins(_turned(them, number), times)

    async def phone(self) -> None:
        """Calls by telephone."""
        names = self._without(UNKEPT)
        async with contestants(self._ring, names, phone=True, base=self._base) as them:
            await warm(self._ring, them)
            for number in range(self._rounds):
                await self._windows(_turned(them, number), "echo", self.at, ", phone")

    async def secure(self, wanted: set[str], set_up_calls: int) -> None:
        """The model is reached over TLS. Set-ups are compared with those without."""
        names = self._without(DIRECT, SPLICE, UNKEPT)
        async with AsyncExitStack() as stack:
            apart = contestants(self._ring, names, secure=True, base=self._base)
            them = await stack.enter_async_context(apart)
            await warm(self._ring, them)
            plain: list[Contestant] = []
            if "setup" in wanted:
                alike = contestants(self._ring, names, base=self._base)
                plain = await stack.enter_async_context(alike)
                await warm(self._ring, plain)
            straight = Contestant.direct(self._ring.service)
            for number in range(self._rounds):
                if "tls" in wanted:
                    await self._windows([straight], "echo", self.at)
                    await self._windows(_turned(them, number), "echo", self.at, ", TLS")
                if "setup" in wanted:
                    await self._set_ups(_turned(them, number), "TLS", set_up_calls)
                    await self._set_ups(_turned(plain, number), "plain", set_up_calls)
                    await self._beside(_turned(them, number))

    async def _windows(
        self, them: Sequence[Contestant], pattern: Pattern, count: int, special: str = ""
    ) -> None:
        for one in them:
            if self._is_full(one.name, pattern + special, count):
                continue
            with self._trying(f"{one.name}, {pattern}{special}, {count} calls"):
                found = await window(
                    self._ring, one, pattern, count, seconds=self.seconds, warm_up_s=self.warm_up_s
                )
                self._found.add((one.name, pattern + special, count), found)

    def _is_full(self, name: str, pattern: str, count: int) -> bool:
        """Whether it had no room left with fewer calls."""
        return any(
            (who, what) == (name, pattern) and calls < count and each.core > _FULL
            for (who, what, calls), several in self._found.windows.items()
            for each in several
        )

    async def _barge_ins(self, them: Sequence[Contestant], times: int) -> None:
        for one in them:
            for when, calls in (("quiet", self.at), ("behind a burst", _BURST_CALLS)):
                with self._trying(f"{one.name}, barge-in {when}"):
                    spread = await barge_ins(
                        self._ring, one, calls=calls, times=times, behind_burst=when != "quiet"
                    )
                    self._found.barge_ins.setdefault((one.name, when), []).append(spread)

    async def _set_ups(self, them: Sequence[Contestant], upstream: str, total: int) -> None:
        for one in them:
            with self._trying(f"{one.name}, set-ups, {upstream}"):
                row = await set_ups(self._ring, one, total)
                self._found.set_ups.setdefault((one.name, upstream), []).append(row)

    async def _beside(self, them: Sequence[Contestant]) -> None:
        for one in them:
            with self._trying(f"{one.name}, running calls beside set-ups"):
                row = await beside_set_ups(
                    self._ring, one, calls=self.at, per_second=20, seconds=self.seconds
                )
                self._found.beside.setdefault(one.name, []).append(row)

    @contextmanager
    def _trying(self, what: str) -> Generator[None]:
        """A contestant that fails in one thing is still measured in all others."""
        try:
            yield
        except (TimeoutError, OSError, RuntimeError, ExceptionGroup) as failure:
            causes = failure.exceptions if isinstance(failure, ExceptionGroup) else (failure,)
            said = "; ".join(f"{type(cause).__name__} {cause}".strip() for cause in causes[:2])
            self._found.failures.append({"what": what, "why": said[:200]})


def _turned(them: Sequence[Contestant], number: int) -> Sequence[Contestant]:
    """Every second round backwards: what drifts in the machine falls on all."""
    return them if number % 2 == 0 else them[::-1]
