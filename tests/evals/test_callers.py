"""Simulated callers, without a call."""

from switchboard.evals.callers import Answering, SimulatedCaller, caller_of
from switchboard.evals.scenario import Act, Caller


def caller(**what: object) -> Caller:
    return Caller.model_validate(what)


async def acts(one: SimulatedCaller, *heard: str) -> list[str | None]:
    """What they say, each time after one more line of the agent's."""
    return [(await one.next(heard[: count + 1])).say for count in range(len(heard))]


async def test_a_script_is_said_line_by_line_and_then_they_hang_up() -> None:
    one = caller_of(caller(says=["Hello.", "Bye."]), seed=0)

    assert await acts(one, "Hi", "What?") == ["Hello.", "Bye."]
    assert await one.next([]) == Act(hang_up=True)


async def test_what_they_know_is_put_where_it_belongs() -> None:
    one = caller_of(caller(facts={"card": "4417"}, says=["It ends in {card}."]), seed=0)

    assert (await one.next([])).say == "It ends in 4417."


async def test_who_interrupts_says_so_beforehand() -> None:
    one = caller_of(caller(says=["Hello.", {"say": "Stop.", "interrupt": 300}]), seed=0)

    assert one.interrupts() is None
    await one.next([])
    assert one.interrupts() == 300


async def test_an_answer_goes_to_what_was_just_asked_and_not_to_what_was_asked_before() -> None:
    one = caller_of(
        caller(
            begins="Change my plan.",
            answers=[
                {"when": "which plan", "say": "Basic."},
                {"when": "change your plan", "say": "Yes."},
            ],
        ),
        seed=0,
    )
    heard = ["Hello.", "Which plan?", "Change your plan to basic?"]

    assert await acts(one, *heard) == ["Change my plan.", "Basic.", "Yes."]


async def test_whoever_is_asked_for_ever_gives_up() -> None:
    one = caller_of(
        caller(begins="Hi.", answers=[{"when": "number", "say": "Seven.", "times": 1}]), seed=0
    )
    said = await acts(one, "Hello.", "Number?", "Number?", "Number?", "Number?")

    assert said[:2] == ["Hi.", "Seven."]
    assert said[-1] == Caller.model_fields["ends"].default
    assert (await one.next(["Goodbye."])).hang_up


async def test_the_same_seed_gives_the_same_words() -> None:
    what = caller(begins="Hi.", answers=[{"when": "what", "say": list("abcdefgh"), "times": 20}])

    async def said(seed: int) -> list[str | None]:
        one = caller_of(what, seed)
        assert isinstance(one, Answering)
        return await acts(one, "Hello.", *["What?"] * 12)

    assert await said(1) == await said(1)
    assert await said(1) != await said(2)
