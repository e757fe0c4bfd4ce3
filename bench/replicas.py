"""Two servers on one PostgreSQL: what becomes of live calls when one is killed, or told to stop.

killed     `kill -9` of the server that carries them: what was written of what was said, how soon
           callers by telephone hear the other server, how soon the pages' calls are marked lost
restarted  a second server is started and the first told to stop, while calls go on and new ones
           come: how many are dropped

Telephones and pages are real ones as far as the servers can tell: the local carrier's, and the
page's own protocol. Raises `PromiseBroken` where one of the promises does not hold.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, override

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from bench.houses import NUMBER, REOPENS_S, Houses, houses
from bench.losses import Caller
from bench.report import percentile
from bench.tones import QUESTIONS, Said, heard, said, spoken
from switchboard.records.history import CallHistory, history
from switchboard.records.store import Store
from switchboard_local.acs.people import PhoneCall
from tests.databases import running as postgres

LOSE_S: Final = 1.0
"""What a killed server may lose of what was said."""
LOST_WITHIN_S: Final = 15.0
PATIENCE_S: Final = 60.0
REPORT_S: Final = 1.0
"""How often a page says what it has played."""


class PromiseBroken(Exception):
    """What was measured is not what is promised."""


@dataclass(eq=False)
class Page(Caller):
    """A page's call, which remembers when each line was whole."""

    call_id: str = ""
    whole: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    """By line: when it was final, monotonic seconds, and its text."""

    @override
    async def _take(self, message: dict[str, Any]) -> None:
        await super()._take(message)
        if message["type"] == "line" and message["state"] == "final":
            known = self.whole.get(message["id"])
            if known is None or known[1] != message["text"]:
                self.whole[message["id"]] = (time.monotonic(), message["text"])

    async def listens(self) -> None:
        """Until the call is over, or its server."""
        async with asyncio.TaskGroup() as beside:
            reporting = beside.create_task(self._reports())
            with suppress(ConnectionClosed):
                await self.read()
            reporting.cancel()

    async def _reports(self) -> None:
        """Whoever sends nothing for long is thought to be gone."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(REPORT_S)
                await self.report()

    async def asks(self, number: int) -> None:
        """A question, until it is answered."""
        lines = len(self.words)
        question, answer = _question(number)
        await self.types(f"q{number}", question)
        try:
            await self.until(
                lambda: any(said(line) is answer for line in self.words[lines:]),
                "the answer",
                PATIENCE_S,
            )
        except TimeoutError as late:
            known = [(line["speaker"], line["text"]) for line in self.lines.values()]
            tools = [tool["state"] for tool in self.tools.values()]
            raise PromiseBroken(f"{late}; {known[-5:]}, tools {tools}, {self.notices}") from late


@dataclass(eq=False)
class Telephone:
    """A telephone's call, and what was last heard of the agent, when."""

    call: PhoneCall
    heard_at: dict[Said, float] = field(default_factory=dict[Said, float])
    """Monotonic seconds."""

    @property
    def sounded_at(self) -> float:
        return max(self.heard_at.values(), default=0.0)

    async def listens(self) -> None:
        async for piece in self.call.listen():
            if (what := heard(piece.pcm)) is not None:
                self.heard_at[what] = piece.at_s

    async def hears(self, what: Said, after: float) -> float:
        """When that next sounded after then. Raises `TimeoutError`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (at := self.heard_at.get(what, 0.0)) <= after:
                    if self.call.ended.is_set():
                        raise PromiseBroken("a telephone call was dropped")
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise PromiseBroken(f"a telephone did not hear {what.name} again") from None
        return at

    async def asks(self, number: int) -> None:
        """A question, until its answer sounds."""
        question, answer = _question(number)
        asked_at = time.monotonic()
        await self.call.say_out(spoken(question))
        await self.hears(answer, asked_at)


async def run(
    *, phones: int = 10, pages: int = 10, reopens: int = 1, scenes: str = "killed,restarted"
) -> dict[str, Any]:
    """Measure. `reopens=0`: the carrier does not open a broken media socket again by itself."""
    known = {"killed": killed, "restarted": restarted}
    found: dict[str, Any] = {}
    with postgres() as cluster, TemporaryDirectory() as scratch:
        for name in scenes.split(","):
            scene = known[name]
            url = cluster.url(await cluster.create())
            place = Path(scratch, name)
            place.mkdir()  # noqa: ASYNC240 - before anything runs
            found[name] = await scene(url, place, phones, pages, reopens=bool(reopens))
    return found


# -- kill -9 ------------------------------------------------------------------------------------


async def killed(
    url: str, place: Path, phones: int, pages: int, *, reopens: bool = True
) -> dict[str, Any]:
    """`kill -9` of the server that carries all calls. Raises `PromiseBroken`."""
    reopens_s = REOPENS_S if reopens else ()
    async with houses(url, place, reopens_s=reopens_s) as town, Store(url).opened() as records:
        first, other = await asyncio.gather(town.start(), town.start())
        async with calling(town, phones, pages) as (telephones, browsers):
            await _everybody(telephones, browsers, 0)
            await asyncio.sleep(LOSE_S + 0.5)  # so that there is something that may not be lost
            ids = await _open_calls(records, phones + pages)
            at = time.monotonic()
            first.kill()
            sorry_at = await _all(each.hears(Said.SORRY, at) for each in telephones)
            silences = [sorry - at for sorry in sorry_at]
            lost_s = await _lost(records, [each.call_id for each in browsers], at)
            # The conversation goes on: there is an answer to what is said next.
            await _all(_silent(each) for each in telephones)
            await _everybody(telephones, [], 1)
        told = [await _known(records, call_id) for call_id in ids]
    by_phone = [each for each in told if each.call.channel == "phone"]
    gone = [line for each in browsers for line in _missing(each, told, at)]
    gone += [line for each in by_phone for line in _unwritten(each)]
    missing = len(gone)
    apologies = [_apologies(each) for each in by_phone]
    result = {
        "calls": phones + pages,
        "lines said that are not in the records": missing,
        "_these": gone,
        "taken over": sum(each.call.takeovers > 0 for each in by_phone),
        "silence p50 s": percentile(silences, 50),
        "longest silence s": max(silences),
        "apologies": sum(apologies),
        "pages' calls marked lost": sum(each.call.end_reason == "lost" for each in told),
        "after s": lost_s,
    }
    _hold(missing == 0, "every line said more than a second before was written", result)
    _hold(result["taken over"] == phones, "every call by telephone was taken over", result)
    _hold(set(apologies) == {1}, "each of them heard one apology", result)
    # With its media, or before they were there: by the three ways in.
    ways = ("call taken over", "call of a dead server claimed")
    _hold(sum(map(other.said, ways)) >= phones, "by the other server", result)
    _hold(lost_s <= LOST_WITHIN_S, f"pages' calls are lost within {LOST_WITHIN_S} s", result)
    return result


def _missing(page: Page, told: Sequence[CallHistory], killed_at: float) -> list[str]:
    """Lines that the page saw whole well before, and the records do not have so."""
    [known] = [each for each in told if each.call.id == page.call_id]
    written = {item.item_id: item.text for item in known.items}
    said = {key: text for key, (at, text) in page.whole.items() if at < killed_at - LOSE_S}
    if not said:
        raise PromiseBroken("a page saw nothing said")
    return [f"{text} (kept: {written.get(key)})" for key, text in said.items()
            if written.get(key) != text]  # fmt: skip


def _unwritten(known: CallHistory) -> list[str]:
    """Of a telephone call everybody heard a greeting, a question with its answer, the apology, and
    another question with its answer: what is not there of it, in this order."""
    written = iter(
        [
            item.text if item.speaker == "caller" else said(item.text)
            for item in known.items
            if item.text
        ]
    )
    all_said = [Said.ELSE, *_question(0), Said.SORRY, *_question(1)]
    return [f"{each} of {known.call.id}" for each in all_said if each not in written]


def _apologies(known: CallHistory) -> int:
    return sum("i am sorry" in item.text.lower() for item in known.items)


async def _lost(records: Store, ids: Sequence[str], since: float) -> float:
    """Seconds until all of these are marked lost."""
    async with asyncio.timeout(PATIENCE_S):
        for call_id in ids:
            while (await _known(records, call_id)).call.ended_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    return time.monotonic() - since if ids else 0.0


# -- told to stop -------------------------------------------------------------------------------


async def restarted(
    url: str, place: Path, phones: int, pages: int, *, reopens: bool = True
) -> dict[str, Any]:
    """A second server is started, and the first told to stop. Raises `PromiseBroken`."""
    del reopens
    async with houses(url, place) as town, Store(url).opened() as records:
        first = await town.start(DRAIN_SECONDS="300")
        async with (
            calling(town, phones, pages) as (telephones, browsers),
            asyncio.TaskGroup() as beside,
        ):
            enough = asyncio.Event()
            talking = beside.create_task(_talk(telephones, browsers, enough))
            other = await town.start()
            first.stop()
            await town.front.until_away(first.port)
            async with calling(town, 1, 1) as (new_telephones, new_browsers):
                enough.set()
                asked = await talking
                # Both servers carry calls now, and everybody is still answered.
                everybody = [*telephones, *new_telephones]
                await _everybody(everybody, [*browsers, *new_browsers], asked)
                dropped = sum(each.call.ended.is_set() for each in everybody)
                dropped += sum(each.ended is not None for each in [*browsers, *new_browsers])
                ids = await _open_calls(records, phones + pages + 2)
                for telephone in telephones:
                    telephone.call.hang_up()
                for page in browsers:
                    await page.socket.close()
                await first.gone(PATIENCE_S)
                dropped += sum(each.call.ended.is_set() for each in new_telephones)
        told = [await _known(records, call_id) for call_id in ids]
    dropped += sum(each.call.end_reason in ("lost", "server_stopping") for each in told)
    result = {
        "calls": phones + pages + 2,
        "dropped": dropped,
        "taken by the second": 2,
        "answered meanwhile": asked * (phones + pages),
    }
    _hold(dropped == 0, "no call is dropped", result)
    _hold(first.said("calls_cut_off=0") == 1, "the first server waited for its calls", result)
    _hold(other.said("call began") == 2, "new calls went to the second", result)
    return result


# -- both ---------------------------------------------------------------------------------------


@asynccontextmanager
async def calling(
    town: Houses, phones: int, pages: int
) -> AsyncGenerator[tuple[list[Telephone], list[Page]]]:
    """So many calls, in which the greeting was heard; hung up with the block."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        await town.ringable()
        telephones = list(await _all(_rings(town, number) for number in range(phones)))
        browsers = [await _opens(town, stack) for _ in range(pages)]
        ears = [tasks.create_task(each.listens()) for each in [*telephones, *browsers]]
        await _all(each.hears(Said.ELSE, 0.0) for each in telephones)
        await _all(each.until(lambda each=each: each.words, "the greeting") for each in browsers)
        await _all(_silent(each) for each in telephones)
        try:
            yield telephones, browsers
        finally:
            for telephone in telephones:
                telephone.call.hang_up()
            for ear in ears:
                ear.cancel()


async def _talk(
    telephones: Sequence[Telephone], pages: Sequence[Page], enough: asyncio.Event
) -> int:
    """Everybody asks, again and again (who is silent for long is told goodbye). How often."""
    asked = 0
    while not enough.is_set():
        await _everybody(telephones, pages, asked)
        asked += 1
    return asked


async def _everybody(telephones: Sequence[Telephone], pages: Sequence[Page], number: int) -> None:
    """Asks a question, and hears its answer."""
    await asyncio.gather(*(each.asks(number) for each in [*telephones, *pages]))
    await _all(_silent(each) for each in telephones)


async def _silent(telephone: Telephone) -> None:
    """Until the agent has not been heard for a while: it has said what it had to say."""
    while time.monotonic() - telephone.sounded_at < 1.0:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.05)


_numbers = iter(range(100, 10_000))


async def _rings(town: Houses, _: int) -> Telephone:
    phone = town.telephones.acs.phone(f"+1555{next(_numbers):07}")
    async with asyncio.timeout(2 * PATIENCE_S):
        return Telephone(await town.telephones.acs.dial(phone, NUMBER))


async def _opens(town: Houses, stack: AsyncExitStack) -> Page:
    address = town.front.address
    async with httpx.AsyncClient(
        base_url=address, headers={"Origin": address}, timeout=PATIENCE_S, trust_env=False
    ) as http:
        placed = await http.post("/api/calls", json={"agent": "telecom"})
        call = placed.raise_for_status().json()
    socket: ClientConnection = await stack.enter_async_context(
        connect(
            address.replace("http", "ws", 1) + call["socket"],
            origin=Origin(address),
            subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{call['ticket']}")],
            proxy=None,
            open_timeout=PATIENCE_S,
        )
    )
    return Page(socket, call_id=call["call"])


def _question(number: int) -> tuple[str, Said]:
    """With what its answer is."""
    return list(QUESTIONS.items())[number % len(QUESTIONS)]


async def _all[T](waiting: Iterable[Awaitable[T]]) -> Sequence[T]:
    return await asyncio.gather(*waiting)


async def _open_calls(records: Store, count: int) -> Sequence[str]:
    """The ids of all calls, once so many are in the records."""
    from sqlalchemy import select

    from switchboard.records.schema import Call

    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with records.reading() as connection:
                ids = (await connection.execute(select(Call.id))).scalars().all()
            if len(ids) >= count:
                return ids
            await asyncio.sleep(0.05)


async def _known(records: Store, call_id: str) -> CallHistory:
    known = await history(records, call_id)
    assert known is not None
    return known


def _hold(promise: bool, what: str, result: dict[str, Any]) -> None:
    if not promise:
        raise PromiseBroken(f"not so: {what}. {result}")
