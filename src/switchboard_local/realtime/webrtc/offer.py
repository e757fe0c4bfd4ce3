"""What a caller offers in SDP, checked before any of it is believed."""

from typing import Final

from switchboard_local.realtime.refusals import Refused

MAX_OFFER_BYTES: Final = 64 * 1024
_NEEDED: Final = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=rtcp-mux", "a=mid:")
_DROPPED: Final = ("a=candidate:", "a=end-of-candidates")


def checked(body: bytes) -> str:
    """The offer, without its candidates. Raises `Refused`.

    A caller on this machine needs none: its own checks say where it is. Those it lists would only
    have us send to addresses of its choosing, or look `.local` names up for a second each.
    """
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError:
        raise _bad("it is not text") from None
    lines = [line.rstrip("\r") for line in lines]
    if lines[0] != "v=0":
        raise _bad("it does not begin with v=0")
    _check_media([line.split(" ")[0] for line in lines if line.startswith("m=")])
    for needed in _NEEDED:
        if not any(line.startswith(needed) for line in lines):
            raise _bad(f"it has no {needed.removeprefix('a=').rstrip(':')}")
    if {"a=sendonly", "a=inactive"} & set(lines):
        raise _bad("its audio cannot be answered by audio")
    if not any(line.startswith("a=rtpmap:") and " opus/48000" in line.lower() for line in lines):
        raise _bad("it does not offer Opus")
    return "\r\n".join(line for line in lines if not line.startswith(_DROPPED))


def _check_media(kinds: list[str]) -> None:
    if kinds.count("m=audio") != 1 or kinds.count("m=application") > 1:
        raise _bad("it must have one audio section, and at most one for a data channel")
    if len(kinds) > kinds.count("m=audio") + kinds.count("m=application"):
        raise _bad("it has sections that are neither audio nor a data channel")


def _bad(why: str) -> Refused:
    return Refused("invalid_offer", f"The SDP offer cannot be used: {why}.")
