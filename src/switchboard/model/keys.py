"""A service's key, where one must still be used: kept in a Key Vault, read beside the calls.

The key is never in the environment, in a file or in a log. Entra tokens are the rule; this is for
resources whose owners have not come to it yet.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import anyio

from switchboard.conversation.legs import ModelLeg
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable
from switchboard.model.connection import Line, Tokens
from switchboard.model.credentials import TokenStatus
from switchboard.model.passage import Passage, Passages, Query
from switchboard.model.vault import SecretAddress, SecretUnread, read_secret

logger = logging.getLogger(__name__)

_READ_EVERY_S: Final = 1_800.0
"""A rotated key is taken over by then, if no refusal said so before."""
_LEAST_WAIT_S: Final = 1.0
"""Between two readings, whatever the calls want."""
_LONGEST_BACK_OFF_S: Final = 60.0
_TOKEN_WAIT_S: Final = 10.0
_UNAUTHORIZED: Final = 401

type Lend = Callable[[Query, str], AbstractAsyncContextManager[Passage]]


class KeySource:
    """The process's one copy of a key. One task reads it; everybody else only looks.

    `tokens` are those of this machine's identity for the vault.
    """

    def __init__(
        self, address: SecretAddress, tokens: Tokens, *, read_every_s: float = _READ_EVERY_S
    ) -> None:
        self._address = address
        self._tokens = tokens
        self._read_every_s = read_every_s
        self._key: str | None = None
        self._trouble: str | None = None
        self._failures = 0
        self._readings = 0
        self._read = asyncio.Condition()
        self._wanted = asyncio.Event()

    @property
    def status(self) -> TokenStatus:
        if self._key is not None:
            text = self._trouble and f"the last reading failed: {self._trouble}"
            return TokenStatus(True, text or "ready")
        return TokenStatus(False, self._trouble or "waiting for the first reading")

    async def token(self, wait_s: float) -> str:
        """The key; waits up to `wait_s` for the first one. Raises `ModelUnavailable`."""
        if self._key is None:
            self._wanted.set()
            await self._await_reading(lambda: self._key is not None, wait_s)
        if self._key is None:
            raise ModelUnavailable(
                f"No key for the realtime service yet: {self.status.text}.", retryable=True
            )
        return self._key

    async def renewed(self, refused: str, wait_s: float) -> bool:
        """The service refused this key: read it again, and say whether it is another by now."""
        if self._key == refused:
            before = self._readings
            self._wanted.set()
            await self._await_reading(lambda: self._readings > before, wait_s)
        return self._key is not None and self._key != refused

    async def refresh(self) -> None:
        """Keep the key fresh until cancelled. Run once, beside everything else."""
        while True:
            delay_s = await self._look()
            await anyio.sleep(min(delay_s, _LEAST_WAIT_S))
            with anyio.move_on_after(delay_s - _LEAST_WAIT_S):
                await self._wanted.wait()

    async def _look(self) -> float:
        """Read once; seconds until the next time."""
        self._wanted.clear()
        try:
            token = await self._tokens.token(_TOKEN_WAIT_S)
            self._key = await read_secret(self._address, token)
        except (ModelUnavailable, SecretUnread) as failure:
            delay_s = self._note_failure(str(failure).rstrip("."))
        else:
            self._failures, self._trouble = 0, None
            logger.info("key read from the vault")
            delay_s = self._read_every_s * random.uniform(0.8, 1.0)  # noqa: S311  # jitter
        async with self._read:
            self._readings += 1
            self._read.notify_all()
        return delay_s

    def _note_failure(self, reason: str) -> float:
        # The last key stays in use: a vault that is away for a while ends no calls.
        self._failures += 1
        self._trouble = reason
        logger.warning("key not read", extra={"failures": self._failures, "reason": reason})
        back_off_s = min(2.0 ** min(self._failures - 1, 10), _LONGEST_BACK_OFF_S)
        return back_off_s * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, not a secret

    async def _await_reading(self, enough: Callable[[], bool], wait_s: float) -> None:
        with anyio.move_on_after(wait_s):
            async with self._read:
                await self._read.wait_for(enough)


@asynccontextmanager
async def with_new_key[T](
    opens: Callable[[str], AbstractAsyncContextManager[T]], keys: KeySource, wait_s: float = 5.0
) -> AsyncGenerator[T]:
    """What `opens` opens with a key; refused (401), once more with a new one, if the vault has one.

    Raises `ModelUnavailable`.
    """
    key = await keys.token(wait_s)
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(opens(key))
        except ModelUnavailable as refusal:
            if refusal.status != _UNAUTHORIZED or not await keys.renewed(key, wait_s):
                raise
            opened = await stack.enter_async_context(opens(await keys.token(wait_s)))
        yield opened


class KeyedLine:
    """A line that shows a key of `keys`."""

    def __init__(self, line: Line, keys: KeySource) -> None:
        self._line = line
        self._keys = keys

    def dial(self, spec: SessionSpec, /) -> AbstractAsyncContextManager[ModelLeg]:
        """As the line's own."""
        return with_new_key(lambda _: self._line.dial(spec), self._keys)


def lending(passages: Passages, keys: KeySource) -> Lend:
    """Opens passages with a key of `keys`, whichever one it is given."""

    def lend(query: Query, _: str, /) -> AbstractAsyncContextManager[Passage]:
        return with_new_key(lambda key: passages.open(query, key), keys)

    return lend
