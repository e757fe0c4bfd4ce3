"""An Entra token in the place of a database's password.

The scope is Microsoft's for Azure Database for PostgreSQL: "Connect with managed identity",
learn.microsoft.com/azure/postgresql/security/security-connect-with-managed-identity.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

if TYPE_CHECKING:  # the library takes a while to import, and SQLite does without
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

SCOPE: Final = "https://ossrdbms-aad.database.windows.net/.default"
FETCH_S: Final = 15.0
RENEW_BEFORE_S: Final = 300.0
"""A token that ends sooner than this is not shown any more."""
_CLOSE_S: Final = 2.0
_LONGEST_REASON: Final = 300


class NoToken(ConnectionError):
    """There is no identity here, or nobody who gives it a token. The message says what was said."""


class TokenPassword:
    """Asked for when a connection is made; kept until shortly before it ends."""

    def __init__(self, make_credential: "Callable[[], AsyncTokenCredential]") -> None:
        self._make_credential = make_credential
        self._credential: AsyncTokenCredential | None = None
        self._token: AccessToken | None = None
        self._one_asks = anyio.Lock()

    async def __call__(self) -> str:
        """Raises `NoToken`."""
        async with self._one_asks:
            if self._token is None or self._token.expires_on - time.time() < RENEW_BEFORE_S:
                self._token = await self._fetch()
            return self._token.token

    async def _fetch(self) -> "AccessToken":
        try:
            with anyio.fail_after(FETCH_S):
                if self._credential is None:
                    self._credential = await to_thread.run_sync(self._make_credential)
                return await self._credential.get_token(SCOPE)
        except TimeoutError:
            raise NoToken(f"no answer within {FETCH_S:g} s") from None
        except Exception as error:  # chains raise anything
            raise NoToken(_sentence(error)) from error

    async def aclose(self) -> None:
        """For the end; asked again, it begins anew."""
        credential, self._credential, self._token = self._credential, None, None
        if credential is not None:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await credential.close()


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip()[:_LONGEST_REASON].rstrip(".")
