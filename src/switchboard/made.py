"""What is made once and then shared, until what it was made of is another."""

from collections.abc import Callable, Hashable


class Made[K: Hashable, V]:
    """By key. All of it is forgotten as soon as one of the sources is not the very same any more:
    strings are compared, all else is looked at no closer."""

    def __init__(self) -> None:
        self._sources: tuple[object, ...] = ()
        self._known: dict[K, V] = {}

    def of(self, sources: tuple[object, ...], key: K, make: Callable[[], V]) -> V:
        """What is known under `key`, or what `make` gives. What it raises is not kept."""
        if not _alike(sources, self._sources):
            self._sources, self._known = sources, {}
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make()
        return found


def _alike(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(
        one is other or (isinstance(one, str) and one == other)
        for one, other in zip(some, others, strict=True)
    )
