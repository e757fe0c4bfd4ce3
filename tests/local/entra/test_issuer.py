"""What tokens say, and which of them are believed."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from switchboard_local.entra.issuer import MACHINE, TENANT, BadToken, Issuer
from switchboard_local.entra.keys import MAX_OLD_KEYS, KeyRing
from tests.local.realtime.doubles import KEYS
from tests.local.tokens import AUDIENCE

ISSUER = Issuer("http://127.0.0.1:8100", KEYS)
OURS = [AUDIENCE]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def forged(**claims: object) -> str:
    """A good token's claims, some of them others, signed with the right key."""
    good = jwt.decode(ISSUER.issue(AUDIENCE).text, options={"verify_signature": False})
    kept = {name: value for name, value in (good | claims).items() if value is not None}
    key = KEYS.signing
    return jwt.encode(kept, key.private, "RS256", headers={"kid": key.kid})


def test_a_token_names_its_tenant_its_application_and_its_audience() -> None:
    issued = ISSUER.issue(AUDIENCE, roles=["operator"])
    claims = ISSUER.read(issued.text, OURS)
    assert claims["iss"] == f"http://127.0.0.1:8100/{TENANT}/v2.0"
    assert (claims["aud"], claims["tid"], claims["ver"]) == (AUDIENCE, TENANT, "2.0")
    assert claims["azp"] == claims["appid"] == MACHINE
    assert claims["sub"] == claims["oid"] != MACHINE
    assert (claims["roles"], claims["idtyp"]) == (["operator"], "app")
    assert "scp" not in claims
    assert claims["exp"] == issued.expires_on == claims["iat"] + 3600


def test_a_persons_token_says_what_they_let_the_application_do() -> None:
    issued = ISSUER.issue("api://switchboard", oid="person-1", scp="access_as_user", ttl_s=60)
    claims = ISSUER.read(issued.text, ["api://switchboard"])
    assert (claims["oid"], claims["scp"]) == ("person-1", "access_as_user")
    assert "idtyp" not in claims


def test_a_token_is_not_shown_by_accident() -> None:
    assert "eyJ" not in repr(ISSUER.issue(AUDIENCE))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": 1}, "expired"),
        ({"nbf": 4_000_000_000}, "not valid yet"),
        ({"aud": "https://vault.azure.net"}, "for another audience"),
        ({"iss": "https://login.microsoftonline.com/x/v2.0"}, "of another issuer"),
        ({"exp": None}, "incomplete"),
        ({"tid": None}, "incomplete"),
        ({"aud": None}, "incomplete"),
        ({"exp": "soon"}, "malformed"),
    ],
)
def test_a_token_with_a_wrong_claim_opens_nothing(claims: dict[str, object], why: str) -> None:
    with pytest.raises(BadToken) as wrong:
        ISSUER.read(forged(**claims), OURS)
    assert str(wrong.value) == why


def test_no_other_key_and_no_other_algorithm_signs_for_us() -> None:
    good = ISSUER.issue(AUDIENCE).text
    claims = jwt.decode(good, options={"verify_signature": False})
    stranger = rsa.generate_private_key(65_537, 2048)
    kid = {"kid": KEYS.signing.kid}
    head, body, signature = good.split(".")
    raised = json.dumps(claims | {"roles": ["operator"]}).encode()
    for wrong in (
        jwt.encode(claims, stranger, "RS256", headers=kid),
        jwt.encode(claims, stranger, "RS256", headers={"kid": "unknown"}),
        jwt.encode(claims, stranger, "RS256"),
        jwt.encode(claims, "x" * 64, "HS256", headers=kid),
        jwt.encode(claims, KEYS.signing.private, "RS512", headers=kid),
        jwt.encode(claims, "", "none", headers=kid),
        f"{head}.{urlsafe_b64encode(raised).rstrip(b'=').decode()}.{signature}",
        f"{head}.{body}.",
    ):
        with pytest.raises(BadToken):
            ISSUER.read(wrong, OURS)
    assert ISSUER.read(good, OURS)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é", "[" * 50_000, "ek_1234", "x" * 60_000])
def test_what_is_no_token_is_malformed(text: str) -> None:
    with pytest.raises(BadToken):
        ISSUER.read(text, OURS)


def test_a_deep_header_is_no_way_to_break_it() -> None:
    deep = urlsafe_b64encode(b'{"kid": ' + b"[" * 30_000).decode()
    with pytest.raises(BadToken, match="malformed"):
        ISSUER.read(f"{deep}.e30.e30", OURS)


def test_an_old_keys_tokens_count_while_it_is_published_and_not_after() -> None:
    clock = Clock()
    keys = KeyRing(keep_s=600, clock=clock)
    issuer = replace(ISSUER, keys=keys)
    first = issuer.issue(AUDIENCE).text
    kid = jwt.get_unverified_header(first)["kid"]

    new = keys.rotate()
    second = issuer.issue(AUDIENCE).text
    assert jwt.get_unverified_header(second)["kid"] == new != kid
    assert [key["kid"] for key in keys.wire()["keys"]] == [new, kid]
    clock.now += 599
    assert issuer.read(first, OURS)
    clock.now += 2
    assert [key["kid"] for key in keys.wire()["keys"]] == [new]
    with pytest.raises(BadToken, match="no key that is published"):
        issuer.read(first, OURS)
    assert issuer.read(second, OURS)


def test_there_are_never_too_many_old_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(65_537, 2048)

    def make(exponent: int, bits: int) -> rsa.RSAPrivateKey:
        return key

    monkeypatch.setattr("switchboard_local.entra.keys.rsa.generate_private_key", make)
    keys = KeyRing()
    for _ in range(2 * MAX_OLD_KEYS):
        keys.rotate()
    assert len(keys.published()) == MAX_OLD_KEYS + 1


def test_no_private_part_is_published() -> None:
    for key in KEYS.wire()["keys"]:
        assert set(key) == {"kty", "use", "kid", "n", "e"}
        assert len(urlsafe_b64decode(key["n"] + "==")) == 256
