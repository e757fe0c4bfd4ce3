"""WebRTC: a caller's media go straight to the service; here they are agreed upon, and ended.

    mint     POST /client_secrets           our token    the session, configured → a secret
    offer    POST /calls?webrtcfilter=on    the secret   the caller's SDP → the answer, an id
    control  WS   ?call_id=…                our token    `Line.attach`
    hang up  POST /calls/{id}/hangup        our token

The secret stays here, and with it the prompt and the tools: the filter keeps the service from
telling them on the page's data channel.
"""

import logging
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import anyio
import httpx
import msgspec

from switchboard.conversation.legs import Minted, ModelLeg, Negotiated
from switchboard.conversation.session import Service, SessionSpec
from switchboard.errors import ModelUnavailable, NotAllowed, OfferRefused
from switchboard.model.codec import update_of
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line, Tokens
from switchboard.model.endings import refused, service_code
from switchboard.model.profiles import AZURE_OPENAI
from switchboard.model.session import media_session, sideband_session
from switchboard.model.steered import Steered

logger = logging.getLogger(__name__)

SECRET_S: Final = 60
"""How long a secret of ours may begin calls. It begins one, at once."""
HANG_UP_S: Final = 4.0
MAX_SECRET_ANSWER_BYTES: Final = 2 * 1024 * 1024
"""It repeats the whole session, tools included."""
MAX_ANSWER_BYTES: Final = 64 * 1024
_CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECRET: Final = re.compile(r"[!-~]{1,4096}")


class Secret(msgspec.Struct, frozen=True):
    """A right to begin sessions of one configuration, for a short while."""

    value: str
    expires_at: float = 0.0
    """Epoch seconds."""

    def __repr__(self) -> str:
        return "Secret(***)"


class Signalling:
    """`negotiate` is the `Negotiate` that the exchange is given. Its media are `line`'s calls."""

    def __init__(
        self,
        config: ModelConfig,
        tokens: Tokens,
        line: Line,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._line = line
        endpoint = line.endpoint
        self._http = httpx.AsyncClient(
            verify=(tls or ssl.create_default_context()) if endpoint.secure else True,
            trust_env=not endpoint.loopback,
            timeout=config.dial_timeout_s,
            headers={"User-Agent": "switchboard"},
            limits=httpx.Limits(max_connections=32, keepalive_expiry=30),
        )
        self._shortens = True
        """The service takes `expires_after`, as far as we know."""
        self._steered = Steered()

    @property
    def calls_url(self) -> str:
        """Where whoever has a secret posts an offer."""
        return self._line.endpoint.http_url("/calls")

    async def aclose(self) -> None:
        await self._http.aclose()

    async def negotiate(self, spec: SessionSpec, offer: str, /) -> Negotiated:
        """Have the service answer `offer`. Raises as `Negotiate` does."""
        with self._patience():
            secret = await self._mint(spec)
            answer, call_id = await self._offer(secret, offer)
        self._steered.hold(call_id)
        media = Media(self._line, call_id, self._hang_up)
        return Negotiated(answer, media.dial, media.hang_up)

    async def mint(self, spec: SessionSpec, /) -> Minted:
        """A secret for a front end that offers by itself. It holds the whole session."""
        with self._patience():
            secret = await self._mint(spec)
        return Minted(secret.value, secret.expires_at, self.calls_url, self.media)

    def media(self, call_id: str) -> Negotiated:
        """Media that a front end agreed upon by itself. Raises `NotAllowed` for an odd id, and for
        that of a call which another session steers, or did."""
        if _CALL_ID.fullmatch(call_id) is None:
            raise NotAllowed("This is no id of a call.")
        self._steered.claim(call_id)
        media = Media(self._line, call_id, self._hang_up)
        return Negotiated("", media.dial, media.hang_up)

    # -- the requests ---------------------------------------------------------------------------

    async def _mint(self, spec: SessionSpec) -> Secret:
        if spec.service is not Service.AZURE_OPENAI:
            raise NotAllowed("This model cannot be talked to over WebRTC.")
        body: dict[str, Any] = {"session": media_session(spec)}
        short = {"anchor": "created_at", "seconds": SECRET_S}
        if self._shortens:
            status, answer, _ = await self._ask_for_secret({"expires_after": short, **body})
            if status != 400:
                return _secret(status, answer)
        status, answer, _ = await self._ask_for_secret(body)
        secret = _secret(status, answer)
        # It was the lifetime that it did not like: secrets then live as long as the service says.
        self._shortens = False
        return secret

    async def _ask_for_secret(
        self, body: Mapping[str, Any]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        token = await self._tokens.token(self._config.token_wait_s)
        url = self._line.endpoint.http_url("/client_secrets")
        content = msgspec.json.encode(body)
        return await self._post(
            url, token, content, "application/json", limit=MAX_SECRET_ANSWER_BYTES
        )

    async def _offer(self, secret: Secret, offer: str) -> tuple[str, str]:
        """The answer, and the id of the call that has begun."""
        url = f"{self.calls_url}?webrtcfilter=on"
        status, answer, headers = await self._post(
            url, secret.value, offer.encode(), "application/sdp", limit=MAX_ANSWER_BYTES
        )
        if status == 400:
            logger.info("offer refused", extra={"code": service_code(answer)})
            raise OfferRefused("The voice service cannot answer this offer.")
        if status not in (200, 201):
            raise refused(status, answer, AZURE_OPENAI)
        call_id = headers.get("location", "").partition("?")[0].rstrip("/").rpartition("/")[2]
        text = answer.decode(errors="replace")
        if _CALL_ID.fullmatch(call_id) is None or not text.startswith("v=0"):
            raise ModelUnavailable(
                "The realtime service answered an offer in an unknown form.", retryable=False
            )
        return text, call_id

    async def _hang_up(self, call_id: str) -> None:
        """End a call's media. One that is over already is as good."""
        self._steered.leave(call_id)
        url = f"{self.calls_url}/{call_id}/hangup"
        try:
            with anyio.fail_after(HANG_UP_S):
                token = await self._tokens.token(HANG_UP_S)
                status, _, _ = await self._post(url, token, b"", None, limit=MAX_ANSWER_BYTES)
            failed = None if status in (200, 204, 404) else f"HTTP {status}"
        except (ModelUnavailable, TimeoutError) as failure:
            failed = type(failure).__name__
        if failed:
            logger.warning("media not hung up", extra={"why": failed})

    async def _post(
        self, url: str, bearer: str, content: bytes, kind: str | None, *, limit: int
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of the answer. Follows no redirect: our token stays here."""
        headers = {"Authorization": f"Bearer {bearer}"}
        if kind is not None:
            headers["Content-Type"] = kind
        try:
            async with self._http.stream("POST", url, content=content, headers=headers) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > limit:
                        raise ModelUnavailable(
                            "The realtime service answers at too great a length.", retryable=False
                        )
                return answer.status_code, bytes(body), answer.headers
        except httpx.HTTPError as error:
            why = type(error).__name__
            raise ModelUnavailable(
                f"The realtime service cannot be reached ({why}).", retryable=True
            ) from error

    @contextmanager
    def _patience(self) -> Generator[None]:
        patience_s = self._config.dial_timeout_s
        try:
            with anyio.fail_after(patience_s):
                yield
        except TimeoutError:
            raise ModelUnavailable(
                f"The realtime service did not answer within {patience_s:g} s.", retryable=True
            ) from None


class Media:
    """One call's media: control beside them, as often as it is lost, and their end."""

    def __init__(self, line: Line, call_id: str, hang_up: Callable[[str], Awaitable[None]]) -> None:
        self._line = line
        self._call_id = call_id
        self._hang_up = hang_up
        self._attached = False

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        """A sideband. The session began with the media; from the second time on it is resumed."""
        opening = update_of(sideband_session(spec))
        attaching = self._line.attach(self._call_id, opening, resumed=self._attached)
        async with attaching as leg:
            try:
                yield leg
            finally:
                self._attached |= leg.configured  # else nobody has told the session anything

    async def hang_up(self) -> None:
        await self._hang_up(self._call_id)


def _secret(status: int, answer: bytes) -> Secret:
    if status not in (200, 201):
        raise refused(status, answer, AZURE_OPENAI)
    try:
        secret = msgspec.json.decode(answer, type=Secret)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        secret = None
    if secret is None or _SECRET.fullmatch(secret.value) is None:
        raise ModelUnavailable("The realtime service gave no usable secret.", retryable=False)
    return secret
