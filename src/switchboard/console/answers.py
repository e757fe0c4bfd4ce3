"""What the console answers, and in which words it declines."""

import msgspec
from starlette.responses import Response

from switchboard.browser.problems import Refusal, json_answer


def answer(value: msgspec.Struct, status: int = 200) -> Response:
    return json_answer(msgspec.json.encode(value), status)


def gone() -> Refusal:
    return Refusal(409, "call_over", "This call has ended, so nothing was done.")


def not_possible(why: str) -> Refusal:
    return Refusal(409, "not_possible", why)


def unknown() -> Refusal:
    return Refusal(404, "no_such_call", "There is no such call, or it is kept no more.")
