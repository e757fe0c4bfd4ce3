"""Whatever tools and histories come in, the mind answers, and its calls fit their schemas."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchboard_local.mind.catalogue import read_tools
from switchboard_local.mind.offline import valid
from switchboard_local.mind.parts import Call, Request, Say
from switchboard_local.mind.wordlists import in_order
from tests.local.mind.peers import heard, message, tool, words_only_mind

NAMES = st.sampled_from(
    in_order("card date time amount name plan email phone count place id notes ")
)
SCHEMAS = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "string", "pattern": r"^\d{4}$"}),
    st.just({"type": "string", "format": "date"}),
    st.just({"type": "string", "format": "time"}),
    st.just({"type": "string", "format": "email"}),
    st.just({"type": "string", "enum": ["gold", "silver", "extra_large"]}),
    st.just({"type": "integer", "minimum": 1, "maximum": 9}),
    st.just({"type": "number", "multipleOf": 0.5}),
    st.just({"type": "boolean"}),
    st.just({"type": "array", "items": {"enum": ["spa", "lunch"]}, "minItems": 1}),
    st.just({"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]}),
    st.just({"$ref": "#/$defs/missing"}),
    st.dictionaries(st.sampled_from(["type", "enum", "pattern", "minLength"]), st.text(max_size=4)),
)
WORDS = st.sampled_from(
    in_order(
        "block pay book cancel the my card four double oh two gold yes no second tomorrow at "
        "half past three pounds fifty please not actually meant for to anna dot com and then "
        "silver what how "
    )
)
SPEECH = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=40))


@st.composite
def tools(draw: st.DrawFn) -> dict[str, Any]:
    slots = draw(st.dictionaries(NAMES, SCHEMAS, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(slots)), unique=True)) if slots else []
    name = draw(st.sampled_from(["block_card", "pay_bill", "book", "get_info", "x"]))
    return tool(name, draw(st.sampled_from(["Pay a bill.", "Block it", ""])), required, **slots)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
CALLED = st.sampled_from(["a", "b"])


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(["block_card", "pay_bill"]))
    return {"type": "function_call", "call_id": draw(CALLED), "name": name, "arguments": "{}"}


@st.composite
def outputs(draw: st.DrawFn) -> dict[str, Any]:
    output = json.dumps(draw(JSON))
    return {"type": "function_call_output", "call_id": draw(CALLED), "output": output}


ITEMS = st.one_of(
    SPEECH.map(heard),
    SPEECH.map(lambda text: message("assistant", text)),
    SPEECH.map(lambda text: message("system", text)),
    calls(),
    outputs(),
    st.dictionaries(st.sampled_from(["type", "role", "content"]), JSON, max_size=3),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(tools(), max_size=4), st.lists(ITEMS, max_size=6), SPEECH)
def test_the_mind_always_answers_and_only_with_calls_that_fit(
    offered: list[dict[str, Any]], history: list[dict[str, Any]], said: str
) -> None:
    by_name = {one["name"]: one for one in offered}
    asked = Request("You are Iris.", list(by_name.values()), "auto", [*history, heard(said)])
    thoughts = words_only_mind().think(asked)
    known = read_tools(list(by_name.values()))
    confirmed = [item.get("name") for item in history if item.get("type") == "function_call"]
    for thought in thoughts:
        if isinstance(thought, Say):
            assert thought.text.strip()
        elif thought.name not in confirmed:
            assert valid(thought, known)
    assert thoughts or not said.strip()


@settings(max_examples=100, deadline=None)
@given(SPEECH, tools())
def test_a_call_made_at_once_fits_the_jsonschema_library_too(
    said: str, offered: dict[str, Any]
) -> None:
    import jsonschema

    thoughts = words_only_mind().think(Request("", [offered], "auto", [heard(said)]))
    for thought in thoughts:
        if isinstance(thought, Call) and "$ref" not in json.dumps(offered):
            try:
                jsonschema.validate(json.loads(thought.arguments), offered["parameters"])
            except jsonschema.SchemaError:
                continue
