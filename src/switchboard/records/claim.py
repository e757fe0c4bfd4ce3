"""One server to a data directory: two would close each other's calls."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from switchboard.errors import ConfigurationError

LOCK = "switchboard.lock"


@contextmanager
def sole_user(folder: Path) -> Generator[None]:
    """`folder` is this process's for as long as the block lasts, or the process lives.

    Raises `ConfigurationError` where it is another's already. Where the system has no such locks
    (Windows), nothing is checked.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"Another server uses DATA_DIR={folder}. Stop it, or give this one its own."
            ) from None
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_UN)
