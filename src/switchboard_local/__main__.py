"""The command line of the local cloud: `serve` it alone, or bring everything `up`."""

import argparse
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process
from pydantic import SecretStr, ValidationError

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.grid import HandshakeFailed, Subscription
from switchboard_local.acs.serving import serving_acs
from switchboard_local.acs.softphone import Parts, softphone_router
from switchboard_local.acs.subscribing import subscribing_router
from switchboard_local.app import create_app, own_issuer, parts_line
from switchboard_local.assembly import assembled
from switchboard_local.calling import Errand, call, read_wav
from switchboard_local.entra.issuer import Issuer
from switchboard_local.serving import (
    LOOPBACK,
    CannotStart,
    answering,
    product,
    product_environment,
    reserve,
    serving,
    sign_in_environment,
    telephone_environment,
    until_told,
)
from switchboard_local.settings import Settings
from switchboard_local.softphone.room import Room
from switchboard_local.softphone.routes import PAGE, add_softphone

NUMBER: Final = "+15550100"
"""The agent's, on the local telephone."""
NUMBERS: Final = frozenset(f"+1555{each:04}" for each in range(200, 264))
"""Those of `serve --telephone`, to be subscribed to one by one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status. What cannot be is one sentence and status 2."""
    options = _parser().parse_args(arguments)
    try:
        if options.run is None:
            return anyio.run(until_told, partial(_call, Settings(), options))
        return anyio.run(until_told, partial(options.run, Settings(), options))
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
    serve.add_argument("--telephone", action="store_true", help="with a carrier, which it names")
    serve.set_defaults(run=_serve)
    up = commands.add_parser("up", help="the local cloud, and the product talking to it")
    up.set_defaults(run=_up)
    call = commands.add_parser("call", help="ring the agent that `up` has brought up")
    call.add_argument("--number", default=NUMBER, help=f"whom to ring ({NUMBER})")
    call.add_argument("--say", nargs="+", default=[], metavar="TEXT", help="said one by one")
    call.add_argument("--wav", type=Path, help="said first: mono, 16 bits, two minutes at most")
    call.add_argument("--out", type=Path, help="a WAV file for what is heard")
    call.add_argument("--limit", type=float, default=300.0, metavar="SECONDS")
    call.set_defaults(run=None)
    return parser


async def _serve(settings: Settings, options: argparse.Namespace) -> int:
    with reserve(settings.local_cloud_port, "LOCAL_CLOUD_PORT") as listener:
        async with AsyncExitStack() as stack:
            issuer: Issuer | None = None
            acs: Acs | None = None
            if options.telephone:
                here = settings.model_copy(update={"local_cloud_port": _port(listener)})
                issuer = own_issuer(here)
                carrier = AcsConfig(issuer=None, numbers=NUMBERS)
                served = await stack.enter_async_context(serving_acs(issuer, carrier))
                acs = served.acs
                told = {
                    "ACS_ENDPOINT": served.endpoint,
                    "ACS_ISSUER": served.endpoint,
                    "ACS_CA_FILE": str(served.ca_file),
                    "ACS_RESOURCE_ID": carrier.resource_id,
                }
                print(f"Telephone: {json.dumps(told)}", flush=True)
            await stack.enter_async_context(_cloud(settings, listener, issuer, acs))
            print(f"Local cloud: http://{LOOPBACK}:{_port(listener)}/openai/v1/", flush=True)
            await anyio.sleep_forever()
    return 0


async def _call(settings: Settings, options: argparse.Namespace) -> int:
    speeches: list[str | bytes] = [] if options.wav is None else [read_wav(options.wav)]
    errand = Errand(
        settings.local_cloud_port,
        options.number,
        [*speeches, *options.say],
        options.out,
        options.limit,
    )
    return await call(errand)


async def _up(settings: Settings, _: argparse.Namespace) -> int:
    with reserve(settings.port, "PORT"):
        pass  # better to be told now than after the engine has loaded
    secret = secrets.token_urlsafe(24)
    settings = settings.model_copy(update={"identity_header": SecretStr(secret)})
    with reserve(settings.local_cloud_port, "LOCAL_CLOUD_PORT") as listener:
        here = settings.model_copy(update={"local_cloud_port": _port(listener)})
        issuer = own_issuer(here)
        async with (
            serving_acs(issuer, AcsConfig(issuer=None)) as telephone,
            _cloud(here, listener, issuer, telephone.acs),
        ):
            environment = dict(product_environment(_port(listener), settings.port, secret))
            # Whoever presses Ctrl-C at a desk means it: calls say goodbye at once.
            environment |= {"DRAIN_SECONDS": os.environ.get("DRAIN_SECONDS") or "0"}
            if here.local_sign_in:
                environment |= sign_in_environment(_port(listener))
            bell = None
            # Whoever has the product go by a name of its own cannot have it called on loopback.
            if not os.environ.get("PUBLIC_URL"):
                bell = secrets.token_urlsafe(32)
                environment |= telephone_environment(
                    settings.port,
                    telephone.endpoint,
                    telephone.ca_file,
                    telephone.acs.config.resource_id,
                    bell,
                    NUMBER,
                )
            async with product(environment) as child:
                return await _attend(child, settings.port, _port(listener), telephone.acs, bell)


@asynccontextmanager
async def _cloud(
    settings: Settings,
    listener: socket.socket,
    issuer: Issuer | None = None,
    telephone: Acs | None = None,
) -> AsyncGenerator[None]:
    """The local cloud, answering, having said which parts it is made of."""
    async with assembled(settings) as (engine, mind):
        print(f"Switchboard local: {parts_line(engine, mind)}", flush=True)
        here = settings.model_copy(update={"local_cloud_port": _port(listener)})
        app = create_app(engine, mind, here, issuer=issuer)
        if telephone is not None:
            parts = Parts(engine.voice, engine.ears)
            app.include_router(softphone_router(telephone, parts))
            app.include_router(subscribing_router(telephone))
            add_softphone(app, Room(telephone, parts))
        async with serving(app, listener):
            yield


async def _attend(
    child: Process, port: int, cloud_port: int, telephone: Acs, bell: str | None
) -> int:
    """Until the product ends; its exit status."""
    status = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_point, port, cloud_port, telephone, bell)
        status = await child.wait()
        tasks.cancel_scope.cancel()
    print(f"switchboard-local: the product ended with status {status}", file=sys.stderr)
    return status


async def _point(port: int, cloud_port: int, telephone: Acs, bell: str | None) -> None:
    """Say where to click and what to ring, once there is something to see."""
    page = f"http://{LOOPBACK}:{port}"
    if not await answering(f"{page}/health"):
        return
    print(f"\n  Talk to the agent: {page}", flush=True)
    if bell is None:
        return
    try:
        await telephone.grid.subscribe(Subscription(f"{page}/api/phone/incoming?secret={bell}"))
    except HandshakeFailed as reason:
        print(f"  It cannot be rung: {reason}\n", file=sys.stderr)
        return
    print(f"  Ring it, and be rung: http://{LOOPBACK}:{cloud_port}{PAGE}")
    print(f'  Or ring {NUMBER}: switchboard-local call --say "Hello?"\n', flush=True)


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    raise SystemExit(main())
