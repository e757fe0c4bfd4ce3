"""The Entra token, fetched beside the calls and never on their path."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from switchboard.errors import ModelUnavailable
from switchboard.importing import ONE_AT_A_TIME

if TYPE_CHECKING:  # the library takes a while to import; start-up need not wait for it
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

logger = logging.getLogger(__name__)

type MakeCredential = Callable[[], AsyncTokenCredential]

_FETCH_TIMEOUT_S: Final = 30.0
_SIGN_IN: Final = "sign in with `az login`, or give this machine a managed identity"
_CLOSE_TIMEOUT_S: Final = 2.0
_LEAST_WAIT_S: Final = 1.0
_LONGEST_BACK_OFF_S: Final = 60.0
_REFRESH_AT: Final = (0.75, 0.85)
"""Share of a token's useful life after which the next one is fetched; spread over replicas."""
_LONGEST_REASON: Final = 300
_EXPIRY_MARGIN_S: Final = 5.0
"""A token this close to its end may not survive the upgrade."""


def default_credential(managed_identity_client_id: str | None = None) -> "AsyncTokenCredential":
    """Whatever this machine has: managed identity, workload identity, a developer's `az login`."""
    with ONE_AT_A_TIME:
        from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=managed_identity_client_id)


def managed_identity(client_id: str | None = None) -> "AsyncTokenCredential":
    """The identity of the container or virtual machine, and nothing else."""
    with ONE_AT_A_TIME:
        from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id)


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """For `/health`: whether calls can be authorised just now, and if not, why."""

    ok: bool
    text: str
    expires_at: float | None = None
    """Epoch seconds."""


class TokenSource:
    """The process's token for one scope. One task refreshes it; everybody else only reads."""

    def __init__(self, make_credential: MakeCredential, scope: str) -> None:
        self._make_credential = make_credential
        self._scope = scope
        self._token: AccessToken | None = None
        self._failures = 0
        self._trouble: str | None = None
        self._arrived = asyncio.Event()
        self._missed = asyncio.Event()

    @property
    def status(self) -> TokenStatus:
        held = self._valid()
        if held is not None:
            text = self._trouble and f"the last refresh failed: {self._trouble}"
            return TokenStatus(True, text or "ready", float(held.expires_on))
        return TokenStatus(False, self._trouble or "waiting for the first token")

    @property
    def held(self) -> "AccessToken | None":
        """The last token, if it is still valid. May be read from any thread."""
        return self._valid()

    async def token(self, wait_s: float) -> str:
        """The last valid token; waits up to `wait_s` for one. Raises `ModelUnavailable`."""
        if held := self._valid():
            return held.token
        self._arrived.clear()
        self._missed.set()
        with anyio.move_on_after(wait_s):
            await self._arrived.wait()
        if held := self._valid():
            return held.token
        raise ModelUnavailable(
            f"No Entra token for the realtime service yet: {self.status.text}.", retryable=True
        )

    async def refresh(self) -> None:
        """Keep the token fresh until cancelled. Run once, beside everything else."""
        credential = None
        try:
            while True:
                try:
                    credential = credential or await to_thread.run_sync(self._make_credential)
                    delay_s = await self._fetch(credential)
                except Exception as error:  # noqa: BLE001  # chains raise anything; outlive it
                    delay_s = self._note_failure(error)
                await self._rest(delay_s)
        finally:
            if credential is not None:
                with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True):
                    await credential.close()

    async def _fetch(self, credential: "AsyncTokenCredential") -> float:
        """Seconds until the next fetch."""
        with anyio.fail_after(_FETCH_TIMEOUT_S):
            token = await credential.get_token(self._scope)
        useful_s = token.expires_on - time.time() - _EXPIRY_MARGIN_S
        if useful_s <= 0:
            raise ValueError("the token it gave has expired")
        self._token, self._failures, self._trouble = token, 0, None
        self._missed.clear()
        self._arrived.set()
        logger.info("token refreshed", extra={"scope": self._scope, "useful_s": round(useful_s)})
        return useful_s * random.uniform(*_REFRESH_AT)  # noqa: S311  # jitter, not a secret

    def _note_failure(self, error: Exception) -> float:
        """Seconds until the next try: doubling from one second, to a minute."""
        self._failures += 1
        self._trouble = _sentence(error)
        logger.warning(
            "token refresh failed", extra={"failures": self._failures, "reason": self._trouble}
        )
        back_off_s = min(2.0 ** min(self._failures - 1, 10), _LONGEST_BACK_OFF_S)
        return back_off_s * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, not a secret

    async def _rest(self, delay_s: float) -> None:
        """Wait, but less for a call that found no token; never less than a second."""
        await anyio.sleep(min(delay_s, _LEAST_WAIT_S))
        with anyio.move_on_after(delay_s - _LEAST_WAIT_S):
            await self._missed.wait()
        self._missed.clear()

    def _valid(self) -> "AccessToken | None":
        held = self._token
        return held if held and held.expires_on - time.time() > _EXPIRY_MARGIN_S else None


def _sentence(error: Exception) -> str:
    """The first line of it, short: a credential chain writes a page."""
    if isinstance(error, TimeoutError):
        return f"no answer within {_FETCH_TIMEOUT_S:g} s"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    said = lines[0].strip()[:_LONGEST_REASON].rstrip(".")
    return f"{said}; {_SIGN_IN}" if said.startswith("DefaultAzureCredential") else said
