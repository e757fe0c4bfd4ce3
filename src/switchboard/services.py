"""The model services that the settings name: the lines to them, and what they are shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from switchboard.conversation.legs import Dial, Mint, Negotiate
from switchboard.conversation.session import Service
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line, by_service
from switchboard.model.credentials import TokenSource, default_credential
from switchboard.model.detours import Detours, dialling, minting, negotiating
from switchboard.model.keys import KeyedLine, KeySource
from switchboard.model.profiles import AZURE_OPENAI, VOICE_LIVE, Capabilities, of_version, with_key
from switchboard.model.signalling import Signalling
from switchboard.model.vault import SecretAddress
from switchboard.settings import Settings

DETOUR_DIAL_S = 5.0
"""How long one region may take to answer, where there is another."""


class Identities:
    """The server's own, towards each audience: one source for whatever dials there."""

    def __init__(self, settings: Settings) -> None:
        self._client_id = settings.azure_client_id
        self.tokens: dict[str, TokenSource] = {}
        """By scope."""

    def towards(self, scope: str) -> TokenSource:
        if scope not in self.tokens:
            client_id = self._client_id
            self.tokens[scope] = TokenSource(lambda: default_credential(client_id), scope)
        return self.tokens[scope]


def key_of(settings: Settings, identities: Identities) -> KeySource | None:
    """Voice Live's key, where it must be one. Raises `ConfigurationError`."""
    settings.need_a_place_for_the_key()
    if settings.voicelive_key_secret_uri is None:
        return None
    secret = SecretAddress.of(settings.voicelive_key_secret_uri)
    return KeySource(secret, identities.towards(secret.scope))


@dataclass(frozen=True, slots=True)
class Ways:
    """How calls reach the models."""

    dial: Dial
    services: Collection[Service]
    """Those that can be dialled."""
    negotiate: Negotiate | None = None
    """The way to media over WebRTC, where there is one."""
    mint: Mint | None = None
    """Secrets for front ends that go that way by themselves."""
    signalling: Sequence[Signalling] = ()
    """What `negotiate` goes by, region by region."""
    shown: dict[Service, TokenSource | KeySource] = field(
        default_factory=dict[Service, TokenSource | KeySource]
    )
    """What each service that is dialled is shown."""


def ways_of(settings: Settings, identities: Identities, keys: KeySource | None) -> Ways:
    """A way to every service that has an endpoint. Raises `ConfigurationError` for none, and for a
    key that would be shown to more than one."""
    settings.need_a_model()
    settings.need_a_place_for_the_key()
    dials: dict[Service, Dial] = {}
    ways = Ways(by_service(dials), dials.keys())
    if settings.azure_openai_endpoint is not None:
        tokens = identities.towards(settings.azure_openai_scope)
        endpoints = (settings.azure_openai_endpoint, *settings.azure_openai_fallback_endpoints)
        configs = _configs(endpoints, settings.azure_openai_scope)
        lines = [Line(config, tokens, service=AZURE_OPENAI) for config in configs]
        detours = Detours(len(lines))
        dials[Service.AZURE_OPENAI] = dialling(detours, [line.dial for line in lines])
        ways.shown[Service.AZURE_OPENAI] = tokens
        if settings.webrtc:
            both = zip(configs, lines, strict=True)
            signalling = [Signalling(config, tokens, line) for config, line in both]
            negotiate = negotiating(detours, [each.negotiate for each in signalling])
            mint = minting(detours, [each.mint for each in signalling])
            ways = replace(ways, negotiate=negotiate, mint=mint, signalling=signalling)
    if settings.azure_voicelive_endpoint is not None:
        shown = keys or identities.towards(settings.azure_voicelive_scope)
        endpoints = (
            settings.azure_voicelive_endpoint,
            *settings.azure_voicelive_fallback_endpoints,
        )
        configs = _configs(endpoints, settings.azure_voicelive_scope)
        service = of_version(VOICE_LIVE, settings.azure_voicelive_api_version)
        regions = [_voice_live(config, shown, service) for config in configs]
        dials[Service.VOICE_LIVE] = dialling(Detours(len(regions)), regions)
        ways.shown[Service.VOICE_LIVE] = shown
    return ways


def _configs(endpoints: Sequence[str], scope: str) -> Sequence[ModelConfig]:
    """One for each region. Where there are several, none is waited for long, or tried twice."""
    if len(endpoints) == 1:
        return [ModelConfig(endpoints[0], scope)]
    return [
        ModelConfig(endpoint, scope, dial_timeout_s=DETOUR_DIAL_S, tries=1)
        for endpoint in endpoints
    ]


def _voice_live(config: ModelConfig, shown: TokenSource | KeySource, service: Capabilities) -> Dial:
    if isinstance(shown, KeySource):
        return KeyedLine(Line(config, shown, service=with_key(service)), shown).dial
    return Line(config, shown, service=service).dial
