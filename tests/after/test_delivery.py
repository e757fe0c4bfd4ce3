"""A webhook is told what a call came to: signed, again and again, and nowhere it should not be."""

import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from switchboard.after.delivery import Deliveries
from switchboard.after.guard import Allowed, Barred, target_of
from switchboard.after.reading import Reading
from switchboard.after.signing import Signer
from switchboard.agents.after import Webhook
from switchboard.errors import ConfigurationError
from switchboard.records.deliveries import LEASE_S, Attempt, DeliveryTable
from switchboard.records.schema import WebhookDelivery
from switchboard.records.store import Store
from tests.after.peers import GOOD, SECRET, Receiver, ScriptedModel, ended_call, receiver

NOW = 1_800_000_000.0


@dataclass
class Post:
    """A message that waits, and a clock that is moved by hand."""

    store: Store
    here: Receiver
    now: float = NOW
    url: str = ""
    signer: Signer | None = None
    allowed: Allowed = field(default=Allowed(loopback=True))

    async def send(self) -> bool:
        deliveries = Deliveries(
            self.store,
            lambda _: Webhook(url=self.url) if self.url else None,
            self.signer,
            self.allowed,
            delays_s=(10.0, 10.0),
            clock=lambda: self.now,
        )
        return await deliveries.send_one()

    async def row(self) -> WebhookDelivery:
        [row] = await DeliveryTable(self.store).of("c1")
        return row


@pytest.fixture
async def post(store: Store) -> AsyncGenerator[Post]:
    await ended_call(store, now=NOW)
    model = ScriptedModel([json.dumps(GOOD)])
    await Reading(store, model, clock=lambda: NOW).read_one()
    async with receiver() as here:
        yield Post(store, here, url=here.url, signer=Signer(SECRET))


async def test_it_is_told_again_until_it_has_it_under_one_id(post: Post) -> None:
    post.here.answers = [500, 429]
    assert await post.send()
    assert not await post.send()  # not yet
    row = await post.row()
    assert (row.state, row.status, row.error) == ("waiting", 500, "It answered HTTP 500.")
    for _ in range(2):
        post.now = (await post.row()).due_at
        assert await post.send()
    row = await post.row()
    assert (row.state, row.attempts, row.status, row.error) == ("delivered", 3, 204, None)
    assert [told.good for told in post.here.told] == [True] * 3
    assert {told.id for told in post.here.told} == {row.id}
    first, *others = post.here.told
    assert all(told.body == first.body for told in others)
    assert first.body["type"] == "after.done"
    data = first.body["data"]
    assert (data["outcome"], data["fields"]) == ("achieved", {"day": "2026-03-06", "people": 2})
    assert (data["call"]["id"], data["call"]["outcome"]) == ("c1", "finished")
    assert not await post.send()


async def test_410_stops_it_and_an_operator_may_begin_anew(post: Post) -> None:
    post.here.answers = [410]
    await post.send()
    post.now += 1_000_000
    assert not await post.send()
    assert (await post.row()).state == "stopped"
    assert await DeliveryTable(post.store).again("c1", post.now) == 1
    assert await post.send()
    assert (await post.row()).state == "delivered"
    assert await DeliveryTable(post.store).again("c1", post.now) == 0


async def test_it_is_given_up_in_the_end(post: Post) -> None:
    post.here.answers = [503] * 9
    for _ in range(3):
        assert await post.send()
        post.now = (await post.row()).due_at
    row = await post.row()
    assert (row.state, row.attempts, len(post.here.told)) == ("given_up", 3, 3)
    assert not await post.send()


async def test_a_redirect_is_not_followed(post: Post) -> None:
    post.here.answers = [307]
    await post.send()
    assert [told.path for told in post.here.told] == ["/told"]
    assert ((await post.row()).state, (await post.row()).status) == ("waiting", 307)


async def test_what_a_server_was_sending_when_it_died_is_sent_again(post: Post) -> None:
    taken = await DeliveryTable(post.store).take_due(post.now)
    assert taken is not None
    assert not await post.send()
    post.now += LEASE_S + 1
    assert await post.send()
    assert post.here.told[0].id == taken.id
    await DeliveryTable(post.store).settle(taken, Attempt("given_up"))
    assert (await post.row()).state == "delivered"  # the late word of the dead counts for nothing


async def test_without_a_secret_nothing_is_sent_and_why_is_said(post: Post) -> None:
    post.signer = None
    await post.send()
    assert post.here.told == []
    assert (await post.row()).error == "WEBHOOK_SECRET is not set."


async def test_a_server_that_others_reach_posts_neither_to_itself_nor_to_its_network(
    post: Post,
) -> None:
    post.allowed = Allowed()
    await post.send()
    assert post.here.told == []
    assert (await post.row()).error == "It leads to this machine."


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.1.2.3/x",
        "https://192.168.0.1/x",
        "https://169.254.169.254/metadata",
        "https://[fd00::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0.0.0.0/x",
        "https://100.64.0.1/x",
        "https://224.0.0.1/x",
        "https://2130706433/x",
        "http://93.184.216.34/x",
        "https://no-such-host.invalid/x",
    ],
)
async def test_addresses_that_are_not_the_internets_are_barred(url: str) -> None:
    with pytest.raises(Barred):
        await target_of(url, Allowed())


async def test_what_was_looked_at_is_what_is_connected_to() -> None:
    target = await target_of("https://93.184.216.34:8443/a?b=c", Allowed())
    assert target.url == "https://93.184.216.34:8443/a?b=c"
    local = await target_of("https://localhost/x", Allowed(loopback=True))
    assert (local.host, local.authority) == ("localhost", "localhost")
    assert local.url in ("https://127.0.0.1/x", "https://[::1]/x")
    private = await target_of("https://10.1.2.3/x", Allowed(private=True))
    assert private.url == "https://10.1.2.3/x"
    with pytest.raises(Barred):
        await target_of("https://169.254.169.254/x", Allowed(private=True))


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_either_will_do() -> None:
    other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    both = Signer(f"{other} {SECRET}").headers("m", 1, b"{}")["webhook-signature"].split()
    alone = [Signer(each).headers("m", 1, b"{}")["webhook-signature"] for each in (other, SECRET)]
    assert both == alone


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!"])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Signer(secret)
    assert (
        not secret or secret == "whsec_" or secret not in str(refusal.value).replace("is empty", "")
    )


async def test_neither_secret_nor_words_are_logged(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post.here.answers = [500]
    await post.send()
    assert SECRET.removeprefix("whsec_") not in caplog.text
    assert "table" not in caplog.text
