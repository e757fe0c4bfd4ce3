"""The softphone page's socket: telephones that ring and are rung, and the protocol as it flows."""

# pyright: reportUnknownMemberType=false
# (the SDK leaves its keyword arguments untyped)

import asyncio
from collections.abc import AsyncGenerator

import pytest
from azure.communication.callautomation import PhoneNumberIdentifier
from websockets.exceptions import InvalidStatus

from tests.local.acs.peers import AGENT, Media, Town, eventually, kept
from tests.local.acs.softphones import HUMAN, YOU, SoftPage, Softphones, softphones
from tests.local.realtime.doubles import tone


@pytest.fixture
async def here(quick: Town) -> AsyncGenerator[Softphones]:
    async for place in kept(softphones(quick.acs)):
        yield place


async def ring_the_agent(town: Town, page: SoftPage) -> Media:
    """The page dials, the application answers with media: its end of them."""
    if town.acs.grid.subscription is None:
        await town.subscribe(secret=None)
    await page.wish("dial", number=AGENT)
    await page.line("calling")
    incoming = await town.app.called()
    await town.sdk.answer_call(
        incoming["incomingCallContext"], town.callback_url, media_streaming=town.streaming()
    )
    await page.line("talking")
    return await town.app.dialled()


async def be_rung(town: Town, number: str = YOU) -> None:
    await town.sdk.create_call(
        PhoneNumberIdentifier(number),
        town.callback_url,
        source_caller_id_number=PhoneNumberIdentifier(AGENT),
    )


async def test_a_page_is_welcomed_and_gets_numbers_of_its_own(here: Softphones) -> None:
    async with here.page(lines=2) as first, here.page("b2", lines=1) as second:
        assert (await first.first("welcome"))["agent_number"] == AGENT
        numbers = [first.now(0)["number"], first.now(1)["number"], second.now()["number"]]
        assert numbers == [YOU, HUMAN, "+442079460133"]


async def test_it_rings_speaks_presses_hears_and_hangs_up(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        media = await ring_the_agent(quick, page)
        await page.wish("say", text="hello")
        await page.until(lambda it: it.spoken() == 1)
        await page.wish("press", keys="1#")
        await media.until(lambda it: it.keys() == "1#")
        assert media.pcm().rstrip(b"\0") == (tone(250) + tone(50)).rstrip(b"\0")
        await media.say(tone(400))
        assert (await page.first("words"))["text"] == "good day"
        assert bytes(page.sound).rstrip(b"\0") == tone(400).rstrip(b"\0")
        await page.wish("hang_up")
        assert (await page.line("ended"))["text"] == "You hung up."
        await quick.app.told("CallDisconnected")


async def test_a_microphone_is_heard_and_never_gets_late(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        media = await ring_the_agent(quick, page)
        for _ in range(200):  # four seconds at once: most of it is dropped
            await page.socket.send(tone(20))
        await media.until(lambda it: it.pcm())
        await page.wish("press", keys="5")
        await media.until(lambda it: it.keys() == "5")
        await eventually(lambda: not quick.acs.phone(YOU).calls[-1].unspoken_ms)
        assert len(media.pcm()) < len(tone(2_000))


async def test_typed_texts_are_spoken_one_by_one_into_an_open_microphone(
    quick: Town, here: Softphones
) -> None:
    async def keep_humming(page: SoftPage) -> None:
        while True:
            await page.socket.send(tone(20))
            await asyncio.sleep(0.001)  # faster than it is spoken: the mouth is never empty

    async with here.page() as page:
        await ring_the_agent(quick, page)
        humming = asyncio.create_task(keep_humming(page))
        for said in 1, 2:
            await page.wish("say", text="hello")
            await page.until(lambda it, said=said: it.spoken() == said)
        humming.cancel()


async def test_what_is_said_last_is_put_in_words_though_the_call_has_ended(
    quick: Town, here: Softphones
) -> None:
    async with here.page() as page:
        media = await ring_the_agent(quick, page)
        await media.say(tone(400))
        await page.until(lambda it: len(it.sound) >= len(tone(200)))
        quick.acs.phone(YOU).calls[-1].hang_up()
        await page.line("ended")
        await page.first("words")


async def test_words_that_the_ears_are_still_finding_as_the_call_ends_are_told(
    quick: Town, here: Softphones
) -> None:
    here.ears.delay_s = 1.0
    async with here.page() as page:
        media = await ring_the_agent(quick, page)
        await media.say(tone(400))
        await eventually(lambda: here.ears.heard_ms)  # a pause has ended the stretch
        quick.acs.phone(YOU).calls[-1].hang_up()
        await page.line("ended")
        assert page.of("words") == []  # the display does not wait for them
        await page.first("words")


async def test_only_the_line_at_the_ear_is_heard(quick: Town, here: Softphones) -> None:
    async with here.page(lines=2) as page:
        media = await ring_the_agent(quick, page)
        await page.wish("select", line=1)
        await page.wish("press", keys="1")  # what comes after it comes after the choice
        await media.until(lambda it: it.keys() == "1")
        await media.say(tone(400))
        await page.first("words")
        assert page.sound == b""


async def test_it_is_rung_and_answers(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        await be_rung(quick)
        assert (await page.line("ringing"))["other"] == AGENT
        await page.wish("answer")
        await page.line("talking")
        await quick.app.told("CallConnected")
        await quick.sdk.get_call_connection(next(iter(quick.acs.calls))).hang_up(True)
        assert (await page.line("ended"))["text"] == "The other side hung up."


async def test_it_is_rung_and_declines(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        await be_rung(quick)
        await page.line("ringing")
        await page.wish("decline")
        assert (await page.line("ended"))["text"] == "You declined."
        failed = await quick.app.told("CreateCallFailed")
        assert failed["resultInformation"]["code"] == 603


async def test_whoever_goes_away_has_hung_up_and_has_no_number(
    quick: Town, here: Softphones
) -> None:
    async with here.page() as page:
        await ring_the_agent(quick, page)
    await quick.app.told("CallDisconnected")
    await eventually(lambda: quick.acs.ring(f"4:{YOU}", "4:" + AGENT, {}).outcome is not None)
    await be_rung(quick)
    failed = await quick.app.told("CreateCallFailed")
    assert failed["resultInformation"]["code"] == 404


async def test_a_caller_on_hold_is_told(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        await ring_the_agent(quick, page)
        call = quick.sdk.get_call_connection(next(iter(quick.acs.calls)))
        await call.hold(PhoneNumberIdentifier(YOU))
        await page.until(lambda it: it.now()["held"])
        await call.unhold(PhoneNumberIdentifier(YOU))
        await page.until(lambda it: not it.now()["held"])


async def test_keys_of_the_agent_are_heard(quick: Town, here: Softphones) -> None:
    async with here.page() as page:
        await ring_the_agent(quick, page)
        call = quick.sdk.get_call_connection(next(iter(quick.acs.calls)))
        await call.send_dtmf_tones(["four", "pound"], PhoneNumberIdentifier(YOU))
        await page.until(lambda it: [each["key"] for each in it.of("key")] == ["4", "#"])


async def test_a_second_line_plays_the_human_of_a_transfer(quick: Town, here: Softphones) -> None:
    async with here.page(lines=2) as page:
        await ring_the_agent(quick, page)
        call = quick.sdk.get_call_connection(next(iter(quick.acs.calls)))
        await call.transfer_call_to_participant(PhoneNumberIdentifier(HUMAN))
        assert (await page.line("ringing", 1))["other"] == YOU
        await page.wish("answer", 1)
        await quick.app.told("CallTransferAccepted")
        await page.wish("say", 1, text="I am the human")
        await page.until(lambda it: it.sound)  # line 0 is at the ear, and hears line 1
        assert page.now()["state"] == "talking"
        await page.wish("hang_up", 1)
        assert (await page.line("ended"))["text"] == "The other side hung up."


async def test_two_whom_the_agent_has_left_are_told_whom_they_speak_with(
    quick: Town, here: Softphones
) -> None:
    async with here.page(lines=2) as page:
        await ring_the_agent(quick, page)
        call = quick.sdk.get_call_connection(next(iter(quick.acs.calls)))
        await call.add_participant(
            PhoneNumberIdentifier(HUMAN), source_caller_id_number=PhoneNumberIdentifier(AGENT)
        )
        await page.line("ringing", 1)
        await page.wish("answer", 1)
        await page.line("talking", 1)
        assert [page.now(index)["other"] for index in (0, 1)] == [AGENT, AGENT]
        await call.hang_up(is_for_everyone=False)
        await page.until(lambda it: it.now(0)["other"] == it.now(1)["number"])
        await page.until(lambda it: it.now(1)["other"] == it.now(0)["number"])


async def test_a_number_is_taken_from_another_page_unless_in_use(
    quick: Town, here: Softphones
) -> None:
    async with here.page() as first, here.page("b2") as second:
        await second.wish("claim", 1, number=YOU)
        assert (await second.line("idle", 1))["number"] == "+442079460133"  # not insisting
        await second.wish("claim", number=YOU, insist=True)
        assert "Another page" in (await first.line("unplugged"))["text"]
        await second.until(lambda it: it.now()["number"] == YOU)
        await be_rung(quick)
        await second.line("ringing")
        await first.wish("claim", number=YOU, insist=True)
        assert (await first.first("trouble"))["text"] == "Another page is using that number."


async def test_a_tab_that_comes_again_has_its_numbers_back(here: Softphones) -> None:
    async with here.page(lines=2) as old, here.page(lines=2) as fresh:  # the same tab
        assert [fresh.now(0)["number"], fresh.now(1)["number"]] == [YOU, HUMAN]
        await old.until(lambda it: it.over)


async def test_what_flows_is_told_without_what_opens_doors(quick: Town, here: Softphones) -> None:
    await quick.subscribe(secret=None)
    async with here.page() as page:
        media = await ring_the_agent(quick, page)
        context = quick.app.incoming[0]["data"]["incomingCallContext"]
        await page.wish("press", keys="7")
        await media.say(tone(4_000))
        await media.stop_audio()
        await page.until(lambda it: it.passages("stop"))
        [told] = page.passages("event")
        assert (told["title"], told["way"], told["status"]) == ("IncomingCall", "to_agent", 200)
        [answer] = page.passages("request")
        assert (answer["title"], answer["status"]) == ("POST callConnections:answer", 200)
        assert answer["call"] in quick.acs.calls
        await page.until(lambda it: it.passages("callback"))
        assert page.passages("callback")[0]["title"] == "CallConnected"
        assert page.passages("key")[0]["title"] == "DtmfData 7"
        assert "left unheard" in page.passages("stop")[0]["note"]
        await page.until(lambda it: "frames to the agent" in it.passages("media")[0]["note"])
        assert context not in str(page.told)
        assert "incomingCallContext" in answer["body"]


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:1", "http://localhost:9", "https://a.example"]
)
async def test_other_pages_may_not_come_in(here: Softphones, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with here.page(origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_its_own_page_may_come_in(here: Softphones) -> None:
    async with here.page(origin=f"http://127.0.0.1:{here.port}") as page:
        await page.first("welcome")


@pytest.mark.parametrize(
    "said",
    ["[", '{"type":"dance","line":0}', '{"type":"say","line":9,"text":"x"}', b"odd", bytes(4_802)],
)
async def test_who_says_what_is_none_of_this_is_closed(here: Softphones, said: str | bytes) -> None:
    async with here.page() as page:
        await page.socket.send(said)
        await page.until(lambda it: it.over)
