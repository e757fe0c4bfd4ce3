"""Static word embeddings: the data files of the `wordllama` package, read as bytes.

The package itself is never imported: its loader looks for its files in the wrong place and would
then try to download them. The data is MIT licensed.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from tokenizers import Tokenizer

type Vector = NDArray[np.float32]

WEIGHTS = (
    "weights/l2_supercat_256.safetensors",
    "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
)
TOKENIZER = (
    "tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)


class NoEmbeddings(Exception):
    """The data is absent or is not what we know. The message says which."""


class Embeddings:
    """Vectors of words and texts; unit length, so a dot product is their likeness."""

    def __init__(self, table: Vector, tokenizer: Tokenizer) -> None:
        self._table = table
        self._tokenizer = tokenizer
        self._word = lru_cache(maxsize=20_000)(self._embed)

    def word(self, word: str) -> Vector:
        """256 numbers of unit length, or all zero for a word without any known piece."""
        return self._word(word)

    def words(self, said: Sequence[str]) -> Vector:
        """One row of 256 for each word."""
        if not said:
            return np.zeros((0, self._table.shape[1]), np.float32)
        return np.stack([self._word(word) for word in said])

    def text(self, text: str) -> Vector:
        """The vector of a whole text."""
        return self._embed(text)

    def _embed(self, text: str) -> Vector:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        if not ids:
            return np.zeros(self._table.shape[1], np.float32)
        return unit(self._table[ids].mean(axis=0))


def unit(vector: Vector) -> Vector:
    """`vector` at length one; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else vector


def load_embeddings(folder: Path | None = None) -> Embeddings:
    """Reads the data, about 50 ms: call it in a thread. Raises `NoEmbeddings`."""
    root = folder or _package_folder()
    weights = _checked(root, *WEIGHTS)
    described = _checked(root, *TOKENIZER)
    table = load_tensors(weights)["embedding.weight"].astype(np.float32)
    return Embeddings(table, Tokenizer.from_buffer(described))


def _package_folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise NoEmbeddings("the package wordllama is not installed")
    return Path(spec.origin).parent


def _checked(root: Path, name: str, sha256: str) -> bytes:
    try:
        data = (root / name).read_bytes()
    except OSError as fault:
        raise NoEmbeddings(f"wordllama's file {name} cannot be read") from fault
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NoEmbeddings(f"wordllama's file {name} is not the one we know")
    return data
