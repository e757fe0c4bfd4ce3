"""A tool's result as the JSON text a model is given: always an object, never too long."""

from typing import Any, Final, cast

from pydantic_core import to_json, to_jsonable_python

from switchboard.errors import ToolFailed

MAX_ANSWER_BYTES: Final = 16_384
_ROOM_FOR_THE_NOTE: Final = 160


def answer_text(result: object) -> str:
    """JSON text of at most `MAX_ANSWER_BYTES`.

    A long list is cut short, with a note saying so; anything else that is too long raises
    `ToolFailed`, for half a record is worse than none. What cannot be JSON raises `ValueError`.
    """
    body = _as_object(to_jsonable_python(result, inf_nan_mode="null"))
    text = _text(body)
    if len(text) <= MAX_ANSWER_BYTES:
        return text.decode()
    return _text(_shortened(body, len(text))).decode()


def failure_text(sentence: str) -> str:
    """What the model reads of a failure."""
    return _text({"error": sentence[:2_000]}).decode()


def _text(body: object) -> bytes:
    return to_json(body, inf_nan_mode="null")


def _as_object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return cast(dict[str, Any], value)
    return {"status": "done"} if value is None else {"result": value}


def _shortened(body: dict[str, Any], size: int) -> dict[str, Any]:
    lists = {key: cast(list[Any], each) for key, each in body.items() if isinstance(each, list)}
    if not lists:
        raise ToolFailed("The answer is too long to read out. Ask for something narrower.")
    key = max(lists, key=lambda each: len(_text(lists[each])))
    whole = lists[key]
    kept = _that_fit(whole, MAX_ANSWER_BYTES - _ROOM_FOR_THE_NOTE - size + len(_text(whole)))
    if not kept:
        raise ToolFailed("The answer is too long to read out. Ask for something narrower.")
    note = f"Only the first {len(kept)} of {len(whole)} are given; ask for something narrower."
    return {**body, key: kept, "note": note}


def _that_fit(items: list[Any], room: int) -> list[Any]:
    used = 2
    for count, item in enumerate(items):
        used += len(_text(item)) + 1
        if used > room:
            return items[:count]
    return items
