"""Keeps a run in the records, where the console looks for it."""

import secrets
from datetime import datetime

import msgspec

from switchboard.evals.results import Run
from switchboard.records.evalruns import MOST_PAGE_BYTES, EvalRun, EvalRunTable
from switchboard.records.store import Store
from switchboard.settings import Settings


async def stored(settings: Settings, run: Run, page: bytes) -> str:
    """Its id there. A page that sound makes too large is left out.

    Raises `ConfigurationError` where the records cannot be opened, or the run is too large.
    """
    fits = len(page) <= MOST_PAGE_BYTES
    began = datetime.fromisoformat(run.began_at)
    about = EvalRun(
        id=f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
        began_at=began.timestamp(),
        by=run.by,
        seed=run.seed,
        repeat=run.repeat,
        took_s=run.took_s,
        conversations=len(run.results),
        passed=sum(each.passed for each in run.results),
        has_page=fits,
    )
    report = msgspec.json.encode(run).decode()
    async with Store(settings.records_url()).opened() as store:
        await EvalRunTable(store).put(about, report, page if fits else None)
    return about.id
