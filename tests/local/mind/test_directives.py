import pytest

from switchboard_local.mind.directives import follow
from switchboard_local.mind.smalltalk import Manners

MANNERS = Manners("You are Iris, the assistant of Alder Bank.", ())


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        ('Greet the caller: say "Welcome to Alder Bank."', "Welcome to Alder Bank."),
        ("say exactly: The line is closing.", "The line is closing."),
        ("The caller has been silent; ask whether they are still there.", "Are you still there?"),
        ("Ask whether they need anything else.", "Do you need anything else?"),
        ("Warn the caller that the call will end soon.", "The call will end soon."),
        ("Ask for their date of birth.", "Could you tell me your date of birth?"),
        (
            "Apologise for the interruption and ask the caller to repeat their last sentence.",
            "I am sorry about that. Could you please repeat your last sentence?",
        ),
        (
            "Tell the caller that it takes a moment.",
            "One moment please, this is taking a little longer.",
        ),
    ],
)
def test_a_response_says_what_its_own_instructions_order(directive: str, said: str) -> None:
    assert " ".join(follow(directive, MANNERS) or []) == said


def test_a_greeting_without_words_of_its_own_introduces_the_agent() -> None:
    said = follow("Greet the caller.", MANNERS)
    assert said is not None
    assert "I am Iris, the assistant of Alder Bank." in said


@pytest.mark.parametrize("manner", ["Be brief.", "Tell the caller the result.", "Speak slowly."])
def test_instructions_that_only_set_the_manner_leave_the_reply_to_the_conversation(
    manner: str,
) -> None:
    assert follow(manner, MANNERS) is None
