"""The telephone's carrier: whether there is a way to it, and whether it lets our identity in."""

from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx

from switchboard.access.identity import is_loopback
from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.identity import Audience, identity
from switchboard.doctor.patience import Patience
from switchboard.settings import Settings
from switchboard.telephone import trust

CARRIER: Final = "telephone"
ROLE: Final = "telephone role"
SCOPE: Final = "https://communication.azure.com/.default"
API_VERSION: Final = "2026-03-12"
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""A call that cannot be: who may ask for it hears that it is not there."""
_OWNER: Final = "Communication and Email Service Owner (09976791-48a7-449e-bb21-39d1a415f350)"


async def carrier(settings: Settings, patience: Patience) -> AsyncGenerator[Finding]:
    """With `ACS_ENDPOINT`: a token, and one question that changes nothing. Places no call."""
    if settings.acs_endpoint is None:
        return
    endpoint = settings.acs_endpoint.rstrip("/")
    if urlsplit(endpoint).scheme != "https":
        detail = f"{endpoint} is not https, and no token is shown in the open"
        yield failed(
            CARRIER, detail, "set ACS_ENDPOINT to https://<resource>.communication.azure.com"
        )
        return
    finding, token = await identity(
        Audience(SCOPE, "ACS_ENDPOINT"), settings.azure_client_id, patience
    )
    yield finding
    if token is None:
        yield skipped(ROLE, "a token comes first")
        return
    yield await _ask(endpoint, token, settings.acs_ca_file, patience)


async def _ask(endpoint: str, token: str, ca_file: str | None, patience: Patience) -> Finding:
    """For the call that cannot be: 404 means that we may ask."""
    address = f"{endpoint}/calling/callConnections/{NOBODY}"
    elsewhere = not is_loopback(urlsplit(endpoint).hostname or "")
    try:
        async with httpx.AsyncClient(verify=trust(ca_file), trust_env=elsewhere) as http:
            with anyio.fail_after(patience.answer_s):
                answer = await http.get(
                    address,
                    params={"api-version": API_VERSION},
                    headers={"Authorization": f"Bearer {token}"},
                )
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        advice = "check ACS_ENDPOINT, ACS_CA_FILE, and the firewall on the way out"
        return failed(ROLE, f"{endpoint} gives no answer ({type(error).__name__})", advice)
    match answer.status_code:
        case 404:
            return ok(ROLE, "the carrier knows this identity, and answers it")
        case 401 | 403 as status:
            return failed(
                ROLE,
                f"the carrier refuses this identity with {status}",
                f"give it {_OWNER} on the ACS resource itself, wait ten minutes, and read "
                "docs/troubleshooting.md where that does not do",
            )
        case status:
            return failed(
                ROLE,
                f"the carrier answers {status}, which says nothing of the role",
                "ask again later; check that ACS_ENDPOINT names an ACS resource",
            )
