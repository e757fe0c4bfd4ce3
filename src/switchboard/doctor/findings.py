"""What the doctor finds, and how it is said."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LONGEST_CHARS: Final = 800
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202f-\U0010ffff]+")
"""Line ends and terminal controls among them: what other machines say is not trusted."""


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "not ok"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what to do."""

    check: str
    outcome: Outcome
    detail: str
    advice: str = ""
    """How to mend it; or, where it is ok, what is still worth knowing."""

    def line(self) -> str:
        """For people."""
        advice = f" → {self.advice}" if self.advice else ""
        return f"{self.outcome:<8} {self.check}: {self.detail}{advice}"


def ok(check: str, detail: str, advice: str = "") -> Finding:
    return Finding(check, Outcome.OK, one_line(detail), one_line(advice))


def failed(check: str, detail: str, advice: str = "") -> Finding:
    return Finding(check, Outcome.FAILED, one_line(detail), one_line(advice))


def skipped(check: str, detail: str, advice: str = "") -> Finding:
    return Finding(check, Outcome.SKIPPED, one_line(detail), one_line(advice))


def one_line(text: str) -> str:
    """Any text as one short, printable line."""
    text = "; ".join(part.strip() for part in text.strip().splitlines() if part.strip())
    text = _UNPRINTABLE.sub(" ", text)
    return text if len(text) <= _LONGEST_CHARS else f"{text[: _LONGEST_CHARS - 1]}…"


def as_json(findings: Sequence[Finding]) -> str:
    """For programs: a list of `{check, outcome, detail, advice}`."""
    told = [
        {
            "check": finding.check,
            "outcome": finding.outcome.value,
            "detail": finding.detail,
            "advice": finding.advice,
        }
        for finding in findings
    ]
    return json.dumps(told, indent=2, ensure_ascii=False)


def status_of(findings: Sequence[Finding]) -> int:
    """The exit status: 1 when something failed."""
    return int(any(finding.outcome is Outcome.FAILED for finding in findings))
