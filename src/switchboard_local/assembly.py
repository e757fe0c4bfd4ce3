"""Loads the engine and the mind that the settings ask for."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from switchboard_local.engine.load import Engine, EngineChoice, load_engine
from switchboard_local.mind.load import load_mind
from switchboard_local.mind.parts import Mind
from switchboard_local.settings import Settings


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncGenerator[tuple[Engine, Mind]]:
    """Both, warm, closed with the block. Raises `PartMissing` for a forced part there is not."""
    choice = EngineChoice(
        ears=settings.local_ears,
        voice=settings.local_voice,
        voice_steady=settings.local_voice_steady,
    )
    engine = await load_engine(choice)
    try:
        key = settings.local_llm_key
        mind = await load_mind(
            llm_url=settings.local_llm_url if settings.local_mind != "offline" else None,
            llm_model=settings.local_llm_model,
            llm_key=key.get_secret_value() if key else None,
        )
        yield engine, mind
    finally:
        with anyio.CancelScope(shield=True):
            await engine.aclose()
