"""What the agent says of itself and to the courtesies of a call."""

from collections.abc import Sequence
from dataclasses import dataclass

from switchboard_local.mind import knowledge, wording
from switchboard_local.mind.acts import Act
from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.state import State


@dataclass(frozen=True)
class Manners:
    """The courtesies of one agent."""

    instructions: str
    tools: Sequence[Tool]

    def reply(self, act: Act, state: State) -> list[str]:
        """The sentences that answer such a turn."""
        if act in {Act.HELP, Act.WHO, Act.HUMAN}:
            return self._about(act)
        if act is Act.SLOWER:
            return (
                ["Of course, I will take it slowly.", state.said] if state.said else ["Of course."]
            )
        if act is Act.GREETING:
            return [self._hello(state), "How can I help you?"]
        if act is Act.NAME:
            return [f"Nice to meet you, {state.caller}.", "How can I help you?"]
        return list(_REPLIES.get(act, ("How can I help you?",)))

    def _hello(self, state: State) -> str:
        return f"Hello, {state.caller}." if state.caller else "Hello."

    def _about(self, act: Act) -> list[str]:
        if act is Act.HELP:
            return [wording.abilities(self.tools), "What would you like to do?"]
        if act is Act.HUMAN:
            return ["I am an automated assistant.", "How can I help you?"]
        told = knowledge.introduction(self.instructions)
        return [told or "I am an automated assistant.", "How can I help you?"]

    def greeting(self) -> list[str]:
        """Opens a call."""
        told = knowledge.introduction(self.instructions)
        return ["Hello.", *([told] if told and len(told) < 120 else []), "How can I help you?"]


_REPLIES: dict[Act, tuple[str, ...]] = {
    Act.SILENCE: ("Sorry, I did not catch that.", "What can I do for you?"),
    Act.THANKS: ("You are welcome.", "Is there anything else I can do for you?"),
    Act.HOW_ARE_YOU: ("I am well, thank you.", "How can I help you?"),
    Act.WAIT: ("Of course, take your time.",),
    Act.STILL_THERE: ("Yes, I am here.", "How can I help you?"),
    Act.NEVER_MIND: ("All right.", "Is there anything else I can do for you?"),
    Act.ENOUGH: ("Of course.",),
    Act.UNKNOWN: ("That is all right.", "What would you like to do?"),
    Act.DISTRESS: (
        "I am so sorry. You should not be alone with this.",
        "Please ring the emergency number, 112, now, or ask somebody near you to.",
        "I am still here, if I can help with anything else.",
    ),
    Act.MEDDLING: ("I cannot do that.", "What can I help you with?"),
    Act.CHAT: ("I had better stick to what I am here for.", "How can I help you?"),
}
