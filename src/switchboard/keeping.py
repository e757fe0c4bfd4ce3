"""`switchboard erase` and `switchboard export`: what is kept of people, taken out and given out."""

import argparse
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any, NoReturn

import anyio
import phonenumbers

from switchboard.errors import ConfigurationError
from switchboard.phone.callers import KEY_FILE, alias, caller, caller_key
from switchboard.records.erasure import SCHEMA, Erased, Person, erase
from switchboard.records.export import FORMATS
from switchboard.records.history import CallHistory, history
from switchboard.records.recordings import HERE
from switchboard.records.revision import sqlite_file
from switchboard.records.shelf import DIRECTORY, sound_of, unlink
from switchboard.records.spool import waiting
from switchboard.records.store import Store
from switchboard.settings import Settings

SOUND = "wav"
"""A format of its own: what was recorded, not what was written down."""
KEPT = (
    "Calls that are not over: erase again when they are.",
    "That a number does not want to be called: without it, it would be.",
    "How often a number was called within the last 28 hours, without the number.",
    "What a day's budget counts, for two days, under a name that nobody can turn back.",
    "Recordings' sound that the carrier keeps: delete the files that were named.",
    "Recordings' sound on other servers' disks, for a minute: each deletes its own.",
    "What others said of this person on their own calls.",
)
"""What an erasure leaves."""


class _Words(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"{message}. {self.format_usage().strip()}")


def export_command(settings: Settings, words: Sequence[str]) -> int:
    """`switchboard export …`. Raises `ConfigurationError`, in words, for anything amiss."""
    parser = _Words("switchboard export", add_help=False)
    parser.add_argument("call")
    parser.add_argument("--format", choices=(*FORMATS, SOUND), default="json")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(words)
    if asked.format == SOUND and asked.out is None:
        raise ConfigurationError("Sound is no text: say where it is to go, --out call.wav.")
    found = anyio.run(_exported, settings, asked.call, asked.format)
    if found is None:
        raise ConfigurationError("There is no such call in the records")
    if asked.out is None:
        sys.stdout.write(str(found))
        return 0
    try:
        if isinstance(found, Path):
            copyfile(found, asked.out)
        else:
            asked.out.write_text(found, encoding="utf-8")
    except OSError as reason:
        raise ConfigurationError(f"{asked.out} cannot be written: {reason.strerror}.") from reason
    return 0


async def _exported(settings: Settings, call_id: str, form: str) -> str | Path | None:
    """Text, or where the sound lies."""
    found = await kept(settings, call_id)
    if found is None or form != SOUND:
        return None if found is None else FORMATS[form](found)
    sound = None
    if found.recording is not None and found.recording.kept == HERE:
        sound = sound_of(settings.data_dir / DIRECTORY, call_id)
    if sound is None:
        raise ConfigurationError(
            "There is no sound of this call here. It was not recorded, or the carrier keeps it, or "
            "it lies in another server's DATA_DIR."
        )
    return sound


async def kept(settings: Settings, call_id: str) -> CallHistory | None:
    """What the records have of a call. Raises `ConfigurationError` where there are none."""
    async with _store(settings).opened() as store:
        return await history(store, call_id)


def erase_command(settings: Settings, words: Sequence[str]) -> int:
    """`switchboard erase …`: prints the receipt; 1 where calls of that person are not over.

    Raises `ConfigurationError`, in words, for anything amiss.
    """
    parser = _Words("switchboard erase", add_help=False)
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--number")
    either.add_argument("--principal")
    asked = parser.parse_args(words)
    if waiting(settings.data_dir):
        raise ConfigurationError(
            f"Rows wait in DATA_DIR={settings.data_dir} to be written into the database, and may "
            "be about this person. Start the server there, wait until it has written them, and "
            "erase then."
        )
    store = _store(settings)
    number = _e164(asked.number) if asked.number else None
    if number and not (settings.data_dir / KEY_FILE).exists():
        raise ConfigurationError(
            f"DATA_DIR={settings.data_dir} has no {KEY_FILE}, by which a telephone's calls are "
            "found. Use the server's own DATA_DIR."
        )
    key = caller_key(settings.data_dir)
    who = caller(f"4:{number}", key).id if number else asked.principal
    person = Person(who, number)
    receipt = anyio.run(erase_person, store, person, key)
    unlink(settings.data_dir / DIRECTORY, receipt.erased.calls)
    sys.stdout.write(f"{receipt.text}\n")
    for place in receipt.erased.sound:
        sys.stderr.write(f"Delete this recording: {place}\n")
    return 1 if receipt.erased.live else 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """That somebody was erased."""

    erased: Erased
    text: str
    """JSON, without anything that says who it was to whoever does not know."""


async def erase_person(store: Store, person: Person, key: bytes) -> Receipt:
    """Erase somebody from a store that is not open yet, and say so. `key` is the house's."""
    now = time.time()
    async with store.opened():
        erased = await erase(store, person, now, partial(alias, key=key))
    return Receipt(erased, json.dumps(receipt_of(person, erased, key, now), indent=2))


def receipt_of(person: Person, erased: Erased, key: bytes, now: float) -> dict[str, Any]:
    """What may be kept for good: when, how many rows of what, and a keyed digest of the request."""
    request = f"erase\n{person.principal_id}\n{person.number or ''}"
    return {
        "schema": SCHEMA,
        "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "request": hmac.new(key, request.encode(), hashlib.sha256).hexdigest(),
        "rows": dict(sorted(erased.rows.items())),
        "left": {
            "calls_not_over": erased.live,
            "do_not_call": erased.do_not_call,
            "recordings_to_delete": len(erased.sound),
        },
        "kept": KEPT,
    }


def _e164(text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise ConfigurationError(
            "That is no telephone number. Write it with its country: +442079460018."
        ) from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _store(settings: Settings) -> Store:
    url = settings.records_url()
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise ConfigurationError(f"There are no records: {file} does not exist.")
    return Store(url)
