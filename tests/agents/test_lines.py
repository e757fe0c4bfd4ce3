"""Where in a JSON text something stands."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.agents.lines import line_of, twin_in

TEXT = """{
  "agents": [
    {"id": "a", "turn": {
      "type": "x"
    }},

    {
      "id": "b",
      "words": ["one", "t\\"wo,]}",
        "three"]
    }
  ],
  "empty": {}, "last": 1
}"""


def test_a_path_leads_to_its_line() -> None:
    assert line_of(TEXT, ()) == 1
    assert line_of(TEXT, ("agents",)) == 2
    assert line_of(TEXT, ("agents", 0, "turn", "type")) == 4
    assert line_of(TEXT, ("agents", 1)) == 7
    assert line_of(TEXT, ("agents", 1, "id")) == 8
    assert line_of(TEXT, ("agents", 1, "words", 1)) == 9
    assert line_of(TEXT, ("agents", 1, "words", 2)) == 10
    assert line_of(TEXT, ("last",)) == 13


def test_what_is_missing_leads_to_what_is_around_it() -> None:
    assert line_of(TEXT, ("agents", 1, "voice")) == 7
    assert line_of(TEXT, ("empty", "x", 3)) == 13
    assert line_of(TEXT, ("agents", 99)) == 2


def test_a_unions_tag_is_passed_over() -> None:
    assert line_of(TEXT, ("agents", 0, "turn", "server_vad", "type")) == 4


def test_a_key_given_twice_is_found_wherever_it_is() -> None:
    assert twin_in(TEXT) is None
    assert twin_in('{"a": {"b": 1,\n "c": {"b": 2},\n "b": 3}}') == (("a", "b"), 3)
    assert twin_in('[{"a": 1}, {"a": 1}]') is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def paths(value: Any) -> list[tuple[tuple[str | int, ...], Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        inside: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - any JSON
    else:
        inside = list(enumerate(value)) if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - any JSON
    deeper = [((key, *path), leaf) for key, part in inside for path, leaf in paths(part)]
    return [((), value), *deeper]


@settings(deadline=None)  # a busy machine is no fault
@given(JSON)
def test_every_value_of_any_json_is_found_on_its_line(value: object) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    lines = text.split("\n")

    for path, leaf in paths(value):
        line = lines[line_of(text, path) - 1].strip().rstrip(",")
        if path and isinstance(path[-1], str):
            assert line.startswith(json.dumps(path[-1], ensure_ascii=False) + ": ")
        elif not isinstance(leaf, dict | list):
            assert line == json.dumps(leaf, ensure_ascii=False)
