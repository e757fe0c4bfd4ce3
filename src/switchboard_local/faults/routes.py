"""`/local/faults`: arming faults from a shell, on this machine. No service of Azure's has it."""

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from switchboard_local.faults.kinds import read_fault
from switchboard_local.faults.registry import Armed, Faults, TooMany

MAX_FAULT_BYTES: Final = 4096


def faults_router(faults: Faults) -> APIRouter:
    """Arm, list and disarm the faults of one local cloud."""
    router = APIRouter(prefix="/local/faults")

    @router.post("")
    async def arm(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_FAULT_BYTES:
                return _no(413, f"A fault takes at most {MAX_FAULT_BYTES} bytes.")
        try:
            armed = faults.arm(read_fault(body))
        except msgspec.DecodeError as wrong:
            return _no(400, str(wrong))
        except TooMany as many:
            return _no(409, str(many))
        return _json(_wire(armed), 201)

    @router.get("")
    async def listed() -> Response:
        return _json({"faults": [_wire(each) for each in faults.armed()]})

    @router.delete("")
    async def disarm() -> Response:
        faults.disarm()
        return Response(status_code=204)

    return router


def _wire(armed: Armed) -> dict[str, object]:
    fault: dict[str, object] = msgspec.to_builtins(armed.fault)
    return {"id": armed.id, "fired": armed.fired, "spent": armed.spent, **fault}


def _no(status: int, message: str) -> Response:
    return _json({"error": {"code": "BadRequest", "message": message}}, status)


def _json(body: dict[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
