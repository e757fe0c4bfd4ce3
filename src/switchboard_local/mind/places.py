# ruff: noqa: E501 -- patterns of speech read better unbroken
"""Places in a request: "from Leeds to Rome", "on Elm Street", "near LS1"."""

import re

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.people import NOT_NAMES, TIMEY
from switchboard_local.mind.wordlists import listed

_FROM = listed("origin from departure source start pickup")
_TO = listed("destination to arrival target dropoff")
_ROADS = listed(
    "road street lane avenue drive close way square crescent court terrace place hill park district "
    "station bridge hall school church gardens grove row quarter estate"
)
_STREETS = listed("street road address location place area where neighbourhood")
_PROPER = listed("city country destination origin airport town from to branch region")
_ENDS = (
    NOT_NAMES
    | TIMEY
    | listed("at in on near next by outside opposite behind between around with without says say")
)
_NOT_PLACES = listed(
    "room bed trouble case hold home work bank account advance time order full general total way "
    "hurry street road car house flat kitchen bathroom garden carousel post mail email phone line bill "
    "minute moment second internet"
)
_VERBS = listed(
    "fly travel go come get be pay see book rent hire drive stay return visit collect leave have do "
    "use find ask speak talk make order cancel change report complain renew know start stop help"
)
_JOINTS = r"(?:in front of|outside|opposite|next to|at|in|on|near|by)"


def place_in(slot: Slot, text: str) -> str:
    """The place that the request gives for this slot; empty when it gives none."""
    named = set(slot.title_words)
    if named & _FROM:
        return _after(r"from", slot, text)
    if named & _TO:
        return _after(r"to", slot, text)
    return _after(_JOINTS, slot, text) or (
        "" if named & _STREETS else _after(r"to|from", slot, text)
    )


def _after(joint: str, slot: Slot, text: str) -> str:
    for match in re.finditer(rf"\b(?:{joint})\s+(?:the\s+)?(?=([\w' -]+))", text, re.IGNORECASE):
        place = _words(match.group(1), slot)
        if place:
            return place
    return ""


def _words(found: str, slot: Slot) -> str:
    kept: list[str] = []
    for word in found.split()[:5]:
        low = word.lower()
        ended = bool(kept) and kept[-1].lower() in _ROADS and low not in _ROADS
        if low in _ENDS or ended or (not kept and low in _VERBS):
            break
        kept.append(word)
    if not kept or not _is_place(kept, slot):
        return ""
    proper = set(slot.title_words) & _PROPER
    return " ".join(word.capitalize() if proper and word.islower() else word for word in kept)


def _is_place(kept: list[str], slot: Slot) -> bool:
    last = kept[-1].lower()
    if len(kept) == 1 and (last in _NOT_PLACES or last[:1].isdigit()):
        return False
    if last in _ROADS:
        return True
    roadlike = set(slot.title_words) & {"street", "road", "address"}
    written = all(word[:1].isupper() for word in kept)
    return written or (not roadlike and len(kept) <= 2 and last not in _NOT_PLACES)
