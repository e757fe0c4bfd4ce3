"""The managed-identity endpoint of a container, in App Service form, on a free port."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

SECRET_HEADER = "header-secret"


@dataclass
class IdentityEndpoint:
    address: str = ""
    queries: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    status: int = 200
    life_s: float = 86_400

    async def token(self, request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != SECRET_HEADER:
            return web.json_response({"message": "wrong header"}, status=401)
        self.queries.append(dict(request.query))
        if self.status != 200:
            return web.json_response({"message": "identity not found"}, status=self.status)
        return web.json_response(
            {
                "access_token": f"token-{len(self.queries)}",
                "expires_on": str(int(time.time() + self.life_s)),
                "resource": request.query["resource"],
                "token_type": "Bearer",
            }
        )


@asynccontextmanager
async def identity_endpoint() -> AsyncGenerator[IdentityEndpoint]:
    endpoint = IdentityEndpoint()
    app = web.Application()
    app.router.add_get("/msi/token", endpoint.token)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        endpoint.address = f"http://127.0.0.1:{port}/msi/token"
        yield endpoint
    finally:
        await runner.cleanup()
