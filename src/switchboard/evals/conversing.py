"""One conversation, from the greeting to the end, whatever carries it."""

from collections.abc import Awaitable
from typing import Final, Protocol

import anyio

from switchboard.evals.attention import Attention
from switchboard.evals.callers import SimulatedCaller
from switchboard.evals.evidence import Evidence
from switchboard.evals.scenario import Act

ANSWER_S: Final = 45.0
"""The longest that an agent may take to answer: tools, silence prompts and all."""
MOST_ACTS: Final = 200


class Hands(Protocol):
    """What a caller can do on their channel."""

    async def say(self, text: str) -> None:
        """Returns once it was said."""
        ...

    async def press(self, keys: str) -> None: ...

    async def hang_up(self) -> None: ...

    async def reached(self, position: int) -> None:
        """Until the agent's answer has got so far: milliseconds by voice, else characters."""
        ...


class AgentSilent(Exception):
    """The agent did not answer in time."""


async def converse(
    caller: SimulatedCaller, hands: Hands, attention: Attention, evidence: Evidence, *, greets: bool
) -> None:
    """Act and listen in turns until somebody hangs up. Raises `AgentSilent`."""
    if greets:
        await _within(attention.agent_finished())
    for _ in range(MOST_ACTS):
        if attention.over:
            return
        act = await caller.next(attention.heard())
        await _do(act, hands, attention, evidence)
        if act.hang_up or attention.over:
            return
        if (position := caller.interrupts()) is not None:
            await _within(hands.reached(position))
        elif act.silent_s is None:
            await _within(attention.agent_finished())
    raise AgentSilent("It went on for too long.")


async def _do(act: Act, hands: Hands, attention: Attention, evidence: Evidence) -> None:
    if act.silent_s is not None:
        await anyio.sleep(act.silent_s)
        return
    attention.caller_begins()
    if act.hang_up:
        await hands.hang_up()
    elif act.press is not None:
        await hands.press(act.press)
    elif act.say is not None:
        evidence.said.append(act.say)
        await hands.say(act.say)


async def _within(wait: Awaitable[None]) -> None:
    try:
        with anyio.fail_after(ANSWER_S):
            await wait
    except TimeoutError:
        raise AgentSilent(f"The agent did not answer within {ANSWER_S:.0f} s.") from None
