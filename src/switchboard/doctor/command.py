"""`switchboard doctor [--json]`."""

import logging
from collections.abc import Callable, Sequence

import anyio

from switchboard.doctor.findings import Finding, Outcome, as_json, status_of
from switchboard.doctor.rounds import rounds


def doctor_command(arguments: Sequence[str], say: Callable[[str], None]) -> int | None:
    """Make the rounds and `say` each line; the exit status, or `None` for words it knows not."""
    if list(arguments) not in ([], ["--json"]):
        return None
    # Findings say it all: what the rooms and libraries log on the way stays unsaid.
    logging.getLogger().addHandler(logging.NullHandler())
    in_json = bool(arguments)
    findings = anyio.run(_examine, None if in_json else say)
    say(as_json(findings) if in_json else _sum(findings))
    return status_of(findings)


async def _examine(say: Callable[[str], None] | None) -> Sequence[Finding]:
    findings: list[Finding] = []
    async for finding in rounds():
        findings.append(finding)
        if say is not None:
            say(finding.line())
    return findings


def _sum(findings: Sequence[Finding]) -> str:
    counted = (
        f"{sum(each.outcome is outcome for each in findings)} {outcome}" for outcome in Outcome
    )
    return ", ".join(counted)
