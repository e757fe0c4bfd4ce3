"""A passage is opened where it was told, with a token shown to nobody else."""

import ssl

import pytest
from websockets.asyncio.server import ServerConnection

from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.passage import PassageConfig, Passages
from tests.model.peer import Peer, serving


def passages_to(endpoint: str, tls: ssl.SSLContext | None = None) -> Passages:
    return Passages(PassageConfig(endpoint, "2026-07-15", 100_000), tls=tls)


async def say_hello(_: Peer, socket: ServerConnection) -> None:
    await socket.send("hello")
    await socket.send(b"\x00")
    await socket.close(4000, "that is all")


@pytest.mark.parametrize("pasted", ["", "/", "/voice-live", "/voice-live/realtime"])
async def test_it_carries_what_comes_and_says_how_it_ended(pasted: str) -> None:
    async with serving(say_hello) as peer:
        passages = passages_to(peer.endpoint + pasted)
        async with passages.open([("agent-name", "a b&c")], "secret") as passage:
            assert [message async for message in passage] == ["hello", b"\x00"]
            assert passage.ending == (4000, "that is all")
            await passage.send("too late")  # lost, and no fault
    (request,) = peer.requests
    assert request.path == "/voice-live/realtime?api-version=2026-07-15&agent-name=a%20b%26c"
    assert request.headers["Authorization"] == "Bearer secret"


async def test_a_redirect_does_not_take_the_token_elsewhere() -> None:
    async with (
        serving(say_hello) as thief,
        serving(say_hello, refusals=[302], redirect_to=thief.endpoint) as peer,
    ):
        with pytest.raises(ModelUnavailable) as refusal:
            async with passages_to(peer.endpoint).open([("model", "m")], "secret"):
                pass
    assert (refusal.value.status, thief.requests) == (302, [])


async def test_a_service_in_plain_text_elsewhere_is_not_dialled_at_all() -> None:
    with pytest.raises(ConfigurationError, match="AZURE_VOICELIVE_ENDPOINT must be https"):
        passages_to("http://elsewhere.example")
