"""The doctor's rounds: every check, in order, each at most once."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import anyio

from switchboard.agents.roster import Roster
from switchboard.conversation.session import Service
from switchboard.doctor import home
from switchboard.doctor.carrier import carrier
from switchboard.doctor.clocks import clock
from switchboard.doctor.findings import Finding, Outcome, failed, ok, skipped
from switchboard.doctor.identity import Audience, identity
from switchboard.doctor.keys import KEY, key
from switchboard.doctor.patience import Patience
from switchboard.doctor.services import Asked, Target, reach, webrtc
from switchboard.doctor.sessions import model, retirement
from switchboard.errors import ConfigurationError
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import AZURE_OPENAI, VOICE_LIVE, Capabilities, of_version, with_key
from switchboard.model.upgrade import by_key
from switchboard.model.vault import SETTING as KEY_SETTING
from switchboard.model.vault import SecretAddress
from switchboard.settings import Settings

SETTINGS: Final = "settings"
SERVICES: Final = "services"
_AT_ONCE: Final = 4
"""Sessions opened at the same time; a deployment's quota is small."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service as the settings have it."""

    service: Service
    title: str
    can: Capabilities
    endpoint: str | None
    audience: Audience
    secret: SecretAddress | None = None
    """Of the key that is shown in place of a token, which is then for the vault."""

    def asked(self) -> Asked:
        """Raises `ConfigurationError` for an endpoint that cannot be right, or none."""
        if self.endpoint is None:
            raise ConfigurationError(f"{self.can.setting} is not set")
        return Asked(self.title, Endpoint(self.endpoint, self.can), self.can)


def wanted(settings: Settings) -> Sequence[Wanted]:
    """Every service there is, whether it is set up or not. Raises `ConfigurationError`."""
    voice_live = of_version(VOICE_LIVE, settings.azure_voicelive_api_version)
    audience = Audience(settings.azure_voicelive_scope, "AZURE_VOICELIVE_SCOPE")
    secret = None
    if settings.voicelive_key_secret_uri is not None:
        secret = SecretAddress.of(settings.voicelive_key_secret_uri)
        voice_live, audience = with_key(voice_live), Audience(secret.scope, KEY_SETTING)
    return (
        Wanted(
            Service.AZURE_OPENAI,
            "Azure OpenAI",
            AZURE_OPENAI,
            settings.azure_openai_endpoint,
            Audience(settings.azure_openai_scope, "AZURE_OPENAI_SCOPE"),
        ),
        Wanted(
            Service.VOICE_LIVE,
            "Voice Live",
            voice_live,
            settings.azure_voicelive_endpoint,
            audience,
            secret,
        ),
    )


async def rounds(
    read: Callable[[], Settings] = Settings.read,
    *,
    patience: Patience | None = None,
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> AsyncGenerator[Finding]:
    """Every finding, as soon as it is there. Changes nothing."""
    patience = patience or Patience()
    try:
        settings = read()
    except ConfigurationError as refusal:
        yield failed(SETTINGS, str(refusal), "README.md lists them")
        yield home.nothing_more("the settings come first")
        return
    yield ok(SETTINGS, "can be read")
    try:
        settings.need_room_for_workers()
    except ConfigurationError as refusal:
        yield failed(SETTINGS, str(refusal), "docs/operations.md says what workers share")
    told, roster = await home.agents(settings, patience)
    yield told
    yield home.data_dir(settings)
    yield await home.records(settings, patience)
    yield home.page()
    async for finding in _services(settings, roster, patience, today()):
        yield finding
    async for finding in carrier(settings, patience):
        yield finding
    yield home.origins(settings)
    yield home.callers(settings)


async def _services(
    settings: Settings, roster: Roster | None, patience: Patience, today: date
) -> AsyncGenerator[Finding]:
    yield _set_up(settings)
    try:
        known = wanted(settings)
    except ConfigurationError as refusal:
        yield failed(KEY, str(refusal))
        return
    tokens: dict[str, str] = {}
    for audience in _audiences(known):
        finding, token = await identity(audience, settings.azure_client_id, patience)
        yield finding
        if token is not None:
            tokens[audience.scope] = token
    for service in known:
        async for finding in _service(service, roster, tokens, patience, today):
            yield finding


def _set_up(settings: Settings) -> Finding:
    try:
        settings.need_a_model()
        settings.need_a_place_for_the_key()
        if settings.voice_live_proxy:
            _ = settings.voicelive_endpoint
    except ConfigurationError as refusal:
        return failed(SERVICES, str(refusal))
    endpoints = {
        "Azure OpenAI": settings.azure_openai_endpoint,
        "Voice Live": settings.azure_voicelive_endpoint,
    }
    named = [title for title, endpoint in endpoints.items() if endpoint is not None]
    proxy = "; its proxy is on" if settings.voice_live_proxy else ""
    return ok(SERVICES, f"{' and '.join(named)}{proxy}")


def _audiences(known: Sequence[Wanted]) -> Iterator[Audience]:
    """Each once, though several services may share it."""
    seen: set[str] = set()
    for each in known:
        if each.endpoint is not None and each.audience.scope not in seen:
            seen.add(each.audience.scope)
            yield each.audience


async def _service(
    service: Wanted,
    roster: Roster | None,
    tokens: Mapping[str, str],
    patience: Patience,
    today: date,
) -> AsyncGenerator[Finding]:
    targets = _targets(service.service, roster)
    names = [target.name for target in targets if target.agent is None]
    check = f"{service.title} endpoint"
    if service.endpoint is None:
        yield _not_set_up(service, check, [target.name for target in targets], roster)
        return
    try:
        asked = service.asked()
    except ConfigurationError as refusal:
        yield failed(check, str(refusal))
        return
    token = tokens.get(service.audience.scope)
    if service.secret is not None:
        told, token = await key(service.secret, token)
        yield told
    reached = await reach(asked, patience)
    yield reached
    if reached.outcome is Outcome.FAILED:
        yield skipped(f"{service.title} models", "the endpoint comes first")
    else:
        for finding in await _sessions(asked, targets, token, patience):
            yield finding
    if service.service is Service.AZURE_OPENAI:  # the schedule is that of its models
        for name in names:
            yield retirement(asked, name, today)
        yield webrtc()
    if reached.outcome is not Outcome.FAILED:
        yield await clock(asked, patience)


def _targets(service: Service, roster: Roster | None) -> Sequence[Target]:
    """Whom the service is asked for: models that callers may choose and Foundry agents, by what
    the service calls them, each once."""
    models = [each for each in roster.models if each.service == service] if roster else []
    return list(dict.fromkeys(Target(each.name, each.foundry) for each in models))


def _not_set_up(
    service: Wanted, check: str, names: Sequence[str], roster: Roster | None
) -> Finding:
    detail = f"{service.can.setting} is not set"
    if not names or roster is None:
        return skipped(check, f"{detail}, and no model needs it")
    here = {each.id for each in roster.models if each.service == service.service}
    agents = [agent.id for agent in roster.agents.values() if agent.model in here]
    advice = f"set it, or give {', '.join(agents)} another model" if agents else ""
    return skipped(check, f"{detail}, so nobody is offered {', '.join(names)}", advice)


async def _sessions(
    asked: Asked, targets: Sequence[Target], token: str | None, patience: Patience
) -> Sequence[Finding]:
    """One of each, a few at a time; told in the file's order."""
    check = f"{asked.title} models"
    if not targets:
        return [skipped(check, "session_config.json has none of this service")]
    if token is None:
        return [skipped(check, f"a {'key' if asked.can.show is by_key else 'token'} comes first")]
    findings: dict[Target, Finding] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def look(target: Target) -> None:
        async with limit:
            findings[target] = await model(asked, target, token, patience)

    async with anyio.create_task_group() as tasks:
        for target in targets:
            tasks.start_soon(partial(look, target))
    return [findings[target] for target in targets]
