"""The command line: `serve`, `doctor`, `tools`, `export`, `erase`, `eval`, `schema`, `openapi`."""

import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stdout, suppress
from types import FrameType

import anyio
import uvicorn

from switchboard.collecting import Collecting
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
  export CALL [--format json|vtt|wav] [--out FILE]
                    what is kept of a call, as a file
  erase --number +… | --principal ID
                    take a person out of the records; prints a receipt
  eval [PATH …]     hold conversations with the agents, and judge them (--help)
  schema            print the JSON Schema of session_config.json
  openapi           print what can be asked over HTTP, as OpenAPI
"""
MISCONFIGURED = 2
UNHEARD = 141
"""As a shell says that nobody read on."""
SWITCH_S = 0.0002
"""A thread that has Python while the loop wants it gives it back by then, not after 5 ms."""

logger = logging.getLogger("switchboard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. A wrong setting is one sentence and status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words else ""
    try:
        status = _run(command, words[1:])
        sys.stdout.flush()
        return status
    except ConfigurationError as reason:
        print(f"switchboard: {reason}", file=sys.stderr)
        return MISCONFIGURED
    except BrokenPipeError:
        # Who reads what we print, as `head` does, has read enough. What is left to be printed when
        # Python ends must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNHEARD


def _run(command: str, words: Sequence[str]) -> int:
    match command, words:
        case "serve", []:
            return serve(Settings.read())
        case "schema", []:
            return schema()
        case "openapi", []:
            return openapi()
        case "-h" | "--help" | "help", _:
            print(USAGE, end="")
            return 0
        case _:
            return _run_with(command, words)


def _run_with(command: str, words: Sequence[str]) -> int:
    """Those that take words of their own."""
    match command:
        case "doctor":
            status = doctor(words)
            return misuse() if status is None else status
        case "tools":
            return tools(Settings.read(), words)
        case "export":
            return export(Settings.read(), words)
        case "erase":
            return erase(Settings.read(), words)
        case "eval":
            return evaluate(words)
        case _:
            return misuse()


def serve(settings: Settings) -> int:
    """Serve until told to stop. Raises `ConfigurationError` before anything is answered."""
    # Imported here: the other commands need neither the web nor the model's libraries.
    from switchboard.app import create_app
    from switchboard.browser.protocol import MAX_FRAME_BYTES
    from switchboard.browser.requests import BoundedRequests
    from switchboard.browser.sockets import BoundedSockets
    from switchboard.house import House
    from switchboard.records.claim import sole_user

    configure_logging(settings.log_level, settings.log_format)
    make_room(settings.sockets)
    app = create_app(settings)
    house: House = app.state.house
    # What could not be opened is said once, in words, at the end; not as a traceback as well.
    logging.getLogger("uvicorn.error").addFilter(lambda _: house.refusal is None)
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
    server = DrainingServer(config, house.drain, house.switchboard.live)
    # SystemExit is uvicorn's, where the house could not be opened.
    with door, sole_user(settings.data_dir), suppress(KeyboardInterrupt, SystemExit):
        server.run(sockets=[door])
    if house.refusal is not None:
        raise house.refusal
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


def evaluate(arguments: Sequence[str]) -> int:
    """`switchboard eval …`"""
    try:
        import yaml  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise ConfigurationError(
            "Scenarios are YAML, which is not installed: install switchboard[eval]."
        ) from None
    from switchboard.evals.command import eval_command

    return eval_command(arguments)


def schema() -> int:
    """`switchboard schema`"""
    from switchboard.agents.config import schema_text

    sys.stdout.write(schema_text())
    return 0


def openapi() -> int:
    """`switchboard openapi`"""
    from switchboard.openapi import document_text

    sys.stdout.write(document_text())
    return 0


class DrainingServer(uvicorn.Server):
    """Lets calls finish before it closes their sockets. Told to stop a second time, it ends them
    in good order; the third time, it just goes."""

    def __init__(
        self,
        config: uvicorn.Config,
        drain: Callable[[], Awaitable[None]],
        live: Callable[[], int],
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._live = live
        self._collecting = Collecting()
        self._hurried = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop, whichever."""
        if not self.should_exit:
            super().handle_exit(sig, frame)
        elif not self._hurried:
            self._hurried = True
        else:
            self.force_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._collecting.begin()
        sys.setswitchinterval(SWITCH_S)

    async def main_loop(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collecting.keep, self._live)
            await super().main_loop()
            tasks.cancel_scope.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.started:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_hurried, tasks.cancel_scope)
                await self._drain()
                tasks.cancel_scope.cancel()
        await super().shutdown(sockets)

    async def _until_hurried(self, scope: anyio.CancelScope) -> None:
        while not self._hurried:  # noqa: ASYNC110  (a signal handler can only set a flag)
            await anyio.sleep(0.1)
        logger.warning("told to stop twice: calls end now")
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
