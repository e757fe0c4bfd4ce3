"""What the house has its agent say, the offline mind says as a person would."""

import pytest

from switchboard.conversation import wording
from switchboard_local.mind.directives import follow
from switchboard_local.mind.smalltalk import Manners

GOODBYE = "Thank you for calling. Goodbye."


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        (wording.SLOW, "One moment please, this is taking a little longer."),
        (wording.SILENCE, "Are you still there?"),
        (
            wording.SILENCE_GOODBYE,
            f"I will hang up now, and you can call again at any time. {GOODBYE}",
        ),
        (wording.GOODBYE, GOODBYE),
        (wording.TIME_UP, f"The time for this call is up. {GOODBYE}"),
        (wording.RETURNED, "I am here again."),
        (wording.RENEWED, "I am sorry."),
        (wording.CARRIED_ON, "I am sorry."),
        (wording.STOPPING, f"This line has to close now. {GOODBYE}"),
        (wording.time_left(120), "This call can last about 2 minutes more."),
    ],
)
def test_orders_of_the_house_become_speech_and_are_not_read_out(directive: str, said: str) -> None:
    assert " ".join(follow(directive, Manners("You are Iris.", ())) or []) == said
