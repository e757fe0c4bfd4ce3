"""A telephone is known again by an id that does not give its number away."""

import hashlib
from pathlib import Path

import pytest

from switchboard.errors import ConfigurationError
from switchboard.phone.callers import KEY_FILE, caller, caller_key

NUMBER = "4:+447400123456"


def test_the_key_is_made_once_and_is_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    key = caller_key(folder)
    assert caller_key(folder) == key
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert caller_key(tmp_path) != key


def test_the_same_telephone_is_known_again_in_this_house_only(tmp_path: Path) -> None:
    ours, theirs = caller_key(tmp_path / "a"), caller_key(tmp_path / "b")
    assert caller(NUMBER, ours) == caller(NUMBER, ours)
    assert caller(NUMBER, ours).id != caller("4:+447400123457", ours).id
    assert caller(NUMBER, ours).id != caller(NUMBER, theirs).id
    assert caller(NUMBER, ours).id[10:] != hashlib.sha256(NUMBER.encode()).hexdigest()[:16]


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=KEY_FILE):
        caller_key(tmp_path)


def test_a_place_that_cannot_hold_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=KEY_FILE):
        caller_key(tmp_path / "file")
