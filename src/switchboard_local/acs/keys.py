"""Keys that participants press, and who wants to know: continuous recognition, and collecting."""

from dataclasses import dataclass, field
from typing import Final

import anyio

from switchboard_local.acs.bodies import Dtmf, RecognizeOptions
from switchboard_local.acs.connection import Asked, Connection
from switchboard_local.acs.events import Told
from switchboard_local.acs.outcomes import OK, Result
from switchboard_local.acs.tones import NAMES

STOPPED: Final = Result(200, 8514, "Action completed, stop tone detected.")
ENOUGH: Final = Result(200, 8531, "Action completed, max digits received.")
SILENT: Final = Result(400, 8510, "Action failed, initial silence timeout reached.")
BETWEEN: Final = Result(400, 8532, "Action failed, inter-digit silence timeout reached.")
UNHEARD: Final = Result(400, 8500, "Action failed: only keys are recognized here.")
"""Sub-codes as Microsoft's pages on recognition have them; unverified."""
INITIAL_S: Final = 5
BETWEEN_S: Final = 2


@dataclass(slots=True, eq=False)
class Collecting:
    """One `recognize`: keys of one participant until there are enough."""

    asked: Asked
    options: RecognizeOptions
    tones: list[str] = field(default_factory=list[str])
    result: Result | None = None
    changed: anyio.Event = field(default_factory=anyio.Event)

    def press(self, tone: str) -> None:
        dtmf = self.options.dtmf_options or Dtmf()
        if tone in (dtmf.stop_tones or ()):
            self.result = STOPPED
        else:
            self.tones.append(tone)
            if len(self.tones) >= (dtmf.max_tones_to_collect or 1):
                self.result = ENOUGH
        self.changed.set()

    async def done(self, second_s: float) -> Result:
        """How it came out. `second_s` is how long a second takes."""
        dtmf = self.options.dtmf_options or Dtmf()
        first = self.options.initial_silence_timeout_in_seconds or INITIAL_S
        between = dtmf.inter_tone_timeout_in_seconds or BETWEEN_S
        while self.result is None:
            self.changed = anyio.Event()
            with anyio.move_on_after((between if self.tones else first) * second_s):
                await self.changed.wait()
                continue
            return BETWEEN if self.tones else SILENT
        return self.result


@dataclass(slots=True)
class Keys:
    """Of one connection."""

    connection: Connection
    watched: dict[str, Asked] = field(default_factory=dict[str, Asked])
    collecting: Collecting | None = None
    sequence: int = 0

    def pressed(self, raw: str, key: str) -> list[Told]:
        """What the application is told of a key."""
        tone = NAMES[key]
        collecting = self.collecting
        if collecting is not None and collecting.asked.who == raw:
            collecting.press(tone)
        asked = self.watched.get(raw)
        if asked is None:
            return []
        self.sequence += 1
        event = "ContinuousDtmfRecognitionToneReceived"
        return [
            self.connection.about(asked, event, OK, tone=tone, sequenceId=self.sequence),
        ]

    def collected(self, collecting: Collecting, result: Result) -> Told:
        """What it is told of a `recognize`."""
        if result.code == OK.code:
            more: dict[str, object] = {
                "recognitionType": "dtmf",
                "dtmfResult": {"tones": collecting.tones},
            }
            return self.connection.about(collecting.asked, "RecognizeCompleted", result, **more)
        return self.connection.about(collecting.asked, "RecognizeFailed", result)
