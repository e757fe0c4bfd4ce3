"""An operator's seat at a call: one at a time, no further ahead than an ear can hear, and private
where the caller is."""

import base64

import pytest

from switchboard.conversation import events as e
from switchboard.errors import LinesBusy
from switchboard.exchange.desk import AHEAD_S, Desk
from switchboard.exchange.ears import Ears

VOICE = base64.b64encode(bytes(960)).decode()
FRAME_S = 0.02


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def caller(self, audio: str) -> None:
        self.heard.append("caller")

    def agent(self, audio: str) -> None:
        self.heard.append("agent")

    def operator(self, audio: str) -> None:
        self.heard.append("operator")

    def hush(self) -> None: ...
    def muted(self, muted: bool) -> None:
        self.heard.append(f"muted {muted}")

    def over(self) -> None: ...


class Room:
    """A desk whose call, ears and clock are the test's."""

    def __init__(self) -> None:
        self.told: list[e.Event] = []
        self.played: list[str] = []
        self.open, self.now, self.private = True, 0.0, False
        self.ears = Ears(lambda: self.private)
        self.desk = Desk(
            self.told.append, self._play, lambda: self.open, self.ears, lambda: self.now
        )

    def _play(self, item_id: str, audio: str) -> None:
        self.played.append(item_id)
        self.ears.operator(audio)


def test_one_operator_at_a_time_and_the_other_is_told_who_has_the_call() -> None:
    room = Room()
    with room.desk.taking_over(Ear(), "Ada"):
        with pytest.raises(LinesBusy, match="Ada"), room.desk.taking_over(Ear(), "Bo"):
            pass
        assert room.told == [e.TakenOver("Ada")]
    with room.desk.taking_over(Ear(), "Bo"):
        pass
    assert room.told[1:] == [e.OperatorAway(), e.TakenOver("Bo"), e.OperatorAway()]


def test_who_hands_back_has_not_lost_the_line_and_speaks_no_more() -> None:
    room = Room()
    with room.desk.taking_over(Ear(), "Ada") as mouth:
        mouth.hand_back("All done.")
        mouth.hand_back("Again.")
        mouth.speak(VOICE)
    assert room.told == [e.TakenOver("Ada"), e.HandedBack("All done.")]
    assert room.played == []


def test_a_voice_that_was_held_up_does_not_lag_for_the_rest_of_the_call() -> None:
    room = Room()
    with room.desk.taking_over(Ear(), "Ada") as mouth:
        for _ in range(500):  # ten seconds at once
            mouth.speak(VOICE)
        assert len(room.played) == pytest.approx(AHEAD_S / FRAME_S, abs=2)
        room.now += 10
        mouth.speak(VOICE)
        assert len(room.played) == pytest.approx(AHEAD_S / FRAME_S + 1, abs=2)


def test_nothing_is_said_while_the_mouth_is_closed() -> None:
    room = Room()
    room.open = False
    with room.desk.taking_over(Ear(), "Ada") as mouth:
        mouth.speak(VOICE)
    assert room.played == []


def test_listeners_hear_the_operator_who_does_not_hear_themselves() -> None:
    room, listener, seat = Room(), Ear(), Ear()
    with room.ears.listening(listener), room.desk.taking_over(seat, "Ada") as mouth:
        mouth.speak(VOICE)
        room.ears.caller(VOICE)
    assert listener.heard == ["operator", "caller"]
    assert seat.heard == ["caller"]


def test_who_has_the_call_hears_nothing_private() -> None:
    room, seat = Room(), Ear()
    with room.desk.taking_over(seat, "Ada"):
        room.private = True
        room.ears.caller(VOICE)
    assert seat.heard == ["muted True"]


def test_what_was_silenced_is_known_to_the_leg_by_another_name() -> None:
    room = Room()
    with room.desk.taking_over(Ear(), "Ada") as mouth:
        mouth.speak(VOICE)
        room.desk.hush()
        mouth.speak(VOICE)
    assert len(set(room.played)) == 2
