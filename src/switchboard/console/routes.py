"""`/api/console`: the room's routes. Every one of them asks who is there."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from switchboard.access.identity import Identify
from switchboard.access.principal import Principal
from switchboard.console.room import ConsoleRoom


def console_routes(room: ConsoleRoom, identify: Identify) -> APIRouter:
    router = APIRouter(prefix="/api/console")

    @router.get("/me")
    async def me(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return room.me(request, who)

    @router.get("/live")
    async def live(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return room.live(request, who)

    @router.get("/history")
    async def history(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.history(request, who)

    @router.get("/overview")
    async def overview(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.overview(request, who)

    @router.get("/calls/{call_id}")
    async def call(
        request: Request, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.call(request, call_id, who)

    @router.get("/calls/{call_id}/events")
    async def events(
        request: Request, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return room.follow(request, call_id, who)

    @router.post("/calls/{call_id}/actions")
    async def act(
        request: Request, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.act(request, call_id, who)

    @router.post("/calls/{call_id}/listeners")
    async def let_listen(
        request: Request, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.let_listen(request, call_id, who)

    @router.websocket("/calls/{call_id}/audio")
    async def listen(
        socket: WebSocket, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.listen(socket, call_id, who)

    return router
