"""A caller on a telephone: the local carrier rings the server, streams both voices over its media
socket, and sends the keys as its own events.

The same voice and ear as in process, at the end of a telephone's line. What happens is seen by the
server's observer: a telephone is shown nothing.
"""

import base64
from contextlib import suppress
from typing import Final, Literal

import anyio
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.evals.attention import Attention
from switchboard.evals.cloud import Carrier
from switchboard.evals.evidence import Evidence
from switchboard.evals.scenario import Scenario
from switchboard.evals.servers import Server
from switchboard.evals.sounding import SILENCE
from switchboard.evals.speech import Speech
from switchboard.evals.talking import Held, Talk, conduct, heard_of
from switchboard.evals.voiceleg import VoiceLeg

OPEN_S: Final = 20.0
CUSHION: Final = 8 * SILENCE
"""Ahead of a voice that begins or was late, so that frames a little late leave no gap."""
MOST_AHEAD: Final = 15
"""Pieces that the telephone has not spoken yet: silence beyond them is left out."""
HUNG_UP: Final = "hung_up"
CALLER_LEFT: Final = "caller_left"
"""What scenarios call it, whatever the channel."""
EAR: Final = "telephone"
"""A line has one voice at its other end, whatever replies it is made of."""


class _Told(msgspec.Struct, frozen=True):
    """What the telephone says: `WS /local/phone`."""

    type: Literal["ringing", "answered", "unanswered", "spoken", "words", "ended"]
    text: str = ""


_told: Final = msgspec.json.Decoder(_Told)


async def by_phone(
    talk: Talk, scenario: Scenario, speech: Speech, carrier: Carrier, own: Server
) -> Held:
    """Speak the conversation by telephone. Raises `ConfigurationError` without voice or ears."""
    evidence, attention = Evidence(), Attention()
    leg = VoiceLeg(attention, speech, scenario.caller, talk.seed)
    telephone = Telephone(leg, evidence)

    async def carry() -> None:
        await telephone.call(carrier.line(own.number or ""))

    with own.witness.on(evidence, attention):
        await conduct(talk, scenario, leg, attention, evidence, carry, telephone.keep_time)
        await own.witness.ended()
    if evidence.ended == HUNG_UP:
        evidence.ended = CALLER_LEFT
    return await heard_of(leg, scenario, evidence, await own.keep(talk.folder))


class Telephone:
    """One call. What goes wrong stands in the evidence."""

    def __init__(self, leg: VoiceLeg, evidence: Evidence) -> None:
        self._leg = leg
        self._evidence = evidence
        self._ahead = 0
        self._speaking = False
        self._hung_up = False
        self._answered = anyio.Event()

    async def keep_time(self) -> None:
        """The caller's clock, from the answer on."""
        await self._answered.wait()
        await self._leg.run()

    async def call(self, address: str) -> None:
        """Ring, and talk until it is over."""
        try:
            async with connect(
                address, compression=None, proxy=None, open_timeout=OPEN_S
            ) as socket:
                await self._talk(socket)
        except (OSError, InvalidHandshake) as reason:
            self._evidence.trouble = f"The carrier is not to be had: {type(reason).__name__}."
        finally:
            await self._leg.close("over")
            self._answered.set()

    async def _talk(self, socket: ClientConnection) -> None:
        async with anyio.create_task_group() as tasks:
            try:
                async for frame in socket:
                    if isinstance(frame, bytes):
                        self._leg.play(ReplyAudio("", EAR, base64.b64encode(frame).decode()))
                    elif not self._note(_told.decode(frame)):
                        break
                    elif self._answered.is_set() and not self._speaking:
                        self._speaking = True
                        tasks.start_soon(self._speak, socket)
            except (ConnectionClosed, msgspec.MsgspecError) as reason:
                if not self._hung_up:
                    self._evidence.trouble = f"The line broke: {type(reason).__name__}."
            tasks.cancel_scope.cancel()

    def _note(self, told: _Told) -> bool:
        """Whether the line goes on."""
        match told:
            case _Told("answered"):
                self._answered.set()
            case _Told("spoken"):
                self._ahead -= 1
            case _Told("unanswered", text):
                self._evidence.trouble = f"Nobody answered: {text}"
                return False
            case _Told("ended"):
                return False
            case _:
                """It rings; or what its own ears made of a stretch."""
        return True

    async def _speak(self, socket: ClientConnection) -> None:
        """What the caller does goes down the line in its order."""
        waiting = b""
        with suppress(ConnectionClosed):  # told by whoever listens
            async for event in self._leg:
                match event:
                    case CallerAudio(audio):
                        waiting += base64.b64decode(audio)
                    case e.CallerPressed(key):
                        await socket.send(_wish("press", keys=key))
                    case e.CallerLeft():
                        self._hung_up = True
                        await socket.send(_wish("hang_up"))
                    case _:
                        """What is heard, the carrier knows itself."""
                if self._ahead < MOST_AHEAD and waiting:
                    await socket.send(waiting if self._ahead > 0 else CUSHION + waiting)
                    self._ahead, waiting = self._ahead + 1, b""
                elif not any(waiting):
                    waiting = b""


def _wish(kind: str, keys: str = "") -> str:
    return msgspec.json.encode({"type": kind, "keys": keys}).decode()
