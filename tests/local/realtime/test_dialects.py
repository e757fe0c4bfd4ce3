"""The GA dialect at the wire: nothing to translate, and no rate but its own."""

from typing import Any

import pytest

from switchboard_local.realtime.dialects import Ga
from switchboard_local.realtime.refusals import Refused


def formatted(kind: str, *way: str, rate: object) -> dict[str, Any]:
    """An event that names a format of this rate under `way`."""
    inner: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": rate}}
    for step in reversed(way):
        inner = {step: inner}
    return {"type": kind, **inner}


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("session.update", ("session", "audio", "input")),
        ("session.update", ("session", "audio", "output")),
        ("response.create", ("response", "audio", "output")),
    ],
)
def test_ga_has_one_rate_of_pcm(kind: str, way: tuple[str, ...]) -> None:
    right = formatted(kind, *way, rate=24_000)
    assert Ga().inward(right) is right
    for rate in (8_000, 16_000, "fast", None):
        with pytest.raises(Refused) as refusal:
            Ga().inward(formatted(kind, *way, rate=rate))
        assert refusal.value.param == f"{'.'.join(way)}.format.rate"


@pytest.mark.parametrize("session", [None, 7, [], {"audio": []}, {"audio": {"input": "loud"}}])
def test_what_is_malformed_is_left_to_the_session_to_refuse(session: object) -> None:
    event = {"type": "session.update", "session": session}
    assert Ga().inward(event) is event
    assert Ga().outward(event) == (event,)
