"""A key comes from the Key Vault and from nowhere else, and a new one is found by itself."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from switchboard.conversation.events import ModelReady
from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line, Tokens
from switchboard.model.credentials import TokenSource, managed_identity
from switchboard.model.keys import KeyedLine, KeySource, lending
from switchboard.model.passage import PassageConfig, Passages
from switchboard.model.profiles import VOICE_LIVE, with_key
from switchboard.model.vault import SecretAddress, SecretUnread, read_secret
from switchboard_local.vault import KEY_SECRET, Secret, Vault
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.peer import FixedToken, Peer, eventually, serving, until
from tests.model.test_local_cloud import HEADER
from tests.model.test_local_voice_live import SPEC

KEY = "first-key-0123456789"
NEW_KEY = "second-key-9876543210"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A local cloud whose Voice Live takes a key that its vault keeps."""
    with local_cloud(Doubles(vault=Vault.with_key(KEY)), identity_header=HEADER) as cloud:
        yield cloud


def vault_of(cloud: Cloud) -> Vault:
    vault = cloud.doubles.vault
    assert vault is not None
    return vault


def secret_of(cloud: Cloud, name: str = KEY_SECRET) -> SecretAddress:
    return SecretAddress.of(f"http://127.0.0.1:{cloud.port}/secrets/{name}")


def token_for(cloud: Cloud) -> FixedToken:
    """What this machine's identity would be given for the vault."""
    assert cloud.issuer is not None
    return FixedToken(cloud.issuer.issue("https://vault.azure.net").text)


@asynccontextmanager
async def keeping(
    address: SecretAddress, tokens: Tokens, *, every_s: float = 1_800
) -> AsyncGenerator[KeySource]:
    source = KeySource(address, tokens, read_every_s=every_s)
    async with asyncio.TaskGroup() as tasks:
        refresher = tasks.create_task(source.refresh())
        try:
            yield source
        finally:
            refresher.cancel()


def line_with(keys: KeySource, cloud: Cloud) -> KeyedLine:
    config = ModelConfig(endpoint=f"http://127.0.0.1:{cloud.port}")
    return KeyedLine(Line(config, keys, service=with_key(VOICE_LIVE)), keys)


@pytest.fixture
async def keys(cloud: Cloud) -> AsyncIterator[KeySource]:
    async with keeping(secret_of(cloud), token_for(cloud)) as source:
        yield source


# -- shown to the service -----------------------------------------------------------------------


async def test_it_is_read_as_this_machines_identity_and_shown_in_place_of_a_token(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    address = secret_of(cloud)
    identity = TokenSource(managed_identity, address.scope)
    async with asyncio.TaskGroup() as tasks:
        refresher = tasks.create_task(identity.refresh())
        async with keeping(address, identity) as keys, line_with(keys, cloud).dial(SPEC) as leg:
            assert isinstance((await until(ModelReady, leg))[0], ModelReady)
            assert keys.status.ok
        refresher.cancel()


async def test_it_is_shown_in_a_header_and_without_a_token(keys: KeySource) -> None:
    async def welcome(peer: Peer, socket: object) -> None:
        await peer.over.wait()

    async with serving(welcome) as peer:
        config = PassageConfig(peer.endpoint, "2026-07-15", 100_000, by_key=True)
        async with lending(Passages(config), keys)([("model", "m")], "whatever"):
            peer.over.set()
    (request,) = peer.requests
    assert request.headers["api-key"] == KEY
    assert "Authorization" not in request.headers
    assert KEY not in request.path


async def test_a_key_that_was_rotated_costs_no_call(keys: KeySource, cloud: Cloud) -> None:
    assert await keys.token(20) == KEY
    vault_of(cloud).rotate(NEW_KEY)
    async with line_with(keys, cloud).dial(SPEC) as leg:
        await until(ModelReady, leg)
    assert await keys.token(0) == NEW_KEY


async def test_a_wrong_key_is_told_in_words_and_asked_about_once(
    keys: KeySource, cloud: Cloud
) -> None:
    await keys.token(20)
    vault_of(cloud).service_key = "another"
    before = vault_of(cloud).readings
    with pytest.raises(ModelUnavailable, match="did not accept the key") as refusal:
        async with line_with(keys, cloud).dial(SPEC):
            pass
    assert refusal.value.status == 401
    assert vault_of(cloud).readings == before + 1
    assert KEY not in str(refusal.value)


async def test_what_is_raised_inside_is_not_taken_for_a_refusal(
    keys: KeySource, cloud: Cloud
) -> None:
    await keys.token(20)
    before = vault_of(cloud).readings
    with pytest.raises(ModelUnavailable, match="ours"):
        async with line_with(keys, cloud).dial(SPEC):
            raise ModelUnavailable("ours", retryable=False, status=401)
    assert vault_of(cloud).readings == before


# -- read from the vault ------------------------------------------------------------------------


async def test_it_is_read_once_for_everybody(keys: KeySource, cloud: Cloud) -> None:
    assert set(await asyncio.gather(*(keys.token(20) for _ in range(50)))) == {KEY}
    assert vault_of(cloud).readings == 1


async def test_it_is_read_again_on_a_schedule(cloud: Cloud) -> None:
    async with keeping(secret_of(cloud), token_for(cloud), every_s=1.1) as keys:
        await keys.token(20)
        vault_of(cloud).rotate(NEW_KEY)
        async with asyncio.timeout(20):
            while await keys.token(0) != NEW_KEY:  # noqa: ASYNC110  (a key sets no event)
                await asyncio.sleep(0.01)


async def test_a_vault_that_is_away_ends_nothing(keys: KeySource, cloud: Cloud) -> None:
    await keys.token(20)
    vault_of(cloud).forbidden = "ForbiddenByFirewall"
    assert not await keys.renewed(KEY, 20)
    assert await keys.token(0) == KEY
    assert keys.status.ok
    assert "the last reading failed: the Key Vault's network rules" in keys.status.text


async def test_a_vault_that_comes_late_is_waited_for(cloud: Cloud) -> None:
    vault_of(cloud).forbidden = "ForbiddenByRbac"
    async with keeping(secret_of(cloud), token_for(cloud)) as keys:
        await eventually(lambda: "Key Vault Secrets User" in keys.status.text)
        assert not keys.status.ok
        with pytest.raises(ModelUnavailable, match="Key Vault Secrets User"):
            await keys.token(0.01)
        vault_of(cloud).forbidden = None
        assert await keys.token(20) == KEY


async def test_neither_key_nor_token_is_ever_written_down(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = token_for(cloud)
    async with keeping(secret_of(cloud), token) as keys:
        async with line_with(keys, cloud).dial(SPEC) as leg:
            await until(ModelReady, leg)
        vault_of(cloud).secrets[KEY_SECRET].enabled = False
        await keys.renewed(KEY, 20)
    ours = [record for record in caplog.records if record.name.startswith("switchboard.")]
    assert {"key read from the vault", "key not read"} <= {record.message for record in ours}
    written = " ".join(str(vars(record)) for record in ours)
    assert KEY not in written
    assert token.value not in written


@pytest.mark.parametrize(
    ("change", "help_with"),
    [
        (Vault({KEY_SECRET: Secret(KEY, enabled=False)}), "the secret is disabled; enable it"),
        (Vault({}), "no such secret; check VOICELIVE_KEY_SECRET_URI"),
        (Vault({}, forbidden="ForbiddenByRbac"), "it needs the role 'Key Vault Secrets User'"),
        (Vault({}, forbidden="ForbiddenByFirewall"), "network rules refuse this machine"),
        (Vault({KEY_SECRET: Secret("")}), "the secret is no key"),
        (Vault({KEY_SECRET: Secret("a\nb")}), "the secret is no key"),
        (Vault({KEY_SECRET: Secret("k" * 513)}), "the secret is no key"),
        (Vault({KEY_SECRET: Secret("two words")}), "it has spaces in it"),
    ],
)
async def test_what_keeps_it_from_being_read_says_how_to_mend_it(
    change: Vault, help_with: str
) -> None:
    with (
        local_cloud(Doubles(vault=change)) as cloud,
        pytest.raises(SecretUnread, match=help_with),
    ):
        await read_secret(secret_of(cloud), token_for(cloud).value)


HOSTILE = {
    "too large": (200, b'{"value": "' + b"k" * 100_000),
    "no secret": (200, b"[1]"),
    "answered HTTP 302": (302, b""),
    "answered HTTP 500": (500, b"[" * 50_000),
    "may not read": (403, b'{"error": "odd"}'),
    "did not accept our token": (401, b'{"error": {"code": "Unauthorized"}}'),
    "asked too often": (429, b""),
}


@pytest.mark.parametrize("said", HOSTILE)
async def test_a_vault_that_makes_no_sense_is_refused(said: str) -> None:
    status, body = HOSTILE[said]

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Location": "http://127.0.0.1:9/"})

    app = web.Application()
    app.router.add_get("/secrets/key", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = SecretAddress.of(f"http://127.0.0.1:{runner.addresses[0][1]}/secrets/key")
        with pytest.raises(SecretUnread, match=said):
            await read_secret(address, "any")
    finally:
        await runner.cleanup()


async def test_a_vault_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(SecretUnread, match=r"cannot be reached \(ConnectError\)"):
        await read_secret(SecretAddress.of("http://127.0.0.1:9/secrets/key"), "any")


# -- where it may be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("https://house.vault.azure.net/secrets/key", "https://vault.azure.net/.default"),
        ("https://house.vault.azure.net/secrets/key/0a1b", "https://vault.azure.net/.default"),
        ("https://House.Vault.Azure.CN/secrets/key/", "https://vault.azure.cn/.default"),
        (
            "https://house.vault.usgovcloudapi.net:443/secrets/key",
            "https://vault.usgovcloudapi.net/.default",
        ),
        ("http://127.0.0.1:8100/secrets/key", "https://vault.azure.net/.default"),
    ],
)
def test_a_token_is_asked_for_the_vaults_own_cloud(address: str, scope: str) -> None:
    assert SecretAddress.of(address).scope == scope


@pytest.mark.parametrize(
    "address",
    [
        "",
        "the-key-itself-0123456789",
        "http://house.vault.azure.net/secrets/key",
        "https://house.vault.azure.net",
        "https://house.vault.azure.net/keys/key",
        "https://house.vault.azure.net/secrets/",
        "https://house.vault.azure.net/secrets/a/b/c",
        "https://house.vault.azure.net/secrets/key?api-version=7.4",
        "https://house.vault.azure.net/secrets/key#x",
        "https://user@house.vault.azure.net/secrets/key",
        "https://house.vault.azure.net:8443/secrets/key",
        "https://vault.azure.net/secrets/key",
        "https://house.vault.azure.net.example.com/secrets/key",
        "https://evilvault.azure.net/secrets/key",
        "https://house.vault.azure.net:x/secrets/key",
        "ftp://127.0.0.1/secrets/key",
    ],
)
def test_any_other_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(ConfigurationError, match="VOICELIVE_KEY_SECRET_URI") as refusal:
        SecretAddress.of(address)
    assert not address or address not in str(refusal.value)


def test_a_line_by_key_is_the_same_service() -> None:
    assert replace(with_key(VOICE_LIVE), show=VOICE_LIVE.show) == VOICE_LIVE
