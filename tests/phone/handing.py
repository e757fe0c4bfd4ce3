"""A town in which the agent can hand its callers to a human, and the human's telephone."""

import json
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from switchboard_local.acs.people import Phone, PhoneCall, Ring
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.browser.webrtc.peers import ROOT
from tests.local.acs.softphones import HUMAN
from tests.local.realtime.doubles import Cloud, last_words
from tests.phone.ringing import AGENT, AS_IN_LIFE, SPEECH, Town, teller, town

ABOUT = "A refund of twelve pounds."
CONNECTING = "I am connecting you with a colleague now."
ASKING = "One moment, I ask a colleague to join."
BRIEFING = "A caller for you, about a refund."
MS_PER_CHAR = 60


def receptionist(request: Request) -> Sequence[Thought]:
    """A bank's clerk who has colleagues, and knows which keys a menu wants."""
    said = last_words(request)
    wanted = json.dumps({"human": "support", "reason": ABOUT})
    if "your colleague (support)" in (request.response_instructions or ""):
        return [Say(BRIEFING)]
    if request.response_instructions:
        return teller(request)
    if said == "put me through":
        return [Say(CONNECTING), Call("transfer_to_human", wanted)]
    if said == "fetch somebody":
        return [Say(ASKING), Call("bring_in_human", wanted)]
    if said == "without a word":
        return [Call("bring_in_human", wanted)]
    if said.startswith("press"):
        return [Call("send_keys", json.dumps({"keys": said.removeprefix("press ")}))]
    return teller(request)


def with_humans(folder: Path, **phone: object) -> Path:
    """The shipped agents, where banking has a colleague and all that a telephone offers."""
    written = json.loads((ROOT / "session_config.json").read_text())
    humans = [{"name": "support", "to": HUMAN, "about": "Refunds"}]
    [banking] = [agent for agent in written["agents"] if agent["id"] == "banking"]
    banking["phone"] = {"humans": humans, "transfer": True, "keys": True, **phone}
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "prompts", folder / "prompts", dirs_exist_ok=True)
    (folder / "session_config.json").write_text(json.dumps(written))
    return folder / "session_config.json"


@asynccontextmanager
async def staffed(
    cloud: Cloud, data_dir: Path, *, phone_tools: Sequence[str] = (), **settings: object
) -> AsyncGenerator[Town]:
    """The town, whose house may ring its colleague."""
    cloud.doubles.mind.script = receptionist
    config = with_humans(data_dir / "agents", tools=phone_tools)
    given = {
        "session_config": config,
        "dial_allowed": "+442079460",
        "acs_number": AGENT,
        **settings,
    }
    async with town(cloud, data_dir, AS_IN_LIFE, **given) as there:
        yield there


def colleague(there: Town) -> Phone:
    return there.acs.phone(HUMAN)


async def asks(there: Town, words: str) -> PhoneCall:
    """A caller who has just said this."""
    there.cloud.doubles.ears.words = [words]
    call = await there.ring()
    await call.say_out(SPEECH)
    return call


async def rings(there: Town) -> Ring:
    with anyio.fail_after(20):
        return await colleague(there).ringing()


async def they_talk(one: PhoneCall, other: PhoneCall) -> None:
    """Each hears the other, with nobody between."""
    for mouth, ear in ((one, other), (other, one)):
        before_ms = ear.heard_ms
        await mouth.say_out(SPEECH)
        with anyio.fail_after(20):
            await ear.hear_ms(before_ms + 500)
