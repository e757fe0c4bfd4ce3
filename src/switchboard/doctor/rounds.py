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
from switchboard.doctor.clocks import clock
from switchboard.doctor.findings import Finding, Outcome, failed, ok, skipped
from switchboard.doctor.identity import Audience, identity
from switchboard.doctor.patience import Patience
from switchboard.doctor.services import Asked, reach
from switchboard.doctor.sessions import model, retirement
from switchboard.errors import ConfigurationError
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import AZURE_OPENAI, VOICE_LIVE, Capabilities, of_version
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

    def asked(self) -> Asked:
        """Raises `ConfigurationError` for an endpoint that cannot be right, or none."""
        if self.endpoint is None:
            raise ConfigurationError(f"{self.can.setting} is not set")
        return Asked(self.title, Endpoint(self.endpoint, self.can), self.can)


def wanted(settings: Settings) -> Sequence[Wanted]:
    """Every service there is, whether it is set up or not."""
    voice_live = of_version(VOICE_LIVE, settings.azure_voicelive_api_version)
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
            Audience(settings.azure_voicelive_scope, "AZURE_VOICELIVE_SCOPE"),
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
    told, roster = await home.agents(settings, patience)
    yield told
    yield home.data_dir(settings)
    yield await home.records(settings, patience)
    yield home.page()
    async for finding in _services(settings, roster, patience, today()):
        yield finding
    yield home.origins(settings)
    yield home.callers(settings)


async def _services(
    settings: Settings, roster: Roster | None, patience: Patience, today: date
) -> AsyncGenerator[Finding]:
    yield _set_up(settings)
    known = wanted(settings)
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
        if settings.voice_live_proxy:
            _ = settings.voicelive_endpoint
    except ConfigurationError as refusal:
        return failed(SERVICES, str(refusal))
    named = [each.title for each in wanted(settings) if each.endpoint is not None]
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
    names = _models(service.service, roster)
    check = f"{service.title} endpoint"
    if service.endpoint is None:
        yield _not_set_up(service, check, names, roster)
        return
    try:
        asked = service.asked()
    except ConfigurationError as refusal:
        yield failed(check, str(refusal))
        return
    reached = await reach(asked, patience)
    yield reached
    if reached.outcome is Outcome.FAILED:
        yield skipped(f"{service.title} models", "the endpoint comes first")
    else:
        token = tokens.get(service.audience.scope)
        for finding in await _sessions(asked, names, token, patience):
            yield finding
    if service.service is Service.AZURE_OPENAI:  # the schedule is that of its models
        for name in names:
            yield retirement(asked, name, today)
    if reached.outcome is not Outcome.FAILED:
        yield await clock(asked, patience)


def _models(service: Service, roster: Roster | None) -> Sequence[str]:
    """What the service calls those that callers may choose, each once."""
    models = roster.models if roster else ()
    return list(dict.fromkeys(each.name for each in models if each.service == service))


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
    asked: Asked, names: Sequence[str], token: str | None, patience: Patience
) -> Sequence[Finding]:
    """One of each model, a few at a time; told in the file's order."""
    check = f"{asked.title} models"
    if not names:
        return [skipped(check, "session_config.json has none of this service")]
    if token is None:
        return [skipped(check, "a token comes first")]
    findings: dict[str, Finding] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def look(name: str) -> None:
        async with limit:
            findings[name] = await model(asked, name, token, patience)

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(partial(look, name))
    return [findings[name] for name in names]
