"""Calls as traces and measurements, as a collector reads them."""

import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.background import BackgroundTask

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.rules import Rules
from switchboard.errors import ModelUnavailable
from switchboard.exchange.observer import UNOBSERVED, UNWATCHED, Particulars
from switchboard.telemetry.config import TelemetryConfig
from switchboard.telemetry.pipeline import Telemetry, telemetry_of
from tests.exchange.house import FRAME, House, house
from tests.exchange.legs import Caller, until
from tests.telemetry.peers import Collector, Span, collecting, plain
from tests.test_app import open_house, say

ROOT = Path(__file__).parents[2]
CALL = Particulars("c1", "ana", "model", "azure_openai", "phone", "in")
REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Generator[Collector]:
    before = set(threading.enumerate())
    with collecting() as collector:
        yield collector
    left = [each.name for each in set(threading.enumerate()) - before if "Otel" in each.name]
    assert left == []


def told(collector: Collector) -> Telemetry:
    return telemetry_of(TelemetryConfig("1.2.3", otlp_endpoint=collector.url))


@asynccontextmanager
async def watched(
    path: Path, collector: Collector, rules: Rules | None = None
) -> AsyncGenerator[House]:
    """An exchange whose calls are told of; all is sent when the block ends."""
    telemetry = told(collector)
    async with (
        telemetry.running(),
        house(path, rules, observer=telemetry.observer) as inside,
    ):
        yield inside


def one(collector: Collector, start: str) -> tuple[Span, dict[str, Any]]:
    (span,) = collector.named(start)
    return span, plain(span.attributes)


def sound(reply: str, item: str) -> ReplyAudio:
    return ReplyAudio(reply, item, FRAME * 100)


def is_child(span: Span, parent: Span) -> bool:
    return span.trace_id == parent.trace_id and span.parent_span_id == parent.span_id


async def test_a_call_is_one_trace_with_its_turns_tools_and_dials(
    tmp_path: Path, collector: Collector
) -> None:
    async with watched(tmp_path, collector) as inside:
        caller = Caller()
        call_id, model = await inside.call(caller)
        model.does(
            e.SpeechStarted("i1", 100),
            e.SpeechStopped("i1", 900),
            e.TurnCommitted("i1"),
            e.ReplyStarted("r1"),
            e.ToolRequested("r1", "f1", "t1", "add_up", '{"first": 1, "second": 2}'),
            e.ToolRequested("r1", "f2", "t2", "give_up", "{}"),
            e.ToolRequested("r1", "f3", "t3", "my_zeppelin", "{}"),
            e.ReplyDone("r1", e.ReplyStatus.COMPLETED, usage=e.Usage(7, 11, 3, 0, 2, 0)),
        )
        done = (c.ToolState.DONE, c.ToolState.FAILED)
        await until(lambda: [t for t in caller.notes(c.NoteTool) if t.state in done][2:])
        (again,) = await until(lambda: [t for t in model.told if isinstance(t, c.RequestReply)])
        model.does(
            e.ReplyStarted("r2", again.tag),
            e.ReplyItemStarted("r2", "a2", e.ItemKind.MESSAGE),
            sound("r2", "a2"),
            e.ReplyDone("r2", e.ReplyStatus.COMPLETED, usage=e.Usage(0, 5, 0, 0, 0, 40)),
        )
        await until(lambda: caller.notes(c.NoteLatency))
        caller.does(e.Heard("a2", 20), e.CallerLeft("goodbye"))
        await until(lambda: not inside.switchboard.live())

    call, about = one(collector, "invoke_agent")
    assert (call.name, call.parent_span_id, len(call.links)) == ("invoke_agent ana", b"", 0)
    assert about == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "model",
        "gen_ai.agent.name": "ana",
        "gen_ai.conversation.id": call_id,
        "gen_ai.output.type": "speech",
        "switchboard.channel": "browser",
        "switchboard.direction": "in",
        "switchboard.end_reason": "goodbye",
        "switchboard.turns": 1,
        "switchboard.interruptions": 0,
        "gen_ai.usage.input_tokens": 23,
        "gen_ai.usage.output_tokens": 42,
    }
    turn, about = one(collector, "chat")
    assert is_child(turn, call)
    assert about["gen_ai.response.id"] == "r2"
    assert (about["gen_ai.usage.input_tokens"], about["gen_ai.usage.output_tokens"]) == (5, 40)
    assert turn.start_time_unix_nano < turn.end_time_unix_nano <= call.end_time_unix_nano
    tools = {span.name: plain(span.attributes) for span in collector.named("execute_tool")}
    assert {name: each.get("error.type") for name, each in tools.items()} == {
        "execute_tool add_up": None,
        "execute_tool give_up": "failed",
        "execute_tool _OTHER": "failed",
    }
    assert all(is_child(span, call) for span in collector.named("execute_tool"))
    dial, about = one(collector, "dial")
    assert is_child(dial, call)
    assert (dial.name, about["switchboard.session"]) == ("dial azure_openai", "first")


async def test_calls_are_counted_and_their_turns_measured(
    tmp_path: Path, collector: Collector
) -> None:
    async with watched(tmp_path, collector) as inside:
        caller = Caller()
        _, model = await inside.call(caller)
        model.does(
            e.SpeechStarted("i1", 100),
            e.SpeechStopped("i1", 900),
            e.TurnCommitted("i1"),
            e.ReplyStarted("r1"),
            e.ReplyItemStarted("r1", "a1", e.ItemKind.MESSAGE),
            sound("r1", "a1"),
        )
        await until(lambda: caller.notes(c.NoteLatency))
        caller.does(e.Heard("a1", 20))
        await until(lambda: caller.notes(c.NoteLatency)[-1].first_heard_ms is not None)
        model.does(e.SpeechStarted("i2", 2_000))
        await until(lambda: caller.notes(c.NoteInterruption))
        model.does(
            e.ReplyDone("r1", e.ReplyStatus.CANCELLED, usage=e.Usage(1, 2, 0, 2, 4, 8)),
        )
        await until(lambda: caller.notes(c.NoteUsage))
        caller.does(e.CallerLeft("goodbye"))
        await until(lambda: not inside.switchboard.live())

    here = {"switchboard__channel": "browser", "gen_ai__agent__name": "ana"}
    count = collector.total
    assert count("switchboard.calls.active") == 0
    assert count("switchboard.calls.started", switchboard__direction="in", **here) == 1
    assert count("switchboard.calls.ended", switchboard__end_reason="goodbye", **here) == 1
    assert count("switchboard.call.duration", **here) == 1
    assert count("switchboard.turn.first_audio", gen_ai__request__model="model", **here) == 1
    assert count("switchboard.turn.first_heard", gen_ai__request__model="model", **here) == 1
    assert count("switchboard.interruptions", **here) == 1
    assert count("switchboard.model.dial.duration", gen_ai__request__model="model") == 1
    assert count("gen_ai.client.token.usage") == 4  # replies, by modality and direction
    assert count("switchboard.tokens.cached", switchboard__modality="audio") == 2
    assert {about["gen_ai.token.type"] for about, _ in collector.points("gen_ai.client.token.usage")
            } == {"input", "output"}  # fmt: skip


async def test_renewals_recoveries_and_refusals_are_told_apart(
    tmp_path: Path, collector: Collector
) -> None:
    rules = Rules(tools={}, reattach_s=0.3, silence_s=100)
    async with watched(tmp_path, collector, rules) as inside:
        caller = Caller()
        call_id, _ = await inside.call(caller)
        await inside.renewal_is_due(call_id)
        (_, second) = await until(lambda: inside.service.dialled[1:] and inside.service.dialled)
        second.does(e.ModelReady("s2"))
        await until(lambda: inside.service.open == 1)
        second.does(e.ModelLost("1006", retryable=True))
        (_, _, third) = await until(lambda: inside.service.dialled[2:] and inside.service.dialled)
        third.does(e.ModelReady("s3"))
        inside.service.refuse = ModelUnavailable("no", retryable=False, status=429)
        await until(lambda: inside.service.open == 1)
        third.does(e.ModelLost("1011", retryable=True))
        await until(lambda: not inside.switchboard.live())

    sessions = {
        about["switchboard.session"]: value
        for about, value in collector.points("switchboard.model.sessions")
    }
    assert sessions == {"first": 1, "renewal": 1, "recovery": 1}
    assert collector.total("switchboard.model.dial.duration", error__type="429") == 1
    assert collector.total("switchboard.calls.ended", switchboard__end_reason="model_lost") == 1
    call, about = one(collector, "invoke_agent")
    assert (call.status.code, about["error.type"]) == (call.status.STATUS_CODE_ERROR, "model_lost")


async def test_a_call_is_linked_to_the_request_that_opened_it(
    tmp_path: Path, collector: Collector
) -> None:
    async with open_house(tmp_path, otel_exporter_otlp_endpoint=collector.url) as home:
        home.http.headers["traceparent"] = REMOTE
        placed = await home.place()
        async with home.dial(placed) as page:
            await say(page, "What do I owe?")
            await page.say("end")
            await page.closed()
        await home.quiet()
        for path in ("/health", "/readyz", "/livez", "/nowhere/at/all?ticket=s3cr3t"):
            await home.http.get(path)

    request, about = one(collector, "POST /api/calls")
    assert request.trace_id.hex() == REMOTE.split("-")[1]
    assert request.parent_span_id.hex() == REMOTE.split("-")[2]
    assert about == {
        "http.request.method": "POST",
        "http.route": "/api/calls",
        "http.response.status_code": 201,
        "url.scheme": "http",
    }
    call, _ = one(collector, "invoke_agent")
    (link,) = call.links
    assert (link.trace_id, link.span_id) == (request.trace_id, request.span_id)
    assert call.trace_id != request.trace_id
    asked = [plain(span.attributes).get("http.route") for span in collector.named("GET")]
    assert len(asked) == 1  # no probe, and no socket
    assert collector.total("http.server.request.duration", http__route="/api/calls") == 1
    assert not any(b"s3cr3t" in body or b"nowhere" in body for body in collector.bodies)
    assert {about["service.name"] for about in collector.resources} == {"switchboard"}
    assert collector.total("switchboard.calls.limit") == home.house.settings.max_calls


async def test_log_lines_of_a_call_are_found_in_its_trace(
    tmp_path: Path, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_house(tmp_path, otel_exporter_otlp_endpoint=collector.url) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            await page.say("end")
            await page.closed()
        await home.quiet()

    call, _ = one(collector, "invoke_agent")
    lines = {line.body.string_value: line for line in collector.logs}
    for text in ("call began", "call ended"):
        assert lines[text].trace_id == call.trace_id
        assert plain(lines[text].attributes)["call"] == placed["call"]
    assert plain(lines["call ended"].attributes)["reason"] == "goodbye"


async def test_a_phone_callback_that_is_refused_is_counted(
    tmp_path: Path, collector: Collector
) -> None:
    settings = {
        "acs_endpoint": "https://acs.example",
        "acs_resource_id": "4e1a0c5f-6f0c-4a6e-9c56-3f8f6f1f7a11",
        "public_url": "http://127.0.0.1:1",
        "event_grid_secret": "a secret that is as long as it has to be",
    }
    async with open_house(tmp_path, otel_exporter_otlp_endpoint=collector.url, **settings) as home:
        answer = await home.http.post("/api/phone/events/abc", json=[])
        assert answer.status_code == 401

    refused = {"http__route": "/api/phone/events/{call_id}", "http__response__status_code": 401}
    assert collector.total("http.server.request.duration", **refused) == 1


async def test_sampling_is_as_the_standard_variables_say(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    async with watched(tmp_path, collector) as inside:
        caller = Caller()
        await inside.call(caller)
        caller.does(e.CallerLeft("goodbye"))
        await until(lambda: not inside.switchboard.live())

    assert collector.total("switchboard.calls.started") == 1  # measured all the same
    assert (collector.spans, collector.logs) == ([], [])


async def test_opentelemetry_can_be_told_to_do_nothing(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    telemetry = told(collector)
    async with telemetry.running():
        telemetry.observer.began(CALL, None).ended("goodbye")
    assert (collector.spans, collector.metrics, collector.logs) == ([], [], [])


@pytest.mark.parametrize("reason", ["My name is Bond", "x" * 99, "", "model lost"])
async def test_a_reason_that_is_no_code_is_not_passed_on(collector: Collector, reason: str) -> None:
    telemetry = told(collector)
    async with telemetry.running():
        telemetry.observer.began(CALL, None).ended(reason)
    assert collector.total("switchboard.calls.ended", switchboard__end_reason="_OTHER") == 1


async def test_whoever_watches_may_fail_and_the_call_goes_on(collector: Collector) -> None:
    def broken() -> int:
        raise OSError("the clock is gone")

    telemetry = told(collector)
    async with telemetry.running():
        calls = telemetry.observer
        watch = calls.began(CALL, None)
        calls._now = watch._now = broken  # pyright: ignore[reportAttributeAccessIssue]
        watch.noted(c.NoteLatency("r1", 300.0))
        watch.ended("goodbye")
        assert calls.began(CALL, None) is UNWATCHED


def test_without_a_collector_nothing_of_it_is_imported(tmp_path: Path) -> None:
    look = (
        "import sys; from switchboard.app import create_app; "
        "from switchboard.settings import Settings; "
        "app = create_app(Settings.read()); "
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'azure.monitor', "
        "'opentelemetry.exporter', 'opentelemetry.instrumentation'))])"
    )
    settings = {
        "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9",
        "DATA_DIR": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout.strip() == "[]"


async def test_without_a_collector_no_thread_runs_for_it() -> None:
    before = threading.active_count()
    telemetry = telemetry_of(TelemetryConfig("1"))
    async with telemetry.running():
        assert threading.active_count() == before
    assert telemetry.observer is UNOBSERVED


async def test_what_a_library_was_changed_in_is_changed_back(
    tmp_path: Path, collector: Collector
) -> None:
    was = BackgroundTask.__call__
    async with open_house(tmp_path, otel_exporter_otlp_endpoint=collector.url):
        assert BackgroundTask.__call__ is not was
    assert BackgroundTask.__call__ is was
