"""Telephone: builds the telephone's room and owns what runs beside it."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import httpx

from switchboard.access.acs import ISSUER, AcsTokens, AcsTrust
from switchboard.access.eventgrid import EventGridDoor, EventGridTrust
from switchboard.access.identity import is_loopback
from switchboard.access.keys import KeysUnavailable, fetch_by
from switchboard.access.media import MediaTickets
from switchboard.access.principal import Principal
from switchboard.browser.protocol import PhoneChoice
from switchboard.errors import ConfigurationError
from switchboard.fitting import PhoneFitting
from switchboard.phone.acs import AcsCarrier, AcsConfig
from switchboard.phone.admission import CallerLimits
from switchboard.phone.around import Choose, Doors, Exchange, PhoneConfig
from switchboard.phone.callers import alias, caller_key
from switchboard.phone.dialling import DiallingRules, QuietHours, for_people
from switchboard.phone.elsewhere import CALLBACK, OverTheBus
from switchboard.phone.outgoing import Outgoing, OutgoingConfig, may_place
from switchboard.phone.permits import Permits
from switchboard.phone.promises import Promises
from switchboard.phone.room import PhoneRoom
from switchboard.records.bus import Bus
from switchboard.records.claims import Claims
from switchboard.records.dialled import DialledTable, Quotas
from switchboard.records.placed import PlacedTable
from switchboard.records.promised import PromisedTable, Redact, redacted_whole
from switchboard.records.recordings import RecordingTable
from switchboard.records.remembering import past_of
from switchboard.records.store import Store
from switchboard.records.telephone import MediaTicketTable, SeenEvents
from switchboard.records.whereabouts import Whereabouts

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


@dataclass(frozen=True, slots=True)
class TelephoneConfig:
    """What the environment says of the telephone."""

    endpoint: str
    resource_id: str
    public_url: str
    choose: Choose
    """Who answers."""
    data_dir: Path
    """Where the key to callers' ids is kept."""
    issuer: str | None = None
    number: str | None = None
    ca_file: str | None = None
    latency_ms: float = 0.0
    reattach_s: float = 10.0
    tenant_id: str | None = None
    audience: str | None = None
    secret: str | None = field(default=None, repr=False)
    max_sockets: int = 100
    allowed: Sequence[str] = ()
    """Whom we may ring; nobody, where it is empty."""
    quiet_hours: str = "21:00-08:00"
    quotas: Quotas = field(default_factory=Quotas)
    ring_s: float = 45.0
    callers: CallerLimits = field(default_factory=CallerLimits)
    redact: Redact = redacted_whole
    """What may be stored of an agent's text."""

    def __post_init__(self) -> None:
        if not self.resource_id:
            raise ConfigurationError(
                "ACS_ENDPOINT is set, but ACS_RESOURCE_ID is not. Set it to the immutable "
                "id of the resource, or nobody could tell its calls from a stranger's."
            )
        if not self.public_url:
            raise ConfigurationError(
                "ACS_ENDPOINT is set, but PUBLIC_URL is not: the carrier has to reach this server."
            )
        _need_https("PUBLIC_URL", self.public_url)
        if self.issuer is not None:
            _need_https("ACS_ISSUER", self.issuer)
        if self.allowed and self.number is None:
            raise ConfigurationError(
                "DIAL_ALLOWED is set, but ACS_NUMBER is not: say which number of ours people see "
                "when they are rung, such as +15550100."
            )


def _need_https(setting: str, url: str) -> None:
    """Raises `ConfigurationError` where tokens, or the keys to check them, would go in the open."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" and bool(parts.hostname)
        local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    except ValueError:
        safe = local = False
    if not safe and not local:
        raise ConfigurationError(
            f"{setting} must be https where there is a telephone: what it leads to proves who the "
            "carrier is. Plain http is for loopback only."
        )


class Telephone:
    """Raises `ConfigurationError` for a door without a lock."""

    def __init__(
        self,
        config: TelephoneConfig,
        exchange: Exchange,
        store: Store,
        *,
        fitting: PhoneFitting,
        make_credential: "Callable[[], AsyncTokenCredential]",
        bus: Bus | None = None,
    ) -> None:
        """`fitting` makes an agent's brief one for a telephone call; `bus` leads to other replicas,
        where there may be some."""
        self._config = config
        self._http: httpx.AsyncClient | None = None
        carrier_config = AcsConfig(config.endpoint, config.number, config.ca_file)
        self.carrier = AcsCarrier(carrier_config, make_credential)
        bindings = MediaTicketTable(store)
        grid = EventGridTrust(
            tenant_id=config.tenant_id,
            audiences=[config.audience] if config.audience else [],
            secrets=[config.secret] if config.secret else [],
        )
        issuer = config.issuer or ISSUER
        metadata = f"{issuer}/calling/.well-known/acsopenidconfiguration"
        acs = AcsTokens(AcsTrust(config.resource_id, issuer, metadata), self._fetch)
        doors = Doors(
            EventGridDoor(grid, self._fetch),
            acs,
            MediaTickets(bindings),
            bindings,
            SeenEvents(store),
            RecordingTable(store),
            None if bus is None else OverTheBus(bus, Whereabouts(store)),
        )
        key = caller_key(config.data_dir)
        self.alias = partial(alias, key=key)
        """What stands for whom the quotas count, once they are erased."""
        room = PhoneConfig(
            config.public_url,
            config.choose,
            caller_key=key,
            reattach_s=config.reattach_s,
            latency_ms=config.latency_ms,
            max_sockets=config.max_sockets,
            callers=config.callers,
        )
        rules = DiallingRules(config.allowed, QuietHours.read(config.quiet_hours))
        self.permits = Permits(DialledTable(store, self.alias), rules, config.quotas)
        self.room = PhoneRoom(
            exchange,
            self.carrier,
            doors,
            room,
            fitting=fitting,
            permits=self.permits,
            claims=Claims(store),
            past_of=lambda call_id: past_of(store, call_id, time.time()),
        )
        self.outgoing = Outgoing(
            exchange,
            self.room,
            self.permits,
            PlacedTable(store),
            OutgoingConfig(config.ring_s, key),
            fitting=fitting,
        )
        self.room.followed_by(self.outgoing)
        if bus is not None:
            bus.obey(CALLBACK, self.room.obey)
        self.promises = Promises(PromisedTable(store, config.redact), self.permits, self.outgoing)
        fitting.promises, fitting.dials = self.promises, self.dials

    @property
    def dials(self) -> bool:
        """Whether anybody may be rung at all."""
        return bool(self._config.allowed)

    def choice(self, who: Principal) -> PhoneChoice | None:
        """What the page may offer to `who`; nothing where the telephone has no number to ring."""
        number = self._config.number
        if number is None:
            return None
        answers = self._config.choose(number, None)
        return PhoneChoice(for_people(number), answers, self.dials and may_place(who))

    async def run(self) -> None:
        """Keep the carrier open and the room running, until cancelled."""
        await self.outgoing.recover()
        async with (
            httpx.AsyncClient(verify=trust(self._config.ca_file)) as self._http,
            self.carrier.opened(),
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self.room.run)
            if self.dials:
                tasks.start_soon(self.promises.run)

    async def _fetch(self, url: str) -> bytes:
        if self._http is None:
            raise KeysUnavailable("The telephone is not open.")
        return await fetch_by(self._http)(url)


def trust(ca_file: str | None) -> ssl.SSLContext | bool:
    """Whom to believe: the machine's authorities, and the one in `ca_file` besides.

    Raises `OSError` where that cannot be read.
    """
    if ca_file is None:
        return True
    believed = ssl.create_default_context()
    believed.load_verify_locations(ca_file)
    return believed
