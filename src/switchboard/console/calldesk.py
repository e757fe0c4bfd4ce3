"""The hand on a live call, wherever it is carried.

`CallDesk` is the seam: here, the calls of this process. One that reaches the calls of other
replicas has the same methods.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from switchboard.console import protocol as wire
from switchboard.conversation import events as e
from switchboard.errors import NotAllowed
from switchboard.exchange.call import Call
from switchboard.exchange.desk import Mouth
from switchboard.exchange.ears import Ear

WHISPER: Final = (
    "Your supervisor follows this call; the caller neither sees nor hears this message. Act on it "
    "in what you say next, and do not mention it: {text}"
)
NO_VOICES: Final = (
    "Over WebRTC the voices go straight to the service, past this server: there is nothing to hear "
    "here."
)
NO_TELEPHONE: Final = "Only a telephone call can be handed to a human."
NO_HUMANS: Final = "This agent's profile names no human."
NO_SUCH_HUMAN: Final = "This agent's profile names no such human."
NO_WISH: Final = "Nobody waits for an operator in this call any more."
HAS_THE_CALL: Final = "This call is with {by}."
SAY_IT: Final = "An operator speaks with the caller: the agent says nothing now."
NOT_ASKED: Final = "This question is no longer open."
NOW: Final = wire.Can(True)


class CallOver(Exception):
    """The call has ended, or is none of ours."""


class NotPossible(Exception):
    """The call cannot do that, or not now. The message is safe to show."""


class CallDesk(Protocol):
    """Reaches live calls. Every method raises `CallOver`."""

    async def act(self, call_id: str, deed: wire.Deed) -> None:
        """Returns once the call has taken it. Raises `NotPossible`."""
        ...

    def can(self, call_id: str) -> wire.Abilities: ...

    def listening(self, call_id: str, ear: Ear) -> AbstractContextManager[None]:
        """Let `ear` hear the call while the block runs. Raises `NotPossible`, `LinesBusy`."""
        ...

    def taking_over(self, call_id: str, seat: Ear, by: str) -> AbstractContextManager[Mouth]:
        """Speak with the caller in the agent's place while the block runs, as `by`.

        Raises `NotPossible`, `LinesBusy` where somebody else does.
        """
        ...


class Exchange(Protocol):
    """What is needed of the exchange."""

    def find(self, call_id: str) -> Call: ...


class LocalCalls:
    """The calls of this process. `is_asking` says whether a tool of a call asks for consent."""

    def __init__(self, exchange: Exchange, is_asking: Callable[[str, str], bool]) -> None:
        self._exchange = exchange
        self._is_asking = is_asking

    async def act(self, call_id: str, deed: wire.Deed) -> None:
        call = self._find(call_id)
        # Nothing is waited for between the look and the deed.
        match deed:
            case wire.Whisper(text=text):
                call.apply(e.Whispered(WHISPER.format(text=text)))
            case wire.Say(text=text):
                _say(call, text)
            case wire.Approve(tool=tool) | wire.Refuse(tool=tool):
                if not self._is_asking(call_id, tool):
                    raise NotPossible(NOT_ASKED)
                call.apply(e.CallerDecided(tool, isinstance(deed, wire.Approve)))
            case wire.Human(to=name):
                _hand(call, name)
            case wire.Decline():
                if not call.wish_rings:
                    raise NotPossible(NO_WISH)
                call.apply(e.WishMissed())
            case wire.End() | wire.Cut():
                call.end("operator", politely=isinstance(deed, wire.End))

    def can(self, call_id: str) -> wire.Abilities:
        call = self._find(call_id)
        humans = [] if call.placed.line is None else list(call.placed.brief.rules.by_telephone)
        return wire.Abilities(_listen(call), _human(call), _take_over(call), humans)

    def listening(self, call_id: str, ear: Ear) -> AbstractContextManager[None]:
        call = self._find(call_id)
        if (why := _listen(call).why) is not None:
            raise NotPossible(why)
        return call.ears.listening(ear)

    def taking_over(self, call_id: str, seat: Ear, by: str) -> AbstractContextManager[Mouth]:
        call = self._find(call_id)
        if (why := call.not_taken_over) is not None:
            raise NotPossible(why)
        return call.desk.taking_over(seat, by)

    def _find(self, call_id: str) -> Call:
        try:
            return self._exchange.find(call_id)
        except NotAllowed as over:
            raise CallOver("This call has ended.") from over


def _listen(call: Call) -> wire.Can:
    return NOW if call.placed.media is None else wire.Can(False, NO_VOICES)


def _human(call: Call) -> wire.Can:
    if call.placed.line is None:
        return wire.Can(False, NO_TELEPHONE)
    return NOW if call.placed.brief.rules.by_telephone else wire.Can(False, NO_HUMANS)


def _say(call: Call, text: str) -> None:
    """Raises `NotPossible`."""
    if call.taken:
        raise NotPossible(SAY_IT)
    call.apply(e.Dictated(text.replace('"', "'")))


def _take_over(call: Call) -> wire.Can:
    if call.desk.by is not None:
        return wire.Can(False, HAS_THE_CALL.format(by=call.desk.by))
    why = call.not_taken_over
    return NOW if why is None else wire.Can(False, why)


def _hand(call: Call, name: str | None) -> None:
    """Raises `NotPossible`."""
    if (why := _human(call).why) is not None:
        raise NotPossible(why)
    if name is None:
        call.apply(e.HumanWanted())
    elif name in call.placed.brief.rules.by_telephone:
        call.apply(e.HumanOrdered(name))
    else:
        raise NotPossible(NO_SUCH_HUMAN)
