"""The demo's bank: what takes a PIN, which the caller keys on the telephone."""

import hmac
from typing import Annotated, Final

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.banking import Card, card_of, set_card
from switchboard.tools.context import ToolContext
from switchboard.tools.demo import Rows, demo_of
from switchboard.tools.spoken import spelled
from switchboard.tools.toolbox import tool

DEMO_PIN: Final = "258036"
"""That of every card in the demo."""
MAX_WRONG: Final = 3
_TRIES: Final = (
    "CREATE TABLE IF NOT EXISTS pin_tries"
    " (card TEXT NOT NULL, person TEXT NOT NULL, wrong INTEGER NOT NULL,"
    " PRIMARY KEY (person, card))"
)

type Token = Annotated[str, Field(max_length=64, description="the token of the PIN just keyed")]


@tool(title="Unblock a card with its PIN")
async def unblock_card(ctx: ToolContext, card: Card, pin_token: Token) -> dict[str, object]:
    """Unblock a blocked card. It needs a token: have the caller key the card's PIN privately."""
    with ctx.private(pin_token) as pin:
        right = hmac.compare_digest(pin.reveal(), DEMO_PIN)
    async with demo_of(ctx).writing() as rows:
        found = await card_of(rows, ctx, card)
        if found["state"] != "blocked":
            raise ToolFailed(f"The card ending in {spelled(card)} is not blocked.")
        left = await _tries_left(rows, found["person"], card, right=right)
        if left and right:
            await set_card(rows, found, "state", "active")
    if not left:
        raise ToolFailed("The PIN was wrong too often. Only the branch can unblock this card.")
    if not right:
        raise ToolFailed(f"That PIN is wrong. Tries left: {left}. Offer to key it once more.")
    return {
        "status": "active",
        "card": card,
        "say": f"Your card ending in {spelled(card)} works again.",
    }


async def _tries_left(rows: Rows, person: str, card: str, *, right: bool) -> int:
    """How often the PIN may still be keyed, this time included if it was right."""
    await rows.run(_TRIES)
    row = await rows.one("SELECT wrong FROM pin_tries WHERE person = ? AND card = ?", person, card)
    wrong = int(row["wrong"]) if row else 0
    if wrong < MAX_WRONG:
        wrong = 0 if right else wrong + 1
        await rows.run(
            "INSERT INTO pin_tries (person, card, wrong) VALUES (?, ?, ?)"
            " ON CONFLICT (person, card) DO UPDATE SET wrong = excluded.wrong",
            person,
            card,
            wrong,
        )
    return MAX_WRONG - wrong
