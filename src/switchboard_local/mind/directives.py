# ruff: noqa: E501 -- patterns of speech read better unbroken
"""Sentences for instructions that belong to one response: "Greet the caller", "say exactly: …"."""

import re

from switchboard_local.mind.knowledge import quoted
from switchboard_local.mind.smalltalk import Manners
from switchboard_local.mind.text import sentences

_EXACT = re.compile(
    r"\b(?:say|speak|read(?: out)?|repeat|answer|respond with|reply with|tell (?:the \w+|them))\b"
    r"(?:\s+(?:exactly|only|this|the following|word for word|verbatim|just|precisely|these words|sentence))*\s*[:\u2014]\s*(.+)",
    re.IGNORECASE | re.DOTALL,
)
_CALLER = r"(?:the |your )?(?:caller|customer|user|person|guest|patient|them|him|her)"
_TELL = re.compile(
    rf"\b(?:tell|inform|remind|warn|explain to|let|assure) {_CALLER}(?: know)?,? (?!so\b)(?:that )?([^.\n]+)",
    re.IGNORECASE,
)
_SAY_THAT = re.compile(r"\bsay (?:so )?that ([^.\n]+)", re.IGNORECASE)
_TELL_SO = re.compile(rf"([^.\n]+)\.\s+tell {_CALLER} so\b", re.IGNORECASE)
_MANNER = re.compile(
    r"\s+(?:kindly|politely|briefly)\b|\s+in (?:one|two|one or two|a few)[^.]{0,25}? sentences?\b",
    re.IGNORECASE,
)
_NEXT_STEP = re.compile(r",? (?:and|then) (?:say|take|go|wait|ask|stop|carry)\b.*", re.IGNORECASE)
"""What the agent is to do afterwards, which is no part of what it says."""
_ASK_WHETHER = re.compile(rf"\bask (?:{_CALLER} )?(?:if|whether) ([^.;\n]+)", re.IGNORECASE)
_ASK_FOR = re.compile(
    rf"\bask (?:{_CALLER} )?(?:for|about|what|which|how|when|where) ([^.;\n]+)", re.IGNORECASE
)
_ASK_TO = re.compile(rf"\bask (?:{_CALLER} )?to ([^.;\n]+)", re.IGNORECASE)
_APOLOGISE = re.compile(r"\bapologi[sz]e\b", re.IGNORECASE)
_OFFER = re.compile(rf"\boffer (?:{_CALLER} )?([^.;\n]+)", re.IGNORECASE)
_BYE = re.compile(r"\b(?:say )?good ?bye\b|\bend the call\b|\bfarewell\b", re.IGNORECASE)
_GREET = re.compile(
    r"\b(?:greet|welcome|say hello|introduce yourself|start the (?:call|conversation))\b",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\bstill (?:there|on the line|with (?:us|you|me))\b|\bsilen(?:t|ce)\b|\bhas not spoken\b",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"\b(?:moment|takes (?:a while|long|time)|taking (?:a while|long)|still (?:working|looking|checking|running)|please wait|patien)",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:results?|answer(?:s|ed)? (?:the|their)|outcome|output|tool)\b", re.IGNORECASE
)


_REST = re.compile(
    r"\b(?:say|tell|give) (?:\w+ )?the rest\b|\btake up (?:what|where) you (?:were|left|stopped)",
    re.IGNORECASE,
)


def wants_rest(directive: str) -> bool:
    """Whether the agent is to say what remained unsaid of its last reply."""
    return bool(_REST.search(directive))


def follow(directive: str, manners: Manners) -> list[str] | None:
    """What to say for a response's own instructions; `None` when they only set the manner."""
    exact = _exact(directive)
    if exact:
        return sentences(exact)
    directive = _MANNER.sub("", directive)
    if _GREET.search(directive):
        return manners.greeting()
    if _STILL.search(directive):
        return [
            "Are you still there?",
            *(["Thank you for calling. Goodbye."] if _BYE.search(directive) else []),
        ]
    if _RESULT.search(directive):
        return None
    return _in_words(directive)


def _exact(directive: str) -> str:
    said = quoted(directive)
    if said:
        return said
    match = _EXACT.search(directive)
    return match.group(1).strip() if match else ""


def _in_words(directive: str) -> list[str] | None:
    parts: list[str] = []
    if _APOLOGISE.search(directive):
        parts.append("I am sorry about that.")
    if _MOMENT.search(directive) and not _SAY_THAT.search(directive):
        return [*parts, "One moment please, this is taking a little longer."]
    for pattern, template in (
        (_TELL_SO, "{}"),
        (_SAY_THAT, "{}"),
        (_TELL, "{}"),
        (_ASK_WHETHER, "{}?"),
        (_ASK_TO, "Could you please {}?"),
        (_ASK_FOR, "Could you tell me {}?"),
        (_OFFER, "I can offer you {}"),
    ):
        match = pattern.search(directive)
        if match:
            said = turned(_NEXT_STEP.sub("", match.group(1)).replace(", that ", ", and "))
            said = _asked(said) if pattern is _ASK_WHETHER else said
            parts.append(_finished(template.format(said)))
    if _BYE.search(directive):
        parts.append("Thank you for calling. Goodbye.")
    return parts or None


_TURNED = {
    "they": "you", "them": "you", "their": "your", "theirs": "yours", "themselves": "yourself",
    "you": "I", "your": "my", "yourself": "myself", "his": "your", "her": "your", "he": "you", "she": "you",
}  # fmt: skip


def turned(text: str) -> str:
    """Speech about the caller made speech to the caller: "they still want" → "you still want"."""
    text = re.sub(
        r"\b(?:the|your) (?:caller|customer|user)'s\b", "their", text, flags=re.IGNORECASE
    )
    text = re.sub(
        r"\b(?:the|your) (?:caller|customer|user) (?:is|has)\b",
        "they have",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\b(?:the|your) (?:caller|customer|user)\b", "they", text, flags=re.IGNORECASE)
    swapped = [_TURNED.get(word.lower(), word) for word in text.split()]
    said = " ".join(swapped).replace("I are", "I am").replace("I were", "I was")
    return re.sub(r"\byou (?:is|was)\b", "you are", said).strip()


def _asked(text: str) -> str:
    """ "you need anything else" → "do you need anything else"."""
    match = re.match(r"(you|I|it|we) (are|am|is|have|can|could|would|will|were|was)\b(.*)", text)
    if match:
        return f"{match.group(2)} {match.group(1)}{match.group(3)}"
    return f"do {text}" if re.match(r"(?:you|I|we)\b", text) else f"may I ask whether {text}"


def _finished(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".?!" else ".")
