"""The telephone's tool for what no model may know: card numbers, PINs."""

from typing import Annotated, Final, Literal

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.private import Ending, PrivateKeys
from switchboard.tools.toolbox import tool

type What = Annotated[
    Literal["pin", "card_number", "digits"], Field(description="what the caller is to key")
]
type Length = Annotated[
    int | None, Field(ge=1, le=24, description="how many digits it has, where that is known")
]

LENGTHS: Final = {"pin": (4, 12), "card_number": (12, 19), "digits": (1, 24)}
"""The fewest and the most digits."""
LONGEST_S: Final = 150.0
_SAID: Final = {
    Ending.NOTHING: "The caller keyed nothing.",
    Ending.UNFINISHED: "The caller did not key it to the end.",
    Ending.INTERRUPTED: "The caller spoke instead, or was not reached. Go by what they said.",
}


@tool(title="Take a private entry by keypad", timeout_s=LONGEST_S)
async def take_private_keys(
    ctx: ToolContext, what: What, length: Length = None
) -> dict[str, object]:
    """Have the caller key a PIN or a card number on the telephone, so that you never learn it.

    Ask for it in the same reply. You get a token, to be passed to the tool that needs it.
    """
    if ctx.keypad is None:
        raise ToolFailed("This works on the telephone only.")
    least, most = LENGTHS[what]
    if length is not None:
        least = most = min(max(length, least), most)
    collected = await ctx.keypad.collect(least=least, most=most)
    keys = collected.keys
    if collected.ending is not Ending.COMPLETE:
        keys.wipe()
        return {"status": collected.ending.value, "say": _SAID[collected.ending]}
    digits = len(keys)
    if not is_valid(what, least, keys):
        keys.wipe()
        return {"status": "invalid", "digits": digits, "say": f"That is no valid {_word(what)}."}
    return {"status": "complete", "token": ctx.keep_private(keys), "digits": digits}


def is_valid(what: str, least: int, keys: PrivateKeys) -> bool:
    """Whether it has the digits it needs and, for a card's number, the right last one."""
    return len(keys) >= least and (what != "card_number" or luhn(keys.reveal()))


def luhn(digits: str) -> bool:
    """The check of card numbers (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _word(what: str) -> str:
    return {"pin": "PIN", "card_number": "card number"}.get(what, "entry")
