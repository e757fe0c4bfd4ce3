"""Is it a person who took the call, or an answering machine? From words, never from silence alone.

Conservative: whatever is not plainly a machine is a person, whom nobody hangs up on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONG_TURN_MS: Final = 6_000.0
"""People who answer a telephone say something short, and wait."""
TURNS: Final = 2
"""A machine's greeting may be heard as two turns, with a pause between. After these it is known."""
WITHIN_MS: Final = 30_000.0
"""Nobody who speaks later than this is a machine that took the call."""


class MachinePolicy(StrEnum):
    """What the agent does when a machine takes its call."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True)
class MachineRule:
    """How a call that we placed is held when a machine takes it."""

    policy: MachinePolicy
    message: str | None = None
    """What is left on it, word for word."""


class Taker(StrEnum):
    """Who took the call."""

    MACHINE = "machine"
    UNSURE = "unsure"


_PLAIN: Final[Sequence[str]] = (
    # English
    r"(leave|record) (me |us )?(a |your )?(short |brief |detailed )*(message|name and)",
    r"(after|at) the (tone|beep|signal)",
    r"you('ve| have) reached the (voice ?mail|answering machine|mailbox)",
    r"(is|are) not available (right now|at the moment|to take your call)",
    r"(can't|cannot|can not|unable to) (come to|take|answer) (the phone|your call)",
    r"forwarded to (an automatic |a )?(voice|message)",
    r"mailbox (is )?full",
    r"person you (are|were) (trying to reach|calling) is (not available|unavailable)",
    # German
    r"(nach dem|nach einem) (signal|piep)ton",
    r"hinterlass(en|t)? (sie )?(mir |uns )?(bitte )?(eine )?(kurze )?nachricht",
    r"mailbox von|anrufbeantworter",
    r"(ist|bin|sind) (zur ?zeit|momentan|gerade|derzeit) nicht erreichbar",
    # French
    r"après le (bip|signal)|laiss(ez|er) (moi |nous )?(un|votre) message|messagerie vocale",
    r"répondeur",
    # Spanish, Italian, Portuguese, Dutch
    r"después (de la señal|del tono)|deje (su|un) mensaje|buzón de voz",
    r"dopo il segnale|lasci(ate|are)? (un|il) messaggio|segreteria telefonica",
    r"após o (sinal|bip)|deixe (a sua|sua|uma) mensagem|caixa postal",
    r"na de (piep|toon)|spreek (een bericht )?in|voicemail van",
)
_MACHINE: Final = re.compile("|".join(f"(?:{each})" for each in _PLAIN))
_ASKS: Final = re.compile(
    r"\?|\b(who is (this|calling)|who's (this|calling)|hello|speaking|what do you want|"
    r"can i help)\b"
)
_HINTS: Final = re.compile(
    r"\b(voice ?mail|mailbox|message|call (you|back)|get back to you|office hours|opening hours|"
    r"press (one|1|two|2)|nachricht|rückruf|öffnungszeiten|mensaje|messaggio|bericht)\b"
)


def judge(words: str, spoken_ms: float) -> Taker:
    """Whose words these are, by what they say, and by how long they took where that helps."""
    text = " ".join(words.casefold().replace("\u2019", "'").split())
    plain = sum(1 for _ in _MACHINE.finditer(text))
    if plain > 1 or (plain and not _ASKS.search(text)):
        return Taker.MACHINE
    if spoken_ms >= LONG_TURN_MS and _HINTS.search(text) and not _ASKS.search(text):
        return Taker.MACHINE
    return Taker.UNSURE
