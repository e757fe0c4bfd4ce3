"""Conversations, many at once, each with a mind of its own but the same for the same seed."""

import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from tests.soak.page import PATIENCE_S, NeverCame, Page
from tests.soak.speech import quiet, speech
from tests.soak.tap import Tap

SCENES = ("speak over", "type", "ask", "type over", "lose mid-answer", "lose", "ask")
SCENES_A_CALL = (4, 9)
UTTERANCES = ((0.8, 0), (1.1, 2), (1.5, 3), (2.0, 6), (2.6, 8))
"""Seconds and seeds of speech that is taken for exactly one turn, in whatever order it comes."""
TALKATIVE = "What can you do?"
"""Takes the agent ten seconds to answer."""
BUSY = 503
TOO_OFTEN = 429
"""All callers here come from one address, which may place a call a second."""


@dataclass
class Tally:
    """What all conversations came to."""

    counts: Counter[str] = field(default_factory=Counter[str])
    complaints: list[str] = field(default_factory=list[str])
    latencies_ms: list[float] = field(default_factory=list[float])
    """End of speech to first audio at the page."""
    told_ms: list[float] = field(default_factory=list[float])
    """The same as the product tells it."""
    calls: list[str] = field(default_factory=list[str])


@dataclass
class Street:
    """What all callers share."""

    address: str
    tap: Tap
    agents: list[dict[str, Any]]
    http: httpx.AsyncClient
    utterances: list[list[str]] = field(default_factory=list[list[str]])
    room: list[str] = field(default_factory=list[str])
    tally: Tally = field(default_factory=Tally)
    joining: anyio.Lock = field(default_factory=anyio.Lock)
    """One page at a time, so that each knows which line to the model is its own."""


@asynccontextmanager
async def street(address: str, tap: Tap) -> AsyncGenerator[Street]:
    async with httpx.AsyncClient(
        base_url=address, headers={"Origin": address}, timeout=PATIENCE_S, trust_env=False
    ) as http:
        config = (await http.get("/api/config")).raise_for_status().json()
        here = Street(address, tap, config["agents"], http)
        here.utterances = [speech(seconds, seed) for seconds, seed in UTTERANCES]
        here.room = quiet(3.0, seed=0)
        yield here


async def conversations(here: Street, many: int, seconds: float, seed: int) -> None:
    """Keep `many` conversations going for so long; each ends its call before it leaves."""
    until = time.monotonic() + seconds
    async with anyio.create_task_group() as tasks:
        for number in range(many):
            caller = Caller(here, random.Random(seed * 1_000 + number), number)
            tasks.start_soon(caller.live, until)


class Caller:
    """One person, who calls again and again."""

    def __init__(self, here: Street, chance: random.Random, number: int) -> None:
        self._here = here
        self._chance = chance
        self._number = number
        self._agent = here.agents[number % len(here.agents)]
        self._typed = 0
        first = number % len(SCENES)
        # Everybody begins elsewhere, so that even a short run has all of them; drawn from the end.
        self._deck = [*SCENES[first:], *SCENES[:first]][::-1]
        self._scenes: dict[str, Callable[[Page], Awaitable[None]]] = {
            "ask": self._ask,
            "speak over": self._speak_over,
            "type": self._type,
            "type over": self._type_over,
            "lose": self._lose,
            "lose mid-answer": self._lose_mid_answer,
        }

    async def live(self, until: float) -> None:
        while True:
            await self._call(until)
            if time.monotonic() >= until:
                return

    async def _call(self, until: float) -> None:
        tally = self._here.tally
        page = Page(self._here.address, await self._place(), self._here.room)
        tally.calls.append(page.call)
        tally.counts["calls"] += 1
        try:
            async with page.at_work():
                await self._join(page)
                for _ in range(self._chance.randint(*SCENES_A_CALL)):
                    await self._scene(page)
                    if time.monotonic() >= until:
                        break
                await self._leave(page)
        except* NeverCame as lost:
            tally.complaints += [f"{page.call}: {reason}" for reason in lost.exceptions]
        self._account(page)

    async def _place(self) -> dict[str, Any]:
        """A line is free a moment after its last caller has heard goodbye: try as people do."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                answer = await self._here.http.post("/api/calls", json={"agent": self._agent["id"]})
                if answer.status_code not in (BUSY, TOO_OFTEN):
                    break
                self._here.tally.counts["busy"] += 1
                await anyio.sleep(0.2 if answer.status_code == BUSY else 1.0)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def _join(self, page: Page) -> None:
        tap = self._here.tap
        async with self._here.joining:
            before = len(tap.lines)
            await page.open()
            await page.ready()
            page.line = await tap.line(before)
        await page.until(lambda: page.seen.order, "the greeting")
        page.listen()

    async def _scene(self, page: Page) -> None:
        if not self._deck:
            self._deck = list(SCENES)
            self._chance.shuffle(self._deck)
        name = self._deck.pop()
        if page.asking is not None:
            await self._agree(page)
        await self._scenes[name](page)

    # -- scenes: each leaves the agent answering, or silent -------------------------------------

    async def _ask(self, page: Page) -> None:
        """Hear the agent out, then speak."""
        await page.until(lambda: page.is_quiet, "a quiet moment")
        await anyio.sleep(self._chance.uniform(0.1, 0.8))
        await self._speak(page)

    async def _speak_over(self, page: Page) -> None:
        await self._until_interruptible(page)
        flushes, sounding = page.seen.flushes, page.hears_agent
        await self._speak(page)
        self._here.tally.counts["spoken over"] += sounding and page.seen.flushes > flushes

    async def _type(self, page: Page) -> None:
        await page.until(lambda: page.is_quiet, "a quiet moment")
        await self._say(page, self._chance.choice(self._agent["suggestions"]))

    async def _type_over(self, page: Page) -> None:
        await self._until_interruptible(page)
        flushes = page.seen.flushes
        await self._say(page, TALKATIVE)
        self._here.tally.counts["typed over"] += page.seen.flushes > flushes

    async def _lose(self, page: Page) -> None:
        """The line is lost while nobody speaks."""
        await page.until(lambda: page.is_quiet, "a quiet moment")
        await self._lose_socket(page)

    async def _lose_mid_answer(self, page: Page) -> None:
        await self._until_interruptible(page)
        await self._lose_socket(page)

    async def _agree(self, page: Page) -> None:
        """A tool asks whether it may: press yes, once the question was heard."""
        await page.until(lambda: page.is_quiet, "the question")
        if (asking := page.asking) is None:
            return
        sounded = len(page.seen.order)
        await page.agree(asking)
        self._here.tally.counts["agreed"] += 1
        await page.until(lambda: len(page.seen.order) > sounded, "an answer to a yes")

    # -- what scenes are made of ----------------------------------------------------------------

    async def _until_interruptible(self, page: Page) -> None:
        """Listen for a while to what the agent says; if it says nothing, give it cause to."""
        if page.is_quiet:
            await self._say(page, TALKATIVE)
        await anyio.sleep(self._chance.uniform(0.2, 1.5))

    async def _speak(self, page: Page) -> None:
        seen, tally = page.seen, self._here.tally
        before = set(seen.turns)
        tally.counts["spoken"] += 1
        await page.speak(self._chance.choice(self._here.utterances))
        spoke_at = time.monotonic()
        await page.until(lambda: set(seen.turns) - before, "a line for what was said")
        (turn, *more) = [line for line in seen.turns if line not in before]
        tally.counts["split turns"] += bool(more)
        await page.until(lambda: len(seen.order) > seen.turns[turn], "an answer to speech")
        tally.counts["spoken answered"] += 1
        tally.latencies_ms.append((time.monotonic() - spoke_at) * 1000)

    async def _say(self, page: Page, text: str) -> None:
        seen, tally = page.seen, self._here.tally
        self._typed += 1
        item = f"typed_{self._number}_{self._typed}"
        tally.counts["typed"] += 1
        await page.type(item, text)
        await page.until(lambda: item in seen.turns, "a line for what was typed")
        await page.until(lambda: len(seen.order) > seen.turns[item], "an answer to typing")
        tally.counts["typed answered"] += 1

    async def _lose_socket(self, page: Page) -> None:
        tally = self._here.tally
        await page.lose_socket()
        await anyio.sleep(self._chance.uniform(0.0, 1.5))
        await page.open()
        resumed = await page.ready()
        page.listen()
        page.seen.broken |= set(page.line.audio_bytes)
        tally.counts["resumed"] += resumed
        tally.counts["lost"] += 1

    async def _leave(self, page: Page) -> None:
        if self._chance.random() < 0.5:
            await page.hang_up()
        else:
            await page.close_tab()
        self._here.tally.counts["left"] += 1

    def _account(self, page: Page) -> None:
        tally, seen, line = self._here.tally, page.seen, page.line
        tally.told_ms += seen.latencies_ms
        tally.complaints += [f"{page.call}: {complaint}" for complaint in seen.complaints]
        tally.counts["tools"] += seen.tools
        tally.counts["frames sent"] += seen.sent_frames
        tally.counts["frames at the model"] += line.frames
        tally.counts["whole items"] += len(seen.whole)
        tally.counts["silenced items"] += len(seen.silenced)
        tally.counts["bytes missing"] += sum(abs(page.missing(item)) for item in seen.whole)
        if line.frames != seen.sent_frames:
            gap = seen.sent_frames - line.frames
            tally.complaints.append(f"{page.call}: {gap} of {seen.sent_frames} frames lost")
