"""How the agent puts things: questions for arguments, choices between tools, its own abilities."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time

from switchboard_local.mind.catalogue import Role, Slot, Tool
from switchboard_local.mind.choices import spoken
from switchboard_local.mind.clock import clock_in_words
from switchboard_local.mind.dates import in_words
from switchboard_local.mind.lexicon import is_act, is_question
from switchboard_local.mind.numbers import digit_by_digit
from switchboard_local.mind.values import as_list
from switchboard_local.mind.wordlists import listed

_EXAMPLE = re.compile(
    r"[,;:(]?\s*\b(?:such as|e\.?g\.?|for example|like|for instance|in the form|formatted|as yyyy|"
    r"iso)\b.*$|\s*\(.*$|[;:].*$",
    re.IGNORECASE,
)
_SUCH = re.compile(
    r"\b(?:such as|e\.g\.|for example|like|for instance)[,:]?\s+"
    r"['\"“]?([\w@£$./ -]{1,30}?)['\"”]?(?:[,.;)]|$)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"^(?:which|what|how|when|where|who|whom|whose|why)\b", re.IGNORECASE)
_LEADING = re.compile(
    r"^(?:the|a|an|your|their|his|her|its|caller's|customer's|the caller's|the customer's)\s+",
    re.IGNORECASE,
)
_MOST_CHOICES = 6


_CALLERS = re.compile(
    r"\b(?:the|a|an) (?:caller|customer|user|member|patient|guest|client)('s?)?(?!\w)"
)
_TOLD_TO = {"tell": "hear", "say": "hear", "return": "get", "show": "see", "give": "get"}


def phrase(tool: Tool) -> str:
    """What the tool does as a bare verb phrase to the caller: "list your upcoming appointments"."""
    said = re.sub(
        r" of (?:the|a|an) (?:caller|customer|user|member|patient|guest)$", "", _phrase(tool)
    )
    return _CALLERS.sub(lambda found: "your" if found.group(1) else "you", said)


def wish(tool: Tool) -> str:
    """What the caller would want who means this tool: "know how much your bill is"."""
    said = phrase(tool)
    verb, _, rest = said.partition(" ")
    if verb in _TOLD_TO and re.match(r"(?:how|what|when|where|whether|which|who|if)\b", rest):
        return f"know {rest}"
    if verb == "give" and not re.match(r"(?:a|an|the|you|your)\b", rest):
        return said  # "give notice"
    return f"{_TOLD_TO.get(verb, verb)} {rest}".strip()


def ability(tool: Tool) -> str:
    """What the agent can do with it: "tell you how much your bill is"."""
    said = phrase(tool)
    return re.sub(r"^(tell|show|give) (?!you\b)", r"\1 you ", said)


def _phrase(tool: Tool) -> str:
    gist = re.split(r"[.;:(]|, (?!and )| (?:and|so that|where|which|if|when) ", tool.gist)[
        0
    ].strip()
    first, _, rest = gist.partition(" ")
    verb = _bare(first.lower())
    if (is_act(verb) or is_question(verb)) and rest and len(gist) <= 70:
        return f"{verb} {rest}"
    if rest and len(gist) <= 70 and _imperative(gist):
        return f"{first.lower()} {rest}"
    return " ".join(tool.title_words)


def _bare(verb: str) -> str:
    """ "Lists" → "list"."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    for tail in ("es", "s"):
        if verb.endswith(tail) and (is_act(verb[: -len(tail)]) or is_question(verb[: -len(tail)])):
            return verb[: -len(tail)]
    return verb


def _imperative(gist: str) -> bool:
    first = gist.split()[0].lower()
    return not first.endswith("s") and first not in {
        "the",
        "a",
        "an",
        "this",
        "your",
        "for",
        "to",
        "used",
    }


def one_of(parts: Sequence[str], joint: str = "or") -> str:
    """ "a", "a or b", "a, b or c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def choose_between(tools: Sequence[Tool]) -> str:
    """The one question that tells near candidates apart."""
    wishes = [wish(tool) for tool in tools]
    if max(len(one.split()) for one in wishes) > _SHORT:
        # Two long descriptions cannot be kept in mind; names can.
        wishes = [_titled(tool) or wished for tool, wished in zip(tools, wishes, strict=True)]
    phrases = list(dict.fromkeys(wishes))
    if len(phrases) < len(tools):
        phrases = [" ".join(tool.title_words) for tool in tools]
    return f"Do you want to {', or to '.join(phrases)}?"


_SHORT = 8
"""Words of a phrase that is still easy to keep in mind beside another."""


def _titled(tool: Tool) -> str:
    """The name of a tool as something to want: "block card"; empty where it is no such thing."""
    title = tool.title_words
    acts = len(title) > 1 and (is_act(title[0]) or is_question(title[0]))
    return " ".join([_TOLD_TO.get(title[0], title[0]), *title[1:]]) if acts else ""


def abilities(tools: Sequence[Tool], most: int = 4) -> str:
    """What the agent can do, short."""
    phrases = list(dict.fromkeys(ability(tool) for tool in _varied(tools)))
    if not phrases:
        return "I can answer questions about what I know."
    named = phrases[:most]
    if len(phrases) > most:
        return f"I can {', '.join(named)}, and more."
    return f"I can {one_of(named, 'and')}."


def _varied(tools: Sequence[Tool]) -> list[Tool]:
    """Tools about different things first."""
    seen: set[str] = set()
    first: list[Tool] = []
    rest: list[Tool] = []
    for tool in tools:
        about = tool.title_words[-1] if tool.title_words else tool.name
        (rest if about in seen else first).append(tool)
        seen.add(about)
    return first + rest


def thing(slot: Slot) -> str:
    """What the slot holds as a noun phrase without article: "flight number"."""
    described = _EXAMPLE.sub("", slot.description.split(". ")[0]).strip(" .")
    described = _LEADING.sub("", described)
    if not described or len(described.split()) > 6 or _ASKS.match(described):
        return " ".join(slot.title_words) or slot.name
    return described if described[:2].isupper() else described[0].lower() + described[1:]


def example(slot: Slot) -> str:
    """An example of a value, where the description gives one."""
    given = as_list(slot.schema.get("examples"))
    if given and isinstance(given[0], str | int):
        return str(given[0])
    match = _SUCH.search(slot.description)
    return match.group(1).strip() if match else ""


def question(slot: Slot) -> str:
    """Asks for one argument."""
    if slot.choices:
        return _which(slot)
    described = _EXAMPLE.sub("", slot.description.split(". ")[0]).strip(" .")
    if _ASKS.match(described) and len(described.split()) <= 10:
        return _wh_question(described)
    return _plain_question(slot, thing(slot))


def _wh_question(described: str) -> str:
    words = described.split()
    if len(words) <= 2 and words[0].lower() in {"which", "what"}:
        return f"{described} is it?"
    if described.lower() in {"why", "when", "where", "who", "whom"}:
        return {
            "why": "What is the reason?",
            "when": "When should that be?",
            "where": "Where is that?",
        }.get(described.lower(), "Who is that?")
    return f"{described}?"


def _plain_question(slot: Slot, noun: str) -> str:
    counted = re.sub(r"^(?:number|count) of ", "", noun)
    if slot.role is Role.COUNT and counted != noun:
        return f"How many {counted}?"
    if slot.role is Role.FLAG:
        return f"{noun[:1].upper()}{noun[1:]}: yes or no?"
    if slot.role is Role.DATE and noun in {"date", "day"}:
        return "Which day would that be?"
    if slot.role is Role.TIME and noun in {"time", "start", "start time", "preferred time"}:
        return "At what time?"
    if slot.role is Role.MONEY and noun in {"amount", "amount in pounds", "sum"}:
        return "How much should it be?"
    if slot.role in {Role.MONEY, Role.COUNT} and noun.split()[0] in _MEASURES:
        return f"What should the {' '.join(slot.title_words)} be, in {noun}?"
    return f"What {'are' if _plural(noun) else 'is'} the {noun}?"


_MEASURES = listed("euros pounds dollars pence cents minutes hours days weeks months years percent")


def _plural(noun: str) -> bool:
    head = re.split(r" (?:of|for|from|to|in|on|at|with|by) ", noun)[0].split()[-1]
    return head.endswith("s") and not head.endswith(("ss", "us", "is", "'s"))


def _which(slot: Slot) -> str:
    options = [spoken(choice) for choice in slot.choices]
    if len(options) == 1:
        return f"Shall I take {options[0]}?"
    noun = thing(slot)
    noun = (
        " ".join(slot.title_words)
        if " or " in noun
        else re.sub(r"^(?:kind|type) of ", "kind of ", noun)
    )
    named = one_of(options[:_MOST_CHOICES]) + (
        ", among others" if len(options) > _MOST_CHOICES else ""
    )
    return f"Which {noun}: {named}?"


def ask_again(slot: Slot) -> str:
    """Asks once more, with what may help."""
    sample = example(slot)
    hint = f" It looks like {sample}." if sample else _shape_hint(slot)
    return f"Sorry, I did not get that.{hint} {question(slot)}"


def _shape_hint(slot: Slot) -> str:
    digits = re.fullmatch(r"\^?(?:\\d|\[0-9\])\{(\d+)\}\$?", slot.pattern)
    if digits:
        return f" It has {digits.group(1)} digits."
    if slot.role is Role.COUNT:
        low, high = slot.schema.get("minimum"), slot.schema.get("maximum")
        if low is not None and high is not None:
            return f" It can be from {low} to {high}."
    return ""


def value_in_words(slot: Slot, value: object, today: date) -> str:
    """A value for the ear, as far as its slot says what it is."""
    text = str(value)
    try:
        if slot.role is Role.DATE:
            return in_words(date.fromisoformat(text), today)
        if slot.role is Role.TIME:
            return clock_in_words(time.fromisoformat(text))
        if slot.role is Role.MOMENT:
            stamp = datetime.fromisoformat(text)
            return f"{in_words(stamp.date(), today)} at {clock_in_words(stamp.time())}"
    except ValueError:
        return text
    return digit_by_digit(text) if slot.role in {Role.CODE, Role.PHONE} else spoken(value)


def read_back(slot: Slot, value: object, today: date) -> str:
    """Asks whether a value was understood."""
    return f"I have {value_in_words(slot, value, today)} for the {thing(slot)}. Is that right?"
