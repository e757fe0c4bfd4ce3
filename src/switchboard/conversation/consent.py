"""Did the caller agree? Judged here, from the caller's own words, never by the model."""

import re
from enum import Enum
from typing import Final


class Verdict(Enum):
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


CLEAR_YES: Final = frozenset(
    {"yes", "yep", "yup", "aye", "absolutely", "definitely", "certainly", "affirmative"}
    | {"confirm", "confirmed", "confirming", "agreed", "agree", "proceed", "correct"}
)
SOFT_YES: Final = frozenset({"yeah", "yah", "ok", "okay", "sure", "right", "fine", "good"})
"""Also said to begin a sentence about something else: a yes only when they stand alone."""
NO_WORDS: Final = frozenset(
    {"no", "nope", "nah", "not", "never", "don't", "dont", "cancel", "stop", "wait", "hold"}
    | {"wrong", "incorrect", "negative", "instead", "actually", "rather", "nevermind"}
    | {"cannot", "cant", "wont", "refuse", "decline", "disagree", "deny", "neither", "nothing"}
)
_NOT: Final = "n't"
"""Every verb has its refusal: "that isn't correct", "I wouldn't do that"."""
YES_PHRASES: Final = ("go ahead", "do it", "do that", "of course", "by all means")
NO_PHRASES: Final = ("never mind", "leave it", "forget it", "change my mind", "changed my mind")
PADDING: Final = frozenset(
    {"um", "uh", "er", "oh", "well", "so", "and", "then", "i", "do", "would", "like", "to", "it's"}
    | {"its", "it", "that", "that's", "thats", "this", "is", "the", "a", "you", "can", "now", "of"}
    | {"thanks", "thank", "very", "much", "great", "perfect", "go", "ahead", "want", "me", "for"}
    | {"course", "by", "all", "means", "just", "one", "my", "please", "with"}
)
"""May stand beside a yes without making it something else."""
MAX_STRANGE: Final = 3
"""Other words a clear yes may have: "yes, block my card"."""
_QUESTION: Final = re.compile(r"\b(what|why|how|when|which|who|where|if|but|unless|except)\b")
_ASKS_BACK: Final = re.compile(
    r"^(is|are|was|were|can|could|will|would|does|did|should) (it|that|this|you|i|we|they|the|my)\b"
)
"""A question of the caller's own, written down without its question mark."""
_SOMETHING_ELSE: Final = re.compile(r"\b(other|different|else|later)\b")
"""A yes to something other than what was asked."""

_OF_SOMEBODY: Final = re.compile(
    r"\b(?:says|system|assistant|consent|instructions?)\b"
    r"|\b(?:you|caller|user|customer|he|she|they)(?:'ve| have| has| had)?(?: already)? "
    r"(?:said|agreed|confirmed|approved|accepted)\b"
    r"|[{}<>=]"
)
"""A report that there is a consent, or words for a machine to read: no answer of a caller's."""


def judge(
    words: str, yes: frozenset[str] = frozenset(), no: frozenset[str] = frozenset()
) -> Verdict:
    """The caller's answer to a yes-or-no question.

    Any word of refusal outweighs every yes; a yes among other business is unclear, and an unclear
    answer is no consent: the agent asks again. `yes` and `no` add words of other languages.
    """
    text = words.lower().replace("\u2019", "'").strip()
    tokens = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text)
    if any(_refuses(token, no) for token in tokens) or any(p in text for p in NO_PHRASES):
        return Verdict.NO
    if "?" in words or any(
        unclear.search(text) for unclear in (_QUESTION, _ASKS_BACK, _SOMETHING_ELSE, _OF_SOMEBODY)
    ):
        return Verdict.UNCLEAR
    clear = any(token in CLEAR_YES | yes for token in tokens) or any(
        phrase in text for phrase in YES_PHRASES
    )
    soft = any(token in SOFT_YES for token in tokens)
    strange = sum(token not in CLEAR_YES | SOFT_YES | PADDING | yes for token in tokens)
    agreed = strange <= MAX_STRANGE if clear else soft and strange == 0
    return Verdict.YES if agreed else Verdict.UNCLEAR


def _refuses(token: str, no: frozenset[str]) -> bool:
    return token in NO_WORDS | no or token.endswith(_NOT)
