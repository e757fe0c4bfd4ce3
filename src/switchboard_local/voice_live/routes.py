"""`GET /voice-live/realtime`: the way into a Voice Live session, with a model or with an agent."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, WebSocket

from switchboard_local.realtime.host import Host
from switchboard_local.realtime.routes import Guest, take
from switchboard_local.realtime.session_object import begun
from switchboard_local.vault import Vault
from switchboard_local.voice_live.as_ga import session_as_ga
from switchboard_local.voice_live.dialect import VoiceLive
from switchboard_local.voice_live.doorway import judge
from switchboard_local.voice_live.session_object import Session

AGENTS_MODEL: Final = "gpt-4.1"
"""What every agent of the local cloud thinks with, as far as it says."""


def voice_live_router(host: Host, vault: Vault | None = None) -> APIRouter:
    """Voice Live's way into a session; `vault` says which key it takes, if any."""
    router = APIRouter()

    @router.websocket("/voice-live/realtime")
    async def voice_live(socket: WebSocket) -> None:
        query, key = socket.query_params, None if vault is None else vault.service_key
        stranger = host.keeper.refusal(socket.headers, query, token_in_query=True, also_key=key)
        await take(host, socket, "voice_live", stranger or judge(query) or _guest(query))

    return router


def _guest(query: Mapping[str, str]) -> Guest:
    settings = opening(query)
    # All of it, as the two dialects differ in their defaults.
    ga = begun({**session_as_ga(settings), "model": settings.model})
    return Guest(ga, VoiceLive(settings))


def opening(query: Mapping[str, str]) -> Session:
    """The settings of a session that is opened with `query`."""
    if "agent-name" not in query:
        return Session(model=query["model"])
    name = query["agent-name"]
    agent = {
        "type": "agent",
        "name": name,
        "agent_id": f"{name}:{query.get('agent-version', '1')}",
        # A conversation that is named is not read back: nothing outlives a session here.
        "thread_id": query.get("conversation-id", f"conv_{name}"),
    }
    return Session(model=query.get("model") or AGENTS_MODEL, agent=agent)
