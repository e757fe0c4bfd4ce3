"""The composition root of the local cloud."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import anyio
from fastapi import FastAPI
from pydantic import SecretStr

from switchboard_local.audio_api import audio_router
from switchboard_local.engine.parts import Detectors, Ears, PartInfo, Voice
from switchboard_local.entra.identity import app_service_router, imds_router
from switchboard_local.entra.issuer import Issuer
from switchboard_local.entra.keys import KeyRing
from switchboard_local.entra.routes import entra_router
from switchboard_local.faults.registry import Faults
from switchboard_local.faults.routes import faults_router
from switchboard_local.loopback import LoopbackOnly
from switchboard_local.mind.parts import Mind
from switchboard_local.realtime.host import Host, Lines
from switchboard_local.realtime.keeper import Keeper
from switchboard_local.realtime.live import Company, Live
from switchboard_local.realtime.routes import realtime_router
from switchboard_local.realtime.webrtc.calls import Calls
from switchboard_local.realtime.webrtc.load import load_webrtc
from switchboard_local.realtime.webrtc.routes import webrtc_router
from switchboard_local.realtime.webrtc.secrets import SecretBook
from switchboard_local.settings import Settings
from switchboard_local.vault import Vault, vault_router
from switchboard_local.voice_live.routes import voice_live_router


class Engine(Protocol):
    """The embedded engine: parts that all sessions share."""

    @property
    def detectors(self) -> Detectors: ...
    @property
    def ears(self) -> Ears: ...
    @property
    def voice(self) -> Voice: ...


def create_app(
    engine: Engine,
    mind: Mind,
    settings: Settings,
    faults: Faults | None = None,
    issuer: Issuer | None = None,
    vault: Vault | None = None,
) -> FastAPI:
    """The local cloud. `faults` and `vault` are how a test makes it misbehave, `issuer` how it
    gets in.

    `settings.local_cloud_port` must be the one that it is served on: tokens name it.
    """
    faults, issuer = faults or Faults(), issuer or own_issuer(settings)
    if vault is None and settings.local_voicelive_key is not None:
        vault = Vault.with_key(settings.local_voicelive_key.get_secret_value())
    company = Company(engine.ears, engine.voice, mind, settings.local_pace, faults)
    lines = Lines(settings.local_max_sessions)
    keeper = Keeper(issuer, _text(settings.local_api_key))
    host = Host(engine.detectors, company, lines, keeper, settings.local_session_seconds)
    answer, _ = load_webrtc()
    calls = None if answer is None else Calls(host, answer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            if settings.local_key_rotation_seconds is not None:
                tasks.start_soon(issuer.keys.keep_rotating, settings.local_key_rotation_seconds)
            if calls is not None:
                await stack.enter_async_context(calls.open())
            yield

    def find_call(call_id: str) -> Live | None:
        return None if calls is None else calls.find(call_id)

    app = FastAPI(
        title="Switchboard local cloud",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(LoopbackOnly)
    app.include_router(realtime_router(host, find_call))
    app.include_router(voice_live_router(host, vault))
    app.include_router(audio_router(keeper, engine.voice, engine.ears))
    app.include_router(webrtc_router(host, SecretBook(time.time), calls))
    if vault is not None:
        app.include_router(vault_router(vault, issuer))
    app.include_router(faults_router(faults))
    app.include_router(entra_router(issuer, _text(settings.local_client_secret)))
    app.include_router(imds_router(issuer))
    if settings.identity_header is not None:
        secret = settings.identity_header.get_secret_value()
        app.include_router(app_service_router(issuer, secret))

    @app.get("/health")
    async def health() -> dict[str, object]:
        return {"status": "ok", "sessions": lines.open, "parts": parts_line(engine, mind)}

    return app


def own_issuer(settings: Settings) -> Issuer:
    """The tenant that the settings describe."""
    life_s = settings.local_token_seconds
    address = f"http://127.0.0.1:{settings.local_cloud_port}"
    return Issuer(address, KeyRing(keep_s=life_s), life_s)


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def parts(engine: Engine, mind: Mind) -> list[PartInfo]:
    """What is in use, in the order sound takes, and the way in that may be missing."""
    _, webrtc = load_webrtc()
    return [engine.detectors.info, engine.ears.info, mind.info, engine.voice.info, webrtc]


def parts_line(engine: Engine, mind: Mind) -> str:
    """What is in use, in one line, fallbacks with their reason."""
    return "; ".join(_part(info) for info in parts(engine, mind))


def _part(info: PartInfo) -> str:
    because = f" (fallback: {info.reason})" if info.fallback else ""
    return f"{info.kind}: {info.name}{because}"
