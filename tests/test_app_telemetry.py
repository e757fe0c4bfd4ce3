"""Logs are one line each, and nothing that opens a door gets into them."""

import io
import json
import logging
from collections.abc import Generator

import pytest

from switchboard.telemetry import configure_logging, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
TICKET = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"


@pytest.fixture(autouse=True)
def the_loggers_as_they_were() -> Generator[None]:
    """As at the start of the product, whatever servers earlier tests have configured."""
    names = (None, "uvicorn", "uvicorn.access", "uvicorn.error")
    before = [(one, one.handlers[:], one.filters[:], one.level, one.propagate)
              for one in map(logging.getLogger, names)]  # fmt: skip
    for one, *_ in before[1:]:
        one.handlers[:], one.propagate = [], True
        one.setLevel(logging.NOTSET)
    yield
    for one, handlers, filters, level, propagate in before:
        one.handlers[:], one.filters[:], one.propagate = handlers, filters, propagate
        one.setLevel(level)


def written(log_format: str) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    configure_logging("INFO", log_format, stream)
    return logging.getLogger("switchboard.test"), stream


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3t-value",
        "authorization=bearer s3cr3t-value",
        "api-key: s3cr3t-value",
        '{"api_key": "s3cr3t-value"}',
        "GET /api/calls?token=s3cr3t-value&x=1",
        "wss://h/openai?api-key=s3cr3t-value",
        "Sec-WebSocket-Protocol: switchboard.v1, ticket.s3cr3t-value",
        "Sec-WebSocket-Protocol: switchboard.proxy.v1, token.s3cr3t-value-that-is-long",
        "postgresql://user:s3cr3t-value@host/db",
        "password=s3cr3t-value",
        f"got {JWT.replace('c2lnbmF0dXJl', 's3cr3t-value')} back",
        "?sig=s3cr3t-value",
    ],
)
def test_no_secret_survives(text: str) -> None:
    assert "s3cr3t" not in redact(text)


@pytest.mark.parametrize(
    "text",
    ["call began", "GET /api/calls/abc/audio", "tokens used: 12", "http://host:80/x", "code=1000"],
)
def test_plain_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_message_arguments_fields_and_tracebacks_are_all_redacted(log_format: str) -> None:
    logger, stream = written(log_format)
    logger.info("asked with %s", f"ticket.{TICKET}", extra={"header": f"Bearer {TICKET}"})
    logger.info("issued", extra={"ticket": TICKET, "parts": {"token": TICKET}})
    try:
        raise ValueError(f"api-key={TICKET}")
    except ValueError:
        logger.exception("failed")
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/ws?token={TICKET}", "1.1", 101
    )
    assert TICKET not in stream.getvalue()
    assert stream.getvalue().count("***") >= 5


def test_a_record_is_one_line_of_text_with_its_fields() -> None:
    logger, stream = written("text")
    logger.warning("edit refused", extra={"problem": "line 3:\nbad", "agents": 2})
    (line,) = stream.getvalue().splitlines()
    assert "WARNING" in line
    assert "switchboard.test  edit refused" in line
    assert line.endswith("agents=2")


def test_a_record_is_one_json_object() -> None:
    logger, stream = written("json")
    logger.info("call began", extra={"call": "c1", "odd": {1, 2}})
    record = json.loads(stream.getvalue())
    assert (record["level"], record["message"], record["call"]) == ("INFO", "call began", "c1")
    assert record["time"].endswith("Z")


def test_the_level_is_kept() -> None:
    logger, stream = written("text")
    logger.debug("details")
    assert stream.getvalue() == ""


def test_health_probes_leave_no_trace_in_the_access_log() -> None:
    _, stream = written("text")
    access = logging.getLogger("uvicorn.access")

    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/health", "1.1", 200)
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "POST", "/api/calls", "1.1", 201)

    assert "/health" not in stream.getvalue()
    assert "/api/calls" in stream.getvalue()


@pytest.mark.parametrize(
    "query", [f"token={TICKET}", f"%74oken={TICKET}", f'a="&x={TICKET}', f"{TICKET}"]
)
def test_no_query_of_a_request_is_written_down(query: str) -> None:
    _, stream = written("text")
    asked = ("127.0.0.1:5", f"/ws?{query}")

    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', *asked)
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" %d', *asked, 403)
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', asked[0], "GET", asked[1], "1.1", 404
    )

    lines = stream.getvalue().splitlines()
    assert TICKET not in stream.getvalue()
    assert [line.count("/ws?***") for line in lines] == [1, 1, 1]
    assert lines[0].endswith("[accepted]")


def test_a_refused_socket_is_no_error() -> None:
    _, stream = written("text")
    server = logging.getLogger("uvicorn.error")

    server.error("ASGI callable returned without completing handshake.")
    server.error("Something else went wrong.")

    assert "handshake" not in stream.getvalue()
    assert "Something else" in stream.getvalue()


def test_trouble_with_a_collector_is_told_once_a_minute() -> None:
    _, stream = written("text")
    exporter = logging.getLogger("azure.monitor.opentelemetry.exporter.export._base")

    for reason in ("refused", "refused", "timed out"):
        exporter.warning("Retrying due to server request error: %s.", reason)
    exporter.error("Non-retryable server side error: %s.", "gone")

    said = stream.getvalue()
    assert (said.count("Retrying"), said.count("Non-retryable")) == (1, 1)
