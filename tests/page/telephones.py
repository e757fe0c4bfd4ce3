"""The scripted server with a telephone: places calls as the test says, and rings nobody."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from fastapi import FastAPI, Request, Response

from switchboard.browser import protocol
from switchboard.phone.outgoing_routes import PlaceTelephoneCall, TelephoneCall
from tests.page.desk import CONFIG, Desk, as_json

NUMBER = "+44 20 7946 0000"
CALLED = "call_tel"


def with_telephone(*, agent: str = "bank", call_me: bool = True) -> protocol.PageConfig:
    phone = protocol.PhoneChoice(NUMBER, agent, call_me)
    return msgspec.structs.replace(CONFIG, phone=phone)


@dataclass
class Stands:
    """How the one call stands."""

    state: str = "ringing"
    reason: str | None = None


class TelephoneDesk(Desk):
    """What a test may do to a call that is placed; safe from the test's thread."""

    def __init__(self, page: Path, axe: Path) -> None:
        super().__init__(page, axe)
        self._forget()

    def fresh(self) -> None:
        super().fresh()
        self._forget()

    def _forget(self) -> None:
        self.config = with_telephone()
        self.wishes: list[PlaceTelephoneCall] = []
        self.looks = 0
        self.stands = Stands()
        self.refusal: tuple[int, protocol.Problem] | None = None
        self.losing = False
        """Takes a wish, and its answer is lost on the way."""

    def _add_routes(self, app: FastAPI) -> None:
        app.post("/api/phone/calls")(self._ring)
        app.get("/api/phone/calls/{call}")(self._look)

    async def _ring(self, request: Request) -> Response:
        body = await request.body()
        self.wishes.append(msgspec.json.decode(body, type=PlaceTelephoneCall))
        if self.losing:
            return Response("Bad gateway", 502)
        if self.refusal is not None:
            status, problem = self.refusal
            return as_json(problem, status)
        return self._told(201)

    async def _look(self, call: str) -> Response:
        assert call == CALLED
        self.looks += 1
        return self._told(200)

    def _told(self, status: int) -> Response:
        how = self.stands
        return as_json(TelephoneCall(CALLED, how.state, "bank", 1.0, reason=how.reason), status)
