"""A data directory has one server at a time."""

from pathlib import Path

import pytest

from switchboard.errors import ConfigurationError
from switchboard.records.claim import sole_user


def test_a_second_server_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    refused = pytest.raises(ConfigurationError, match="give this one its own")
    with sole_user(folder), refused, sole_user(folder):
        pass


def test_when_the_first_has_ended_the_next_may_begin(tmp_path: Path) -> None:
    for _ in range(2):
        with sole_user(tmp_path):
            pass
