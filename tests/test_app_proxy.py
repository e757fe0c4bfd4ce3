"""The product as it is put together, between Voice Live's own SDK and a Voice Live that answers."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from azure.ai.voicelive.aio import ConnectionError, VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    AzureSemanticVad,
    FunctionCallOutputItem,
    RequestSession,
    ServerEvent,
)
from azure.core.credentials import AzureKeyCredential

from switchboard.app import create_app
from switchboard.house import House
from switchboard.settings import Settings
from switchboard_local.vault import KEY_SECRET, Vault
from tests.browser.peers import serving
from tests.browser.proxy.peers import jwt, voice_live
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud, silence, tone
from tests.local.voice_live.test_voicelive_sdk import (
    SESSION,
    audio_ms,
    dispatcher,
    speak,
    until,
    words,
    write,
)
from tests.model.identity import SECRET_HEADER, identity_endpoint

ROOT = Path(__file__).parents[1]
OTHER_SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass
class Product:
    """It, being served."""

    house: House
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def dial(self, **where: str) -> AsyncGenerator[VoiceLiveConnection]:
        """The SDK's connection, on a socket of ours.

        Its `connect` goes to the service's own path only, with parameters that we do not take.
        """
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{self.origin}/ws", params=where, origin=self.origin) as opened,
        ):
            yield VoiceLiveConnection(http, opened)


@asynccontextmanager
async def product(data_dir: Path, **settings: Any) -> AsyncGenerator[Product]:  # noqa: ANN401  (any setting)
    """The product with its proxy. Nothing in it is replaced."""
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    given = {"port": port, "data_dir": data_dir, "session_config": ROOT / "session_config.json"}
    app = create_app(Settings.model_validate({**given, "voice_live_proxy": True, **settings}))
    async with serving(app, door):
        yield Product(app.state.house, port)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud, and the identity of this machine in it."""
    doubles = Doubles()
    doubles.ears.words = ["where is my parcel"]
    doubles.mind.script = dispatcher
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        yield cloud


@pytest.fixture
async def alone(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Product]:
    """The product with Voice Live, and nothing else to talk to."""
    endpoint = f"http://127.0.0.1:{cloud.port}"
    async with product(tmp_path, azure_voicelive_endpoint=endpoint) as served:
        yield served


async def test_the_sdk_talks_to_a_model_through_the_proxy(alone: Product) -> None:
    async with alone.dial(model="gpt-4.1") as connection:
        await connection.session.update(session=SESSION)
        opened: list[ServerEvent] = []
        session = (await until(connection, "session.updated", opened)).session

        events: list[ServerEvent] = []
        await speak(connection, silence(300) + tone(900) + silence(2500))
        call = await until(connection, "response.function_call_arguments.done", events)
        await until(connection, "response.done", events)
        output = FunctionCallOutputItem(call_id=call.call_id, output='{"place": "Lisbon"}')
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        answer: list[ServerEvent] = []
        answered = await until(connection, "response.done", answer)

    assert opened[0].type == "session.created"
    assert session.model == "gpt-4.1"
    assert session.voice["name"] == "en-US-Ava:DragonHDLatestNeural"
    assert "conversation.item.input_audio_transcription.completed" in {e.type for e in events}
    assert call.name == "track_parcel"
    assert words(answered) == "It is in Lisbon."
    assert audio_ms(answer) == pytest.approx(60 * len("It is in Lisbon.") / 1.2, abs=2)


async def test_the_sdk_talks_to_an_agent_through_the_proxy(alone: Product) -> None:
    where = {"agentName": "desk", "projectName": "parcels", "agentVersion": "3"}
    async with alone.dial(**where, conversationId="conv_7") as connection:
        created = await until(connection, "session.created")
        await connection.session.update(session=RequestSession(instructions="Be rude."))
        refused = await until(connection, "error")
        await connection.session.update(
            session=RequestSession(turn_detection=AzureSemanticVad(silence_duration_ms=300))
        )
        await until(connection, "session.updated")
        await write(connection, "Hello, what can you do?")
        done = await until(connection, "response.done")

    agent = created.session.agent
    assert (agent.name, agent.agent_id, agent.thread_id) == ("desk", "desk:3", "conv_7")
    assert refused.error.param == "session.instructions"
    assert words(done).startswith("I can find what you sent")


async def test_voice_live_alone_is_enough_for_the_proxy_and_for_the_agents(
    alone: Product,
) -> None:
    async with alone.dial(model="gpt-4.1") as connection:
        await until(connection, "session.created")
        async with httpx.AsyncClient(base_url=alone.origin, trust_env=False) as http:
            health = await http.get("/health")
            page = (await http.get("/api/config")).json()
    assert (health.status_code, health.json()["activeConnections"]) == (200, 1)
    assert [model["id"] for model in page["models"]] == ["voice-live"]
    assert len(alone.house.identities.tokens) == 1  # the agents' line and the proxy share it


async def test_the_proxy_shows_a_token_for_voice_lives_audience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voice_live() as live, identity_endpoint() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        settings = {
            "azure_openai_endpoint": "http://127.0.0.1:9",
            "azure_voicelive_endpoint": live.endpoint,
            "azure_voicelive_scope": OTHER_SCOPE,
        }
        async with product(tmp_path, **settings) as served, served.dial(model="m"):
            async with asyncio.timeout(20):
                while not live.requests:  # noqa: ASYNC110  (the socket opens before the service's)
                    await asyncio.sleep(0.01)
    asked = [query["resource"] for query in identity.queries]
    assert sorted(asked) == ["https://ai.azure.com", OTHER_SCOPE.removesuffix("/.default")]
    number = asked.index(OTHER_SCOPE.removesuffix("/.default")) + 1
    assert live.bearer == f"Bearer token-{number}"


# -- with a key ---------------------------------------------------------------------------------

KEY = "the-customers-own-key"


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud whose Voice Live takes a key that its vault keeps."""
    doubles = Doubles(vault=Vault.with_key(KEY))
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        yield cloud


def with_key(cloud: Cloud) -> dict[str, str]:
    return {
        "azure_voicelive_endpoint": f"http://127.0.0.1:{cloud.port}",
        "voicelive_key_secret_uri": f"http://127.0.0.1:{cloud.port}/secrets/{KEY_SECRET}",
    }


async def test_a_key_from_the_vault_opens_the_proxy_and_a_new_one_is_found(
    keyed: Cloud, tmp_path: Path
) -> None:
    vault = keyed.doubles.vault
    assert vault is not None
    async with product(tmp_path, **with_key(keyed)) as served:
        async with served.dial(model="gpt-4.1") as connection:
            await until(connection, "session.created")
        vault.rotate("another-key")
        async with served.dial(model="gpt-4.1") as connection:
            await until(connection, "session.created")
    assert list(served.house.identities.tokens) == ["https://vault.azure.net/.default"]


async def test_a_users_own_token_is_a_token_even_where_the_server_shows_a_key(
    tmp_path: Path, keyed: Cloud
) -> None:
    own = jwt()
    async with voice_live() as live:
        settings = {**with_key(keyed), "azure_voicelive_endpoint": live.endpoint}
        async with product(tmp_path, **settings) as served:
            for token in ({"token": own}, {}):
                async with served.dial(model="m", **token) as connection:
                    await connection.send({"type": "echo"})
                    await connection.recv()
    users, servers = (request.headers for request in live.requests)
    assert (users["Authorization"], users.get("api-key")) == (f"Bearer {own}", None)
    assert (servers.get("Authorization"), servers["api-key"]) == (None, KEY)


async def test_the_sdks_own_key_credential_is_taken_and_a_wrong_one_is_not(keyed: Cloud) -> None:
    endpoint = f"http://127.0.0.1:{keyed.port}"
    credential = AzureKeyCredential(KEY)
    async with connect(endpoint=endpoint, credential=credential, model="gpt-4.1") as connection:
        await until(connection, "session.created")
    with pytest.raises(ConnectionError, match="401"):
        async with connect(
            endpoint=endpoint, credential=AzureKeyCredential("a guess"), model="gpt-4.1"
        ):
            pass
