"""`/api/console`: the room's routes. Every one of them asks who is there."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from switchboard.access.identity import Identify
from switchboard.access.principal import Principal
from switchboard.console.room import ConsoleRoom

type Asked = Callable[[Request, Principal], Awaitable[Response]]
type OfOne = Callable[[Request, str, Principal], Awaitable[Response]]


def console_routes(room: ConsoleRoom, identify: Identify) -> APIRouter:
    router = APIRouter(prefix="/api/console")
    for path, asked in {
        "/me": room.looking.me,
        "/live": room.looking.live,
        "/history": room.looking_back.history,
        "/overview": room.looking_back.overview,
        "/evals": room.evals.listed,
    }.items():
        router.add_api_route(path, _asked(asked, identify), methods=["GET"])
    for method, path, of_one in (
        ("GET", "/agents/{agent}", room.looking.agent),
        ("GET", "/evals/{run_id}", room.evals.one),
        ("GET", "/evals/{run_id}/page", room.evals.page),
        ("GET", "/calls/{call_id}", room.looking.call),
        ("GET", "/calls/{call_id}/events", room.looking.follow),
        ("GET", "/calls/{call_id}/recording", room.looking_back.recording),
        ("GET", "/calls/{call_id}/after", room.looking_back.after),
        ("POST", "/calls/{call_id}/deliveries", room.looking_back.tell_again),
        ("POST", "/calls/{call_id}/actions", room.doing.act),
        ("POST", "/calls/{call_id}/listeners", room.doing.let_listen),
        ("POST", "/calls/{call_id}/desk", room.doing.let_take_over),
    ):
        router.add_api_route(path, _of_one(of_one, identify), methods=[method])

    _sockets(router, room, identify)
    return router


def _sockets(router: APIRouter, room: ConsoleRoom, identify: Identify) -> None:
    """Both kinds, and the right to the second."""

    @router.websocket("/calls/{call_id}/audio")
    async def listen(
        socket: WebSocket, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.sitting.listen(socket, call_id, who)

    @router.websocket("/calls/{call_id}/desk")
    async def take_over(
        socket: WebSocket, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.sitting.take_over(socket, call_id, who)


def _asked(asked: Asked, identify: Identify) -> Callable[..., Awaitable[Response]]:
    async def route(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:
        return await asked(request, who)

    return route


def _of_one(asked: OfOne, identify: Identify) -> Callable[..., Awaitable[Response]]:
    """Of one call, agent or run: whichever the path names."""

    async def route(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:
        [name] = request.path_params.values()
        return await asked(request, name, who)

    return route
