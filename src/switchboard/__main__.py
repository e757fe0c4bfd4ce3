"""The command line: `serve`, `doctor`, `tools`, `export`, `erase`, `schema`."""

import gc
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stdout, suppress

import anyio
import uvicorn

from switchboard.descriptors import make_room
from switchboard.errors import ConfigurationError
from switchboard.settings import Settings
from switchboard.telemetry import configure_logging

USAGE = """usage: switchboard COMMAND

  serve             answer calls (HOST, PORT, AZURE_OPENAI_ENDPOINT, … in the environment)
  doctor [--json]   check settings, files, identity and services, and say how to mend them
  tools [--json]    list the tools of the agents
  tools call NAME '{…}'
                    run one tool
  export CALL [--format json|vtt] [--out FILE]
                    what is kept of a call, as a file
  erase --number +… | --principal ID
                    take a person out of the records; prints a receipt
  schema            print the JSON Schema of session_config.json
"""
MISCONFIGURED = 2

logger = logging.getLogger("switchboard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. A wrong setting is one sentence and status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words else ""
    try:
        match command:
            case "serve" if len(words) == 1:
                return serve(Settings.read())
            case "doctor":
                status = doctor(words[1:])
                return misuse() if status is None else status
            case "tools":
                return tools(Settings.read(), words[1:])
            case "export":
                return export(Settings.read(), words[1:])
            case "erase":
                return erase(Settings.read(), words[1:])
            case "schema" if len(words) == 1:
                return schema()
            case "-h" | "--help" | "help":
                print(USAGE, end="")
                return 0
            case _:
                return misuse()
    except ConfigurationError as reason:
        print(f"switchboard: {reason}", file=sys.stderr)
        return MISCONFIGURED


def serve(settings: Settings) -> int:
    """Serve until told to stop. Raises `ConfigurationError` before anything is answered."""
    # Imported here: the other commands need neither the web nor the model's libraries.
    from switchboard.app import create_app
    from switchboard.browser.protocol import MAX_FRAME_BYTES
    from switchboard.browser.requests import BoundedRequests
    from switchboard.browser.sockets import BoundedSockets
    from switchboard.records.claim import sole_user

    configure_logging(settings.log_level, settings.log_format)
    make_room(settings.sockets)
    app = create_app(settings)
    # What could not be opened is said once, in words, at the end; not as a traceback as well.
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.house.refusal is None)
    door = _door(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        http=BoundedRequests,
        ws=BoundedSockets,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    logger.info("listening", extra={"host": settings.host, "port": settings.port})
    server = DrainingServer(config, app.state.house.drain)
    # SystemExit is uvicorn's, where the house could not be opened.
    with door, sole_user(settings.data_dir), suppress(KeyboardInterrupt, SystemExit):
        server.run(sockets=[door])
    if app.state.house.refusal is not None:
        raise app.state.house.refusal
    return 0 if server.started else 1


def doctor(arguments: Sequence[str]) -> int | None:
    """`switchboard doctor …`; `None` where it does not know the words."""
    from switchboard.doctor.command import doctor_command

    out = sys.stdout
    with redirect_stdout(sys.stderr):  # a tool's file may print as it is imported
        return doctor_command(arguments, lambda line: print(line, file=out, flush=True))


def misuse() -> int:
    """Explain the commands to whoever got them wrong."""
    print(USAGE, end="", file=sys.stderr)
    return MISCONFIGURED


def tools(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard tools …`"""
    from switchboard.reception import Reception
    from switchboard.tools.cli import tools_command

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    reception = Reception(settings.session_config, settings.data_dir, reattach_s=0, version="")
    return tools_command(
        arguments,
        toolbox=reception.book.edition.tools,
        agents=reception.sheets(),
        resources=reception.resources,
    )


def export(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard export …`"""
    from switchboard.keeping import export_command

    return export_command(settings, arguments)


def erase(settings: Settings, arguments: Sequence[str]) -> int:
    """`switchboard erase …`"""
    from switchboard.keeping import erase_command

    return erase_command(settings, arguments)


def schema() -> int:
    """`switchboard schema`"""
    from switchboard.agents.config import schema_text

    sys.stdout.write(schema_text())
    return 0


class DrainingServer(uvicorn.Server):
    """Lets calls finish before it closes their sockets. Told to stop a second time, it does."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays: the collector need not look at it again in the middle of speech.
        gc.collect()
        gc.freeze()
        # A full collection stops every call while it looks at each object there is, and a
        # connection is hundreds of them: let it come after 250 000 new ones, not 70 000.
        gc.set_threshold(10_000, 5, 5)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.started:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_forced, tasks.cancel_scope)
                await self._drain()
                tasks.cancel_scope.cancel()
        await super().shutdown(sockets)

    async def _until_forced(self, scope: anyio.CancelScope) -> None:
        while not self.force_exit:  # noqa: ASYNC110  (uvicorn sets a flag from its signal handler)
            await anyio.sleep(0.1)
        scope.cancel()


def _door(settings: Settings) -> socket.socket:
    """The listening socket. Raises `ConfigurationError` when the address is not to be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    door = socket.socket(family)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
    except OSError as reason:
        door.close()
        raise ConfigurationError(
            f"Cannot listen on HOST={settings.host} PORT={settings.port}: {reason.strerror}."
        ) from reason
    return door


if __name__ == "__main__":
    raise SystemExit(main())
