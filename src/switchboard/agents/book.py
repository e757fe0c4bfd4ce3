"""The agent book: always the last edition that made sense."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, Protocol

import anyio
import anyio.to_thread

from switchboard.agents.roster import Roster, read_draft
from switchboard.errors import ConfigurationError

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S: Final = 1.0

type Stamp = tuple[int, int] | None
"""A file's time of change (ns) and size (bytes), or `None` while it is not there."""


class ToolShelf(Protocol):
    """All that the agents must know of the tools: what there is."""

    @property
    def names(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class Edition[T: ToolShelf]:
    """Agents and tools that belong together. A call keeps the one it began with."""

    roster: Roster
    tools: T


class AgentBook[T: ToolShelf]:
    """Reads `path`, its prompts and tools; watches them; never serves what makes no sense.

    `load_tools` makes the tools from their sources and the folder these are relative to. The
    first reading must succeed: raises `ConfigurationError` with file, line and reason.
    """

    def __init__(self, path: Path, load_tools: Callable[[Sequence[str], Path], T]) -> None:
        self._path = path
        self._load_tools = load_tools
        self._files: set[Path] = {path}
        self._stamps: Mapping[Path, Stamp] = {}
        self._problem: str | None = None
        self._edition = self._read()

    @property
    def edition(self) -> Edition[T]:
        """The last good one. Take it once for each call."""
        return self._edition

    @property
    def problem(self) -> str | None:
        """Why the newest edit is not being served: file, line, reason. `None` when it is."""
        return self._problem

    def look(self) -> bool:
        """Read again if a file has changed; whether there is a new edition. Never raises."""
        if self._stamps == _stamps(self._files):
            return False
        try:
            self._edition = self._read()
        except ConfigurationError as refusal:
            self._refuse(str(refusal))
            return False
        except OSError as error:
            self._refuse(f"{error.filename}: {error.strerror}")
            return False
        self._problem = None
        logger.info("agents reread", extra={"agents": list(self._edition.roster.agents)})
        return True

    async def watch(self, interval_s: float = WATCH_INTERVAL_S) -> NoReturn:
        """Look for edits until cancelled. A valid one is live for the next call."""
        while True:
            await anyio.sleep(interval_s)
            # Left to itself when cancelled: a tool file may hang as it is read.
            await anyio.to_thread.run_sync(self.look, abandon_on_cancel=True)

    def _refuse(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("edit refused, the last good one serves on", extra={"problem": problem})
        self._problem = problem

    def _read(self) -> Edition[T]:
        # Stamped before it is read: an edit in between is then seen the next time.
        self._stamps = _stamps(self._files)
        draft = read_draft(self._path)
        self._files = draft.files()
        self._stamps = {**_stamps(self._files), self._path: self._stamps[self._path]}
        draft.check_sources()
        tools = self._load_tools(draft.tool_sources, draft.folder)
        return Edition(draft.roster(tools.names), tools)


def _stamps(files: Collection[Path]) -> dict[Path, Stamp]:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
