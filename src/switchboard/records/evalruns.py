"""Evaluations that were held: each run's report, for the console to show.

No caller's call is in them, unless somebody made a scenario of one. The newest are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from switchboard.errors import ConfigurationError
from switchboard.records.schema import EvalRunRow
from switchboard.records.store import Store

MOST_RUNS: Final = 200
"""Older ones are deleted when a new one is kept."""
MOST_REPORT_BYTES: Final = 8 * 1024 * 1024
MOST_PAGE_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EvalRun:
    """What is known of a run without reading its report."""

    id: str
    began_at: float
    """Epoch seconds."""
    by: str
    """The channel: `text`, `voice`, `socket`, `phone`."""
    seed: int
    repeat: int
    took_s: float
    conversations: int
    passed: int
    has_page: bool


class EvalRunTable:
    """Each method is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, run: EvalRun, report: str, page: bytes | None) -> None:
        """Keep a run. Raises `ConfigurationError` for one that is too large."""
        for what, size, most in (
            ("report", len(report.encode()), MOST_REPORT_BYTES),
            ("page", len(page or b""), MOST_PAGE_BYTES),
        ):
            if size > most:
                raise ConfigurationError(
                    f"The run's {what} is larger than {most // 1024**2} MiB and is not stored: "
                    "run fewer scenarios at a time."
                )
        kept = select(EvalRunRow.id).order_by(EvalRunRow.began_at.desc(), EvalRunRow.id)
        async with self._store.writing() as connection:
            await connection.execute(
                insert(EvalRunRow).values(
                    id=run.id,
                    began_at=run.began_at,
                    by=run.by,
                    seed=run.seed,
                    repeat=run.repeat,
                    took_s=run.took_s,
                    conversations=run.conversations,
                    passed=run.passed,
                    report=report,
                    page=page,
                )
            )
            newest = kept.limit(MOST_RUNS).scalar_subquery()
            await connection.execute(delete(EvalRunRow).where(EvalRunRow.id.not_in(newest)))

    async def newest(self) -> Sequence[EvalRun]:
        """Those that are kept, the newest first."""
        order = (EvalRunRow.began_at.desc(), EvalRunRow.id)
        async with self._store.reading() as connection:
            rows = await connection.execute(_FACTS.order_by(*order).limit(MOST_RUNS))
            return [EvalRun(*row) for row in rows]

    async def find(self, run_id: str) -> tuple[EvalRun, str] | None:
        """A run, and its report as JSON."""
        wanted = _FACTS.add_columns(EvalRunRow.report).where(EvalRunRow.id == run_id)
        async with self._store.reading() as connection:
            row = (await connection.execute(wanted)).first()
        return None if row is None else (EvalRun(*row[:-1]), row[-1])

    async def page(self, run_id: str) -> bytes | None:
        """Its page as HTML, if it was kept."""
        wanted = select(EvalRunRow.page).where(EvalRunRow.id == run_id)
        async with self._store.reading() as connection:
            found: bytes | None = (await connection.execute(wanted)).scalar()
            return found


_FACTS = select(
    EvalRunRow.id,
    EvalRunRow.began_at,
    EvalRunRow.by,
    EvalRunRow.seed,
    EvalRunRow.repeat,
    EvalRunRow.took_s,
    EvalRunRow.conversations,
    EvalRunRow.passed,
    EvalRunRow.page.is_not(None),
)
