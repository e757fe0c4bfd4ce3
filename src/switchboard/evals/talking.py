"""A scenario held once: who calls, over which channel, and what came of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from switchboard.conversation.legs import CallerLeg
from switchboard.errors import NotAllowed
from switchboard.evals.attention import Attention
from switchboard.evals.callers import SimulatedCaller
from switchboard.evals.conversing import AgentSilent, Hands, converse
from switchboard.evals.evidence import Evidence
from switchboard.evals.scenario import Scenario
from switchboard.evals.speech import Speech
from switchboard.evals.stage import Stage
from switchboard.evals.textleg import TEXT_ONLY, TextLeg
from switchboard.evals.voiceleg import VoiceLeg
from switchboard.reception import DEMO_FILE


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation that has been held."""

    evidence: Evidence
    database: Path | None
    """Its demo database, while its folder is there; `None` where it is not ours to look at."""
    audio: bytes | None = field(default=None, repr=False)
    """PCM 24 kHz stereo: the caller left, the agent right. By voice only."""


class Leg(CallerLeg, Hands, Protocol):
    """Both halves of a caller's leg."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a conversation needs beside its scenario."""

    stage: Stage
    caller: SimulatedCaller
    seed: int
    folder: Path


async def by_text(talk: Talk, scenario: Scenario) -> Held:
    """Type the conversation. What goes wrong with it stands in the evidence."""
    evidence, attention = Evidence(), Attention()
    leg = TextLeg(attention)
    await _in_process(talk, scenario, leg, attention, evidence, session=TEXT_ONLY)
    return Held(evidence, talk.folder / DEMO_FILE)


async def by_voice(talk: Talk, scenario: Scenario, speech: Speech) -> Held:
    """Speak the conversation, in real time. Raises `ConfigurationError` without voice or ears."""
    evidence, attention = Evidence(), Attention()
    leg = VoiceLeg(attention, speech, scenario.caller, talk.seed)
    await _in_process(talk, scenario, leg, attention, evidence, beside=leg.run)
    return await heard_of(leg, scenario, evidence, talk.folder / DEMO_FILE)


async def heard_of(
    leg: VoiceLeg, scenario: Scenario, evidence: Evidence, database: Path | None
) -> Held:
    """What the caller's ear adds to the evidence of a conversation that is over."""
    evidence.talk_over_s = leg.talk_over_s
    if scenario.expect.word_errors is not None:
        evidence.heard = await leg.understood()
    return Held(evidence, database, leg.audio())


async def _in_process(
    talk: Talk,
    scenario: Scenario,
    leg: Leg,
    attention: Attention,
    evidence: Evidence,
    *,
    session: dict[str, Any] | None = None,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    stage = talk.stage

    async def carry() -> None:
        try:
            await stage.hold(
                leg,
                evidence,
                agent=scenario.agent,
                model=scenario.model,
                voice=None,
                folder=talk.folder,
                session=session or {},
            )
        except NotAllowed as reason:
            evidence.trouble = str(reason)

    beside_it = [beside] if beside is not None else []
    await conduct(talk, scenario, leg, attention, evidence, carry, *beside_it)
    await stage.ended(evidence)


async def conduct(
    talk: Talk,
    scenario: Scenario,
    leg: Leg,
    attention: Attention,
    evidence: Evidence,
    carry: Callable[[], Coroutine[Any, Any, None]],
    *beside: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Have the caller talk while `carry` carries the call to its end, and `beside` runs with it;
    not for ever."""
    brief = talk.stage.reception.brief(scenario.agent, voice=None, model=scenario.model)
    greets = bool(brief.rules.greeting)
    with anyio.move_on_after(scenario.longest_s) as life:
        async with anyio.create_task_group() as tasks:

            async def carry_out() -> None:
                await carry()
                attention.end()

            tasks.start_soon(carry_out)
            for each in beside:
                tasks.start_soon(each)
            try:
                await converse(talk.caller, leg, attention, evidence, greets=greets)
            except AgentSilent as reason:
                evidence.trouble = str(reason)
                await leg.hang_up()
    if life.cancelled_caught:
        evidence.trouble = f"It took longer than {scenario.longest_s:.0f} s, and was broken off."
