"""The console in front of a scripted day: the real room and records, calls that only the script
moves, a clock that stands still."""

import asyncio
import math
import socket
import threading
import time
from array import array
from base64 import b64encode
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import anyio
import uvicorn
from fastapi import FastAPI, Response

from switchboard.access.identity import Identify, LocalOnly
from switchboard.access.origins import Origins, loopback_origins
from switchboard.browser.headers import SafeHeaders
from switchboard.browser.pages import PageFiles
from switchboard.browser.problems import REFUSALS, answer_refusal
from switchboard.console import protocol as wire
from switchboard.console.calldesk import NO_TELEPHONE, NO_VOICES
from switchboard.console.neighbours import Neighbours
from switchboard.console.register import Register
from switchboard.console.room import ConsoleRoom
from switchboard.console.routes import console_routes
from switchboard.conversation import commands as c
from switchboard.conversation.events import Usage
from switchboard.conversation.wording import NO_MOUTH
from switchboard.exchange.desk import Mouth
from switchboard.exchange.ears import Ear
from switchboard.reception import Reception
from switchboard.records.bus import Bus
from switchboard.records.drawer import tickets_of
from switchboard.records.opening import Opening
from switchboard.records.reel import FRAMES_PER_MS, Piece, Reel, Side
from switchboard.records.store import Store, sqlite_url
from switchboard.sheets import sheet_of
from switchboard.turns import Turns
from tests.console.day import HEARD, NOW, fill
from tests.console.evaluations import keep

ROOT = Path(__file__).parents[2]
WAIT_S = 20.0
AGENTS = [
    wire.AgentName("banking", "Contoso Bank", "#7c3aed", "#c4b5fd"),
    wire.AgentName("telecom", "Northwind Telecom", "#0f766e", "#5eead4"),
    wire.AgentName("government", "City of Lakeshore", "#1d4ed8", "#93c5fd"),
]
TITLES = {
    "get_balance": "Check the balance",
    "list_transactions": "List transactions",
    "list_cards": "List your cards",
    "block_card": "Block a card",
    "replace_card": "Order a replacement card",
    "transfer_money": "Transfer money",
    "get_bill": "Check the bill",
    "check_outage": "Check for an outage",
    "change_plan": "Change the plan",
    "get_data_usage": "Check the data used",
    "list_fines": "Check your fines",
    "find_appointments": "Find appointments",
    "book_appointment": "Book an appointment",
}
WATCHED = "call-watched"


def hum(path: Path) -> None:
    """A recording: the caller hums for 3 s, then the agent, lower."""
    with Reel(path) as reel:
        for side, hertz, at_ms in ((Side.CALLER, 330, 0), (Side.AGENT, 165, 4_500)):
            step = 2 * math.pi * hertz / (1_000 * FRAMES_PER_MS)
            wave = [round(6_000 * math.sin(step * at)) for at in range(3_000 * FRAMES_PER_MS)]
            audio = b64encode(array("h", wave).tobytes()).decode()
            reel.write([Piece(side, at_ms, audio)], at_ms + 3_000)


class Nothing:
    """A ledger that keeps nothing: the script's live calls are in no record."""

    def open_call(self, opening: Opening) -> None: ...
    def note(self, call_id: str, note: c.Note, at: float) -> None: ...
    def close_call(self, call_id: str, reason: str, ended_at: float) -> None: ...
    def let_go(self, call_id: str) -> None: ...


class Wordless:
    """A mouth that nobody hears."""

    def speak(self, audio: str) -> None: ...
    def hand_back(self, summary: str | None) -> None: ...


class ScriptedDesk:
    """Takes every deed, and keeps it."""

    def __init__(self) -> None:
        self.deeds: list[tuple[str, wire.Deed]] = []

    async def act(self, call_id: str, deed: wire.Deed) -> None:
        self.deeds.append((call_id, deed))

    def can(self, call_id: str) -> wire.Abilities:
        rtc = call_id == "call-rtc"
        return wire.Abilities(
            wire.Can(False, NO_VOICES) if rtc else wire.Can(True),
            wire.Can(False, NO_TELEPHONE) if rtc else wire.Can(True),
            wire.Can(False, NO_MOUTH) if rtc else wire.Can(True),
            [] if rtc else ["colleague", "complaints"],
        )

    def listening(self, call_id: str, ear: Ear) -> AbstractContextManager[None]:
        raise NotImplementedError

    @contextmanager
    def taking_over(self, call_id: str, seat: Ear, by: str) -> Generator[Mouth]:
        yield Wordless()


class Gallery:
    """Serves the built page, and the room behind it, in a thread of its own."""

    def __init__(self, page: Path, axe: Path, data_dir: Path, *, empty: bool = False) -> None:
        self.address = ""
        self.desk = ScriptedDesk()
        self._page = page
        self._axe = axe
        self._data_dir = data_dir
        self._empty = empty
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sound = data_dir / "heard.wav"
        hum(self._sound)
        self.reception = Reception(
            ROOT / "session_config.json", data_dir, reattach_s=10, version="0.1.0"
        )
        self.register = Register(
            Nothing(),
            title_of=lambda name: TITLES.get(name, name),
            clock=lambda: NOW,
        )

    def does(self, call_id: str, *notes: c.Note, at: float = NOW) -> None:
        """Something happens on a call."""
        assert self._loop is not None

        def tell() -> None:
            for note in notes:
                self.register.note(call_id, note, at)

        self._loop.call_soon_threadsafe(tell)

    def ends(self, call_id: str, reason: str) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.register.close_call, call_id, reason, NOW)

    @contextmanager
    def serving(self) -> Generator[None]:
        door = socket.create_server(("127.0.0.1", 0))
        port = door.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/console/"
        started, stop = threading.Event(), anyio.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            async with Store(sqlite_url(self._data_dir)).opened() as store:
                if not self._empty:
                    await fill(store)
                    await keep(store, NOW)
                    begin(self.register)
                app = self._app(store, Origins(loopback_origins(port)))
                config = uvicorn.Config(app, log_level="error", lifespan="off")
                server = uvicorn.Server(config)
                serving = asyncio.create_task(server.serve(sockets=[door]))
                watching = asyncio.create_task(self.register.run())
                while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
                    await asyncio.sleep(0.01)
                started.set()
                await stop.wait()
                server.should_exit = server.force_exit = True
                await serving
                watching.cancel()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="gallery")
        thread.start()
        try:
            assert started.wait(WAIT_S)
            yield
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(timeout=WAIT_S)
            door.close()

    def _app(self, store: Store, origins: Origins) -> FastAPI:
        room = ConsoleRoom(
            self.register,
            self.desk,
            store,
            origins,
            agents=lambda: AGENTS,
            title_of=lambda name: TITLES.get(name, name),
            version="0.1.0",
            sheet_of=partial(sheet_of, self.reception, retention_days=90),
            sound_of=lambda call_id: self._sound if call_id == HEARD else None,
            after=lambda: [agent.id for agent in AGENTS],
            neighbours=Neighbours(store, Bus(store), tickets_of(store), title_of=str),
        )
        app = FastAPI(openapi_url=None)
        app.include_router(console_routes(room, Identify(LocalOnly(), Turns())))
        for refusal in REFUSALS:
            app.add_exception_handler(refusal, answer_refusal)

        @app.get("/axe.js")
        async def axe() -> Response:  # pyright: ignore[reportUnusedFunction]
            return Response(self._axe.read_bytes(), media_type="text/javascript")

        app.mount("/", PageFiles(self._page))
        app.add_middleware(SafeHeaders, origins=origins.allowed)
        return app


def until(done: object, timeout_s: float = WAIT_S) -> None:
    """Wait until `done()` is true."""
    assert callable(done)
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- the live calls of the script -----------------------------------------------------------------


def begin(register: Register) -> None:
    """Eight callers at once: one tool asks, one call is in trouble, one is slow."""
    _open(register, "call-1", "telecom", "phone", "telephone:41d2a90c5b6e7f18", 312)
    _say(register, "call-1", "agent", "Your next bill is 39 euros and 90 cents, on the fifth.", 310)
    _figures(register, "call-1", 640, 0.061, c.Floor.AGENT)
    _open(register, "call-2", "government", "browser", "2f9c1d77-0d5e-4a53", 268)
    _say(register, "call-2", "caller", "No, the appointment for the passport, not the permit.", 266)
    _figures(register, "call-2", 710, 0.048, c.Floor.CALLER)
    _watched(register)
    _open(register, "call-rtc", "telecom", "webrtc", "b1e07c2a-77aa-4d10", 141)
    _say(register, "call-rtc", "agent", "There is an outage in your area until six.", 138)
    _figures(register, "call-rtc", 430, 0.029, c.Floor.AGENT)
    _open(register, "call-5", "banking", "phone", "telephone:c0ffee5577aa1200", 122)
    _say(register, "call-5", "caller", "Hello? Are you still there?", 120)
    _figures(register, "call-5", 980, 0.024, c.Floor.THINKING)
    lost = c.NoteNotice("model_lost", "The connection to the agent was lost.")
    register.note("call-5", lost, NOW - 6)
    _open(register, "call-6", "government", "phone", "telephone:77d0a1b2c3d4e5f6", 88)
    _say(register, "call-6", "agent", "Let me look up your fines, one moment.", 85)
    _figures(register, "call-6", 1_870, 0.017, c.Floor.THINKING)
    _open(register, "call-7", "telecom", "browser", "local", 41)
    _say(register, "call-7", "agent", "Good afternoon, this is Northwind Telecom.", 39)
    _figures(register, "call-7", 590, 0.006, c.Floor.NOBODY)
    _open(register, "call-8", "banking", "browser", "58aa90e1-4c1f-4b6e", 6)
    register.note("call-8", c.NoteFloor(c.Floor.THINKING), NOW - 5)


def _watched(register: Register) -> None:
    """The one that is looked at: a lost card, and a tool that asks."""
    began = NOW - 47
    _open(register, WATCHED, "banking", "phone", "telephone:9f3a61c2d7e40b58", 47)
    talk = (
        ("agent", "Welcome to Contoso Bank. How may I help?", 300, c.LineState.FINAL),
        ("caller", "Hello. I think I have lost my card.", 4_200, c.LineState.FINAL),
        (
            "agent",
            "I am sorry to hear that. You have a debit card that ends in 4417 and a credit card "
            "that ends in 8802, which of the two is it that you are missing?",
            8_300,
            c.LineState.CUT,
        ),
        ("caller", "The debit card. I had it this morning.", 14_600, c.LineState.FINAL),
        ("agent", "Shall I block the card that ends in 4417?", 19_400, c.LineState.FINAL),
        ("caller", "Wait, could somebody else still pay with it", 24_800, c.LineState.FINAL),
        ("agent", "Not once it is blocked. Until then, yes.", 30_100, c.LineState.FINAL),
        ("caller", "I see. Then I would like to", 44_200, c.LineState.PARTIAL),
    )
    for number, (speaker, text, at_ms, state) in enumerate(talk):
        heard = 82 if state is c.LineState.CUT else None
        note = c.NoteLine(f"w{number}", c.Speaker(speaker), text, state, float(at_ms), heard)
        register.note(WATCHED, note, began + at_ms / 1_000)
    register.note(WATCHED, c.NoteInterruption("w2", 5_800, 9_900, 14_200), began + 14.2)
    for reply, at_ms, wait in (("r2", 8_300, 720), ("r4", 19_400, 640), ("r6", 30_100, 1_240)):
        register.note(WATCHED, c.NoteLatency(reply, wait), began + at_ms / 1_000)
        used = Usage(820, 340, 640, 128, 46, 190)
        register.note(WATCHED, c.NoteUsage(reply, used, 0.0183), began + at_ms / 1_000)
    listed = '{"cards": [{"card": "4417", "kind": "debit"}, {"card": "8802", "kind": "credit"}]}'
    done, asking = c.ToolState.DONE, c.ToolState.ASKING
    tool = c.NoteTool("t1", "list_cards", "{}", done, 6_900, listed, 410)
    register.note(WATCHED, tool, began + 7.3)
    question = "Block the card ending in 4417?"
    asks = c.NoteTool("t2", "block_card", '{"card": "4417"}', asking, 18_600, question=question)
    register.note(WATCHED, asks, began + 18.6)
    floors = (
        (c.Floor.AGENT, 300),
        (c.Floor.NOBODY, 2_900),
        (c.Floor.CALLER, 4_200),
        (c.Floor.THINKING, 6_600),
        (c.Floor.AGENT, 8_300),
        (c.Floor.CALLER, 14_200),
        (c.Floor.THINKING, 17_300),
        (c.Floor.AGENT, 19_400),
        (c.Floor.NOBODY, 22_000),
        (c.Floor.CALLER, 24_800),
        (c.Floor.THINKING, 28_400),
        (c.Floor.AGENT, 30_100),
        (c.Floor.NOBODY, 32_600),
        (c.Floor.CALLER, 44_200),
    )
    for floor, at_ms in floors:
        register.note(WATCHED, c.NoteFloor(floor), began + at_ms / 1_000)


def _open(
    register: Register, call_id: str, agent: str, channel: str, caller: str, ago_s: float
) -> None:
    register.open_call(
        Opening(
            call_id,
            principal_id=caller,
            agent=agent,
            model="gpt-realtime-2.1",
            voice="marin",
            channel=channel,
            began_at=NOW - ago_s,
        )
    )


def _say(register: Register, call_id: str, speaker: str, text: str, ago_s: float) -> None:
    line = c.NoteLine(f"l-{call_id}", c.Speaker(speaker), text, c.LineState.FINAL, 1_000.0)
    register.note(call_id, line, NOW - ago_s)


def _figures(register: Register, call_id: str, wait_ms: float, cost: float, floor: c.Floor) -> None:
    register.note(call_id, c.NoteLatency("r1", wait_ms), NOW - 20)
    used = Usage(820, 340, 640, 128, 46, 190)
    register.note(call_id, c.NoteUsage("r1", used, cost), NOW - 20)
    register.note(call_id, c.NoteFloor(floor), NOW - 4)
