"""Whether the key that a service must be shown can be read from its vault."""

from typing import Final

from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.model.vault import SETTING, SecretAddress, SecretUnread, read_secret

KEY: Final = "Voice Live key"


async def key(secret: SecretAddress, token: str | None) -> tuple[Finding, str | None]:
    """The key, for the other checks: it is never in a finding."""
    if token is None:
        return skipped(KEY, "a token for the Key Vault comes first"), None
    try:
        value = await read_secret(secret, token)
    except SecretUnread as refusal:
        return failed(KEY, str(refusal)), None
    advice = f"a key opens the whole resource: prefer Entra tokens, and unset {SETTING}"
    return ok(KEY, "can be read from the Key Vault", advice), value
