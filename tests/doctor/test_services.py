"""The services, over real sockets: those that answer, refuse, hang, or are something else."""

import json
import ssl
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from switchboard.doctor.clocks import clock
from switchboard.doctor.services import Target, reach
from switchboard.doctor.sessions import model, retirement
from switchboard.model.profiles import VOICE_LIVE
from switchboard_local.faults.kinds import Refuse
from tests.doctor.peers import (
    HASTY,
    PATIENT,
    answering,
    asked,
    deaf,
    failed,
    http,
    ok,
    skipped,
    tunnel,
    welcome,
)
from tests.local.realtime.doubles import Doubles, local_cloud
from tests.model.peer import Peer, say, serving
from tests.model.tls import ELSEWHERE, self_signed, server_tls
from tests.ports import free_port

TOKEN = "a-secret-token"
MODEL = Target("front desk/1")


async def silent(peer: Peer, _: ServerConnection) -> None:
    await peer.over.wait()


# -- the way there ------------------------------------------------------------------------------


async def test_a_name_that_means_nothing_is_a_matter_of_dns() -> None:
    told = await reach(asked("https://nowhere.invalid"), PATIENT)
    assert failed(told)
    assert told.detail.startswith("DNS: nowhere.invalid:443: ")
    assert "AZURE_OPENAI_ENDPOINT" in told.advice


@pytest.mark.parametrize("host", [f"{'a' * 70}.example", ".example"])
async def test_a_name_that_cannot_be_one_is_told(host: str) -> None:
    told = await reach(asked(f"https://{host}"), PATIENT)
    assert failed(told)
    assert told.detail.startswith("DNS: ")


async def test_a_closed_port_is_a_matter_of_tcp() -> None:
    port = free_port()
    told = await reach(asked(f"https://127.0.0.1:{port}"), PATIENT)
    assert failed(told)
    assert told.detail == f"TCP: 127.0.0.1:{port}: Connection refused"
    assert "firewalls" in told.advice


async def test_a_port_that_never_answers_is_not_waited_for() -> None:
    with deaf() as port:
        told = await reach(asked(f"https://127.0.0.1:{port}"), HASTY)
    assert failed(told)
    assert told.detail == f"TCP: 127.0.0.1:{port}: no answer in 0.4 s"


@pytest.mark.parametrize(
    ("said", "detail"),
    [(b"220 mail.example\r\n", "it speaks no TLS"), (None, "no answer in 0.4 s"), (b"", "hung up")],
)
async def test_a_server_without_tls_is_a_matter_of_tls(said: bytes | None, detail: str) -> None:
    async with answering(said) as port:
        patience = HASTY if said is None else PATIENT
        told = await reach(asked(f"https://127.0.0.1:{port}"), patience)
    assert failed(told)
    assert told.detail.startswith(f"TLS: 127.0.0.1:{port}: ")
    assert detail in told.detail
    assert "TLS" in told.advice


async def test_a_certificate_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    async with serving(silent, tls=server_tls(self_signed(tmp_path))) as peer:
        told = await reach(asked(peer.endpoint), PATIENT)
    assert failed(told)
    assert "TLS: the certificate of 127.0.0.1" in told.detail
    assert "SSL_CERT_FILE" in told.advice
    assert peer.requests == []


async def test_a_trusted_service_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving(welcome, tls=server_tls(certificate)) as peer:
        there = asked(peer.endpoint)
        told = await reach(there, PATIENT)
        opened = await model(there, MODEL, TOKEN, PATIENT)
    assert ok(told)
    assert "proves who it is (TLSv1.3)" in told.detail
    assert ok(opened)
    assert ssl.create_default_context().cert_store_stats()["x509"] == 1  # it was read from there


async def test_the_local_cloud_is_reached_plainly() -> None:
    with local_cloud() as cloud:
        assert ok(await reach(asked(f"http://127.0.0.1:{cloud.port}"), PATIENT))


async def test_behind_a_proxy_the_way_is_the_proxys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hidden@proxy.invalid:3128")
    told = await reach(asked("https://nowhere.invalid"), PATIENT)
    assert skipped(told)
    assert "hidden" not in told.line()


async def test_a_service_behind_a_proxy_is_asked_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving(welcome, tls=server_tls(certificate)) as peer:
        port = int(peer.endpoint.rpartition(":")[2])
        async with tunnel(port) as (proxy, asked_for):
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
            there = asked(f"https://{ELSEWHERE}")
            assert skipped(await reach(there, PATIENT))
            assert ok(await model(there, MODEL, TOKEN, PATIENT))
            assert ok(await clock(there, PATIENT))
    assert asked_for == [f"CONNECT {ELSEWHERE}:443 HTTP/1.1"] * 2


async def test_a_proxy_we_have_no_library_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(*_: object, **__: object) -> None:
        raise ImportError("python-socks is required to use a SOCKS proxy")

    # Benchmarks bring the library along; the product does not, and then this is what is there.
    monkeypatch.setattr("websockets.asyncio.client.connect_socks_proxy", missing)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:hidden@127.0.0.1:9")
    there = asked("https://nowhere.invalid")
    told = await model(there, MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert "HTTPS_PROXY" in told.advice
    assert "hidden" not in told.line()
    assert skipped(await clock(there, PATIENT))


# -- models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["", "voice_live"])
async def test_the_local_clouds_models_are_opened_and_left(service: str) -> None:
    with local_cloud() as cloud:
        endpoint = f"http://127.0.0.1:{cloud.port}"
        there = asked(endpoint, VOICE_LIVE) if service else asked(endpoint)
        told = await model(there, Target("gpt-realtime"), cloud.token, PATIENT)
    assert ok(told)
    assert told.detail == "a session was opened, and closed again"


async def test_the_session_asked_for_is_the_calls_own() -> None:
    async with serving(welcome) as peer:
        assert ok(await model(asked(peer.endpoint), MODEL, TOKEN, PATIENT))
    (request,) = peer.requests
    assert request.path == "/openai/v1/realtime?model=front%20desk%2F1"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert peer.heard == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the role 'Cognitive Services OpenAI User' on the resource"),
        (403, "it needs the role 'Cognitive Services OpenAI User'"),
        (404, "no such deployment"),
        (429, "out of quota"),
        (503, "in trouble"),
    ],
)
async def test_a_refusal_is_told_in_words(status: int, said: str) -> None:
    body = json.dumps({"error": {"code": "TheirCode", "message": f"prose with {TOKEN}"}}).encode()
    async with serving(silent, refusals=[status], refusal_body=body) as peer:
        told = await model(asked(peer.endpoint), MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert said in told.detail
    assert f"(HTTP {status}, TheirCode)" in told.detail
    assert TOKEN not in told.line()
    assert len(peer.requests) == 1


async def test_voice_live_names_its_own_roles() -> None:
    async with serving(silent, refusals=[403]) as peer:
        told = await model(asked(peer.endpoint, VOICE_LIVE), MODEL, TOKEN, PATIENT)
    assert "'Cognitive Services User' and 'Foundry User'" in told.detail
    assert peer.requests[0].path.startswith("/voice-live/realtime?api-version=2026-07-15&model=")


async def test_the_local_cloud_refuses_as_it_does_a_call() -> None:
    doubles = Doubles()
    doubles.faults.arm(Refuse(status=429))
    with local_cloud(doubles) as cloud:
        told = await model(asked(f"http://127.0.0.1:{cloud.port}"), MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert "HTTP 429" in told.detail


async def test_a_service_that_hangs_is_not_waited_for() -> None:
    async with answering(None) as port:
        told = await model(asked(f"http://127.0.0.1:{port}"), MODEL, TOKEN, HASTY)
    assert failed(told)
    assert "did not answer within 0.4 s" in told.detail


async def test_a_model_refused_after_the_upgrade_is_refused() -> None:
    async def refuse(_: Peer, socket: ServerConnection) -> None:
        await say(socket, "error", error={"code": "model_not_found", "message": "no\x1b[2J such"})

    async def close(_: Peer, socket: ServerConnection) -> None:
        await socket.close(1008, "no such\x1b[2J model")

    async with serving(refuse) as peer:
        told = await model(asked(peer.endpoint), MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert "accepted, then refused: model_not_found" in told.detail
    async with serving(close) as peer:
        told = await model(asked(peer.endpoint), MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert "1008 no such" in told.detail
    assert told.detail.isprintable()


async def test_a_session_that_waits_for_us_to_speak_is_a_session() -> None:
    async with serving(silent) as peer:
        told = await model(asked(peer.endpoint), MODEL, TOKEN, replace(PATIENT, first_word_s=0.4))
    assert ok(told)
    assert "before it said anything" in told.detail


async def test_a_redirect_does_not_get_our_token() -> None:
    async with serving(welcome) as elsewhere:
        to = f"{elsewhere.endpoint}/"
        async with serving(welcome, refusals=[302], redirect_to=to) as peer:
            told = await model(asked(peer.endpoint), MODEL, TOKEN, PATIENT)
    assert failed(told)
    assert elsewhere.requests == []


# -- retirement ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "today", "well", "said"),
    [
        ("gpt-realtime-2.1", date(2026, 11, 26), True, "on 2027-06-25, by the schedule of 2026"),
        ("gpt-realtime-mini", date(2026, 11, 26), True, "plan the move"),
        ("gpt-realtime-mini", date(2026, 12, 15), False, "it is gone"),
        ("gpt-4o-realtime-preview", date(2026, 11, 26), False, "it is gone"),
    ],
)
def test_retirement(name: str, today: date, well: bool, said: str) -> None:
    told = retirement(asked("https://r.example"), name, today)
    assert ok(told) is well
    assert said in told.line()


def test_a_deployment_named_otherwise_is_not_judged() -> None:
    assert skipped(retirement(asked("https://r.example"), "our-voice", date(2026, 11, 26)))


# -- clocks -------------------------------------------------------------------------------------


async def test_the_local_clouds_clock_is_ours() -> None:
    with local_cloud() as cloud:
        told = await clock(asked(f"http://127.0.0.1:{cloud.port}"), PATIENT)
    assert ok(told)
    assert told.detail.startswith("within ")


@pytest.mark.parametrize(("minutes", "said"), [(10, "s behind"), (-10, "s ahead")])
async def test_a_clock_that_is_wrong_is_told(minutes: int, said: str) -> None:
    theirs = datetime.now(UTC) + timedelta(minutes=minutes)
    async with answering(http(format_datetime(theirs, usegmt=True))) as port:
        told = await clock(asked(f"http://127.0.0.1:{port}"), PATIENT)
    assert failed(told)
    assert said in told.detail
    assert "NTP" in told.advice


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Nov 2026 99:00:00 GMT", "0"])
async def test_a_service_without_a_clock_is_not_judged(date: str) -> None:
    async with answering(http(date)) as port:
        assert skipped(await clock(asked(f"http://127.0.0.1:{port}"), PATIENT))


async def test_a_service_that_answers_no_plain_request_is_not_judged() -> None:
    for said in (None, b"220 mail.example\r\n"):
        async with answering(said) as port:
            told = await clock(asked(f"http://127.0.0.1:{port}"), HASTY)
        assert skipped(told)
