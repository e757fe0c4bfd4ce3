"""Tokens for a local cloud, wherever it runs, as a virtual machine gets them in Azure."""

import time
from types import TracebackType
from typing import Self

import httpx
from azure.core.credentials import AccessToken

AUDIENCE = "https://ai.azure.com"


def token_at(port: int) -> str:
    """What opens the doors of the local cloud at `port`, its own process or ours."""
    answer = httpx.get(
        f"http://127.0.0.1:{port}/metadata/identity/oauth2/token",
        params={"api-version": "2018-02-01", "resource": AUDIENCE},
        headers={"metadata": "true"},
        trust_env=False,
        verify=False,  # nothing to verify, and reading certificates takes long
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


class TokenInHand:
    """A credential of azure-core's protocol that has its token already."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken(self.token, int(time.time()) + 3600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        pass
