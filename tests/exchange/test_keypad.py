"""The keypad of a private entry, on its own: when it hides, when it is deaf, what it hands over."""

from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
import pytest

from switchboard.conversation.audio import base64_size_bytes, silence_like
from switchboard.errors import ToolFailed
from switchboard.exchange.keypad import CallKeypad, Patience
from switchboard.tools.context import ToolContext
from switchboard.tools.keypad import luhn, take_private_keys
from switchboard.tools.private import KEPT_S, Collected, Ending, PrivateEntries, PrivateKeys

QUICK = Patience(first_s=0.1, next_s=0.05, longest_s=2)
CARD = "4539578763621486"


@dataclass
class Pad:
    """A keypad, its clock, and what is collected from it."""

    now: float = 100.0
    pad: CallKeypad = field(init=False)

    def __post_init__(self) -> None:
        self.pad = CallKeypad(lambda: self.now, QUICK)
        self.pad.hide()

    def keys(self, text: str) -> None:
        for key in text:
            self.pad.press(key)

    async def collects(self, text: str, least: int = 4, most: int = 12) -> tuple[Ending, str]:
        self.pad.open()
        self.keys(text)
        collected = await self.pad.collect(least=least, most=most)
        return collected.ending, collected.keys.reveal()


@pytest.mark.parametrize(
    ("keyed", "ending", "digits"),
    [
        ("7391#", Ending.COMPLETE, "7391"),
        ("99*7391#", Ending.COMPLETE, "7391"),
        ("7391", Ending.COMPLETE, "7391"),  # after a pause
        ("73", Ending.UNFINISHED, ""),
        ("73#", Ending.COMPLETE, "73"),  # too short: that is for the tool to say
        ("", Ending.NOTHING, ""),
        ("#", Ending.NOTHING, ""),
        ("7391#55", Ending.COMPLETE, "7391"),
        ("1" * 40, Ending.COMPLETE, "1" * 32),
    ],
)
async def test_it_ends_at_hash_at_the_length_or_in_time(
    keyed: str, ending: Ending, digits: str
) -> None:
    assert await Pad().collects(keyed) == (ending, digits)


async def test_whoever_keys_before_the_request_was_heard_is_heard_by_nobody_either() -> None:
    here = Pad()
    assert here.pad.hides
    assert not here.pad.deaf
    here.keys("7")
    assert here.pad.deaf
    assert await here.collects("391#") == (Ending.COMPLETE, "7391")


async def test_one_that_is_closed_meanwhile_hands_over_nothing() -> None:
    here = Pad()
    found: list[Collected] = []
    async with anyio.create_task_group() as tasks:

        async def collect() -> None:
            found.append(await here.pad.collect(least=4, most=4))

        tasks.start_soon(collect)
        here.keys("73")
        await anyio.lowlevel.checkpoint()
        here.pad.close()
    assert (found[0].ending, len(found[0].keys)) == (Ending.INTERRUPTED, 0)


async def test_there_is_one_at_a_time() -> None:
    here = Pad()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: here.pad.collect(least=4, most=4))
        await anyio.lowlevel.checkpoint()
        with pytest.raises(ToolFailed, match="One private entry"):
            await here.pad.collect(least=4, most=4)
        here.pad.close()


async def test_who_keys_on_after_the_end_is_still_not_heard() -> None:
    here = Pad()
    await here.collects("7391#")
    here.pad.close()
    assert here.pad.deaf
    here.now += 1
    assert not here.pad.deaf
    assert here.pad.hides
    assert not here.pad.press("5")
    here.now += 60
    assert here.pad.hides  # nobody has asked for anything since
    here.pad.agent_speaks()
    assert not here.pad.hides
    here.pad.press("5")
    assert here.pad.hides  # one key after another


# -- what becomes of it -------------------------------------------------------------------------


@dataclass
class Ready:
    """A keypad on which something has been keyed already."""

    digits: str
    ending: Ending = Ending.COMPLETE

    async def collect(self, *, least: int, most: int) -> Collected:
        assert least <= most
        return Collected(self.ending, PrivateKeys(bytearray(self.digits.encode())))


@pytest.mark.parametrize(
    ("what", "digits", "status"),
    [
        ("pin", "7391", "complete"),
        ("pin", "739", "invalid"),
        ("card_number", CARD, "complete"),
        ("card_number", CARD[:-1] + "7", "invalid"),
        ("card_number", "0" * 11, "invalid"),
        ("digits", "5", "complete"),
    ],
)
async def test_the_model_learns_a_token_and_a_count(what: str, digits: str, status: str) -> None:
    context = ToolContext(keypad=Ready(digits), entries=PrivateEntries(lambda: 0.0))
    answer = await take_private_keys(context, what)  # pyright: ignore[reportArgumentType]
    assert (answer["status"], answer["digits"]) == (status, len(digits))
    assert len(digits) < 2 or digits not in str(answer)
    if status == "complete":
        with context.private(str(answer["token"])) as keys:
            assert keys.reveal() == digits
        assert len(keys) == 0
    else:
        assert "token" not in answer


@pytest.mark.parametrize("ending", [Ending.NOTHING, Ending.UNFINISHED, Ending.INTERRUPTED])
async def test_what_came_to_nothing_has_no_token(ending: Ending) -> None:
    context = ToolContext(keypad=Ready("73", ending), entries=PrivateEntries(lambda: 0.0))
    answer = await take_private_keys(context, "pin")
    assert set(answer) == {"status", "say"}


async def test_a_token_is_good_once_and_soon_and_on_its_call() -> None:
    now = 0.0
    entries, others = PrivateEntries(lambda: now), PrivateEntries(lambda: now)
    first, second = (entries.keep(PrivateKeys(bytearray(b"7391"))) for _ in range(2))
    with pytest.raises(ToolFailed):
        others.take(first)
    assert entries.take(first).reveal() == "7391"
    with pytest.raises(ToolFailed):
        entries.take(first)
    now = KEPT_S
    with pytest.raises(ToolFailed):
        entries.take(second)


def test_what_is_forgotten_is_zeroed() -> None:
    entries = PrivateEntries(lambda: 0.0)
    kept = [PrivateKeys(bytearray(b"7391")) for _ in range(6)]
    for keys in kept:
        entries.keep(keys)
    assert [len(keys) for keys in kept] == [0, 0, 4, 4, 4, 4]  # the oldest gave way
    entries.wipe()
    assert not any(map(len, kept))


async def test_nothing_shows_what_was_keyed() -> None:
    here = Pad()
    here.keys("7391")
    entries = PrivateEntries(lambda: 0.0)
    keys = PrivateKeys(bytearray(b"7391"))
    token = entries.keep(keys)
    context = ToolContext(keypad=here.pad, entries=entries)
    for thing in (here.pad, entries, keys, Collected(Ending.COMPLETE, keys), context):
        assert "7391" not in f"{thing!r} {thing}"
    with pytest.raises(ToolFailed) as refused:
        entries.take(token + "x")
    assert "key-" not in str(refused.value)


@pytest.mark.parametrize("number", [CARD, "378282246310005", "6011000990139424", "0"])
def test_card_numbers_end_in_the_right_digit(number: str) -> None:
    assert luhn(number)
    assert not luhn(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize("audio", ["//8=", "/////w==", "AQIDBAUG", ""])
def test_silence_is_as_long_as_the_sound_it_stands_for(audio: str) -> None:
    assert base64_size_bytes(silence_like(audio)) == base64_size_bytes(audio)
    assert not silence_like(audio).strip("A=")
