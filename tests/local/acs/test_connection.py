"""A connection as a value: whatever happens to it, in whatever order, it stays one call."""

from collections import Counter
from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from switchboard_local.acs.connection import Asked, Connection, Media, Names, State
from switchboard_local.acs.events import Told
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.refusals import AcsRefused

PEOPLE = [f"4:+1555010{n}" for n in range(4)]
who = st.sampled_from(PEOPLE)
outcomes = st.sampled_from(list(Outcome))
invitations = st.sampled_from(["a", "b", "c"])


class AnyOrder(RuleBasedStateMachine):
    """Requests, people and telephones, as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = Connection(Names("cc", "sc", "co"), "ctx", Media.INACTIVE)
        self.told: list[Told] = []
        self.invited = 0
        self.withdrawn = 0
        self.transfers = 0

    def take(self, told: Sequence[Told]) -> None:
        if self.over and told:
            raise AssertionError("told after the end")
        self.told += told

    @property
    def over(self) -> bool:
        return any(each.type == "CallDisconnected" for each in self.told)

    def count(self, *types: str) -> int:
        counted = Counter(each.type for each in self.told)
        return sum(counted[each] for each in types)

    @rule(first=who)
    def connect(self, first: str) -> None:
        self.take(self.connection.connect([first]))

    @rule(raw=who)
    def join(self, raw: str) -> None:
        self.take(self.connection.join(raw))

    @rule(raw=who)
    def leave(self, raw: str) -> None:
        self.take(self.connection.leave(raw))

    @rule(name=invitations, raw=who)
    def invite(self, name: str, raw: str) -> None:
        if name in self.connection.invitations:
            return
        try:
            self.connection.invite(name, Asked(raw, "add"))
        except AcsRefused:
            assert self.connection.state is not State.CONNECTED or (
                raw in self.connection.participants
            )
            return
        self.invited += 1

    @rule(name=invitations)
    def answered(self, name: str) -> None:
        self.take(self.connection.answered(name))

    @rule(name=invitations, outcome=outcomes)
    def unanswered(self, name: str, outcome: Outcome) -> None:
        self.take(self.connection.unanswered(name, outcome))

    @rule(name=invitations)
    def withdraw(self, name: str) -> None:
        there = name in self.connection.invitations
        try:
            self.take(self.connection.withdraw(name, Asked("", "cancel")))
        except AcsRefused:
            return
        self.withdrawn += there

    @rule(raw=who)
    def remove(self, raw: str) -> None:
        there = self.connection.standing and raw in self.connection.participants
        if there:
            self.take(self.connection.remove(Asked(raw)))
        else:
            with pytest.raises(AcsRefused):
                self.connection.remove(Asked(raw))

    @rule(raw=who, on=st.booleans())
    def hold(self, raw: str, on: bool) -> None:
        try:
            self.take(self.connection.hold(raw, on=on))
        except AcsRefused:
            assert raw not in self.connection.participants or not self.connection.standing

    @rule(to=who, transferee=st.none() | who)
    def transfer(self, to: str, transferee: str | None) -> None:
        try:
            self.connection.begin_transfer(Asked(to, "move"), transferee)
        except AcsRefused:
            return
        self.transfers += 1

    @rule()
    def accepted(self) -> None:
        self.take(self.connection.transfer_accepted())

    @rule(outcome=outcomes)
    def failed(self, outcome: Outcome) -> None:
        self.take(self.connection.transfer_failed(outcome))

    @rule(event=st.sampled_from(["Started", "Stopped", "Failed"]))
    def stream(self, event: str) -> None:
        self.take(self.connection.stream(event, "details"))

    @precondition(lambda self: self.connection.standing)
    @rule()
    def disconnect(self) -> None:
        self.take(self.connection.disconnect())

    @invariant()
    def one_beginning_and_one_end(self) -> None:
        assert self.count("CallConnected") <= 1
        assert self.count("CallDisconnected") <= self.count("CallConnected")
        assert (self.connection.state is State.DISCONNECTED) == self.over

    @invariant()
    def every_invitation_comes_to_one_end(self) -> None:
        ended = self.count("AddParticipantSucceeded", "AddParticipantFailed")
        assert ended + self.withdrawn + len(self.connection.invitations) == self.invited

    @invariant()
    def every_transfer_comes_to_one_end(self) -> None:
        ended = self.count("CallTransferAccepted", "CallTransferFailed")
        assert ended + (self.connection.transfer is not None) == self.transfers
        moving = self.connection.state is State.TRANSFERRING
        assert moving == (self.connection.transfer is not None)

    @invariant()
    def updates_are_numbered_and_true(self) -> None:
        updates = [each.data for each in self.told if each.type == "ParticipantsUpdated"]
        assert [each["sequenceNumber"] for each in updates] == list(range(1, len(updates) + 1))
        if updates and self.connection.standing:
            people = updates[-1]["participants"]
            assert isinstance(people, list)
            assert people == [each.wire() for each in self.connection.participants.values()]

    @invariant()
    def media_ends_with_the_call(self) -> None:
        if self.over:
            assert self.connection.media is not Media.ACTIVE
            assert not self.connection.participants
            assert not self.connection.invitations


TestAnyOrder = AnyOrder.TestCase


def test_a_call_that_never_stood_is_not_disconnected_too() -> None:
    connection = Connection(Names("cc", "sc", "co"))
    assert [each.type for each in connection.fail(Outcome.BUSY)] == ["CreateCallFailed"]
    assert connection.disconnect() == ()
    assert connection.connect([PEOPLE[0]]) == ()
