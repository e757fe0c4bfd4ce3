"""Word error rate: how two texts are made comparable, and how sure the figure is."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switchboard_local.engine.numerals import TENS, UNITS

_SYMBOLS: Final = {"*": " star ", "#": " pound ", "&": " and ", "%": " percent ", "@": " at "}
_SPELLINGS: Final = {
    "voice mail": "voicemail",
    "touch tone": "touchtone",
    "log in": "login",
    "logged in": "loggedin",
    "call back": "callback",
    "play back": "playback",
    "file name": "filename",
    "hang up": "hangup",
    "key pad": "keypad",
    "black list": "blacklist",
    "black listed": "blacklisted",
    "mail box": "mailbox",
    "re record": "rerecord",
    "re enter": "reenter",
    "re entered": "reentered",
    "un mute": "unmute",
    "un muted": "unmuted",
    "un delete": "undelete",
    "open source": "opensource",
    "full featured": "fullfeatured",
    "for evermore": "forevermore",
    "thru": "through",
    "ok": "okay",
    "i am": "i'm",
    "you are": "you're",
    "it is": "it's",
    "that is": "that's",
}
"""Spellings of the same sounds; none of them changes a word for another."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip: what was said, what was understood."""

    name: str
    said: str
    understood: str

    @property
    def words(self) -> int:
        return len(normal_words(self.said))

    @property
    def errors(self) -> int:
        return distance(normal_words(self.said), normal_words(self.understood))


def normal_words(text: str) -> list[str]:
    """Lower-case words without punctuation, numbers in words, one spelling for each."""
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    text = re.sub(r"\d+", lambda match: f" {_number(match.group())} ", text.lower())
    text = text.replace("\u2019", "'").replace("-", " ")
    words: list[str] = re.findall(r"[a-z]+(?:'[a-z]+)?", text)
    joined: str = " ".join(words)
    for spelling, ours in _SPELLINGS.items():
        joined = re.sub(rf"\b{spelling}\b", ours, joined)
    return re.findall(r"\S+", joined)


def _number(digits: str) -> str:
    value = int(digits)
    if len(digits) > 2 or (len(digits) == 2 and digits[0] == "0"):
        return " ".join(UNITS[int(digit)] for digit in digits)
    if value < 20:
        return UNITS[value]
    tens, unit = divmod(value, 10)
    return TENS[tens] + (f" {UNITS[unit]}" if unit else "")


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Words inserted, deleted or changed, at least."""
    row = list(range(len(hypothesis) + 1))
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(hypothesis, 1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return row[-1]


def word_error_rate(heard: Sequence[Heard]) -> float:
    """Errors per word said, over all clips together."""
    return sum(each.errors for each in heard) / max(1, sum(each.words for each in heard))


def confidence_interval(heard: Sequence[Heard], *, draws: int = 2000) -> tuple[float, float]:
    """95 % interval of the word error rate, by drawing clips again with replacement."""
    chance = random.Random(2)  # fixed, so that the same clips give the same interval
    pairs = [(each.errors, each.words) for each in heard]
    rates: list[float] = []
    for _ in range(draws):
        drawn = chance.choices(pairs, k=len(pairs))
        rates.append(sum(errors for errors, _ in drawn) / max(1, sum(words for _, words in drawn)))
    rates.sort()
    return rates[int(0.025 * draws)], rates[int(0.975 * draws)]
