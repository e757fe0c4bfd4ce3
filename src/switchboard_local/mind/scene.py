"""What was said as words and small numbers, for whoever looks for days and times in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from switchboard_local.mind.numbers import Number, Token, scan


@dataclass(frozen=True, slots=True)
class Scene:
    said: list[str]
    numbers: dict[int, Number]
    today: date

    def word(self, at: int) -> str:
        return self.said[at] if 0 <= at < len(self.said) else ""

    def value(self, at: int) -> int | None:
        number = self.numbers.get(at)
        if number is None or number.value is None or number.value % 1:
            return None
        return int(number.value)

    def end(self, at: int) -> int:
        return self.numbers[at].last if at in self.numbers else at + 1


def scene_of(said: Sequence[Token], today: date) -> Scene:
    listed = [token.word for token in said]
    return Scene(listed, {number.first: number for number in _small_numbers(listed)}, today)


def _small_numbers(said: list[str]) -> Iterator[Number]:
    """Numbers; runs such as "three thirty" are taken apart where they make no value."""
    for number in scan(said):
        if number.value is not None:
            yield number
            continue
        at = number.first
        while at < number.last:
            piece = scan(said[at : min(at + 2, number.last)])
            joined = bool(piece) and piece[0].value is not None and piece[0].last == 2
            width = 2 if joined else 1
            single = scan(said[at : at + width])
            if single:
                one = single[0]
                yield Number(at, at + width, one.digits, one.value, one.ordinal)
            at += width
