"""A bank's clerk who has PINs keyed, and what the model, the store and the log hold of them."""

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path

from switchboard.exchange.call import Call as CarriedCall
from switchboard.tools.demo import DemoDatabase
from switchboard_local.acs.people import PhoneCall
from switchboard_local.acs.sound import loud
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.e2e.town import until
from tests.local.realtime.doubles import last_words
from tests.phone.ringing import SPEECH, Town

_ID = re.compile(r'"\w*id": "[^"]*"')
"""Made up at random, and may hold any digits."""
ASK = '{"what": "pin", "length": 6}'


def pin_clerk(request: Request) -> Sequence[Thought]:
    """Unblocks a card, with a PIN that is keyed; asks again for a wrong one."""
    said = last_words(request)
    if request.response_instructions:
        return [Say("Good day.")]
    if token := re.search(r"key-[a-z]{8}", said):
        arguments = {"card": "4417", "pin_token": token[0]}
        return [Call("unblock_card", json.dumps(arguments))]
    if "Tries left" in said or "unblock" in said:
        return [Say("Please key the PIN."), Call("take_private_keys", ASK)]
    return [Say("I see.")]


async def block(there: Town) -> None:
    """The caller's card is blocked."""
    demo = there.home.house.reception.resources.need(DemoDatabase)
    async with demo.writing() as rows:
        await rows.run("UPDATE card SET state = 'blocked' WHERE last_four = '4417'")


async def is_asked(there: Town) -> PhoneCall:
    """A caller who has been asked for the PIN, and has heard so."""
    there.cloud.doubles.mind.script = pin_clerk
    there.cloud.doubles.ears.words = ["please unblock my card"]
    await block(there)
    call = await there.ring()
    await call.say_out(SPEECH)
    await keypad(there)
    return call


async def keypad(there: Town) -> None:
    """Until the model hears the caller no more."""
    call = carried(there)
    await until(lambda: call.deaf)


def carried(there: Town) -> CarriedCall:
    """The one call there is, as the exchange carries it."""
    [call] = there.home.house.switchboard._calls.values()  # pyright: ignore[reportPrivateUsage] - what the console will be shown
    return call


def spoken(there: Town) -> int:
    """Frames with sound in them that the model was sent of the caller."""
    sent = there.tap.events("input_audio_buffer.append", from_model=False)
    return sum(loud(base64.b64decode(each.event["audio"])) for each in sent)


def holds(there: Town, data_dir: Path, digits: str) -> list[str]:
    """Where these digits are to be found, in a row or apart: what the model was told, the store."""
    spelled = (digits, " ".join(digits), ", ".join(digits))
    frames = (f.event for f in there.tap.frames if not f.from_model and "audio" not in f.event)
    told = (_ID.sub("", json.dumps(event)) for event in frames)
    found = [text for text in told if any(way in text for way in spelled)]
    for file in data_dir.rglob("records.sqlite3*"):
        written = file.read_bytes()
        found += [file.name for way in spelled if way.encode() in written]
    return found
