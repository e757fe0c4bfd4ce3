"""What a telephone is called in the records: known again, without its number."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from switchboard.access.principal import Kind, Principal, Role
from switchboard.errors import ConfigurationError
from switchboard.records.persons import NAMELESS

KEY_FILE: Final = "telephone.key"
KEY_BYTES: Final = 32


def caller(raw_id: str, key: bytes) -> Principal:
    """The caller at this telephone. Its number cannot be found by trying all, but with the key."""
    digest = hmac.new(key, raw_id.encode(), hashlib.sha256).hexdigest()[:16]
    return known_caller(f"telephone:{digest}")


def known_caller(principal_id: str) -> Principal:
    """The same, by the id made before."""
    return Principal(principal_id, "Caller", frozenset({Role.CALLER}), Kind.TELEPHONE)


def alias(name: str, key: bytes) -> str:
    """What stands for a number, or for somebody's id, in what quotas count, once they are erased:
    nobody's id, and no way back."""
    return (
        f"{NAMELESS}{hmac.new(key, f'{NAMELESS}{name}'.encode(), hashlib.sha256).hexdigest()[:32]}"
    )


def caller_key(data_dir: Path) -> bytes:
    """The key of this house, made when it is first asked for. Raises `ConfigurationError`."""
    path = data_dir / KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            new = path.with_suffix(".new")  # whole or not at all
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
            new.rename(path)
        key = path.read_bytes()
    except OSError as reason:
        raise ConfigurationError(f"{path} cannot be made or read: {reason}.") from reason
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{path} is no key of {KEY_BYTES} bytes. Delete it for a new one.")
    return key
