# ruff: noqa: E501 -- patterns of speech read better unbroken
"""Names of people in a request: the caller's own, a relative's, a payee's, somebody of the staff."""

import re
from collections.abc import Iterator

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.dates import MONTHS, WEEKDAYS
from switchboard_local.mind.numbers import is_number_word
from switchboard_local.mind.wordlists import listed

NOT_NAMES = listed(
    "calling ringing looking trying going sorry not just so after here having the a an my your "
    "our at in on wondering moving interested unable unhappy happy fine good from struggling "
    "stuck leaving really running off out back getting still also very locked told due sure afraid "
    "being thinking planning able me you him her them us it this that these those there one two "
    "some any all more another and to for by with of about please is was be been who whose which "
    "when where what how if but or needs need has have had wants want will would can could should "
    "would'd born born's as into over under i i'm i'd i've he she we they he's she's then because "
    "euros pounds dollars quid money account number card phone email address please thanks today "
    "add see book pay get make take send check change cancel speak talk drive transfer move know"
)
TIMEY = (
    frozenset(MONTHS)
    | frozenset(WEEKDAYS)
    | listed(
        "today tomorrow tonight yesterday morning afternoon evening next this week month year noon now"
    )
)
_WORD = "[A-Za-z][\\w'\u2019-]*"
_NAME = rf"((?:{_WORD})(?:\s+{_WORD}){{0,2}})"
_RELATIVES = (
    r"(?:mate|friend|guest|brother|sister|wife|husband|partner|daughter|son|child|boy|girl|kid|"
    r"colleague|mum|mother|dad|father|girlfriend|boyfriend|flatmate|dog|cat|puppy|kitten)"
)
_STATED = (
    r"\bname(?:'s| is| was| of)\s+",
    r"\bcalled\s+",
    r"\b(?:under|in) the name (?:of )?",
    r"\bunder\s+",
)
_RELATED = (rf"\b(?:my|our|his|her|a) (?:\w+ )?{_RELATIVES},?\s+",)
_OWN = (*_STATED, r"\bthis is\s+", r"\b[Ii](?:'m| am)\s+", *_RELATED)
_OTHER = (*_RELATED, *_STATED, r"\b(?:for|add|bring)\s+(?=[A-Z])", r"\bfor\s+")
_PAID = (
    *_RELATED,
    r"\b(?:to|pay|owe)\s+(?:my |the |our )?",
    r"\bsend\s+(?:my |the )?(?!\w+ to\b)",
)
_STAFF = (
    r"\b(?=(?:doctor|dr|nurse|mr|mrs|miss|ms|professor|sir)\b)", r"\btell\s+", r"\bmessage for\s+",
    r"\blet\s+", r"\bask\s+", r"\bwith\s+(?=[A-Z])",
)  # fmt: skip
_BY_SLOT = (
    (listed("payee recipient beneficiary receiver"), _PAID),
    (listed("staff teacher doctor clinician adviser member trainer stylist"), _STAFF),
    (
        listed(
            "guest driver child passenger tenant dependant dependent pet attendee student pupil"
        ),
        _OTHER,
    ),
)


def person_in(slot: Slot, text: str) -> str:
    """The name that the request gives for this slot; empty when it gives none."""
    named = set(slot.title_words)
    cues = next((cues for words, cues in _BY_SLOT if words & named), _OWN)
    return next(_names(cues, text), "")


def _names(cues: tuple[str, ...], text: str) -> Iterator[str]:
    for cue in cues:
        stated = cue in _STATED or cue == _STAFF[0]
        for match in re.finditer(cue + _NAME, text, re.IGNORECASE if "[A-Z]" not in cue else 0):
            name = _name(match.group(1), most=2 if stated or cue in _PAID else 1)
            if name:
                yield name


def _name(found: str, most: int) -> str:
    """A name: its words up to the first that is none. Written capitals tell where it ends."""
    kept: list[str] = []
    for word in found.replace("\u2019", "'").split():
        low = word.lower().removesuffix("'s")
        if (
            low in NOT_NAMES
            or low in TIMEY
            or is_number_word(low)
            or any(c.isdigit() for c in word)
        ):
            break
        if kept and kept[0][:1].isupper() and not word[:1].isupper():
            break
        kept.append(word.removesuffix("'s"))
    capitals = bool(kept) and all(word[:1].isupper() for word in kept)
    kept = kept if capitals else kept[:most]
    return " ".join(word if capitals else word.capitalize() for word in kept)
