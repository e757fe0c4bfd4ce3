"""A caller's leg that speaks and hears, in this process, in real time."""

import base64
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Final

import anyio
from anyio import to_thread

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.audio import FRAME_MS
from switchboard.conversation.legs import CallerAudio, LegCapabilities, ReplyAudio
from switchboard.evals.attention import Attention
from switchboard.evals.scenario import Caller
from switchboard.evals.sounding import SILENCE, LineSound, frames, is_loud, stereo
from switchboard.evals.speech import Speech
from switchboard.phone.playout import Playout

LEAD_MS: Final = 40.0
LATE_FRAMES: Final = 50
"""After a pause of the machine, so much is made up for, and no more."""
VOICE: Final = "alloy"


class VoiceLeg:
    """The leg of one simulated caller. `run` must run beside the call; it keeps the time."""

    capabilities = LegCapabilities(paced=True, recordable=False, audible=False)

    def __init__(self, attention: Attention, speech: Speech, caller: Caller, seed: int) -> None:
        self._attention = attention
        self._speech = speech
        self._caller = caller
        self._line = LineSound(caller.line, seed)
        self._events: deque[e.CallerEvent | CallerAudio] = deque()
        self._more = anyio.Event()
        self._closed = False
        self._saying: deque[bytes] = deque()
        self._said = anyio.Event()
        self._playout = Playout(lead_ms=LEAD_MS)
        self._ear: deque[tuple[str, bytes]] = deque()
        """What is on its way to the ear, frame by frame."""
        self._played_ms = 0.0
        """Of the agent's answer, from its first sound on."""
        self._played = anyio.Event()
        self._left: list[bytes] = []
        self._right: list[bytes] = []
        self._items: dict[str, list[bytes]] = defaultdict(list)
        self.talk_over_s = 0.0

    # -- the caller's hands -----------------------------------------------------------------

    async def say(self, text: str) -> None:
        """Returns once it was said, frame by frame."""
        caller = self._caller
        pcm = await self._speech.say(text, voice=caller.voice or VOICE, speed=caller.speed)
        narrowed = await to_thread.run_sync(self._line.narrowed, pcm)
        self._played_ms = 0.0
        self._saying.extend(frames(narrowed))
        self._said = anyio.Event()
        await self._said.wait()

    async def press(self, keys: str) -> None:
        for key in keys:
            self._put(e.CallerPressed(key))

    async def hang_up(self) -> None:
        self._put(e.CallerLeft("caller_left"))

    async def reached(self, position: int) -> None:
        """Until so many milliseconds of the agent's answer were heard, or it has ended."""
        self._played_ms = 0.0
        async with anyio.create_task_group() as tasks:

            async def finished() -> None:
                await self._attention.agent_finished()
                tasks.cancel_scope.cancel()

            tasks.start_soon(finished)
            while self._played_ms < position:
                await self._played.wait()
            tasks.cancel_scope.cancel()

    # -- the clock --------------------------------------------------------------------------

    async def run(self) -> None:
        """Fifty frames a second in either direction, until the call is over."""
        due = anyio.current_time()
        while not self._closed:
            now = anyio.current_time()
            if now - due > LATE_FRAMES * FRAME_MS / 1_000:
                due = now
            while due <= now:
                self._tick(due)
                due += FRAME_MS / 1_000
            await anyio.sleep(max(0.0, due - anyio.current_time()))

    def _tick(self, now: float) -> None:
        speaks = bool(self._saying)
        voice = self._line.frame(self._saying.popleft() if speaks else SILENCE)
        if speaks and not self._saying:
            self._said.set()
        self._put(CallerAudio(base64.b64encode(voice).decode()))
        for frame in self._playout.due(now):
            self._ear.append((frame.item_id, base64.b64decode(frame.audio)))
        heard = self._hear_frame()
        if speaks and is_loud(voice) and is_loud(heard):
            self.talk_over_s += FRAME_MS / 1_000
        self._left.append(voice)
        self._right.append(heard)
        for event in self._playout.heard(now):
            self._put(event)

    def _hear_frame(self) -> bytes:
        if not self._ear:
            return SILENCE
        item_id, pcm = self._ear.popleft()
        frame = (pcm + SILENCE)[: len(SILENCE)]
        self._items[item_id].append(frame)
        if self._played_ms or is_loud(frame):
            self._played_ms += FRAME_MS
        played, self._played = self._played, anyio.Event()
        played.set()
        return frame

    # -- what was heard ---------------------------------------------------------------------

    def audio(self) -> bytes:
        """PCM 24 kHz stereo: the caller left, the agent right."""
        return stereo(self._left, self._right)

    async def understood(self) -> str:
        """What a listener makes of what was heard of the agent."""
        texts = [await self._speech.hear(b"".join(each)) for each in self._items.values()]
        return " ".join(texts)

    # -- the exchange's half ----------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[e.CallerEvent | CallerAudio]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._more = anyio.Event()
            await self._more.wait()

    def play(self, reply: ReplyAudio) -> None:
        self._playout.put(reply.item_id, reply.audio)

    def command(self, command: c.CallerCommand) -> None:
        if isinstance(command, c.StopPlayout):
            self._ear.clear()
            for event in self._playout.stop(anyio.current_time()):
                self._put(event)

    def show(self, note: c.Note) -> None:
        self._attention.note(note)

    async def close(self, reason: str) -> None:
        del reason
        self._closed = True
        self._attention.end()
        self._said.set()
        self._played.set()
        self._more.set()

    def _put(self, event: e.CallerEvent | CallerAudio) -> None:
        self._events.append(event)
        self._more.set()
