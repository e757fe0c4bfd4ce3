# ruff: noqa: E501 -- patterns of speech read better unbroken
"""Words a caller gives for a slot that takes any: subjects, descriptions, messages, things."""

import re

from switchboard_local.mind.catalogue import Role, Slot
from switchboard_local.mind.objects import object_in
from switchboard_local.mind.people import person_in
from switchboard_local.mind.places import place_in
from switchboard_local.mind.text import plain
from switchboard_local.mind.wordlists import listed

_LEADS = re.compile(
    r"^(?:(?:um+|uh+|er+|erm|well|so|ok|okay|oh|yeah|yes|yep|sure|right|hmm|no|actually|sorry|please|ah|right)[,.]?\s+)+",
    re.IGNORECASE,
)
_INTRO = re.compile(
    r"^(?:it'?s(?: called| for| about| under| on)?|it is(?: called| for| about| under)?|that'?s|that is|that would be|"
    r"that'?ll be|this is|(?:the|my) (?:\w+ ){1,3}(?:is|'s)|i'?m|i am|it would be|because|i meant|i mean|"
    r"make (?:it|that)|let'?s say|just say|say|tell (?:him|her|them)(?: that)?|i(?:'d| would) like|i want|i need|"
    r"can (?:i|we|you) (?:have|get|make it)|i(?:'ll| will) (?:take|have)|we(?:'ll| will) have|give me|put)\s+(?!.*\bis\b.*\bis\b)",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"^(?:at|in(?! front)|on|to|from|near|by|under|for|in the name of|under the name)\s+(?:of\s+)?",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[,.]?\s*\b(?:please|thanks|thank you|cheers|if you can|if possible|then|i think|i guess))+[.!?]*$",
    re.IGNORECASE,
)
_SEARCHED = listed("query search topic subject keyword keywords term question")
_SEARCH_LEADS = re.compile(
    r"^(?:.*\b(?:about|regarding|concerning|called|titled|named|to do with)\s+|"
    r"(?:.*\b)?(?:books?|anything|something|stuff|information|things|titles|novels|films)\s+(?:on|by|about|like|from)\s+|"
    r"(?:do you have|have you got|got|is there|are there|do you stock|i(?:'m| am) (?:looking for|after)|look(?:ing)? (?:for|up)|"
    r"search(?: for)?|find(?: me)?|can you (?:find|look up|search for))\s+(?:any |some |a copy of |the book )?)",
    re.IGNORECASE,
)
_TOLD = listed(
    "description details detail issue problem fault complaint symptoms symptom feedback comment comments summary request "
    "incident circumstances damage"
)


def asked_words(slot: Slot, text: str) -> str:
    """The answer to a question for this slot, without its politeness."""
    said = _TAIL.sub("", _LEADS.sub("", text.strip())).strip(" .,!?")
    if slot.role is Role.PLACE and len(said.split()) > 3:
        place = place_in(slot, said) if re.match(r"i |we |can ", said, re.IGNORECASE) else ""
        said = place or said
    for _ in range(2):
        shorter = _INTRO.sub("", said).strip(" .,!?")
        said = shorter if shorter and shorter != said else said
    if slot.role in {Role.PERSON, Role.PLACE}:
        said = _JOINT.sub("", said) or said
    if set(slot.title_words) & _SEARCHED:
        said = _SEARCH_LEADS.sub("", said) or said
    named = slot.role is Role.PERSON and said.islower() and len(said.split()) <= 4
    return said.title() if named else said


def trimmed(slot: Slot, text: str) -> str:
    """Words found in a request, as they would be written into a form."""
    said = _TAIL.sub("", text.strip()).strip(" .,!?")
    if slot.role in {Role.PERSON, Role.PLACE}:
        said = _JOINT.sub("", said) or said
    if not set(slot.title_words) & _TOLD:
        said = _clip(said) or said
    named = slot.role is Role.PERSON and said.islower() and len(said.split()) <= 4
    return said.title() if named else said


def volunteered_words(slot: Slot, text: str) -> str:
    """Words for this slot in a request, where they are clearly marked as such."""
    said = _TAIL.sub("", _LEADS.sub("", text.strip())).strip(" .")
    labelled = _labelled(slot, said)
    if labelled:
        return labelled
    if slot.role is Role.PERSON:
        return person_in(slot, said)
    if slot.role is Role.PLACE:
        return place_in(slot, said)
    return _subject(slot, said)


def _labelled(slot: Slot, text: str) -> str:
    """ "the title is …", "reason: …", "a message saying …"."""
    label = r"\s+".join(re.escape(word) for word in slot.title_words)
    match = re.search(
        rf"\b{label}\b(?:\s+(?:is|was|says|saying|called|of|would be)|'s|:)\s+(.+)$",
        text,
        re.IGNORECASE,
    )
    generic = {"name", "problem", "issue", "order", "description"}
    return _clip(match.group(1)) if match and not set(slot.title_words) <= generic else ""


def _clip(text: str) -> str:
    return re.split(r",|\band (?:my|the|i|it)\b|[.;!?]", text)[0].strip()


def _subject(slot: Slot, text: str) -> str:
    named = set(slot.title_words)
    if named & _SEARCHED:
        searched = _SEARCH_LEADS.match(text)
        return _clip(text[searched.end() :]) if searched else ""
    for words, pattern in _MARKED:
        match = re.search(pattern, text, re.IGNORECASE) if named & words else None
        if match:
            return match.group(1).strip(" .!?")
    if named & listed("message text note reason grounds"):
        return ""
    if named & _TOLD:
        return _story(text) if slot.required else ""
    return object_in(slot, text) if slot.required or named & _THINGS else ""


_THINGS = listed("title item book film product dish medicine medication drug")
_MARKED = (
    (
        listed("reason grounds cause"),
        r"\b(?:because|since|due to|on the grounds that|as i)\s+(.+)$",
    ),
    (
        listed("message text note what reminder"),
        r"\b(?:saying|that says|to say|(?:tell|let) (?:him|her|them|\w+|\w+ \w+)(?: know)?(?: that)|remind (?:me|us)(?: .*?)? to)\s+(.+)$",
    ),
    (listed("subject issue problem complaint feedback"), r"\bcomplain(?:t)?(?:ing)? about\s+(.+)$"),
)
_ASKS = re.compile(
    r"(?:i (?:want|need|would like|wish|have) to|can (?:i|you|we)|could (?:i|you|we)|i am (?:calling|ringing)|help|"
    r"how|what|when|where|report|please|open|file|make|raise|i would like a)\b"
)


def _story(text: str) -> str:
    """The whole of what was said, when it tells what happened rather than only asks for a service."""
    low = plain(text)
    said = re.sub(
        r",?\s*\b(?:in|at|on|to|from) (?:my )?(?:room|flat|number|policy|account|card)\b[\w\s]*$",
        "",
        text,
    )
    return said.strip(" ,.") if len(low.split()) >= 4 and not _ASKS.match(low) else ""
