"""Whether this machine's identity gets tokens, and which credential gave them."""

import logging
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, override

import anyio

from switchboard.doctor.findings import Finding, failed, ok
from switchboard.doctor.patience import Patience, aside
from switchboard.model.credentials import default_credential

if TYPE_CHECKING:  # the library takes a while to import
    from azure.core.credentials import AccessToken

_ACQUIRED: Final = re.compile(r"acquired a token from (\w+)")
_TRIED: Final = re.compile(r"^\s*(\w+Credential): (.+)$", re.MULTILINE)
_LONGEST_REASON: Final = 60
_CLOSE_TIMEOUT_S: Final = 2.0
_SIGN_IN: Final = (
    "sign in with `az login`, give this machine a managed identity, and set AZURE_CLIENT_ID where "
    "it has several"
)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a token is for, and who wants it."""

    scope: str
    setting: str
    """The variable that holds the scope."""

    @property
    def check(self) -> str:
        return f"identity for {self.scope}"


async def identity(
    audience: Audience, client_id: str | None, patience: Patience
) -> tuple[Finding, str | None]:
    """A token for this audience, asked for as the server will. The token is for the other checks:
    it is never in a finding."""
    with _overheard() as sources:
        try:
            with anyio.fail_after(patience.token_s):
                token = await _fetch(audience.scope, client_id, patience)
        except TimeoutError:
            detail = f"no credential answered within {patience.token_s:g} s"
            return failed(audience.check, detail, _SIGN_IN), None
        except Exception as error:  # noqa: BLE001  # chains raise anything
            return failed(
                audience.check, _reason(error), f"{_SIGN_IN}; check {audience.setting}"
            ), None
    minutes = (token.expires_on - time.time()) / 60
    source = sources[-1] if sources else "a credential that did not say its name"
    if minutes <= 0:
        detail = f"{source} gave a token that has expired already"
        return failed(audience.check, detail, "set this machine's clock"), None
    return ok(audience.check, f"{source} gave a token for {minutes:.0f} minutes"), token.token


async def _fetch(scope: str, client_id: str | None, patience: Patience) -> "AccessToken":
    credential = await aside(lambda: default_credential(client_id), patience.token_s)
    try:
        return await credential.get_token(scope)
    finally:
        with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True):
            await credential.close()


@contextmanager
def _overheard() -> Generator[list[str]]:
    """The names of credentials that give tokens: the library tells nobody but its log."""
    names: list[str] = []

    class Ear(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            if said := _ACQUIRED.search(record.getMessage()):
                names.append(said[1])

    log = logging.getLogger("azure.identity")
    ear, level = Ear(logging.INFO), log.level
    log.addHandler(ear)
    log.setLevel(logging.INFO)
    try:
        yield names
    finally:
        log.removeHandler(ear)
        log.setLevel(level)


def _reason(error: Exception) -> str:
    """What each credential said, in a few words each; the whole is a page."""
    text = str(error)
    tried = [f"{name}: {_short(_news(name, said))}" for name, said in _TRIED.findall(text)]
    first = next(iter(text.strip().splitlines()), "") or type(error).__name__
    return f"no token; {' | '.join(tried)}" if tried else f"no token; {_short(first)}"


def _news(name: str, said: str) -> str:
    """Without what they all begin with."""
    rest = said.removeprefix(name).lstrip().removeprefix("authentication unavailable")
    return rest.lstrip(" ,.") or said


def _short(text: str) -> str:
    said = text.strip().split(". ")[0]
    return said if len(said) <= _LONGEST_REASON else f"{said[: _LONGEST_REASON - 1]}…"
