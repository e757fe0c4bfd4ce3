"""Hostile inputs, made of good ones: the same for the same seed."""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, cast

MAX_BYTES: Final = 100_000
"""Longer ones are cut: every limit here is below it."""
_DEEP: Final = 5_000

NASTY_TEXT: Final[Sequence[bytes]] = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # half a surrogate pair, as UTF-8 must not have it
    b"\\ud800",
    b"\\u0000",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\x1b[2J",
    b"null",
    b"NaN",
    b"Infinity",
    b"-1",
    b"1e999",
    b"-0.0",
    b"9" * 400,
    b"9" * 5_000,
    b"[" * _DEEP,
    b"[" * _DEEP + b"]" * _DEEP,
    b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    b'"' + b"A" * 70_000 + b'"',
    b"../../etc/passwd",
    b"<img src=x onerror=alert(1)>",
    b"' OR 1=1 --",
    b"{0.__class__}%s%n$(id)`id`",
    b",",
    b'"',
    b"}",
    b"]",
    b".",
    b"=",
    b";q=1, ",
    b"%00%ff",
    "é🙂‮ﬁ\u0663".encode(),
)
NASTY_VALUES: Final[Sequence[object]] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    2**31,
    2**63,
    2**64,
    10**400,
    "",
    "\0",
    "\ud800",
    "a" * 70_000,
    "é🙂‮",
    "../../x",
    "<img src=x onerror=alert(1)>",
    "{0.__class__}",
    *map(json.loads, ("[]", "{}", "[[[[[[]]]]]]")),
    [None] * 300,
    {"": {}},
    {"type": "x"},
    {"kind": "AudioData"},
)


def mutations(
    seeds: Sequence[bytes], count: int, seed: object, most_bytes: int = MAX_BYTES
) -> Iterator[bytes]:
    """`count` inputs made of `seeds`: by their bytes, and of JSON by its values."""
    random = Random(str(seed))
    values = [value for value in map(_json, seeds) if value is not None]
    for _ in range(count):
        if values and random.random() < 0.5:
            yield _respelled(random, _changed(random, random.choice(values)))[:most_bytes]
        else:
            yield _garbled(random, seeds)[:most_bytes]


def _json(seed: bytes) -> object | None:
    try:
        return json.loads(seed)
    except (ValueError, RecursionError):
        return None


def _garbled(random: Random, seeds: Sequence[bytes]) -> bytes:
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        at = random.randint(0, len(data))
        match random.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << random.randrange(8)
            case 1 if data:
                data[at % len(data)] = random.randrange(256)
            case 2:
                del data[at : at + random.choice((1, 2, 8, 64))]
            case 3:
                data[at:at] = random.choice(NASTY_TEXT)
            case 4:
                data[at:at] = data[at : at + random.choice((1, 4, 32))] * random.choice((1, 3))
            case 5:
                other = random.choice(seeds)
                data[at:] = other[random.randint(0, len(other)) :]
            case _:
                del data[at:]
    return bytes(data)


def _changed(random: Random, value: object) -> object:
    """A copy with one value, or one name, in another's place."""
    if random.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return random.choice(NASTY_VALUES)
    if isinstance(value, list):
        each = [*cast("list[Any]", value)]
        at = random.randrange(len(each))
        each[at] = _changed(random, each[at])
        return each if random.random() < 0.9 else each * random.choice((2, 80))
    named = {**cast("dict[str, Any]", value)}
    name = random.choice([*named])
    match random.randrange(8):
        case 0:
            del named[name]
        case 1:
            named[random.choice((name.upper(), name[:1].upper() + name[1:], name + "\0", ""))] = (
                named.pop(name)
            )
        case 2:
            named[str(random.getrandbits(20))] = random.choice(NASTY_VALUES)
        case _:
            named[name] = _changed(random, named[name])
    return named


def _respelled(random: Random, value: object) -> bytes:
    ascii_only = random.random() < 0.5
    text = json.dumps(value, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass" if random.random() < 0.5 else "replace")
