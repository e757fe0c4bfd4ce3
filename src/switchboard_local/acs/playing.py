"""Playing into a call, and collecting keys: the verbs that take their time."""

from switchboard_local.acs.bodies import Play, Recognize
from switchboard_local.acs.connection import Asked
from switchboard_local.acs.identifiers import raw_id
from switchboard_local.acs.keys import UNHEARD, Collecting
from switchboard_local.acs.live import LiveCall
from switchboard_local.acs.operations import Answer
from switchboard_local.acs.outcomes import Result
from switchboard_local.acs.prompts import CannotPlay, Prompt, sound_of
from switchboard_local.acs.refusals import wrong_state

FRAMES_A_SECOND = 50


def play(call: LiveCall, body: Play) -> Answer:
    call.connection.require_connected()
    raws = [raw_id(each) for each in body.play_to]
    for raw in raws:
        call.connection.require(raw)
    asked = Asked("", body.operation_context, body.operation_callback_uri)

    async def prepare() -> None:
        pcm = b""
        for index, source in enumerate(body.play_sources):
            try:
                pcm += await sound_of(source, call.house.client, call.house.speak)
            except CannotPlay as reason:
                _failed(call, asked, reason, index)
                return
        prompt = Prompt(asked, pcm, frozenset(raws) or None, body.play_options.loop)
        try:
            cut = call.prompts.put(prompt, interrupt=body.interrupt_call_media_operation)
        except CannotPlay as reason:
            _failed(call, asked, reason, 0)
            return
        call.tell([call.connection.about(each.asked, "PlayCanceled", None) for each in cut])

    call.spawn(prepare)
    return None


def cancel_media(call: LiveCall) -> Answer:
    call.connection.require_connected()
    cut = call.prompts.cancel()
    call.tell([call.connection.about(each.asked, "PlayCanceled", None) for each in cut])
    collecting, call.keys.collecting = call.keys.collecting, None
    if collecting is not None:
        call.tell([call.connection.about(collecting.asked, "RecognizeCanceled", None)])
    return None


def recognize(call: LiveCall, body: Recognize) -> Answer:
    raw = raw_id(body.recognize_options.target_participant)
    call.connection.require(raw)
    if call.keys.collecting is not None:
        raise wrong_state("Another recognition is under way.")
    asked = Asked(raw, body.operation_context, body.operation_callback_uri)
    collecting = Collecting(asked, body.recognize_options)
    if body.recognize_input_type not in ("dtmf", "speechOrDtmf"):
        call.tell([call.keys.collected(collecting, UNHEARD)])
        return None
    call.keys.collecting = collecting

    async def collect() -> None:
        result = await collecting.done(call.house.config.frame_s * FRAMES_A_SECOND)
        if call.keys.collecting is collecting:
            call.keys.collecting = None
            call.tell([call.keys.collected(collecting, result)])

    call.spawn(collect)
    return None


def _failed(call: LiveCall, asked: Asked, reason: CannotPlay, index: int) -> None:
    result = Result(400, 8535, f"Action failed, the source could not be played: {reason}.")
    call.tell([call.connection.about(asked, "PlayFailed", result, failedPlaySourceIndex=index)])
