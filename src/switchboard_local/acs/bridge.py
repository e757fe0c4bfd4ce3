"""Where a call is joined: everybody's 20 ms in, everybody else's out, on a clock of its own."""

import time
from collections.abc import Callable
from typing import Final, Protocol

import anyio

from switchboard_local.acs.people import PhoneCall
from switchboard_local.acs.sound import Spoken

LATE_S: Final = 1.0
"""A clock further behind starts anew: better a gap than a burst of a second."""


class Leg(Protocol):
    """An application's side of a call."""

    def speak(self, now_s: float) -> list[Spoken]: ...
    def hear(self, spoken: list[Spoken]) -> None:
        """20 ms of what people say; empty where nobody speaks."""
        ...

    def left(self, raw_id: str) -> None: ...
    def joined(self, raw_id: str) -> None: ...
    def pressed(self, raw_id: str, key: str) -> None: ...
    def over(self) -> None:
        """Nobody is there any more."""
        ...


class Bridge:
    """People and applications in one call. It ends with its last person."""

    def __init__(self, server_call_id: str, frame_s: float) -> None:
        self.server_call_id = server_call_id
        self.people: dict[str, PhoneCall] = {}
        self.legs: list[Leg] = []
        self.muted: set[str] = set()
        self.held: set[str] = set()
        self.frames = 0
        """How often 20 ms have passed."""
        self._frame_s = frame_s
        self._over = False

    async def run(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep time until the call is over. Late frames are caught up, one after another."""
        due = clock()
        while not self._over:
            due += self._frame_s
            behind = clock() - due
            if behind > LATE_S:
                due = clock()
            await anyio.sleep(max(0.0, -behind))
            if not self._over:
                self.tick(clock())

    def tick(self, now_s: float) -> None:
        """20 ms of everybody."""
        self.frames += 1
        said = [
            spoken
            for person in self.people.values()
            if (spoken := person.speak()) is not None and self._counts(person.raw_id)
        ]
        played = {id(leg): leg.speak(now_s) for leg in self.legs}
        for person in list(self.people.values()):
            person.hear(self._for(person.raw_id, said, played), now_s)
        for leg in list(self.legs):
            others = [each for key, own in played.items() if key != id(leg) for each in own]
            leg.hear(said + others)

    def join(self, person: PhoneCall) -> None:
        """Somebody comes in. The telephone's keys and cradle are this bridge's from now on."""
        raw = person.raw_id
        self.people[raw] = person
        person.connect(lambda key: self._pressed(raw, key), lambda: self.hang_up(raw))
        for leg in list(self.legs):
            leg.joined(raw)
        self._introduce()

    def take(self, raw_id: str) -> PhoneCall | None:
        """Somebody goes elsewhere; the line is not dead."""
        self.muted.discard(raw_id)
        self.hold(raw_id, on=False)
        return self.people.pop(raw_id, None)

    def hold(self, raw_id: str, *, on: bool) -> None:
        """Somebody hears nothing and is not heard, or is back."""
        (self.held.add if on else self.held.discard)(raw_id)
        person = self.people.get(raw_id)
        if person is not None:
            person.on_hold = on

    def hang_up(self, raw_id: str) -> None:
        """Somebody's line is dead."""
        person = self.take(raw_id)
        if person is None:
            return
        person.end()
        for leg in list(self.legs):
            leg.left(raw_id)
        self.settle()

    def enter(self, leg: Leg) -> None:
        self.legs.append(leg)

    def leave(self, leg: Leg) -> None:
        """An application goes."""
        if leg in self.legs:
            self.legs.remove(leg)
        self._introduce()

    def settle(self) -> None:
        """End it where nobody is left to speak with."""
        if self._over or len(self.people) > (0 if self.legs else 1):
            return
        self.end()

    def end(self) -> None:
        """For everybody."""
        if self._over:
            return
        self._over = True
        people, self.people = self.people, {}
        legs, self.legs = self.legs, []
        for person in people.values():
            person.end()
        for leg in legs:
            leg.over()

    def _introduce(self) -> None:
        """Two with no application between them speak with each other, whomever they rang."""
        if not self.legs and len(self.people) == 2:
            one, other = self.people.values()
            one.other, other.other = other.raw_id, one.raw_id

    def _counts(self, raw_id: str) -> bool:
        return raw_id not in self.muted and raw_id not in self.held

    def _for(
        self, raw_id: str, said: list[Spoken], played: dict[int, list[Spoken]]
    ) -> list[Spoken]:
        if raw_id in self.held:
            return []
        others = [each for each in said if each.raw_id != raw_id]
        from_legs = (each for own in played.values() for each in own)
        return others + [each for each in from_legs if each.to is None or raw_id in each.to]

    def _pressed(self, raw_id: str, key: str) -> None:
        for leg in list(self.legs):
            leg.pressed(raw_id, key)
