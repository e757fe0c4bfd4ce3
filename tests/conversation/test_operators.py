"""The same as in `test_properties`, with operators who do as they please while it happens."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from tests.conversation.test_properties import (
    CALLS,
    AnyCall,
    AnyCallTheServicePlays,
    AnyCallWithHumansAndKeys,
)

SAID = st.sampled_from(["Be brief.", "One moment, please.", 'Say "hello".', "x" * 1_000])


class Watched(AnyCall):
    """A call that operators act on, at any moment: while tools run, sessions are renewed, and the
    caller is away or gone."""

    @rule(text=SAID)
    def operator_whispers(self, text: str) -> None:
        self._do(e.Whispered(text))

    @rule(text=SAID)
    def operator_dictates(self, text: str) -> None:
        self._do(e.Dictated(text))

    @rule(texts=st.lists(SAID, min_size=2, max_size=4))
    def operators_talk_at_once(self, texts: list[str]) -> None:
        for text in texts:
            self._do(e.Whispered(text), e.Dictated(text))

    @rule(call=CALLS, agreed=st.booleans())
    def operator_decides(self, call: str, agreed: bool) -> None:
        """Whether it asks is looked at before, but another may have decided meanwhile."""
        self._do(e.CallerDecided(call, agreed))

    @rule()
    def operator_wants_a_human(self) -> None:
        self._do(e.HumanWanted())

    @rule(politely=st.booleans())
    def operator_ends_it(self, politely: bool) -> None:
        if not self.over:
            self._do(e.EndRequested("operator", politely))

    @rule(text=SAID)
    def operator_speaks_in_the_middle_of_a_renewal(self, text: str) -> None:
        self.session_is_lost(True)
        self._do(e.Dictated(text))
        self.session_is_renewed(False)

    @rule(call=CALLS)
    def operator_approves_while_the_session_changes(self, call: str) -> None:
        self.session_will_end(5)
        self._do(e.CallerDecided(call, agreed=True))
        self.session_is_renewed(False)

    def _check(self, command: c.Command) -> None:
        super()._check(command)
        assert not self.over or not isinstance(
            command, c.RequestReply | c.RunTool | c.AddToolOutput
        ), "something was begun after the end"


class WatchedOverWebRTC(Watched, AnyCallTheServicePlays):
    """The same where the service plays."""


class WatchedByTelephone(Watched, AnyCallWithHumansAndKeys):
    """The same with humans to hand over to, and keys that are private."""


TestWatched = Watched.TestCase
TestWatched.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestWatchedOverWebRTC = WatchedOverWebRTC.TestCase
TestWatchedOverWebRTC.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWatchedByTelephone = WatchedByTelephone.TestCase
TestWatchedByTelephone.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
