"""Where evaluations happen: the product's own exchange, agents, tools and model leg, in this
process, with a fresh demo database for each conversation."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from switchboard.access.principal import LOCAL
from switchboard.conversation.commands import Note
from switchboard.conversation.legs import CallerLeg
from switchboard.evals.evidence import Evidence
from switchboard.exchange import Lines, Switchboard
from switchboard.exchange.brief import Brief
from switchboard.model.credentials import TokenSource
from switchboard.reception import DEMO_FILE, Reception
from switchboard.records.opening import Opening
from switchboard.services import Identities, key_of, ways_of
from switchboard.settings import Settings
from switchboard.tools.context import Resources
from switchboard.tools.demo import DemoDatabase


class Ledger:
    """Keeps the evidence of every call that is under way."""

    def __init__(self) -> None:
        self._calls: dict[str, Evidence] = {}
        self._began: dict[str, float] = {}

    def expect(self, call_id: str, evidence: Evidence) -> None:
        self._calls[call_id] = evidence
        self._began[call_id] = time.time()

    def open_call(self, opening: Opening) -> None:
        self._began[opening.call_id] = opening.began_at

    def note(self, call_id: str, note: Note, at: float) -> None:
        if (evidence := self._calls.get(call_id)) is not None:
            evidence.note(note, (at - self._began[call_id]) * 1_000)

    def let_go(self, call_id: str) -> None:
        """There is no other server."""
        self._calls.pop(call_id, None)

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None:
        evidence, began = self._calls.pop(call_id, None), self._began.pop(call_id, ended_at)
        if evidence is not None:
            evidence.ended = reason
            evidence.seconds = ended_at - began


@dataclass(frozen=True, slots=True)
class Stage:
    """Open for as long as `opened` lasts."""

    switchboard: Switchboard
    reception: Reception
    ledger: Ledger
    tokens: TokenSource | None
    """What Azure OpenAI is shown; `None` where there is none."""

    async def hold(
        self,
        leg: CallerLeg,
        evidence: Evidence,
        *,
        agent: str,
        model: str | None,
        voice: str | None,
        folder: Path,
        session: dict[str, Any],
    ) -> None:
        """Carry one call, to its end. `folder` is where its demo database is made; `session` is
        merged into the model's session.

        Raises `NotAllowed` for an agent or model that there is not.
        """
        database = DemoDatabase(folder / DEMO_FILE)
        async with database.reading():
            """It is made by its first use, and has to be there though no tool uses it."""
        fresh = Resources(database)

        def fit(brief: Brief) -> Brief:
            spec = replace(brief.spec, extra={**brief.spec.extra, **session})
            return replace(brief, spec=spec, resources=fresh)

        call_id = self.switchboard.place(
            principal=LOCAL, agent=agent, voice=voice, model=model, fit=fit
        )
        self.ledger.expect(call_id, evidence)
        await self.switchboard.carry(call_id, leg)

    async def ended(self, evidence: Evidence, within_s: float = 10.0) -> None:
        """Until the ledger was told that this call has ended."""
        with anyio.move_on_after(within_s):
            while evidence.ended is None:  # noqa: ASYNC110  (the ledger has no event)
                await anyio.sleep(0.01)


def _tokens(settings: Settings, identities: Identities) -> TokenSource | None:
    return (
        identities.towards(settings.azure_openai_scope) if settings.azure_openai_endpoint else None
    )


@asynccontextmanager
async def opened(settings: Settings, folder: Path, *, calls: int) -> AsyncGenerator[Stage]:
    """A stage for so many calls at once. Raises `ConfigurationError`."""
    identities = Identities(settings)
    ways = ways_of(settings, identities, key_of(settings, identities))
    reception = Reception(
        settings.session_config,
        folder,
        reattach_s=settings.reattach_seconds,
        version="",
        services=ways.services,
    )
    ledger = Ledger()
    switchboard = Switchboard(
        dial=ways.dial, reception=reception, recorder=ledger, lines=Lines(calls, 30.0)
    )
    try:
        async with anyio.create_task_group() as tasks:
            for tokens in identities.tokens.values():
                tasks.start_soon(tokens.refresh)
            tasks.start_soon(switchboard.run)
            while not switchboard.ready():  # noqa: ASYNC110  (it has no event; a moment)
                await anyio.sleep(0.005)
            yield Stage(switchboard, reception, ledger, _tokens(settings, identities))
            tasks.cancel_scope.cancel()
    finally:
        for signalling in ways.signalling:
            await signalling.aclose()
