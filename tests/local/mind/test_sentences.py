"""The sentence encoder knows what sentences are about, and refuses a file it does not know."""

from pathlib import Path

import numpy as np
import pytest

from switchboard_local.mind.sentences import PACKAGE, TOKENIZER, WEIGHTS, Sentences, load_sentences
from switchboard_local.mind.vectors import NoEmbeddings

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def sentences() -> Sentences:
    return load_sentences()


@pytest.mark.parametrize(
    ("said", "meant", "other"),
    [
        ("skin doctor", "dermatology", "cardiology"),
        ("the tap will not stop dripping", "report a plumbing fault", "book a table"),
        ("somebody took my purse with all my cards", "block a stolen card", "open an account"),
    ],
)
def test_sentences_about_the_same_thing_are_near(
    sentences: Sentences, said: str, meant: str, other: str
) -> None:
    near, far = sentences.all([meant, other]) @ sentences.of(said)

    assert near > far + 0.1


def test_vectors_have_unit_length_and_are_the_same_every_time(sentences: Sentences) -> None:
    first = sentences.of("What does it cost?")

    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert sentences.knows("What does it cost?")
    assert np.array_equal(first, sentences.of("What does it cost?"))
    assert sentences.of("").shape == first.shape
    assert sentences.all([]).shape == (0, len(first))


def test_a_file_that_is_not_the_one_we_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoEmbeddings, match="cannot be read"):
        load_sentences(tmp_path)
    for name, _ in (WEIGHTS, TOKENIZER):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(NoEmbeddings, match="not the one we know"):
        load_sentences(tmp_path)


def test_the_package_that_carries_it_is_never_imported(sentences: Sentences) -> None:
    import sys

    assert sentences.of("hello").any()
    assert PACKAGE not in sys.modules
