"""The caller speaks over the agent: after StopAudio nothing of an old reply is sent, ever.

The exchange, the room and the socket are real; the model says what a hostile day might bring.
"""

import base64
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from switchboard.conversation import events as e
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.rules import Rules
from switchboard.phone.codec import STOP_AUDIO
from tests.exchange.house import house as switchboard
from tests.exchange.house import until
from tests.exchange.legs import Model
from tests.phone.house import house
from tests.phone.peers import Carrier

PLAIN = Rules(tools={}, reattach_s=0.3, silence_s=100)
STOP = json.loads(STOP_AUDIO)
ROUNDS = 20
SAMPLES = 960
"""In a delta: 40 ms."""


def delta(number: int, item: int = 0) -> ReplyAudio:
    """Some audio of a reply, by which its frames can be told from others'."""
    pcm = number.to_bytes(2, "little") * SAMPLES
    return ReplyAudio(f"r{number}", f"i{number}.{item}", base64.b64encode(pcm).decode())


@dataclass
class Line:
    """What the carrier was sent, in order."""

    carrier: Carrier
    model: Model
    lot: random.Random
    current: int = 0
    stops: int = 0
    frames: int = 0
    silenced: set[int] = field(default_factory=set[int])

    async def takes(self) -> None:
        """One message. A frame must not be an old reply's."""
        message = await self.carrier.next()
        if message == STOP:
            self.stops += 1
            self.silenced.add(self.current)
            return
        pcm = base64.b64decode(message["audioData"]["data"])
        said = {int.from_bytes(pcm[at : at + 2], "little") for at in range(0, len(pcm), 2)} - {0}
        assert not said & self.silenced, f"{said} was heard after the barge-in"
        assert said <= {self.current}
        self.frames += 1

    def replies(self, number: int) -> None:
        """The next reply begins, while the old ones still dribble in."""
        self.current = number
        self.model.does(e.ReplyStarted(f"r{number}"))
        for item in range(self.lot.randint(1, 3)):
            self.model.does(
                e.ReplyItemStarted(f"r{number}", f"i{number}.{item}", e.ItemKind.MESSAGE)
            )
            for _ in range(self.lot.randint(3, 20)):
                self.model.does(delta(number, item))
                self.late()

    def late(self) -> None:
        """Audio of a reply that was silenced, of an item that was known or was not."""
        if self.silenced and self.lot.random() < 0.4:
            old = self.lot.choice(sorted(self.silenced))
            self.model.does(delta(old, self.lot.randint(0, 4)))

    def speaks_over(self, turn: int) -> None:
        """The caller does, and the service has more of the old reply under way."""
        self.model.does(e.SpeechStarted(f"u{turn}", 0))
        for item in range(self.lot.randint(0, 5)):
            self.model.does(delta(self.current, item))

    def is_answered(self, turn: int) -> None:
        done = [
            e.SpeechStopped(f"u{turn}", 0),
            e.TurnCommitted(f"u{turn}"),
            e.ReplyDone(f"r{self.current}", e.ReplyStatus.CANCELLED),
        ]
        if self.lot.random() < 0.5:
            done.reverse()
        for each in done:
            self.model.does(each, delta(self.current))


@pytest.mark.parametrize("seed", range(3))
async def test_no_frame_of_a_silenced_reply_is_sent(tmp_path: Path, seed: int) -> None:
    async with (
        switchboard(tmp_path / "exchange", PLAIN) as exchange,
        house(tmp_path / "phone", carried_by=exchange.switchboard, agent="ana") as home,
    ):
        await home.rings()
        [model] = await until(lambda: exchange.service.dialled)
        model.does(e.ModelReady("s1"))
        call_id = home.carrier.answered[0][1].operation
        async with home.media(call_id=call_id) as socket:
            line = Line(Carrier(socket), model, random.Random(seed))
            await line.carrier.opens()
            for number in range(1, ROUNDS + 1):
                line.replies(number)
                for _ in range(line.lot.randint(1, 6)):
                    await line.takes()
                line.speaks_over(number)
                while line.stops < number:
                    await line.takes()
                line.is_answered(number)
            assert line.frames >= ROUNDS
            line.replies(ROUNDS + 1)  # the line is as good as before
            await line.takes()
            assert line.stops == ROUNDS
