"""Whole conversations with tools the mind has never seen, on words alone."""

import json
from typing import Any

import pytest

from switchboard.conversation import wording
from switchboard_local.mind.parts import Call, Request, Say
from tests.local.mind.peers import Conversation, heard, message, tool, words_only_mind

PLATE = {"type": "string", "pattern": r"^[A-Z]{2}\d{2}[A-Z]{3}$", "description": "Number plate"}
FINE = {"type": "string", "pattern": r"^F-\d{4}$", "description": "Fine number, such as F-1001"}
CARD = {"type": "string", "pattern": r"^\d{4}$", "description": "Last four digits of the card"}
ACCOUNT = {"type": "string", "enum": ["current", "savings"], "description": "Which account"}
MONEY = {"type": "number", "exclusiveMinimum": 0, "description": "Amount in pounds"}
DAY = {"type": "string", "format": "date", "description": "Day"}

LIST_FINES = tool("list_fines", "List a vehicle's parking fines.", ["plate"], plate=PLATE)
PAY_FINE = tool("pay_fine", "Pay a parking fine.", ["fine_id"], fine_id=FINE)
BALANCE = tool("get_balance", "Tell the balance of an account.", ["account"], account=ACCOUNT)
BLOCK = tool("block_card", "Block a lost or stolen card.", ["card"], card=CARD)
UNBLOCK = tool("unblock_card", "Lift the block of a card.", ["card"], card=CARD)
TRANSFER = tool(
    "transfer_money",
    "Transfer money to a payee.",
    ["payee", "amount"],
    payee={"type": "string", "description": "Who gets it"},
    amount=MONEY,
)
VISIT = tool("book_visit", "Book a visit of an engineer.", ["day"], day=DAY)
HANG_UP = tool("finish", "End the call after saying goodbye.")
FINES = {
    "fines": [
        {"fine_id": "F-1001", "reason": "parking", "amount": 40.0},
        {"fine_id": "F-1002", "reason": "bus lane", "amount": 70.0},
    ]
}


def test_a_missing_argument_is_asked_for_in_the_schemas_own_words() -> None:
    talk = Conversation([BALANCE, BLOCK, LIST_FINES])
    assert talk.hears("please block my card") == "Sure. What are the last four digits of the card?"
    talk.hears("um it's four four two one")
    assert talk.last_call == ("block_card", {"card": "4421"})


def test_what_was_said_at_once_is_not_asked_again() -> None:
    talk = Conversation([BALANCE, BLOCK], {"get_balance": {"balance_gbp": 12.5}})
    assert "£12.50" in talk.hears("how much have i got in my savings account")
    assert talk.last_call == ("get_balance", {"account": "savings"})


def test_a_wrong_answer_is_asked_again_with_help() -> None:
    talk = Conversation([PAY_FINE, BALANCE])
    talk.hears("i want to pay a fine")
    again = talk.hears("it's the blue one")
    assert again.startswith("Sorry, I did not get that. It looks like F-1001.")
    talk.hears("one double oh two")
    assert talk.last_call == ("pay_fine", {"fine_id": "F-1002"})


def test_an_answer_that_never_comes_is_let_go() -> None:
    talk = Conversation([PAY_FINE, BALANCE])
    talk.hears("i want to pay a fine")
    replies = [talk.hears(said) for said in ("purple", "orange", "green")]
    assert "could not get the fine number" in replies[-1]
    assert not talk.calls


def test_close_candidates_are_told_apart_by_one_question() -> None:
    book = tool("book_room", "Book a room.", ["day"], day=DAY)
    visit = tool("book_tour", "Book a tour.", ["day"], day=DAY)
    talk = Conversation([book, visit, BALANCE])
    asked = talk.hears("i want to book tomorrow")
    assert asked in {
        "Do you want to book a room, or to book a tour?",
        "Do you want to book a tour, or to book a room?",
    }
    talk.hears("the tour please")
    assert talk.last_call == ("book_tour", {"day": "2026-11-23"})


def test_the_second_of_two_may_be_chosen_by_its_place() -> None:
    talk = Conversation(
        [
            tool("book_room", "Book a room.", ["day"], day=DAY),
            tool("book_tour", "Book a tour.", ["day"], day=DAY),
        ]
    )
    asked = talk.hears("i want to book tomorrow")
    second = "book_tour" if asked.endswith("tour?") else "book_room"
    talk.hears("the second one")
    assert talk.last_call[0] == second


def test_opposites_are_not_confused() -> None:
    for said, name in (("block my card", "block_card"), ("unblock my card", "unblock_card")):
        talk = Conversation([BLOCK, UNBLOCK, BALANCE])
        talk.hears(f"{said} four four two one")
        assert talk.last_call[0] == name


def test_an_earlier_result_fills_the_argument() -> None:
    for said, fine in (
        ("pay the first one", "F-1001"),
        ("pay the bigger one", "F-1002"),
        ("pay the bus lane one", "F-1002"),
        ("pay the forty pound one", "F-1001"),
    ):
        talk = Conversation([LIST_FINES, PAY_FINE], {"list_fines": FINES})
        talk.hears("list my fines the plate is A B one two C D E")
        talk.hears(said)
        assert talk.last_call == ("pay_fine", {"fine_id": fine})


def consent_tool(arguments: dict[str, Any]) -> object:
    del arguments
    return {"status": "confirm", "say": "Shall I pay it from your account?"}


def test_a_dangerous_call_is_repeated_byte_for_byte_after_a_yes() -> None:
    talk = Conversation([PAY_FINE, BALANCE], {"pay_fine": consent_tool})
    assert talk.hears("pay fine F 1 0 0 1") == "Shall I pay it from your account?"
    talk.hears("yes please go ahead")
    assert [call.name for call in talk.calls] == ["pay_fine", "pay_fine"]
    assert talk.calls[0].arguments == talk.calls[1].arguments


def test_a_dangerous_call_is_dropped_after_a_no() -> None:
    talk = Conversation([PAY_FINE, BALANCE], {"pay_fine": consent_tool})
    talk.hears("pay fine F 1 0 0 1")
    assert "I have not done it" in talk.hears("no thank you")
    assert len(talk.calls) == 1


def test_a_correction_of_a_dangerous_call_asks_anew_with_the_new_value() -> None:
    talk = Conversation([PAY_FINE, BALANCE], {"pay_fine": consent_tool})
    talk.hears("pay fine F 1 0 0 1")
    talk.hears("no i meant one double oh two")
    assert talk.last_call == ("pay_fine", {"fine_id": "F-1002"})
    talk.hears("yes")
    assert [json.loads(call.arguments)["fine_id"] for call in talk.calls] == [
        "F-1001",
        "F-1002",
        "F-1002",
    ]


def test_an_unclear_answer_to_a_dangerous_call_is_no_consent() -> None:
    talk = Conversation([PAY_FINE, BALANCE], {"pay_fine": consent_tool})
    talk.hears("pay fine F 1 0 0 1")
    assert "Shall I pay it" in talk.hears("purple elephants")
    assert len(talk.calls) == 1


def test_a_correction_after_the_fact_calls_again() -> None:
    talk = Conversation([VISIT, BALANCE])
    talk.hears("book an engineer's visit for tuesday")
    talk.hears("actually make that wednesday")
    assert talk.last_call == ("book_visit", {"day": "2026-11-25"})


def test_what_is_denied_is_not_taken() -> None:
    talk = Conversation([TRANSFER, BALANCE])
    talk.hears("transfer twenty four pounds to maria")
    talk.hears("no not twenty four, forty two")
    assert talk.last_call == ("transfer_money", {"payee": "Maria", "amount": 42})


def test_the_same_may_be_asked_of_another() -> None:
    talk = Conversation([BALANCE, BLOCK])
    talk.hears("what is the balance of my current account")
    talk.hears("and savings")
    assert talk.last_call == ("get_balance", {"account": "savings"})


def test_two_requests_in_one_turn_are_done_in_order() -> None:
    talk = Conversation([BALANCE, BLOCK, VISIT], {"get_balance": {"balance_gbp": 5}})
    talk.hears("block my card and tell me the balance of my savings account")
    said = talk.hears("four four two one")
    assert [call.name for call in talk.calls] == ["block_card", "get_balance"]
    assert "£5" in said


def test_a_question_may_be_put_aside_for_something_else() -> None:
    talk = Conversation([BALANCE, BLOCK, VISIT], {"get_balance": {"balance_gbp": 5}})
    talk.hears("block my card")
    assert "£5" in talk.hears("actually tell me the balance of my savings account")


def test_never_mind_drops_what_was_begun() -> None:
    talk = Conversation([BLOCK, BALANCE])
    talk.hears("block my card")
    assert talk.hears("never mind").startswith("All right")
    talk.hears("four four two one")
    assert not talk.calls


def test_a_failure_is_told_in_words_with_a_way_on() -> None:
    talk = Conversation([BLOCK, BALANCE], {"block_card": {"error": "There is no such card."}})
    said = talk.hears("block my card four four two one")
    assert "There is no such card." in said
    assert "You can give me another last four digits" in said
    talk.hears("four four two two")
    assert talk.last_call == ("block_card", {"card": "4422"})


def test_the_rest_of_a_list_is_told_when_wanted() -> None:
    payments = [{"payee": name, "amount_gbp": 5} for name in ("Ann", "Bob", "Cid", "Dee", "Eve")]
    listing = tool("list_payments", "List the latest payments.")
    talk = Conversation([listing, BLOCK], {"list_payments": {"payments": payments}})
    assert "Dee" not in talk.hears("list my latest payments")
    assert "Dee" in talk.hears("yes please")


def test_goodbye_hangs_up_with_the_tool_that_says_so() -> None:
    talk = Conversation([BALANCE, HANG_UP])
    assert "Goodbye" in talk.hears("that's all thanks bye")
    assert talk.last_call == ("finish", {})
    assert "Goodbye" in Conversation([BALANCE]).hears("goodbye")


def test_courtesies_need_no_tool() -> None:
    talk = Conversation([BALANCE, BLOCK])
    assert talk.hears("hello") == "Hello. How can I help you?"
    assert "I am Iris, the assistant of Alder Bank." in talk.hears("who are you")
    assert "balance of an account" in talk.hears("what can you do")
    assert "automated" in talk.hears("are you a robot")
    assert talk.hears("thanks").startswith("You are welcome")
    assert talk.hears("can you say that again").startswith("You are welcome")
    assert not talk.calls


def test_what_nobody_can_do_is_admitted_with_what_can_be_done() -> None:
    said = Conversation([BALANCE, BLOCK]).hears("compose a symphony about penguins")
    assert said.startswith("I am afraid I cannot help with that. I can ")


def test_the_instructions_answer_what_they_know() -> None:
    talk = Conversation(
        [BALANCE], instructions="You are Iris. The branch is open from nine to five. Be brief."
    )
    assert "open from nine to five" in talk.hears("when is the branch open")


def test_today_is_taken_from_the_instructions() -> None:
    talk = Conversation([VISIT], instructions="You are Iris. Today is 2027-02-28.")
    talk.hears("book an engineer's visit for tomorrow")
    assert talk.last_call == ("book_visit", {"day": "2027-03-01"})


def test_silence_is_met_with_a_question() -> None:
    assert "did not catch" in Conversation([BALANCE]).hears("You")


def test_nothing_said_yet_is_greeted() -> None:
    assert Conversation([BALANCE]).goes_on().startswith("Hello.")


def test_no_tool_is_called_where_the_request_forbids_it() -> None:
    talk = Conversation([BALANCE])
    talk.items.append(heard("what is the balance of my savings account"))
    assert talk.goes_on(tool_choice="none")
    assert not talk.calls


def test_the_tool_that_is_demanded_is_used() -> None:
    listing = tool("list_cards", "List the cards.")
    thoughts = words_only_mind().think(
        Request("", [BALANCE, listing], {"type": "function", "name": "list_cards"}, [heard("hi")])
    )
    assert thoughts == [Call("list_cards", "{}")]


def test_a_replayed_history_gives_the_same_mind() -> None:
    talk = Conversation([BLOCK, BALANCE], {"block_card": consent_tool})
    talk.hears("block my card")
    talk.hears("four four two one")
    request = talk.request()
    again = Request(request.instructions, request.tools, "auto", [*request.items, heard("yes")])
    first, second = (words_only_mind().think(again) for _ in range(2))
    assert first == second == [Call("block_card", talk.calls[0].arguments)]


def test_a_history_that_another_mind_made_is_taken_up() -> None:
    history = [
        heard("block my card"),
        message("assistant", "Which one?"),
        heard("the blue one"),
        {
            "type": "function_call",
            "call_id": "x",
            "name": "block_card",
            "arguments": '{"card":"1"}',
        },
        {"type": "function_call_output", "call_id": "x", "output": '{"say": "It is blocked."}'},
    ]
    thoughts = words_only_mind().think(Request("", [BLOCK], "auto", history))
    assert thoughts == [Say("It is blocked.")]


@pytest.mark.parametrize("said", ["Stop, that's enough.", "That'll do.", "Okay, stop talking."])
def test_a_caller_who_has_heard_enough_is_not_told_what_cannot_be_done(said: str) -> None:
    assert Conversation([REPAIR]).hears(said) == "Of course."


def test_an_okay_to_nothing_in_particular_is_taken_as_such() -> None:
    assert Conversation([REPAIR]).hears("okay") == "Is there anything else I can do for you?"


REPAIR = tool("report_repair", "Report something broken in a home.")


# -- a conversation that moved to a new session --------------------------------------------------


def call(name: str, arguments: str, output: str) -> list[dict[str, Any]]:
    """A tool call as a new session is told it."""
    return [
        {"type": "function_call", "call_id": "c1", "name": name, "arguments": arguments},
        {"type": "function_call_output", "call_id": "c1", "output": output},
    ]


def replied(items: list[dict[str, Any]], instructions: str | None = None) -> str:
    request = Request(
        instructions="You are Iris, the assistant of Alder Bank.",
        tools=[BALANCE, LIST_FINES],
        tool_choice="auto",
        items=items,
        response_instructions=instructions,
    )
    thoughts = words_only_mind().think(request)
    return " ".join(thought.text for thought in thoughts if isinstance(thought, Say))


def test_the_rest_of_a_reply_is_said_and_no_word_of_it_twice() -> None:
    asked = [
        heard("Are there any parking fines for AB12CDE?"),
        *call("list_fines", '{"plate": "AB12CDE"}', json.dumps(FINES)),
    ]
    whole = replied(asked)
    first, _, rest = whole.partition(". ")

    again = replied([*asked, message("assistant", f"{first}.")], wording.RENEWED)

    assert rest
    assert again == f"I am sorry. {rest}"


def test_a_result_that_comes_in_a_message_is_as_good_as_an_output() -> None:
    asked = heard("What is the balance of my savings account?")
    arguments, output = '{"account": "savings"}', '{"balance": 120.5}'
    late = message("system", wording.late_result("get_balance", output))

    moved = replied([asked, *call("get_balance", arguments, wording.STILL_RUNNING), late])

    assert moved == replied([asked, *call("get_balance", arguments, output)])


# -- what comes in while a reply is made ----------------------------------------------------------


def test_a_question_that_came_during_a_greeting_is_answered_and_only_once() -> None:
    talk = Conversation([BALANCE, BLOCK], {"get_balance": {"balance_gbp": 12.5}})
    talk.items += [
        heard("how much have i got in my savings account"),
        message("assistant", "Hello, this is Alder Bank. How can I help you?"),
    ]
    assert "£12.50" in talk.goes_on()
    assert talk.goes_on() == ""
    assert len(talk.calls) == 1


def test_a_result_that_came_while_the_caller_was_asked_to_wait_is_told() -> None:
    arguments = '{"account": "savings"}'
    talk = Conversation([BALANCE, BLOCK])
    talk.items += [
        heard("how much have i got in my savings account"),
        *call("get_balance", arguments, '{"balance_gbp": 12.5}'),
        message("assistant", "One moment please, this is taking a little longer."),
    ]
    assert "£12.50" in talk.goes_on()
    assert talk.goes_on() == ""
