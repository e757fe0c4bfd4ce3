"""Offers: what is read of them, and what is never believed."""

import pytest

from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.webrtc.offer import checked

OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
a=ice-ufrag:HZs3
a=ice-pwd:HIZwF9z9a+/gmWDGW43+njcd
a=fingerprint:sha-256 CD:9F
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=candidate:1 1 udp 2113937151 6c3a6d9b.local 50000 typ host
a=candidate:2 1 udp 2113937151 203.0.113.7 50000 typ host
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a=sctp-port:5000
"""


def test_nobody_is_sent_anything_for_being_named_in_an_offer() -> None:
    offer = checked(OFFER.encode())
    assert "candidate" not in offer
    assert offer.count("\r\n") == OFFER.count("\n") - 3
    assert checked(OFFER.replace("\n", "\r\n").encode()) == offer


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("v=0", "hello", "v=0"),
        ("m=audio", "m=video", "one audio section"),
        ("m=application", "m=audio", "one audio section"),
        ("m=application", "m=video", "neither audio nor"),
        ("a=ice-pwd", "a=x", "ice-pwd"),
        ("a=fingerprint", "a=x", "fingerprint"),
        ("a=rtcp-mux", "a=x", "rtcp-mux"),
        ("opus/48000", "G722/8000", "Opus"),
        ("a=sendrecv", "a=sendonly", "answered by audio"),
        ("a=sendrecv", "a=inactive", "answered by audio"),
    ],
)
def test_an_offer_that_cannot_be_used_is_refused_with_the_reason(
    old: str, new: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        checked(OFFER.replace(old, new).encode())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"\0" * 1000, b"v=0\nm=\nm=audio\n"])
def test_what_is_no_offer_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        checked(body)
