"""Signing in at the local tenant as a browser and its page do it, without either."""

import base64
import hashlib
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from switchboard_local.entra.issuer import TENANT

CLIENT = "c11e0000-1111-4111-8111-000000000001"
SCOPE = f"api://{CLIENT}/access_as_user openid profile offline_access"
BACK = "http://127.0.0.1:8000/"


@dataclass
class Signing:
    """One page's try to sign somebody in, at the cloud on `port`."""

    port: int
    verifier: str = field(default_factory=lambda: token_urlsafe(48))
    changed: dict[str, str | None] = field(default_factory=dict[str, str | None])

    @property
    def tenant(self) -> str:
        return f"http://127.0.0.1:{self.port}/{TENANT}/oauth2/v2.0"

    @property
    def asks(self) -> dict[str, str]:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asks: dict[str, str | None] = {
            "client_id": CLIENT,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "the state",
            "nonce": "the nonce",
            "response_mode": "fragment",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **self.changed,
        }
        return {name: value for name, value in asks.items() if value is not None}

    async def choose(self, person: str) -> dict[str, str]:
        """What the page is told when somebody has chosen an account."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.tenant}/authorize", data={**self.asks, "person": person}
            )
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["location"])
        return dict(parse_qsl(back.fragment or back.query))

    async def token(self, **form: str) -> httpx.Response:
        """The answer to a token request, from a page."""
        asks = {"client_id": CLIENT, "client_info": "1", **form}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(
                f"{self.tenant}/token", data=asks, headers={"Origin": "http://127.0.0.1:8000"}
            )

    async def redeem(self, code: str, **changed: str) -> httpx.Response:
        form = {"code": code, "redirect_uri": BACK, "code_verifier": self.verifier, **changed}
        return await self.token(grant_type="authorization_code", **form)


async def signed_in(port: int, person: str) -> dict[str, Any]:
    """The tokens of somebody who has signed in."""
    signing = Signing(port)
    answer = await signing.redeem((await signing.choose(person))["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()
