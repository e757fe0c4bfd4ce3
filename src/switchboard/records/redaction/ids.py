"""Numbers by which states know people: those that prove themselves, and those that are announced.

A number proves itself by its form and its check digits, well enough that few other numbers of its
length do. One that does not (any nine digits may be somebody's in the United States) counts where
its form is unmistakable or the words before it say what it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.ie import pps
from stdnum.in_ import pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.lt import asmens
from stdnum.mx import curp
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.za import idnr as za_id

from switchboard.records.redaction.numbers import OTHER_CUE
from switchboard.records.redaction.runs import Run

type Valid = Callable[[str], bool]

MIN_ANNOUNCED: Final = 6
MAX_ANNOUNCED: Final = 18
_CUES: Final = (
    r"\b(?:social security|social insurance|ssn|ss number|national insurance|ni number|nino"
    r"|nhs(?: number)?|national id(?:entity|entification)?|identity (?:card|number)|id card"
    r"|id number|passport|tax(?:payer)? (?:id|identification|file|number)|tfn|itin|bsn|aadhaa?r"
    r"|personal (?:id|identity|identification|number|code)|driv(?:ing|er'?s?) licen[cs]e"
    r"|medicare|pesel|cpf|curp|dni|nie|personnummer|social(?! media))\b"
)
CUE: Final = re.compile(rf"{_CUES}[^\d.?!\0]{{0,30}}\Z", re.IGNORECASE)
_CODE: Final = re.compile(
    rf"(?i:{_CUES})[^\d.?!\0]{{0,30}}?(?<!\w)(?P<code>(?=[A-Z-]{{0,9}}\d)[A-Z0-9-]{{6,20}})(?!\w)"
)
_DIGIT: Final = re.compile(r"\d")
_LETTERS_BEFORE: Final = re.compile(r"(?<![A-Za-z])[A-Z]{1,5}[\s-]?\Z")
_LETTER_AFTER: Final = re.compile(r"[\s-]?[A-Z](?![A-Za-z'\u2019])")


def _no_check(_: str) -> bool:
    return True


_BY_LENGTH: Final[dict[int, tuple[Valid, ...]]] = {
    10: (egn.is_valid,),
    11: tuple(
        number.is_valid for number in (nn, fodselsnummer, pesel, cpf, tckimlik, ik, asmens, idnr)
    ),
    13: (za_id.is_valid, cnp.is_valid, ahv.is_valid),
    15: (nir.is_valid,),
    18: (ric.is_valid,),
}
_BY_FORM: Final[dict[tuple[int, ...], tuple[Valid, ...]]] = {
    (3, 2, 4): (_no_check,),  # as the United States write theirs, and nobody anything else
    (6, 4): (personnummer.is_valid, cpr.is_valid),
    (8, 4): (personnummer.is_valid,),
    (6, 3): (rc.is_valid,),
    (6, 7): (rrn.is_valid,),
}


_WITH_LETTERS: Final[tuple[tuple[re.Pattern[str], Valid], ...]] = tuple(
    (re.compile(rf"(?<!\w){form}(?!\w)", re.IGNORECASE | re.ASCII), valid)
    for form, valid in (
        # National insurance: https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual
        # (NIM39110); there is no check digit.
        (
            r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
            r"[\s-]?\d{2}[\s-]?\d{2}[\s-]?\d{2}[\s-]?[A-D]",
            _no_check,
        ),
        (r"\d{8}[\s-]?[A-Z]", dni.is_valid),
        (r"[XYZ][\s-]?\d{7}[\s-]?[A-Z]", nie.is_valid),
        (r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", codicefiscale.is_valid),
        (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", hetu.is_valid),
        (r"\d{7}[A-W][ABWTX]?", pps.is_valid),
        (r"[A-Z]{5}\d{4}[A-Z]", pan.is_valid),
        (r"[A-Z]{4}\d{6}[A-Z]{6}[0-9A-Z]\d", curp.is_valid),
        (r"\d{17}X", ric.is_valid),
        (r"\d{1,2}\.?\d{3}\.?\d{3}-[0-9K]", rut.is_valid),
    )
)


def with_letters(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers stand that have letters, or a form that only they have."""
    if _DIGIT.search(text) is None:
        return
    for form, valid in _WITH_LETTERS:
        for match in form.finditer(text):
            if valid(match.group().upper()):
                yield match.span()
    for match in _CODE.finditer(text):
        yield match.span("code")


def announced(run: Run, text: str, before: str) -> tuple[int, int] | None:
    """Where the number stands that the words before it announce, with its letters."""
    if not MIN_ANNOUNCED <= len(run.digits) <= MAX_ANNOUNCED:
        return None
    letters = _LETTERS_BEFORE.search(text, max(0, run.start - 7), run.start)
    start = letters.start() if letters else run.start
    lead = before[: len(before) - (run.start - start)] if letters else before
    if not CUE.search(lead):
        return None
    after = _LETTER_AFTER.match(text, run.end)
    return start, after.end() if after else run.end


def proven(run: Run, before: str) -> Sequence[tuple[int, int]]:
    """Stretches of digits (first, last) that prove themselves."""
    checks = _BY_FORM.get(run.sizes, ())
    if not OTHER_CUE.search(before):
        checks += _BY_LENGTH.get(len(run.digits), ())
    valid = not run.plus and any(check(run.digits) for check in checks)
    return [(0, len(run.digits) - 1)] if valid else []
