"""The demo's bank: balances, cards, transfers."""

import difflib
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.demo import Rows, demo_of, person_of
from switchboard.tools.spoken import euros, listed, spelled, spoken_day, spoken_euros, working_days
from switchboard.tools.toolbox import tool

type AccountKind = Literal["current", "savings"]
type Card = Annotated[
    str, Field(pattern="^[0-9]{4}$", description="the last four digits of the card")
]
type Which = Annotated[AccountKind, Field(description="which account")]

REPLACEMENT_FEE_CENTS: Final = 1_000
_POST_DAYS: Final = 5


async def _me(rows: Rows, ctx: ToolContext) -> str:
    return await person_of(rows, ctx, "banking")


async def _account(rows: Rows, ctx: ToolContext, kind: str) -> Any:  # noqa: ANN401 - a database row
    me = await _me(rows, ctx)
    account = await rows.one("SELECT * FROM account WHERE person = ? AND kind = ?", me, kind)
    if account is None:
        raise ToolFailed(f"The caller has no {kind} account.")
    return account


async def _cards(rows: Rows, ctx: ToolContext) -> dict[str, Any]:
    me = await _me(rows, ctx)
    found = await rows.all("SELECT * FROM card WHERE person = ? ORDER BY last_four", me)
    return {row["last_four"]: row for row in found}


async def card_of(rows: Rows, ctx: ToolContext, last_four: str) -> Any:  # noqa: ANN401 - a database row
    cards = await _cards(rows, ctx)
    if last_four not in cards:
        known = listed(
            [f"{row['kind']} card {spelled(row['last_four'])}" for row in cards.values()]
        )
        raise ToolFailed(f"No card of the caller ends in {spelled(last_four)}. There are {known}.")
    return cards[last_four]


async def set_card(rows: Rows, card: Any, column: str, value: object) -> None:  # noqa: ANN401 - a database row
    await rows.run(
        f"UPDATE card SET {column} = ? WHERE person = ? AND last_four = ?",  # noqa: S608 - our own column
        value,
        card["person"],
        card["last_four"],
    )


async def _book(rows: Rows, account: int, text: str, cents: int) -> None:
    """Move money, and leave its trace on the statement."""
    await rows.run("UPDATE account SET cents = cents + ? WHERE id = ?", cents, account)
    await rows.run(
        "INSERT INTO entry (account, day, text, cents) VALUES (?, ?, ?, ?)",
        account,
        str(rows.today),
        text,
        cents,
    )


@tool(title="Check the balance")
async def get_balance(ctx: ToolContext, account: Which = "current") -> dict[str, object]:
    """Tell the balance: how much money the caller has in the current or savings account."""
    async with demo_of(ctx).reading() as rows:
        found = await _account(rows, ctx, account)
    return {
        "account": account,
        "balance": euros(found["cents"]),
        "balance_eur": found["cents"] / 100,
        "say": f"Your {account} account holds {spoken_euros(found['cents'])}.",
    }


@tool(title="List recent transactions")
async def list_transactions(
    ctx: ToolContext,
    account: Which = "current",
    count: Annotated[int, Field(ge=1, le=10, description="how many")] = 3,
) -> dict[str, object]:
    """List recent transactions: what the caller spent, payments, salary, income, transfers."""
    async with demo_of(ctx).reading() as rows:
        found = await _account(rows, ctx, account)
        entries = await rows.all(
            "SELECT * FROM entry WHERE account = ? ORDER BY day DESC, id DESC LIMIT ?",
            found["id"],
            count,
        )
    spoken = [
        f"{spoken_euros(abs(row['cents']))} {'to' if row['cents'] < 0 else 'from'} {row['text']}"
        for row in entries
    ]
    return {
        "account": account,
        "transactions": [
            {"day": row["day"], "text": row["text"], "amount": euros(row["cents"])}
            for row in entries
        ],
        "say": f"The latest are {listed(spoken)}." if entries else "There are none yet.",
    }


@tool(title="List the cards")
async def list_cards(ctx: ToolContext) -> dict[str, object]:
    """List the caller's bank cards with their last four digits, state and daily limit."""
    async with demo_of(ctx).reading() as rows:
        cards = (await _cards(rows, ctx)).values()
    spoken = [f"a {row['kind']} card ending in {spelled(row['last_four'])}" for row in cards]
    return {
        "cards": [
            {
                "card": row["last_four"],
                "kind": row["kind"],
                "state": row["state"],
                "daily_limit": euros(row["limit_cents"]),
                "replacement_on": row["replacement_on"],
            }
            for row in cards
        ],
        "say": f"You have {listed(spoken)}.",
    }


@tool(title="Block a card", confirm="Block the card ending in {card}?")
async def block_card(ctx: ToolContext, card: Card) -> dict[str, object]:
    """Block a lost or stolen bank card at once, so that nobody can pay with it."""
    async with demo_of(ctx).writing() as rows:
        found = await card_of(rows, ctx, card)
        if found["state"] == "blocked":
            raise ToolFailed(f"The card ending in {spelled(card)} is blocked already.")
        await set_card(rows, found, "state", "blocked")
    return {
        "status": "blocked",
        "card": card,
        "kind": found["kind"],
        "say": f"Your {found['kind']} card ending in {spelled(card)} is blocked.",
    }


@tool(
    title="Order a replacement card",
    confirm="Order a replacement for the card ending in {card}, for 10 euros?",
)
async def replace_card(ctx: ToolContext, card: Card) -> dict[str, object]:
    """Order a new card by post to replace a damaged or blocked one."""
    async with demo_of(ctx).writing() as rows:
        found = await card_of(rows, ctx, card)
        if found["replacement_on"] and found["replacement_on"] >= str(rows.today):
            raise ToolFailed(f"A new card is on its way; it comes by {found['replacement_on']}.")
        arrives_on = list(islice(working_days(rows.today), _POST_DAYS))[-1]
        await set_card(rows, found, "replacement_on", str(arrives_on))
        account = await _account(rows, ctx, "current")
        await _book(rows, account["id"], "Replacement card", -REPLACEMENT_FEE_CENTS)
    return {
        "status": "ordered",
        "card": card,
        "fee": euros(REPLACEMENT_FEE_CENTS),
        "arrives_on": arrives_on,
        "say": f"Your new card comes by {spoken_day(arrives_on)}.",
    }


@tool(title="Change a card's limit", confirm="Set the daily limit of card {card} to {limit} euros?")
async def set_card_limit(
    ctx: ToolContext,
    card: Card,
    limit: Annotated[int, Field(ge=0, le=5_000, description="euros a day")],
) -> dict[str, object]:
    """Raise or lower how much may be spent with a card each day."""
    async with demo_of(ctx).writing() as rows:
        found = await card_of(rows, ctx, card)
        await set_card(rows, found, "limit_cents", limit * 100)
    return {
        "status": "changed",
        "card": card,
        "daily_limit": euros(limit * 100),
        "before": euros(found["limit_cents"]),
        "say": f"The daily limit of card {spelled(card)} is now {spoken_euros(limit * 100)}.",
    }


@tool(title="Transfer money", confirm="Transfer {amount} euros to {payee}?")
async def transfer_money(
    ctx: ToolContext,
    payee: Annotated[str, Field(min_length=2, max_length=60, description="who is paid, by name")],
    amount: Annotated[float, Field(ge=0.01, le=5_000, description="how many euros")],
    account: Which = "current",
) -> dict[str, object]:
    """Transfer money: send or pay euros from the caller's account to a saved payee."""
    cents = round(amount * 100)
    async with demo_of(ctx).writing() as rows:
        found = await _account(rows, ctx, account)
        name = await _payee(rows, found["person"], payee)
        if cents > found["cents"]:
            left = spoken_euros(found["cents"])
            raise ToolFailed(f"That is more than the {account} account holds, {left}.")
        await _book(rows, found["id"], name, -cents)
    return {
        "status": "sent",
        "to": name,
        "amount": euros(cents),
        "balance": euros(found["cents"] - cents),
        "say": f"I have sent {spoken_euros(cents)} to {name}."
        f" {spoken_euros(found['cents'] - cents)} are left.",
    }


async def _payee(rows: Rows, person: str, said: str) -> str:
    """The one saved payee that was meant: by full name, a part of it, or nearly so."""
    saved = [
        str(row["name"])
        for row in await rows.all("SELECT name FROM payee WHERE person = ? ORDER BY name", person)
    ]
    wanted = said.strip().casefold()
    meant = [name for name in saved if wanted in name.casefold()]
    if not meant:
        near = difflib.get_close_matches(wanted, [name.casefold() for name in saved], cutoff=0.7)
        meant = [name for name in saved if name.casefold() in near]
    if len(meant) != 1:
        raise ToolFailed(f"That is no saved payee. Ask which one: {listed(saved, 'or')}.")
    return meant[0]


@tool(title="List saved payees")
async def list_payees(ctx: ToolContext) -> dict[str, object]:
    """List the saved payees: people and companies who can be sent money, the recipients."""
    async with demo_of(ctx).reading() as rows:
        found = await rows.all(
            "SELECT name FROM payee WHERE person = ? ORDER BY name", await _me(rows, ctx)
        )
    names = [str(row["name"]) for row in found]
    return {
        "payees": names,
        "say": f"You can send money to {listed(names)}." if names else "There are none saved.",
    }
