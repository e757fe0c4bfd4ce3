"""Who is let in, what is refused, and what happens once however often it is asked."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# (the SDK leaves its keyword arguments untyped)

import base64
import json
import time
from dataclasses import replace

import httpx
import jwt
import pytest
from azure.communication.callautomation import PhoneNumberIdentifier
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from switchboard_local.acs.people import Phone
from switchboard_local.acs.troubles import RestTrouble
from switchboard_local.entra.keys import KeyRing
from tests.local.acs.peers import AGENT, CALLER, ISSUER, KEYS, QUICK, RESOURCE, Town, client, town

KEY = base64.b64encode(b"a key of the resource").decode()
VERSION = {"api-version": "2026-03-12"}


def forged(**changes: object) -> str:
    """A token of ours with something wrong with it."""
    now = int(time.time())
    claims = {
        "aud": RESOURCE,
        "iss": ISSUER.name,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "sub": "x",
        "tid": "y",
        **changes,
    }
    return jwt.encode(claims, KEYS.signing.private, "RS256", headers={"kid": KEYS.signing.kid})


def strangers_token() -> str:
    stranger = KeyRing().signing.private
    return jwt.encode({"aud": RESOURCE}, stranger, "RS256", headers={"kid": KEYS.signing.kid})


TOKENS = {
    "nonsense": "nonsense",
    "another audience": ISSUER.issue("https://ai.azure.com").text,
    "expired": ISSUER.issue(RESOURCE, ttl_s=-10).text,
    "another issuer": forged(iss="https://elsewhere.example"),
    "not yet": forged(nbf=int(time.time()) + 600),
    "another key": strangers_token(),
    "no algorithm": jwt.encode({"aud": RESOURCE}, "", "none", headers={"kid": KEYS.signing.kid}),
    "a shared secret": jwt.encode(
        {"aud": RESOURCE}, "s" * 32, "HS256", headers={"kid": KEYS.signing.kid}
    ),
}


@pytest.mark.parametrize("which", TOKENS)
async def test_a_bad_token_opens_nothing(quick: Town, which: str) -> None:
    async with client(quick.served, TOKENS[which]) as sdk:
        with pytest.raises(ClientAuthenticationError) as refused:
            await sdk.create_call(
                PhoneNumberIdentifier(CALLER),
                quick.callback_url,
                source_caller_id_number=PhoneNumberIdentifier(AGENT),
            )
    assert refused.value.error is not None
    assert refused.value.error.code == "Denied"
    assert not quick.acs.calls


async def test_a_signed_request_is_let_in() -> None:
    async with town(replace(QUICK, access_key=KEY)) as there:
        for key, good in ((KEY, True), (base64.b64encode(b"a guess").decode(), False)):
            async with CallAutomationClient(
                there.served.endpoint,
                AzureKeyCredential(key),
                connection_verify=str(there.served.ca_file),
            ) as sdk:
                with pytest.raises(HttpResponseError) as refused:
                    await sdk.reject_call("unknown")
            assert refused.value.status_code == (404 if good else 401)


async def test_without_a_key_no_signature_opens(quick: Town) -> None:
    async with CallAutomationClient(
        quick.served.endpoint,
        AzureKeyCredential(KEY),
        connection_verify=str(quick.served.ca_file),
    ) as sdk:
        with pytest.raises(ClientAuthenticationError):
            await sdk.reject_call("unknown")


def web(town: Town, token: str | None = "good") -> httpx.AsyncClient:
    headers = {} if token is None else {"authorization": f"Bearer {ISSUER.issue(RESOURCE).text}"}
    return httpx.AsyncClient(
        base_url=town.served.endpoint,
        headers=headers,
        verify=town.served.certificates.trust(),
        trust_env=False,
        params=VERSION,
    )


CREATE = {
    "targets": [{"phoneNumber": {"value": CALLER}}],
    "sourceCallerIdNumber": {"value": AGENT},
}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/calling/callConnections", "{", 400),
        ("/calling/callConnections", "[]", 400),
        ("/calling/callConnections", '{"targets":[]}', 400),
        ("/calling/callConnections", "[" * 10_000, 400),
        ("/calling/callConnections", "x" * 300_000, 413),
        ("/calling/callConnections:dance", "{}", 404),
        ("/calling/callConnections:answer", '{"incomingCallContext":"x","callbackUri":"y"}', 404),
        ("/calling/callConnections/nobody:terminate", "", 404),
        ("/calling/callConnections/nobody:dance", "", 404),
        ("/calling/callConnections/nobody/participants:add", "{}", 404),
        ("/calling/callConnections//", "", 404),
        ("/calling/recordings", "{}", 400),
        ("/calling/recordings/nobody:pause", "", 404),
    ],
)
async def test_what_is_refused(quick: Town, path: str, body: str, status: int) -> None:
    async with web(quick) as asking:
        answer = await asking.post(path, content=body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_a_request_without_a_version_or_a_token(quick: Town) -> None:
    async with web(quick) as asking:
        unversioned = await asking.get("/calling/callConnections/x", params={"api-version": "1"})
        assert unversioned.status_code == 400
    async with web(quick, None) as asking:
        assert (await asking.get("/calling/callConnections/x")).status_code == 401


async def test_another_host_is_another_machine(quick: Town) -> None:
    async with web(quick) as asking:
        answer = await asking.get("/calling/keys", headers={"host": "acs.example"})
    assert answer.status_code == 403


async def test_a_repeated_request_gets_its_answer_again(quick: Town) -> None:
    headers = {"repeatability-request-id": "1f6a4b9c-0000-4000-8000-000000000001"}
    body = json.dumps({**CREATE, "callbackUri": quick.callback_url})
    async with web(quick) as asking:
        first = await asking.post("/calling/callConnections", content=body, headers=headers)
        again = await asking.post("/calling/callConnections", content=body, headers=headers)
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        other = await asking.post("/calling/callConnections:reject", headers=headers)
        assert other.status_code == 400


async def test_an_answer_that_was_lost_makes_no_second_call(quick: Town, caller: Phone) -> None:
    lost = RestTrouble(503, path="callConnections", done_first=True)
    quick.acs.troubles.script_rest(lost)
    placed = await quick.sdk.create_call(
        PhoneNumberIdentifier(CALLER),
        quick.callback_url,
        source_caller_id_number=PhoneNumberIdentifier(AGENT),
    )
    assert quick.acs.troubles.struck == 1
    assert list(quick.acs.calls) == [placed.call_connection_id]
    (await caller.ringing()).answer()
    await quick.app.told("CallConnected")


async def test_a_busy_service_says_when_to_come_again(quick: Town) -> None:
    quick.acs.troubles.script_rest(RestTrouble(429, retry_after_s=0))
    quick.acs.phone(CALLER)
    placed = await quick.sdk.create_call(
        PhoneNumberIdentifier(CALLER),
        quick.callback_url,
        source_caller_id_number=PhoneNumberIdentifier(AGENT),
    )
    assert placed.call_connection_id
    assert quick.acs.troubles.struck == 1
