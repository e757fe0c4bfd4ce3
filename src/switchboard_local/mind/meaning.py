"""How near a request is to each tool in meaning, by static embeddings."""

from collections.abc import Callable, Sequence

import numpy as np

from switchboard_local.mind.evidence import Card, Said, meaningful
from switchboard_local.mind.lexicon import content
from switchboard_local.mind.text import stem, words
from switchboard_local.mind.vectors import Embeddings, Vector, unit


class Meaning:
    """The vectors of one set of tools."""

    def __init__(self, cards: Sequence[Card], embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._vectors = [_Vectors(card, embeddings) for card in cards]

    def columns(self, said: Said, idf: Callable[[str], float]) -> list[tuple[float, ...]]:
        """For each tool: nearness to its gist, its text, word by word, its name, and apart."""
        spoken = meaningful(said)
        if not spoken or not self._vectors:
            return [(0.0,) * 5 for _ in self._vectors]
        weights = np.array([idf(stem(word)) ** 0.5 for word in spoken], np.float32)
        each = self._embeddings.words(spoken)
        pooled = unit((each * weights[:, None]).sum(axis=0))
        whole = unit(pooled + self._embeddings.text(said.text))
        nearest = np.stack([(each @ one.words.T).max(axis=1, initial=0.0) for one in self._vectors])
        apart = _apart(nearest) @ (weights**2 / (weights**2).sum())
        rows: list[tuple[float, ...]] = []
        for one, near, lead in zip(self._vectors, nearest, apart.tolist(), strict=True):
            named = (each @ one.name.T).max(axis=0, initial=0.0)
            soft = float((near * weights).sum() / weights.sum())
            called = float(named.mean()) if named.size else 0.0
            rows.append((float(whole @ one.gist), float(whole @ one.text), soft, called, lead))
        return rows


def _apart(nearest: Vector) -> Vector:
    """How much each word speaks for each tool rather than for the others; 0 is no opinion."""
    shares = np.exp(10.0 * nearest)
    shares /= shares.sum(axis=0)
    return np.log(shares * len(nearest) + 1e-6)


class _Vectors:
    def __init__(self, card: Card, embeddings: Embeddings) -> None:
        tool = card.tool
        titled = embeddings.text(" ".join(tool.title_words))
        self.gist = unit(titled + embeddings.text(tool.gist))
        self.text = embeddings.text(tool.text)
        self.words = embeddings.words(sorted(set(content(words(tool.text)))))
        self.name = embeddings.words(content(tool.title_words) or tool.title_words)
