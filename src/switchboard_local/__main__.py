"""The command line of the local cloud: `serve` it alone, or bring everything `up`."""

import argparse
import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
from anyio.abc import Process
from pydantic import SecretStr, ValidationError

from switchboard_local.app import create_app, parts_line
from switchboard_local.assembly import assembled
from switchboard_local.serving import (
    LOOPBACK,
    CannotStart,
    answering,
    product,
    product_environment,
    reserve,
    serving,
    until_told,
)
from switchboard_local.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status. What cannot be is one sentence and status 2."""
    options = _parser().parse_args(arguments)
    try:
        return anyio.run(until_told, partial(options.run, Settings()))
    except ValidationError as wrong:
        # Values are not repeated: one of them may be a key.
        for error in wrong.errors(include_url=False, include_input=False):
            name = "_".join(map(str, error["loc"])).upper()
            print(f"switchboard-local: {name}: {error['msg']}", file=sys.stderr)
    except CannotStart as reason:
        print(f"switchboard-local: {reason}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "switchboard-local", description="Stand-ins for the Azure services, on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="the local cloud alone")
    serve.set_defaults(run=_serve)
    up = commands.add_parser("up", help="the local cloud, and the product talking to it")
    up.set_defaults(run=_up)
    return parser


async def _serve(settings: Settings) -> int:
    with reserve(settings.local_cloud_port, "LOCAL_CLOUD_PORT") as listener:
        async with _cloud(settings, listener):
            print(f"Local cloud: http://{LOOPBACK}:{_port(listener)}/openai/v1/", flush=True)
            await anyio.sleep_forever()
    return 0


async def _up(settings: Settings) -> int:
    with reserve(settings.port, "PORT"):
        pass  # better to be told now than after the engine has loaded
    secret = secrets.token_urlsafe(24)
    settings = settings.model_copy(update={"identity_header": SecretStr(secret)})
    with reserve(settings.local_cloud_port, "LOCAL_CLOUD_PORT") as listener:
        async with _cloud(settings, listener):
            environment = product_environment(_port(listener), settings.port, secret)
            async with product(environment) as child:
                return await _attend(child, settings.port)


@asynccontextmanager
async def _cloud(settings: Settings, listener: socket.socket) -> AsyncGenerator[None]:
    """The local cloud, answering, having said which parts it is made of."""
    async with assembled(settings) as (engine, mind):
        print(f"Switchboard local: {parts_line(engine, mind)}", flush=True)
        here = settings.model_copy(update={"local_cloud_port": _port(listener)})
        async with serving(create_app(engine, mind, here), listener):
            yield


async def _attend(child: Process, port: int) -> int:
    """Until the product ends; its exit status."""
    status = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_point, port)
        status = await child.wait()
        tasks.cancel_scope.cancel()
    print(f"switchboard-local: the product ended with status {status}", file=sys.stderr)
    return status


async def _point(port: int) -> None:
    """Say where to click, once there is something to see."""
    page = f"http://{LOOPBACK}:{port}"
    if await answering(f"{page}/health"):
        print(f"\n  Talk to the agent: {page}\n", flush=True)


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    raise SystemExit(main())
