"""The taught reader: which tool, choice and words a request means, on tools it never saw."""

import numpy as np
import pytest

from switchboard_local.mind.catalogue import Slot, read_tools
from switchboard_local.mind.load import load_offline_mind
from switchboard_local.mind.reader import Reader, load_lesson
from switchboard_local.mind.sentences import Sentences, load_model
from switchboard_local.mind.vectors import NoEmbeddings
from tests.local.mind.lessons import businesses, read_business
from tests.local.mind.peers import TODAY, Conversation, tool

pytestmark = pytest.mark.embedded

TOOLS = read_tools(
    [
        tool(
            "order_meal",
            "Order a special meal for a passenger on a booked flight.",
            ["meal"],
            meal={
                "type": "string",
                "enum": ["vegetarian", "halal", "gluten_free", "child"],
                "description": "Kind of meal",
            },
        ),
        tool(
            "request_assistance",
            "Arrange help at the airport for a passenger who needs it.",
            ["kind"],
            kind={
                "type": "string",
                "enum": ["wheelchair", "guide_for_the_blind", "child_travelling_alone"],
                "description": "Which help",
            },
        ),
        tool(
            "reserve_title",
            "Put a title aside for a member who wants to be next to have it.",
            ["title"],
            title={"type": "string", "description": "Title of the book"},
        ),
    ]
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    lesson = load_lesson()
    return Reader(Sentences(load_model(), lesson), lesson)


def slot(name: str) -> Slot:
    return next(slot for tool in TOOLS for slot in tool.slots if slot.name == name)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("my daughter is coeliac, she cannot have bread on the plane", 0),
        ("my grandfather can't walk as far as the gate", 1),
        ("I'd like to be the next to have The Hobbit", 2),
    ],
)
def test_who_describes_a_need_is_brought_to_the_tool_that_meets_it(
    reader: Reader, said: str, meant: int
) -> None:
    scores = reader.tools(said, reader.tell_tools(TOOLS))
    assert int(scores.argmax()) == meant
    assert scores[meant] > 0


def test_what_nobody_serves_is_nearer_to_no_tool(reader: Reader) -> None:
    told = reader.tell_tools(TOOLS)
    assert reader.tools("Lovely weather today, isn't it?", told).max() < 0


def test_a_choice_is_understood_that_nobody_named(reader: Reader) -> None:
    chances = reader.choice(slot("kind"), "my grandfather can't walk as far as the gate")
    assert sum(chances) == pytest.approx(1, abs=1e-5)
    assert int(np.argmax(chances)) == 0


def test_the_words_of_an_argument_are_found_whole(reader: Reader) -> None:
    found = reader.span(slot("title"), "I want to be next in line for The Hobbit")
    assert found is not None
    assert found.text == "The Hobbit"
    assert 0 < found.chance <= 1
    assert reader.span(slot("title"), "Can you put a book aside for me?") is None


def test_odd_texts_are_read_without_harm(reader: Reader) -> None:
    told = reader.tell_tools(TOOLS)
    for text in ("", " ", "?!", "😀", "word " * 500, "\u0000", "é" * 300):
        assert reader.tools(text, told).shape == (3,)
        assert len(reader.choice(slot("meal"), text)) == 5
        reader.span(slot("title"), text)
    assert reader.tools("hello", reader.tell_tools([])).shape == (0,)


def test_what_is_taught_is_written_as_the_file_says() -> None:
    known = businesses()
    assert len(known) >= 200
    assert all(len(one.tools) >= 6 for one in known.values())
    for business in known.values():
        for one in business.asked:
            assert -1 <= one.place < len(business.tools)
            if one.said:
                names = {slot.name for slot in business.tools[one.place].slots}
                assert set(one.said) <= names or one.place < 0, one.text


def test_a_line_that_makes_no_sense_is_named() -> None:
    with pytest.raises(ValueError, match="corner_shop: T broken"):
        read_business("corner_shop", "B A shop.\nT broken")


def test_a_wish_that_nobody_serves_never_ends_the_call() -> None:
    mind = load_offline_mind(lambda: TODAY)
    tools = [
        tool("get_bill", "Say how much the phone bill is and when it is due."),
        tool("end_call", "End the call, after a goodbye."),
    ]
    call = Conversation(tools, mind=mind)
    for said in ("Block my card ending in 4417", "cut off my line", "stop the delivery"):
        call.hears(said)
        assert "end_call" not in [made.name for made in call.calls]
    call.hears("That's all, goodbye")
    assert call.calls[-1].name == "end_call"


def test_a_lesson_without_its_heads_is_refused() -> None:
    lesson = {name: each for name, each in load_lesson().items() if "span" not in name}
    with pytest.raises(NoEmbeddings, match=r"lacks span\.first, span\.last"):
        Reader(Sentences(load_model()), lesson)
