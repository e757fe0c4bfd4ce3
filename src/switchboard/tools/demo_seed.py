"""What the demo database holds at first. No random numbers: every caller finds the same."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

VERSION: Final = 1

SCHEMA: Final = """
CREATE TABLE anchor (day TEXT NOT NULL);
CREATE TABLE person (
    id TEXT PRIMARY KEY, industry TEXT NOT NULL, name TEXT NOT NULL, principal TEXT NOT NULL,
    UNIQUE (industry, principal));

CREATE TABLE plan (
    name TEXT PRIMARY KEY, cents INTEGER NOT NULL, data_gb INTEGER, minutes INTEGER);
CREATE TABLE line (
    number TEXT PRIMARY KEY, person TEXT NOT NULL, plan TEXT NOT NULL REFERENCES plan,
    next_plan TEXT, ends_on TEXT, roaming INTEGER NOT NULL, area TEXT NOT NULL,
    used_mb INTEGER NOT NULL, used_minutes INTEGER NOT NULL);
CREATE TABLE bill (
    id INTEGER PRIMARY KEY, person TEXT NOT NULL, cents INTEGER NOT NULL, due_on TEXT NOT NULL,
    paid_on TEXT, seeded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE bill_item (bill INTEGER NOT NULL, text TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE outage (
    area TEXT NOT NULL, service TEXT NOT NULL, cause TEXT NOT NULL, since_on TEXT NOT NULL,
    fixed_by TEXT NOT NULL, seeded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE visit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, day TEXT NOT NULL,
    part TEXT NOT NULL);

CREATE TABLE fine (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, offence TEXT NOT NULL, place TEXT NOT NULL,
    issued_on TEXT NOT NULL, due_on TEXT NOT NULL, cents INTEGER NOT NULL, paid_on TEXT,
    seeded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE application (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    next_step TEXT NOT NULL, submitted_on TEXT NOT NULL, decision_by TEXT NOT NULL,
    seeded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE appointment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, service TEXT NOT NULL,
    day TEXT NOT NULL, time TEXT NOT NULL, cancelled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE collection (
    kind TEXT PRIMARY KEY, weekday INTEGER NOT NULL, every_weeks INTEGER NOT NULL);
CREATE TABLE report (
    id INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, kind TEXT NOT NULL,
    place TEXT NOT NULL, reported_on TEXT NOT NULL);

CREATE TABLE account (
    id INTEGER PRIMARY KEY, person TEXT NOT NULL, kind TEXT NOT NULL, cents INTEGER NOT NULL,
    UNIQUE (person, kind));
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, day TEXT NOT NULL,
    text TEXT NOT NULL, cents INTEGER NOT NULL, seeded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE card (
    last_four TEXT NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    limit_cents INTEGER NOT NULL, replacement_on TEXT, PRIMARY KEY (person, last_four));
CREATE TABLE payee (person TEXT NOT NULL, name TEXT NOT NULL, iban TEXT NOT NULL);

INSERT INTO sqlite_sequence (name, seq) VALUES
    ('visit', 5200), ('appointment', 3100), ('report', 7400)
"""

SEEDED_DATES: Final = (
    ("bill", "due_on"),
    ("outage", "since_on"),
    ("outage", "fixed_by"),
    ("fine", "issued_on"),
    ("fine", "due_on"),
    ("application", "submitted_on"),
    ("application", "decision_by"),
    ("entry", "day"),
)
"""Dates that keep their distance from today."""

type Table = Sequence[Mapping[str, Any]]


def seed_rows(today: date) -> Mapping[str, Table]:
    """Every table's first rows, in the order they must go in."""

    def day(offset: int) -> str:
        return (today + timedelta(days=offset)).isoformat()

    return {**_people(), **_telecom(day), **_government(day), **_banking(day)}


def _people() -> Mapping[str, Table]:
    names = (("telecom", "Robin Hale"), ("government", "Dana Whitlock"), ("banking", "Jo Marlow"))
    demo = [
        {"id": f"{industry}-1", "industry": industry, "name": name, "principal": "demo"}
        for industry, name in names
    ]
    # A second customer of each kind, so that one caller's things are seen not to be another's.
    other = [
        {"id": f"{industry}-2", "industry": industry, "name": "Sam Okoro", "principal": "demo-2"}
        for industry, _ in names
    ]
    return {"person": demo + other}


type Day = Callable[[int], str]


def _telecom(day: Day) -> Mapping[str, Table]:
    return {
        "plan": [
            {"name": "basic", "cents": 1_500, "data_gb": 5, "minutes": 200},
            {"name": "plus", "cents": 2_500, "data_gb": 20, "minutes": 1_000},
            {"name": "unlimited", "cents": 4_000, "data_gb": None, "minutes": None},
        ],
        "line": [
            _line("5550142", "telecom-1", "plus", "Riverside", used_mb=13_600),
            _line("5550187", "telecom-2", "basic", "Old Town", used_mb=900),
        ],
        "bill": [
            _bill(1, "telecom-1", 4_210, day(9)),
            _bill(2, "telecom-2", 1_500, day(12)),
        ],
        "bill_item": [
            {"bill": 1, "text": "Plus plan", "cents": 2_500},
            {"bill": 1, "text": "calls abroad", "cents": 1_210},
            {"bill": 1, "text": "extra data", "cents": 500},
            {"bill": 2, "text": "Basic plan", "cents": 1_500},
        ],
        "outage": [
            {
                "area": "Riverside",
                "service": "home internet",
                "cause": "a damaged fibre cable",
                "since_on": day(-1),
                "fixed_by": day(1),
                "seeded": 1,
            }
        ],
    }


def _line(number: str, person: str, plan: str, area: str, used_mb: int) -> Mapping[str, Any]:
    usage = {"used_mb": used_mb, "used_minutes": 312}
    return {
        "number": number,
        "person": person,
        "plan": plan,
        "roaming": 0,
        "area": area,
        **usage,
    }


def _bill(number: int, person: str, cents: int, due_on: str) -> Mapping[str, Any]:
    return {"id": number, "person": person, "cents": cents, "due_on": due_on, "seeded": 1}


def _government(day: Day) -> Mapping[str, Table]:
    fine = {"person": "government-1", "seeded": 1}
    mine = {"person": "government-1", "seeded": 1}
    return {
        "fine": [
            {
                **fine,
                "id": "2041",
                "offence": "parking without a ticket",
                "place": "Harbour Street",
                "issued_on": day(-9),
                "due_on": day(12),
                "cents": 4_500,
            },
            {
                **fine,
                "id": "2077",
                "offence": "speeding, eleven over the limit",
                "place": "Mill Road",
                "issued_on": day(-4),
                "due_on": day(24),
                "cents": 8_000,
            },
        ],
        "application": [
            {
                **mine,
                "id": "6150",
                "kind": "building permit",
                "state": "being reviewed",
                "next_step": "nothing is needed from you",
                "submitted_on": day(-20),
                "decision_by": day(15),
            },
            {
                **mine,
                "id": "6188",
                "kind": "parking permit",
                "state": "waiting for you",
                "next_step": "please send a proof of address",
                "submitted_on": day(-6),
                "decision_by": day(8),
            },
        ],
        "collection": [
            {"kind": "general", "weekday": 1, "every_weeks": 1},
            {"kind": "organic", "weekday": 4, "every_weeks": 1},
            {"kind": "paper", "weekday": 3, "every_weeks": 2},
            {"kind": "glass", "weekday": 0, "every_weeks": 4},
        ],
    }


def _banking(day: Day) -> Mapping[str, Table]:
    bought = (
        (-1, "Corner Market", -2_385),
        (-2, "City Transport", -290),
        (-3, "Bluebird Books", -1_899),
        (-5, "Salary, Halden Works", 284_000),
        (-6, "Rent", -98_000),
        (-8, "Power and Light", -7_640),
        (-10, "Corner Market", -4_112),
    )
    entries = [
        {"account": 1, "day": day(when), "text": text, "cents": cents, "seeded": 1}
        for when, text, cents in reversed(bought)  # the newest has the highest id
    ]
    saved = {"account": 2, "day": day(-5), "text": "Monthly saving", "cents": 30_000, "seeded": 1}
    return {
        "account": [
            {"id": 1, "person": "banking-1", "kind": "current", "cents": 120_450},
            {"id": 2, "person": "banking-1", "kind": "savings", "cents": 865_000},
            {"id": 3, "person": "banking-2", "kind": "current", "cents": 31_000},
        ],
        "entry": [*entries, saved],
        "card": [
            _card("4417", "banking-1", "debit", 100_000),
            _card("9082", "banking-1", "credit", 250_000),
            _card("3306", "banking-2", "debit", 50_000),
        ],
        "payee": [
            {"person": "banking-1", "name": "Alex Moreno", "iban": "XX02 0001 7734"},
            {"person": "banking-1", "name": "Priya Shah", "iban": "XX71 0040 2218"},
            {"person": "banking-1", "name": "Halden Tennis Club", "iban": "XX15 0009 6120"},
        ],
    }


def _card(last_four: str, person: str, kind: str, limit_cents: int) -> Mapping[str, Any]:
    return {
        "last_four": last_four,
        "person": person,
        "kind": kind,
        "state": "active",
        "limit_cents": limit_cents,
    }
