"""An answering machine takes a call of ours: known by its words, and never by silence."""

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.machine import MachinePolicy, MachineRule, Taker, judge
from switchboard.conversation.rules import Rules
from switchboard.conversation.taking import TONE_S
from tests.conversation.scene import Scene, of, requests

MESSAGE = "This is the bank. Please call us."
HANG_UP = Rules(machine=MachineRule(MachinePolicy.HANG_UP))
LEAVE = Rules(machine=MachineRule(MachinePolicy.LEAVE_MESSAGE, MESSAGE), silence_s=5)
GREETING = "Hi, you've reached Ada. I can't come to the phone. Leave a message after the tone."


@pytest.mark.parametrize(
    "words",
    [
        GREETING,
        "Please leave your message after the beep.",
        "You've reached the voicemail of Ada Lovelace.",
        "Your call has been forwarded to an automatic voice message system.",
        "The person you are trying to reach is not available. At the tone, record your message.",
        "Sorry, I can\u2019t take your call right now. Leave a message.",
        "The mailbox is full.",
        "Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Der Teilnehmer ist zurzeit nicht erreichbar. Nach dem Piepton k\u00f6nnen Sie sprechen.",
        "Bonjour, laissez un message apr\u00e8s le bip.",
        "Deje su mensaje despu\u00e9s de la se\u00f1al.",
        "Lasciate un messaggio dopo il segnale acustico.",
        "Spreek een bericht in na de piep.",
        "Ap\u00f3s o sinal, deixe a sua mensagem.",
    ],
)
def test_what_only_machines_say(words: str) -> None:
    assert judge(words, 4_000) is Taker.MACHINE


@pytest.mark.parametrize(
    ("words", "spoken_ms"),
    [
        ("", 0),
        ("", 20_000),  # silence, however long, is no machine
        ("Hello?", 400),
        ("Lovelace, hello.", 900),
        ("Good morning, Northwind Traders, Ada speaking, how can I help you?", 5_000),
        ("Hold on, I was just going to leave a message for you, who is this?", 4_000),
        ("She is not available right now, who is calling?", 3_000),
        ("Could you call back later, I am in a meeting", 3_000),
        ("Did you get my message?", 1_500),
        ("Wait a moment, I have to find my glasses, they must be here somewhere", 9_000),
        ("I am not interested, take me off your list", 3_000),
        ("Nein danke, kein Interesse", 1_500),
    ],
)
def test_what_people_say(words: str, spoken_ms: float) -> None:
    assert judge(words, spoken_ms) is Taker.UNSURE


def test_a_long_turn_that_sounds_like_one_is_one_and_a_short_one_is_not() -> None:
    words = "Lovelace and Co. Our office hours are nine to five, we will get back to you."
    assert judge(words, 8_000) is Taker.MACHINE
    assert judge(words, 2_000) is Taker.UNSURE


def test_on_a_machine_the_agent_hangs_up_and_says_why() -> None:
    scene = Scene(HANG_UP)
    scene.connect()
    out = scene.speaks("i1", GREETING)
    assert of(out, c.EndCall) == [c.EndCall("answering_machine")]
    assert [notice.code for notice in of(out, c.NoteNotice)] == ["answering_machine"]


def test_a_machine_that_pauses_is_known_by_both_halves() -> None:
    scene = Scene(HANG_UP)
    scene.connect()
    assert of(scene.speaks("i1", "Hi, this is Ada."), c.EndCall) == []
    assert of(scene.speaks("i2", "Leave a message after the tone."), c.EndCall)


def test_nobody_hangs_up_on_a_person_who_says_so_later() -> None:
    scene = Scene(HANG_UP)
    scene.connect()
    for item in ("i1", "i2"):
        scene.speaks(item, "Yes, hello.")
    assert of(scene.speaks("i3", "Leave a message after the tone."), c.EndCall) == []


@pytest.mark.parametrize("rules", [Rules(), Rules(machine=MachineRule(MachinePolicy.GO_ON))])
def test_without_a_policy_the_call_goes_on(rules: Rules) -> None:
    scene = Scene(rules)
    scene.connect()
    assert of(scene.speaks("i1", GREETING), c.EndCall) == []


def test_words_that_nobody_understood_are_nobody_s_machine() -> None:
    scene = Scene(HANG_UP)
    scene.connect()
    scene.speaks("i1")
    assert of(scene.do(e.CallerWordsFailed("i1")), c.EndCall) == []


def test_the_message_is_left_once_the_machine_is_silent_and_then_the_agent_goes() -> None:
    scene = Scene(LEAVE)
    scene.connect()
    scene.speaks("i1")
    scene.do(e.ReplyStarted("r1"))  # the service answers the machine by itself
    out = scene.do(e.CallerWords("i1", GREETING, final=True))
    assert of(out, c.CancelReply) == [c.CancelReply("r1")]
    scene.done("r1", e.ReplyStatus.CANCELLED)

    assert requests(scene.wait(TONE_S - 0.1)) == []
    [asked] = requests(scene.wait(0.2))
    assert asked.instructions is not None
    assert MESSAGE in asked.instructions
    scene.says("r2", "m2", 1_000, MESSAGE, tag=asked.tag)
    scene.done("r2")
    scene.wait(1.0)
    out = scene.do(e.Heard("m2", 1_000))
    assert of(out, c.EndCall) == [c.EndCall("message_left")]


def test_a_machine_that_goes_on_speaking_is_heard_out_and_not_answered() -> None:
    scene = Scene(LEAVE)
    scene.connect()
    scene.speaks("i1", GREETING)
    scene.wait(TONE_S - 0.5)
    scene.do(e.SpeechStarted("i2", 5_000))
    assert requests(scene.wait(TONE_S + 1)) == []
    scene.do(e.SpeechStopped("i2", 9_000), e.TurnCommitted("i2"))
    out = scene.do(e.ReplyStarted("r1"))
    assert of(out, c.CancelReply) == [c.CancelReply("r1")]
    scene.done("r1", e.ReplyStatus.CANCELLED)
    [asked] = requests(scene.wait(TONE_S + 0.1))
    assert MESSAGE in (asked.instructions or "")
