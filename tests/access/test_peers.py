"""Where another server of ours may be spoken to."""

import pytest

from switchboard.access.peers import is_fit, private_address


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example.com",
        "https://a.example.com:8443/",
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://10.0.3.7:8000",
        "http://192.168.1.4",
        "http://[fd00::1]:8000",
    ],
)
def test_by_https_or_at_a_private_address(url: str) -> None:
    assert is_fit(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example.com",
        "http://a:8000",
        "http://8.8.8.8:8000",
        "http://0.0.0.0:8000",
        "http://169.254.169.254",
        "http://10.0.3.7:8000/path",
        "http://10.0.3.7:8000?query",
        "http://user@10.0.3.7:8000",
        "http://10.0.3.7:port",
        "ftp://10.0.3.7",
        "https://",
        "//10.0.3.7",
        "10.0.3.7:8000",
        "http://[10.0.3.7",
        "",
    ],
)
def test_and_nowhere_else(url: str) -> None:
    assert not is_fit(url)


def test_this_machines_own_address_is_fit_where_it_has_one() -> None:
    own = private_address()
    assert own is None or is_fit(f"http://{own}:8000")
