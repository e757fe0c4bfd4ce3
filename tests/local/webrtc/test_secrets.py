"""Client secrets: what they allow, and for how long."""

import pytest

from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import Session, begun
from switchboard_local.realtime.webrtc.secrets import MAX_SECRETS, SecretBook

SESSION = Session(type="realtime", model="m")


class Clock:
    now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


def test_a_secret_is_good_for_its_session_again_and_again_until_it_expires() -> None:
    clock = Clock()
    book = SecretBook(clock)
    secret, grant = book.mint(SESSION, 60)
    assert grant.expires_at == 1_000_060
    assert book.grant(secret) == book.grant(secret) == grant
    assert grant.session is SESSION
    clock.now += 59.4
    assert book.grant(secret) == grant
    clock.now += 0.2
    assert book.grant(secret) is None


def test_another_secret_is_good_for_nothing() -> None:
    book = SecretBook(Clock())
    secret, _ = book.mint(SESSION, 60)
    other, _ = book.mint(SESSION, 60)
    assert secret != other
    for wrong in ("", "ek_", secret[:-1], secret + "0"):
        assert book.grant(wrong) is None


def test_there_are_never_too_many_and_expired_ones_make_room() -> None:
    clock = Clock()
    book = SecretBook(clock)
    for _ in range(MAX_SECRETS):
        book.mint(SESSION, 60)
    with pytest.raises(Refused, match="At most"):
        book.mint(SESSION, 60)
    clock.now += 61
    book.mint(SESSION, 60)


def test_a_session_begins_as_it_is_configured_with_defaults_for_the_rest() -> None:
    config = {"type": "realtime", "model": "m", "audio": {"output": {"voice": "cedar"}}}
    session = begun(config)
    assert session.audio.output.voice == "cedar"
    assert session.audio.input == SESSION.audio.input


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"type": "realtime"}, "session.model"),
        ({"type": "realtime", "model": ""}, "session.model"),
        ({"type": "realtime", "model": 7}, "session.model"),
        ({"model": "m"}, "session.type"),
        ({"type": "transcription", "model": "m"}, "session.type"),
        ({"type": "realtime", "model": "m", "voice": "alloy"}, "session.voice"),
    ],
)
def test_a_session_of_another_kind_is_refused(config: dict[str, object], param: str) -> None:
    with pytest.raises(Refused) as refused:
        begun(config)
    assert refused.value.param == param
