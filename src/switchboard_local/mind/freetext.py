# ruff: noqa: E501 -- patterns of speech read better unbroken
"""Words a caller gives for a slot that takes any: names, places, subjects, descriptions."""

import re

from switchboard_local.mind.catalogue import Role, Slot
from switchboard_local.mind.dates import MONTHS, WEEKDAYS
from switchboard_local.mind.lexicon import FILLERS
from switchboard_local.mind.text import plain
from switchboard_local.mind.wordlists import listed

_LEADS = re.compile(
    r"^(?:(?:um+|uh+|er+|erm|well|so|ok|okay|oh|yeah|yes|yep|sure|right|hmm|no|actually|sorry|please)[,.]?\s+)+",
    re.IGNORECASE,
)
_INTRO = re.compile(
    r"^(?:it'?s(?: called| for| about)?|it is(?: called| for| about)?|that'?s|that is|that would be|this is|"
    r"the (?:\w+ ){1,3}is|my (?:\w+ ){1,3}(?:is|'s)|i'?m|i am|it would be|because|i meant|i mean|"
    r"make (?:it|that)|let'?s say|say|tell (?:him|her|them)(?: that)?|i(?:'d| would) like(?: the| a)?|"
    r"i(?:'ll| will) (?:take|have)(?: the| a)?|at|in|to|for|from)\s+(?!.*\bis\b.*\bis\b)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[,.]?\s*(?:please|thanks|thank you|cheers|if you can|if possible))+[.!?]*$", re.IGNORECASE
)
_NAME = r"([a-z][\w'-]+(?:\s+(?!and\b|at\b|on\b|in\b|for\b|to\b|the\b|from\b|with\b|please\b|i\b|my\b|it\b|is\b|email\b)[a-z][\w'-]+){0,2})"
_PLACE = r"([a-z][\w'-]+(?:\s+(?!and\b|at\b|on\b|in\b|for\b|to\b|from\b|with\b|please\b|i\b|my\b|it\b|is\b|next\b|tomorrow\b|today\b|tonight\b|this\b|by\b|then\b|which\b|or\b|so\b)[a-z][\w'-]+){0,2})"
_NOT_NAMES = listed(
    "calling ringing looking trying going sorry not just so after here having the a an my your "
    "our at in on wondering moving interested unable unhappy happy fine good from going "
    "struggling stuck leaving really running off out back getting still also very locked told due "
    "sure afraid being thinking planning able me you him her them us it this that these those "
    "there one two some any all more another and to for"
)
_TIMEY = (
    frozenset(MONTHS)
    | frozenset(WEEKDAYS)
    | listed(
        "today tomorrow tonight yesterday morning afternoon evening next this week month year noon "
        "now"
    )
)


def asked_words(slot: Slot, text: str) -> str:
    """The answer to a question for this slot, without its politeness."""
    said = _TAIL.sub("", _LEADS.sub("", text.strip())).strip(" .,!?")
    for _ in range(2):
        shorter = _INTRO.sub("", said).strip(" .,!?")
        said = shorter if shorter and shorter != said else said
    named = slot.role is Role.PERSON and said.islower() and len(said.split()) <= 4
    return said.title() if named else said


def volunteered_words(slot: Slot, text: str) -> str:
    """Words for this slot in a request, where they are clearly marked as such."""
    said = _TAIL.sub("", text.strip())
    labelled = _labelled(slot, said)
    if labelled:
        return labelled
    if slot.role is Role.PERSON:
        return _person(slot, said)
    if slot.role is Role.PLACE:
        return _place(slot, said)
    return _subject(slot, said)


def _labelled(slot: Slot, text: str) -> str:
    """ "the title is …", "reason: …", "a message saying …"."""
    label = r"\s+".join(re.escape(word) for word in slot.title_words)
    match = re.search(
        rf"\b{label}\b(?:\s+(?:is|was|says|saying|called|of|would be)|'s|:)\s+(.+)$",
        text,
        re.IGNORECASE,
    )
    return _clip(match.group(1)) if match and slot.title_words != ["name"] else ""


def _clip(text: str) -> str:
    return re.split(r",|\band (?:my|the|i|it)\b|[.;!?]", text)[0].strip()


def _person(slot: Slot, text: str) -> str:
    own = not set(slot.title_words) & {
        "guest",
        "payee",
        "recipient",
        "beneficiary",
        "driver",
        "child",
        "staff",
    }
    cues = [
        r"\bunder (?:the name (?:of )?)?",
        r"\bname(?:'s| is)\s+",
        r"\bcalled\s+",
        r"\bin the name of\s+",
    ]
    cues += [r"\bi'?m\s+", r"\bi am\s+", r"\bthis is\s+", r"\bfor\s+"] if own else [
        r"\bto\s+", r"\b(?:mate|friend|guest|brother|sister|wife|husband|daughter|son|colleague)\s+", r"\bfor\s+",
        r"\btell\s+", r"\bpay\s+",
    ]  # fmt: skip
    for cue in cues:
        for match in re.finditer(cue + _NAME, text, re.IGNORECASE):
            name = _capped(match.group(1))
            if name:
                return name
    return ""


def _capped(found: str) -> str:
    """A name: its words up to the first that is none."""
    kept: list[str] = []
    for word in found.split():
        if word.lower() in _NOT_NAMES or word.lower() in _TIMEY or word.lower() in FILLERS:
            break
        if kept and kept[0][:1].isupper() and not word[:1].isupper():
            break
        kept.append(word)
    shouting_case = all(word[:1].islower() for word in kept)
    return " ".join(word.capitalize() if shouting_case else word for word in kept)


_FROM = frozenset(["origin", "from", "departure", "source", "start"])
_TO = frozenset(["destination", "to", "arrival", "target"])


def _place(slot: Slot, text: str) -> str:
    named = set(slot.title_words)
    joints = (
        ["from"]
        if named & _FROM
        else (["to"] if named & _TO else ["in", "at", "near", "to", "on", "from"])
    )
    for joint in joints:
        for match in re.finditer(rf"\b{joint}\s+(?:the\s+)?{_PLACE}", text, re.IGNORECASE):
            place = _place_words(match.group(1), joint, slot)
            if place:
                return place
    return ""


_ROADS = listed("road street lane avenue drive close way square crescent court terrace place hill")


def _place_words(found: str, joint: str, slot: Slot) -> str:
    kept: list[str] = []
    for word in found.split():
        low = word.lower()
        if low in _TIMEY or low in _NOT_NAMES or low[:1].isdigit() or low in _VERBY:
            break
        kept.append(word)
    if joint in {"on", "in", "at"} and set(slot.title_words) & {
        "street",
        "road",
        "address",
        "location",
    }:
        return " ".join(kept) if kept and kept[-1].lower() in _ROADS else ""
    if (
        joint not in {"from", "to", "near"}
        and not (kept and kept[0][:1].isupper())
        and len(kept) > 1
    ):
        return ""
    return " ".join(
        word.capitalize() if word.islower() and _proper(slot) else word for word in kept
    )


_VERBY = listed(
    "pay book see make get be know do have cancel change check speak talk go come buy find report "
    "renew take move send order use put say stop start add ask give bring call ring leave return "
    "pick fly travel stay help work turn set sort bank account card home work house post same"
)


def _proper(slot: Slot) -> bool:
    return bool(
        set(slot.title_words)
        & {"city", "country", "destination", "origin", "airport", "town", "from", "to"}
    )


_SEARCHED = listed("query search topic subject keyword keywords term question title book film song")
_TOLD = listed(
    "description details issue problem complaint symptoms symptom message feedback grounds note "
    "notes comment text reason summary request"
)


def _subject(slot: Slot, text: str) -> str:
    named = set(slot.title_words)
    if named & _SEARCHED:
        match = re.search(
            r"\b(?:about|regarding|called|titled|named|on|by|for)\s+(?:the\s+topic\s+of\s+)?(.+)$",
            text,
            re.IGNORECASE,
        )
        return _clip(match.group(1)) if match else ""
    if named & {"reason", "grounds"}:
        match = re.search(
            r"\b(?:because|since|due to|on the grounds that|as i)\s+(.+)$", text, re.IGNORECASE
        )
        return match.group(1).strip(" .!?") if match else ""
    if named & {"message", "text", "note"}:
        match = re.search(
            r"\b(?:saying|that says|to say|tell (?:him|her|them|\w+ \w+) that)\s+(.+)$",
            text,
            re.IGNORECASE,
        )
        return match.group(1).strip(" .!?") if match else ""
    if named & _TOLD and slot.required:
        return _story(text)
    return ""


def _story(text: str) -> str:
    """The whole of what was said, when it tells what happened rather than only asks for a service."""
    said = _LEADS.sub("", text.strip()).strip(" .")
    low = plain(said)
    asks = re.match(
        r"(?:i (?:want|need|would like|wish) to|can i|could i|i am (?:calling|ringing)|help)\b", low
    )
    return said if len(low.split()) >= 4 and not asks else ""
