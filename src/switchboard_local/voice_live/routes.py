"""`GET /voice-live/realtime`: the way into a Voice Live session, with a model or with an agent."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, WebSocket

from switchboard_local.realtime.routes import Guest, Host
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.wire import SessionUpdate
from switchboard_local.voice_live.as_ga import session_as_ga
from switchboard_local.voice_live.dialect import VoiceLive
from switchboard_local.voice_live.doorway import judge
from switchboard_local.voice_live.session_object import Session

AGENTS_MODEL: Final = "gpt-4.1"
"""What every agent of the local cloud thinks with, as far as it says."""


def voice_live_router(host: Host) -> APIRouter:
    """Voice Live's way into a session."""
    router = APIRouter()

    @router.websocket("/voice-live/realtime")
    async def voice_live(socket: WebSocket) -> None:
        refusal = judge(socket.headers, socket.query_params)
        settings = opening(socket.query_params if refusal is None else {"model": "none"})

        def prepare(session: RealtimeSession) -> None:
            # The two dialects differ in their defaults.
            body = session_as_ga(settings)
            session.apply(SessionUpdate(type="session.update", session=body))

        await host.take(socket, refusal, Guest(settings.model, VoiceLive(settings), prepare))

    return router


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
