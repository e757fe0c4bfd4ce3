"""Every environment variable, parsed once. Read by `__main__` and `app` only."""

import sys
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from switchboard.access.identity import is_loopback
from switchboard.access.origins import Origins, loopback_origins
from switchboard.access.peers import is_fit, private_address
from switchboard.access.people import AUTHORITY
from switchboard.errors import ConfigurationError
from switchboard.records.store import sqlite_url

type Seconds = Annotated[float, Field(ge=0, le=86_400)]
type PerMinute = Annotated[float, Field(ge=1, le=60_000)]
type Dollars = Annotated[float, Field(ge=0.1, le=1_000_000)]
type Minutes = Annotated[float, Field(ge=1, le=10_000_000)]
type Quota = Annotated[int, Field(ge=1, le=100_000)]
type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

RESOURCE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]$"
"""It becomes a host name, so nothing else may hide in it."""
QUIET_HOURS: Final = r"^(none|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)$"
DEFAULT_SCOPE: Final = "https://ai.azure.com/.default"


class Settings(BaseSettings):
    """The environment. An empty variable is as good as none."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that serve the port together, each on a core; more than one share a PostgreSQL."""
    public_url: str | None = None
    """Where people reach this server, if not on loopback: `https://talk.example.com`."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """More origins whose pages may call, separated by commas."""
    allow_anonymous: bool = False
    """Anybody who reaches this server may call."""
    sign_in: Literal["tokens", "platform"] = "tokens"
    """Who asks people who they are: this server, by tokens; or the platform's door before it, whose
    word is then taken."""
    sign_in_client_id: str | None = None
    """Our application in Entra: people with a role in it may come in."""
    sign_in_tenant_id: Annotated[tuple[str, ...], NoDecode] = ()
    """Whose people: tenants by their ids, separated by commas."""
    sign_in_authority: str = AUTHORITY
    """Where they sign in, if not in Azure's public cloud."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Addresses or networks of proxies in front, separated by commas: what they say in
    `X-Forwarded-For` is believed."""

    azure_openai_endpoint: str | None = None
    """The realtime service: `https://<resource>.openai.azure.com`."""
    azure_openai_fallback_endpoints: Annotated[tuple[str, ...], NoDecode] = ()
    """The same deployments in other regions, separated by commas: where calls go, in this order,
    while the first is out of quota or in trouble."""
    azure_openai_scope: str = DEFAULT_SCOPE
    """Whom the Entra token is for."""
    azure_voicelive_endpoint: str | None = None
    """Azure AI Voice Live: `https://<resource>.services.ai.azure.com`."""
    azure_voicelive_fallback_endpoints: Annotated[tuple[str, ...], NoDecode] = ()
    """Voice Live in other regions, separated by commas."""
    azure_ai_foundry_resource: Annotated[str | None, Field(pattern=RESOURCE_NAME)] = None
    """Its resource by name, as other proxies have it; the endpoint goes before it."""
    foundry_resource_name: Annotated[str | None, Field(pattern=RESOURCE_NAME)] = None
    """The same, under another name."""
    azure_voicelive_scope: str = DEFAULT_SCOPE
    """Whom its Entra token is for."""
    azure_voicelive_api_version: Annotated[
        str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(-preview)?$")
    ] = "2026-07-15"
    voicelive_key_secret_uri: str | None = None
    """Where a key must be shown to Voice Live instead of a token: the Key Vault secret that holds
    it, `https://<vault>.vault.azure.net/secrets/<name>`. The key itself is no setting."""
    azure_client_id: str | None = None
    """Which managed identity to use, where there are several."""

    webrtc: bool = True
    """Offer pages calls over WebRTC, whose audio goes straight to Azure OpenAI."""

    session_minting: bool = False
    """Give front ends of one's own a client secret, from which they can read the prompt."""
    session_minting_per_minute: PerMinute = 6.0
    """New secrets of one user."""

    voice_live_proxy: bool = False
    """Serve `WS /ws`: any Voice Live client, our credentials."""
    proxy_own_tokens_only: bool = False
    """Lend the server's identity to nobody: users of the proxy show their own tokens."""
    proxy_max_connections: Annotated[int, Field(ge=1, le=10_000)] = 100
    proxy_max_frame_bytes: Annotated[int, Field(ge=65_536, le=67_108_864)] = 4_194_304
    """The largest message either side may send."""
    proxy_idle_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    proxy_max_seconds: Annotated[float, Field(ge=1, le=86_400)] = 3_600.0
    proxy_address_per_minute: PerMinute = 120.0
    """New connections of one address."""
    proxy_user_per_minute: PerMinute = 60.0
    """New connections of one user."""

    acs_endpoint: str | None = None
    """The telephone's carrier: `https://<resource>.communication.azure.com`. None: no telephone."""
    acs_resource_id: str = ""
    """Immutable id of that resource, a GUID: whom its tokens are for."""
    acs_number: str | None = None
    """Our own telephone number, E.164."""
    acs_issuer: str | None = None
    """Who signs the carrier's tokens, if not Azure."""
    acs_ca_file: str | None = None
    """Certificate of a carrier that no public authority vouches for."""
    acs_latency_ms: Annotated[float, Field(ge=0, le=2_000)] = 0.0
    """From our sending a frame to the ear, measured."""
    event_grid_tenant_id: str | None = None
    event_grid_audience: str | None = None
    """Our application, for which Entra gives Event Grid its token."""
    event_grid_secret: SecretStr | None = None
    """Or what the address that Event Grid was given ends in: `?secret=…`."""
    phone_agent: str | None = None
    """Who answers the telephone where the number does not say, if not the first agent."""
    phone_caller_per_minute: PerMinute = 20.0
    """Calls of one telephone, and of all withheld numbers together."""
    phone_caller_at_once: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Likewise, at once."""

    dial_allowed: Annotated[tuple[str, ...], NoDecode] = ()
    """Countries (`GB`) and prefixes (`+4420`) that may be rung, separated by commas. None: nobody
    is rung."""
    dial_quiet_hours: Annotated[str, Field(pattern=QUIET_HOURS)] = "21:00-08:00"
    """When nobody is rung, by the clock where the telephone is; `none` for never."""
    dial_user_a_day: Quota = 20
    """Calls that one user may have placed within 24 hours."""
    dial_number_a_day: Quota = 3
    """Calls to one number within 24 hours, whoever asks."""
    dial_a_day: Quota = 200
    """Calls within 24 hours, in all."""
    dial_at_once: Quota = 5
    """Calls that ring or last at once."""
    dial_ring_seconds: Annotated[float, Field(ge=5, le=115)] = 45.0
    """How long a telephone may ring."""

    data_dir: Path = Path(".data")
    """What this process writes."""
    database_url: Annotated[str | None, Field(repr=False)] = None
    """The records' database, if not SQLite in `data_dir`. May hold a password."""
    replica_url: str | None = None
    """Where other servers on the same PostgreSQL reach this one, for live voices and rows:
    `https://…`, or plain http at a private address, `http://10.0.3.7:8000`; `auto` is this
    machine's own. None: they do not."""
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    """How long calls are kept once they are over, where their agent does not say; 0 for not at
    all."""
    recordings_max_mb: Annotated[int, Field(ge=0, le=10_000_000)] = 4_000
    """What the sound of recorded calls may take of `data_dir`, megabytes; a minute is six. Full, no
    more are recorded. 0: none are."""
    records_process: bool = True
    """Whether a process of its own writes the records once there are many: about at a hundred calls
    at once. It takes 75 MB."""
    session_config: Path = Path("session_config.json")
    """The agents."""

    after_calls: bool = True
    """Read calls that are over, for agents that ask for it, and tell their webhooks."""
    after_model: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """A chat model's deployment at `azure_openai_endpoint`, which reads calls that are over. None:
    the model that held the call does."""
    webhook_secret: SecretStr | None = None
    """What messages to webhooks are signed with: `whsec_…`; two with a space between while one
    takes the other's place."""
    webhook_private: bool = False
    """Webhooks may lead into private networks."""

    reattach_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    """How long a call waits for a page whose socket was lost."""
    ticket_seconds: Annotated[float, Field(ge=1, le=600)] = 30.0
    """How long a placed call waits for its page."""
    max_calls: Annotated[int, Field(ge=1, le=10_000)] = 20
    lines_for_people: Annotated[int | None, Field(ge=0, le=10_000)] = None
    """Lines that strangers may not take, where people sign in; a quarter, if it is not said."""
    calls_user_at_once: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Of one person who has signed in."""
    calls_address_at_once: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Of strangers at one address."""
    calls_agent_at_once: Annotated[int | None, Field(ge=1, le=10_000)] = None
    call_user_per_minute: PerMinute = 60.0
    """New calls of one person, as all that follow."""
    call_address_per_minute: PerMinute = 120.0
    """Of one address, whoever they are."""
    call_stranger_per_minute: PerMinute = 1.0
    """Of strangers at one address, where others sign in."""
    call_agent_per_minute: PerMinute = 600.0
    """Of one agent, on whatever way."""
    budget_user_usd_a_day: Dollars | None = None
    """What one user's calls may cost in a day, by UTC; on all servers, as all that follow."""
    budget_user_minutes_a_day: Minutes | None = None
    budget_usd_a_day: Dollars | None = None
    """What all calls may cost."""
    budget_minutes_a_day: Minutes | None = None
    sockets_per_address: Annotated[int, Field(ge=1, le=100_000)] = 200
    """WebSockets that are open at once, whoever opened them; the carrier's aside."""
    refusals_address_per_minute: PerMinute = 60.0
    """That one address gets at once; further ones wait for seconds."""
    drain_seconds: Seconds = 20.0
    """How long live calls may go on once the server is told to stop, before they say goodbye."""

    log_level: LogLevel = "INFO"
    log_format: Literal["text", "json"] = "text"
    applicationinsights_connection_string: str | None = None
    """Application Insights, which takes telemetry with the server's own token: no secret."""
    otel_exporter_otlp_endpoint: str | None = None
    """Or any collector of OpenTelemetry, `http://127.0.0.1:4318`; its other variables are read by
    its libraries."""
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"

    @field_validator(
        "allowed_origins",
        "sign_in_tenant_id",
        "trusted_proxies",
        "azure_openai_fallback_endpoints",
        "azure_voicelive_fallback_endpoints",
        "dial_allowed",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("trusted_proxies")
    @classmethod
    def _not_everybody(cls, value: tuple[IPvAnyNetwork, ...]) -> tuple[IPvAnyNetwork, ...]:
        if any(network.prefixlen == 0 for network in value):
            raise ValueError("a network of everybody would let each caller choose an address")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _know_the_resource(self) -> Self:
        name = self.azure_ai_foundry_resource or self.foundry_resource_name
        if self.azure_voicelive_endpoint is None and name is not None:
            endpoint = f"https://{name}.services.ai.azure.com"
            object.__setattr__(self, "azure_voicelive_endpoint", endpoint)
        return self

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.lines_for_people is not None and self.lines_for_people >= self.max_calls:
            raise ValueError("LINES_FOR_PEOPLE must be fewer than MAX_CALLS")
        for user, everybody in (
            ("budget_user_usd_a_day", "budget_usd_a_day"),
            ("budget_user_minutes_a_day", "budget_minutes_a_day"),
        ):
            mine, whole = getattr(self, user), getattr(self, everybody)
            if mine is not None and whole is not None and mine > whole:
                raise ValueError(f"{user.upper()} must not be more than {everybody.upper()}")
        return self

    @classmethod
    def read(cls) -> Self:
        """The settings of this process. Raises `ConfigurationError` naming each bad variable."""
        try:
            return cls()
        except ValidationError as refusal:
            # Values are not repeated: one of them may be a password.
            faults = [f"{_variable(fault['loc'])}: {fault['msg']}" for fault in refusal.errors()]
            raise ConfigurationError("; ".join(faults) + ".") from None

    def own_replica_url(self) -> str | None:
        """Where other servers reach this one. Raises `ConfigurationError` for an address at which
        voices would go in the open."""
        if self.replica_url is None:
            return None
        url = self.replica_url
        if url == "auto":
            address = private_address()
            if address is None:
                raise ConfigurationError(
                    "REPLICA_URL=auto finds no private address of this machine: name one."
                )
            url = f"http://{address}:{self.port}"
        if not is_fit(url):
            raise ConfigurationError(
                "REPLICA_URL must be https, or plain http with a loopback or private address in "
                "place of a name, and no path: http://10.0.3.7:8000."
            )
        return url.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def published(self) -> tuple[str, ...]:
        """The origins that are set, by which people come from other machines."""
        own = () if self.public_url is None else (self.public_url.rstrip("/"),)
        return (*own, *self.allowed_origins)

    def need_a_model(self) -> None:
        """Raises `ConfigurationError` when no service with models is named."""
        if self.azure_openai_endpoint is None and self.azure_voicelive_endpoint is None:
            raise ConfigurationError(
                "AZURE_OPENAI_ENDPOINT is not set, nor is AZURE_VOICELIVE_ENDPOINT, so there is no "
                "model to talk to. Set one to https://<resource>.openai.azure.com, or the other to "
                "https://<resource>.services.ai.azure.com, or start everything locally with "
                "`make run`."
            )

    def need_a_place_for_the_key(self) -> None:
        """Raises `ConfigurationError` when there is a key for no service, or for several."""
        if self.voicelive_key_secret_uri is not None and self.azure_voicelive_endpoint is None:
            raise ConfigurationError(
                "VOICELIVE_KEY_SECRET_URI is set, but AZURE_VOICELIVE_ENDPOINT is not: say whose "
                "key it is, or unset it."
            )
        if self.voicelive_key_secret_uri is not None and self.azure_voicelive_fallback_endpoints:
            raise ConfigurationError(
                "VOICELIVE_KEY_SECRET_URI and AZURE_VOICELIVE_FALLBACK_ENDPOINTS are both set, but "
                "a key is one resource's, and must not be shown to others. Unset one of them: with "
                "tokens (no key) there may be several regions."
            )

    def need_room_for_workers(self) -> None:
        """Raises `ConfigurationError` when the workers could not be servers beside each other."""
        if self.workers == 1:
            return
        if not (self.database_url or "").startswith("postgres"):
            raise ConfigurationError(
                f"WORKERS={self.workers} needs a PostgreSQL, and DATABASE_URL names none: SQLite "
                "is for one process. Name one, or set WORKERS=1."
            )
        if sys.platform == "win32":
            raise ConfigurationError("WORKERS must be 1 on Windows, where no socket is shared so.")
        for name, lines in (
            ("MAX_CALLS", self.max_calls),
            ("PROXY_MAX_CONNECTIONS", self.proxy_max_connections),
        ):
            if lines < self.workers:
                raise ConfigurationError(
                    f"{name}={lines} is divided among WORKERS={self.workers}, and each needs one."
                )
        if (self.own_replica_url() or "").startswith("https"):
            raise ConfigurationError(
                f"REPLICA_URL leads to any of WORKERS={self.workers}. Name an address of this "
                "machine in plain http, each worker has a port of its own there, or unset it."
            )

    @property
    def sockets(self) -> int:
        """How many may be open at once: a call has up to four, a proxied connection two."""
        proxied = self.proxy_max_connections if self.voice_live_proxy else 0
        return 4 * self.max_calls + 2 * proxied

    @property
    def voicelive_endpoint(self) -> str:
        """Where the proxy leads. Raises `ConfigurationError` when no service is named."""
        if self.azure_voicelive_endpoint is None:
            raise ConfigurationError(
                "VOICE_LIVE_PROXY is on, but AZURE_VOICELIVE_ENDPOINT is not set. Set it to "
                "https://<resource>.services.ai.azure.com, or turn the proxy off."
            )
        return self.azure_voicelive_endpoint

    def records_url(self) -> str:
        """The records' database. Makes `DATA_DIR` if that is where it is."""
        return self.database_url or sqlite_url(self.data_dir)

    def origins(self) -> Origins:
        """Whose pages may call. Raises `ConfigurationError` when there could be none."""
        loopback = loopback_origins(self.port) if self.is_local else ()
        allowed = (*self.published, *loopback)
        if not allowed:
            raise ConfigurationError(
                f"HOST={self.host} is not loopback, so say where people find this server: "
                "set PUBLIC_URL, such as https://talk.example.com."
            )
        return Origins(allowed)


def _variable(loc: tuple[int | str, ...]) -> str:
    return str(loc[0]).upper() if loc else "environment"
