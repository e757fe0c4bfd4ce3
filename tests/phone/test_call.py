"""A whole call: a real switchboard between a carrier's socket and a scripted model."""

import base64
from pathlib import Path

import anyio

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import ReplyAudio
from switchboard.conversation.rules import Rules
from tests.exchange.house import house as switchboard
from tests.exchange.house import told, until
from tests.phone.house import CONNECTION, house
from tests.phone.peers import TONE, Carrier

TWO_SECONDS = base64.b64encode(b"\x01\x02" * 48_000).decode()
FRAME_MS = 20


async def test_a_caller_speaks_over_the_agent_and_the_model_learns_what_was_heard(
    tmp_path: Path,
) -> None:
    rules = Rules(tools={}, reattach_s=0.3, silence_s=100, service_interrupts=True)
    async with (
        switchboard(tmp_path / "exchange", rules) as exchange,
        house(tmp_path / "phone", carried_by=exchange.switchboard, agent="ana") as home,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(home.room.run)
        await home.rings()
        call_id = home.carrier.answered[0][1].operation
        async with home.media(call_id=call_id) as socket:
            carrier = Carrier(socket)
            await carrier.opens()
            [model] = await until(lambda: exchange.service.dialled)
            model.does(e.ModelReady("s1"))
            await carrier.hears(TONE)
            await until(lambda: model.heard)
            assert model.heard[0] == TONE

            model.does(
                e.ReplyStarted("r1"),
                e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
                ReplyAudio("r1", "i1", TWO_SECONDS),
            )
            began = anyio.current_time()
            await carrier.played(20)  # 400 ms, of which the last 200 ms are ahead of the ear
            model.does(e.SpeechStarted("u1", 500))
            said = [await carrier.next()]
            while said[-1]["kind"] != "StopAudio":
                said.append(await carrier.next())
            heard_at_most_ms = (anyio.current_time() - began) * 1_000
            model.does(
                ReplyAudio("r1", "i1", TWO_SECONDS),  # late
                e.ReplyDone("r1", e.ReplyStatus.CANCELLED, "turn_detected"),
            )
            [cut] = await until(lambda: told(model, c.TruncateItem))
            assert 150 <= cut.audio_end_ms <= heard_at_most_ms + FRAME_MS

            await home.told("CallDisconnected", call_id=call_id)
            assert await carrier.closed() == 1000
        await until(lambda: exchange.switchboard.live() == 0)
        assert home.carrier.hung_up == [CONNECTION]  # gone already, and asked for to be sure
        tasks.cancel_scope.cancel()
