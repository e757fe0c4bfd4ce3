"""Who may ask the console, from where, and how often."""

from dataclasses import dataclass, field

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from switchboard.access.identity import address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Principal, Role
from switchboard.access.rates import Rate, Rates
from switchboard.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class GateRates:
    ask: Rate = field(default=Rate(20, 200))
    """Requests of one operator at one address."""
    open: Rate = field(default=Rate(2, 40))
    """Sockets of one address, with a good ticket or not."""
    act: Rate = field(default=Rate(2, 20))
    """What one operator does to calls."""


class Gate:
    """Every method raises `NotAllowed` unless this is an operator at a page of ours, and
    `TooOften`."""

    def __init__(self, origins: Origins, rates: GateRates) -> None:
        self._origins = origins
        self._asking = Rates(rates.ask)
        self._opening = Rates(rates.open)
        self._acting = Rates(rates.act)

    def admit(self, connection: HTTPConnection, who: Principal) -> None:
        """Somebody who looks."""
        if "origin" in connection.headers:  # a browser names none on a GET to its own
            self._origins.check(connection)
        if Role.OPERATOR not in who.roles:
            raise NotAllowed("The console is for operators.")
        self._asking.check(f"{who.id} {address_of(connection)}")

    def admit_deed(self, request: Request, who: Principal) -> None:
        """Somebody who changes something."""
        self._origins.check(request)
        self.admit(request, who)
        self._acting.check(who.id)

    def admit_unknown(self, socket: WebSocket) -> None:
        """Somebody at a socket, whose ticket has not been looked at: any page of ours."""
        self._origins.check(socket)
        self._opening.check(address_of(socket))
